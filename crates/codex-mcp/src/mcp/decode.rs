//! What a line means: a message for the service, nothing, or a refusal that the client is told.
//!
//! It keeps no state and drops no request in silence. What looks like an answer is never answered, so two
//! peers that misunderstand each other cannot keep each other busy.

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ErrorCode, ErrorData, InitializedNotification,
    Notification, RequestId, RootsListChangedNotification,
};
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{method, salvage};
use crate::error::brief;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What to do about a line.
#[derive(Debug)]
pub(super) enum Decoded {
    /// Hand it on.
    Message(Box<ClientJsonRpcMessage>),
    /// Nothing: a blank line, an unknown notification, an answer that cannot be read.
    Nothing,
    /// Tell the client.
    Refused(Refusal),
}

/// An error answer made without asking the service, in the form in which it is written. Unlike rmcp's own
/// error, an unknown id is `null`, as JSON-RPC wants it, and not left out.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    jsonrpc: &'static str,
    id: Option<RequestId>,
    error: Box<ErrorData>,
}

impl Refusal {
    pub(super) fn new(id: Option<RequestId>, mut error: ErrorData) -> Self {
        error.message = brief(error.message.into_owned()).into();
        Self { jsonrpc: "2.0", id, error: Box::new(error) }
    }

    fn invalid(id: Option<RequestId>, why: impl Into<String>) -> Self {
        let message = format!("invalid request: {}", why.into());
        Self::new(id, ErrorData::invalid_request(message, None))
    }

    fn not_json(error: &serde_json::Error) -> Self {
        let message = format!("parse error: the line is not JSON: {error}");
        Self::new(None, ErrorData::new(ErrorCode::PARSE_ERROR, message, None))
    }
}

/// The members of a message, unread, so that a mistake in one does not hide the others.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Keeps a `null` apart from a member that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads one line. Line feeds, carriage returns and a byte order mark around the message are allowed.
pub(super) fn decode(line: &[u8]) -> Decoded {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let line = line.trim_ascii();
    let Some(first) = line.first() else {
        return Decoded::Nothing;
    };
    if *first != b'{' {
        return Decoded::Refused(not_an_object(line));
    }
    match serde_json::from_slice::<Envelope<'_>>(line) {
        Ok(envelope) => message(&envelope),
        Err(error) if error.is_data() && std::str::from_utf8(line).is_ok() => {
            Decoded::Refused(Refusal::invalid(None, error.to_string()))
        }
        Err(error) => Decoded::Refused(Refusal::not_json(&error)),
    }
}

/// The refusal of a line over the limit, under the request's id where one of its ends shows it.
pub(super) fn too_long(head: &[u8], tail: &[u8], max_bytes: usize) -> Refusal {
    Refusal::invalid(
        salvage::find_id(head, tail),
        format!("the line is longer than the limit of {max_bytes} bytes"),
    )
}

fn not_an_object(line: &[u8]) -> Refusal {
    match serde_json::from_slice::<IgnoredAny>(line) {
        Err(error) => Refusal::not_json(&error),
        Ok(_) if line.starts_with(b"[") => {
            Refusal::invalid(None, "batches are not supported; send one message a line")
        }
        Ok(_) => Refusal::invalid(None, "a message is a JSON object"),
    }
}

fn message(envelope: &Envelope<'_>) -> Decoded {
    let id = envelope.id.and_then(read);
    match (envelope.method, envelope.result, envelope.error) {
        (Some(method), None, None) => called(envelope, method, id),
        (None, Some(result), None) => answered(id, result, ClientJsonRpcMessage::response),
        (None, None, Some(error)) => {
            answered(id, error, |error, id| ClientJsonRpcMessage::error(error, Some(id)))
        }
        (None, Some(_), Some(_)) => Decoded::Nothing,
        (None, None, None) => Decoded::Refused(Refusal::invalid(id, "there is no method")),
        (Some(_), _, _) => Decoded::Refused(Refusal::invalid(
            id,
            "a message has either a method or a result or an error",
        )),
    }
}

fn called(envelope: &Envelope<'_>, method: &RawValue, id: Option<RequestId>) -> Decoded {
    if envelope.jsonrpc.map(RawValue::get) != Some(r#""2.0""#) {
        return Decoded::Refused(Refusal::invalid(id, r#"jsonrpc must be "2.0""#));
    }
    let Some(method) = read::<String>(method) else {
        return Decoded::Refused(Refusal::invalid(id, "method must be a string"));
    };
    let Some(id) = id else {
        return match envelope.id {
            None => notified(&method, envelope.params),
            Some(_) => {
                Decoded::Refused(Refusal::invalid(None, "id must be a string or an integer"))
            }
        };
    };
    match method::request(&method, envelope.params) {
        Ok(request) => Decoded::Message(Box::new(ClientJsonRpcMessage::request(request, id))),
        Err(error) => Decoded::Refused(Refusal::new(Some(id), error)),
    }
}

fn answered<T: DeserializeOwned>(
    id: Option<RequestId>,
    answer: &RawValue,
    into_message: impl FnOnce(T, RequestId) -> ClientJsonRpcMessage,
) -> Decoded {
    match id.zip(read(answer)) {
        Some((id, answer)) => Decoded::Message(Box::new(into_message(answer, id))),
        None => Decoded::Nothing,
    }
}

/// Notifications have no answer, so one that is unknown or malformed is dropped.
fn notified(method: &str, params: Option<&RawValue>) -> Decoded {
    let notification = match method {
        "notifications/cancelled" => {
            with_params(params).map(ClientNotification::CancelledNotification)
        }
        "notifications/progress" => {
            with_params(params).map(ClientNotification::ProgressNotification)
        }
        "notifications/initialized" => Some(InitializedNotification::default().into()),
        "notifications/roots/list_changed" => Some(RootsListChangedNotification::default().into()),
        _ => None,
    };
    match notification {
        Some(notification) => {
            Decoded::Message(Box::new(ClientJsonRpcMessage::notification(notification)))
        }
        None => {
            tracing::debug!(method, "dropped a notification");
            Decoded::Nothing
        }
    }
}

fn with_params<M: Default, P: DeserializeOwned>(
    params: Option<&RawValue>,
) -> Option<Notification<M, P>> {
    read(params?).map(Notification::new)
}

fn read<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}
