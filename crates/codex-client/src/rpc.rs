//! The JSON-RPC envelope as the app-server uses it: no `jsonrpc` field, `emittedAtMs` beside `params`.
//!
//! Params and results stay raw, so that a line is parsed once here and once where it is wanted. It
//! never interprets a method.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// How much of an unreadable line is kept to show, in bytes.
const PREVIEW_BYTES: usize = 200;

/// Names a request. Codex numbers its own from 0, apart from ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    /// What Codex 0.169 uses.
    Number(i64),
    /// Allowed by the protocol.
    Text(String),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// The error half of an answer, either way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RpcError {
    /// JSON-RPC's code; Codex says -32600 for nearly everything.
    pub code: i64,
    /// For people.
    pub message: String,
    /// Whatever else there is, such as `codexErrorInfo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
}

impl RpcError {
    /// The refusal of a request that the owner does not serve.
    pub fn method_not_found(method: &str) -> Self {
        Self { code: -32601, message: format!("{method} is not supported"), data: None }
    }
}

/// One line that could be read.
#[derive(Debug)]
pub(crate) enum Message {
    /// The answer to a request of ours. An error that cannot itself be read is the inner error.
    Response { id: RequestId, result: Result<Box<RawValue>, Result<RpcError, serde_json::Error>> },
    /// Something that happened.
    Notification { method: String, params: Box<RawValue>, emitted_at_ms: Option<i64> },
    /// A question that waits for an answer.
    Request { id: RequestId, method: String, params: Box<RawValue> },
}

/// A line that is no message. It belongs to nobody, so it harms nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Above the limit, dropped.
    #[error("a line of {bytes} bytes is above the limit")]
    TooLong { bytes: u64 },
    /// Not UTF-8.
    #[error("a line is not UTF-8: {preview}")]
    NotUtf8 { preview: String },
    /// Not JSON, or JSON that is neither response, notification nor request.
    #[error("a line is not a message: {preview}")]
    NotAMessage { preview: String },
    /// The stream ended within a line.
    #[error("the stream ended within a line: {preview}")]
    Partial { preview: String },
}

impl Malformed {
    pub(crate) fn preview(line: &[u8]) -> String {
        let shown = String::from_utf8_lossy(beginning(line, PREVIEW_BYTES));
        match line.len() <= PREVIEW_BYTES {
            true => shown.into_owned(),
            false => format!("{shown}… ({} bytes)", line.len()),
        }
    }
}

/// The beginning of a line, of at most so many bytes, without the word that a cut goes through: it may be a secret, and half
/// of one has no shape by which it could be taken out later.
#[must_use]
pub fn beginning(line: &[u8], max_bytes: usize) -> &[u8] {
    let Some(head) = line.get(..max_bytes).filter(|head| head.len() < line.len()) else {
        return line;
    };
    let ends_word = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`,;&<>\\".contains(byte);
    let end = head.iter().rposition(ends_word).map_or(0, |at| at + 1);
    &head[..end]
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    id: Option<RequestId>,
    #[serde(default, borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    params: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(default, borrow)]
    error: Option<&'a RawValue>,
    #[serde(default, rename = "emittedAtMs", borrow)]
    emitted_at_ms: Option<&'a RawValue>,
}

/// Keeps an explicit `null` apart from an absent field: `"result":null` is an answer.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Message {
    /// Reads one line.
    ///
    /// # Errors
    /// [`Malformed::NotAMessage`].
    pub(crate) fn parse(line: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::NotAMessage { preview: Malformed::preview(line.as_bytes()) };
        let envelope: Envelope<'_> = serde_json::from_str(line).map_err(|_| malformed())?;
        let params = || envelope.params.unwrap_or(RawValue::NULL).to_owned();
        match (envelope.id, envelope.method) {
            (Some(id), Some(method)) => {
                Ok(Self::Request { id, method: method.into_owned(), params: params() })
            }
            (None, Some(method)) => Ok(Self::Notification {
                method: method.into_owned(),
                params: params(),
                emitted_at_ms: envelope
                    .emitted_at_ms
                    .and_then(|raw| serde_json::from_str(raw.get()).ok()),
            }),
            (Some(id), None) => match (envelope.error, envelope.result) {
                (Some(error), _) => {
                    Ok(Self::Response { id, result: Err(serde_json::from_str(error.get())) })
                }
                (None, Some(result)) => Ok(Self::Response { id, result: Ok(result.to_owned()) }),
                (None, None) => Err(malformed()),
            },
            (None, None) => Err(malformed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn a_word_that_a_cut_goes_through_is_left_out() {
        let cases = [
            ("abc", 3, "abc"),
            ("abc def", 5, "abc "),
            (r#"{"key":"secret"}"#, 12, r#"{"key":""#),
            ("abcdef", 3, ""),
            ("é é", 4, "é "),
        ];
        for (line, max_bytes, expected) in cases {
            assert_eq!(beginning(line.as_bytes(), max_bytes), expected.as_bytes(), "{line}");
        }
    }
}
