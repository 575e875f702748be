//! `codex.read`: the next page of a result that was too long for one answer.

use std::fmt;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility};
use crate::error::{Code, Problem};
use crate::mcp::arguments::parse;
use crate::mcp::call::ToolCall;
use crate::mcp::paging::{Budget, ResumeToken, TokenKey, split};
use crate::mcp::render::Answer;

/// What the fields around a page may cost.
const FRAME_UNITS: usize = 600;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    /// The `token` of an entry of `more`, or of the page before.
    token: String,
}

/// A page.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    /// The text, exactly: the pages one after the other are the whole.
    content: String,
    /// Which page it is; page 1 stood in the result itself.
    page: u32,
    /// The length of the whole, in bytes.
    total_bytes: usize,
    /// Where this page begins, in bytes.
    offset: usize,
    /// Whether this is the last page.
    done: bool,
    /// For the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The output; as a resource, `codex://outputs/{outputId}`.
    output_id: String,
    /// What the text is.
    mime: &'static str,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.read",
        title: "Read on in a long result",
        description: "Get the next page of a result that was too long for one answer: pass the `token` of an entry of \
            `more`, then that of each page, until `done`. The pages follow on what the result already showed, without \
            a gap. Reading costs no Codex turn and changes nothing.",
        search_hint: "next page continue rest of long output more token truncated paging",
        annotations: ToolAnnotations::new().read_only(true).idempotent(true).open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Page>()
}

/// Reads the arguments: where to go on reading, and from which byte on.
pub(super) fn read(
    arguments: Option<JsonObject>,
    key: &TokenKey,
) -> Result<(ResumeToken, usize), Problem> {
    let arguments: Arguments = parse(arguments)?;
    let token = ResumeToken::open(&arguments.token, key);
    let token = token.map_err(|error| Problem::from(&error))?;
    let offset = usize::try_from(token.offset).map_err(|_too_large| {
        Problem::new(Code::TokenInvalid, "`token`: the offset is larger than this system allows")
    })?;
    Ok((token, offset))
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let outputs = call.outputs();
    let (token, offset) = read(arguments, outputs.token_key())?;
    let budget = Budget::new(call.limits().result().units().saturating_sub(FRAME_UNITS));
    let slice = call.threads().slice(token.output, offset, budget.window()).await;
    let slice = slice.map_err(|error| Problem::from(&error))?;
    let mut content = slice.text;
    content.truncate(split(&content, budget, slice.kind));
    let end = offset + content.len();
    let done = end >= slice.total_bytes;
    let next = ResumeToken {
        output: token.output,
        offset: end as u64,
        page: token.page.saturating_add(1),
    };
    let page = Page {
        content,
        page: token.page,
        total_bytes: slice.total_bytes,
        offset,
        done,
        token: (!done).then(|| next.seal(outputs.token_key())),
        output_id: token.output.to_string(),
        mime: slice.kind.mime(),
    };
    Ok(Answer::success(page.to_string(), &page))
}

/// The text as it is, then where it stands and how to go on.
impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content, page, total_bytes, offset, .. } = self;
        let end = offset + content.len();
        write!(f, "{content}\n\n[page {page}: bytes {offset} to {end} of {total_bytes}; ")?;
        match &self.token {
            None => write!(f, "this is the end]"),
            Some(token) => write!(f, "go on with codex.read, token {token}]"),
        }
    }
}
