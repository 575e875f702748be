//! `codex.thread.read`: what was said, thought and done on a thread, page by page.

use std::fmt;

use bridge_core::ThreadId;
use bridge_store::{Cursor, Entry, EntryKind, EntryPage, ThreadRow};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility};
use crate::error::Problem;
use crate::mcp::arguments::{in_range, parse, thread_id};
use crate::mcp::call::ToolCall;
use crate::mcp::cursor;
use crate::mcp::outputs::NewOutput;
use crate::mcp::paging::{Budget, Kind, ResumeToken, cost, split};
use crate::mcp::render::{Answer, ThreadResult};
use crate::mcp::resources::ResourceUri;
use crate::mcp::timeline::{self, Part};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;
/// What the fields around the entries may cost.
const FRAME_UNITS: usize = 1_500;
/// What the fields of an entry around its text may cost.
const ENTRY_UNITS: usize = 400;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    /// The thread.
    thread_id: String,
    /// What to show. Default: `messages`.
    kinds: Option<Vec<KindOf>>,
    /// How many entries. Default: 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum KindOf {
    Messages,
    Thinking,
    Commands,
    Changes,
    Plans,
    Approvals,
    Artifacts,
}

impl From<KindOf> for EntryKind {
    fn from(kind: KindOf) -> Self {
        match kind {
            KindOf::Messages => Self::Message,
            KindOf::Thinking => Self::Thinking,
            KindOf::Commands => Self::Command,
            KindOf::Changes => Self::Change,
            KindOf::Plans => Self::Plan,
            KindOf::Approvals => Self::Approval,
            KindOf::Artifacts => Self::Artifact,
        }
    }
}

/// A part of a thread, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    thread: ThreadResult,
    entries: Vec<EntryResult>,
    /// For the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EntryResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    turn_id: Option<String>,
    kind: KindWord,
    /// `user` or `agent`.
    author: String,
    /// Of a message `commentary` or `final_answer`, of a command or change its state, of a plan why it was changed, of an
    /// approval the answer and who gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// A message, a thought, a command with its output, a diff, a plan's steps, or what Codex asked for.
    text: String,
    /// Of a change or an artifact: the whole as a resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    /// If the text is cut: gives the rest with codex.read.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// If the text is cut: the length of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_chars: Option<usize>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum KindWord {
    Message,
    Thinking,
    Command,
    Change,
    Plan,
    Approval,
    Artifact,
}

impl From<EntryKind> for KindWord {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Message => Self::Message,
            EntryKind::Thinking => Self::Thinking,
            EntryKind::Command => Self::Command,
            EntryKind::Change => Self::Change,
            EntryKind::Plan => Self::Plan,
            EntryKind::Approval => Self::Approval,
            EntryKind::Artifact => Self::Artifact,
        }
    }
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.thread.read",
        title: "Read a Codex thread",
        description: "Read what was said on a thread, oldest first, also one from a Codex terminal; with `kinds` also its \
            thinking, commands, changes, plans, approvals and artifacts (long logs, images). Go on with `nextCursor`; a text that is cut has a `token` for \
            `codex.read`. Costs no Codex turn.",
        search_hint: "history transcript messages conversation log show earlier",
        annotations: ToolAnnotations::new().read_only(true).idempotent(true).open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Page>()
}

/// Reads the arguments: which part of which thread.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<(ThreadId, Part), Problem> {
    let arguments: Arguments = parse(arguments)?;
    let limit = in_range("limit", arguments.limit, 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let after: Option<Cursor> = arguments.cursor.as_deref().map(cursor::read).transpose()?;
    let kinds = match arguments.kinds {
        Some(kinds) if !kinds.is_empty() => kinds.into_iter().map(EntryKind::from).collect(),
        Some(_) | None => vec![EntryKind::Message],
    };
    let part = Part { kinds, limit: limit as usize, after };
    Ok((thread_id(&arguments.thread_id)?, part))
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let (thread, part) = read(arguments)?;
    let thread = call.threads().find(&thread).await?;
    let mut warnings = Vec::new();
    let page = timeline::page(&call, &thread, part, &mut warnings).await?;
    let row = call.threads().row(&thread).await?;
    let page = fit(&call, row, page, warnings).await;
    Ok(Answer::success(page.to_string(), &page))
}

/// Leaves to the next page what does not fit. A text that fits no page is cut, and kept whole first.
async fn fit(
    call: &ToolCall<'_>,
    row: ThreadRow,
    page: EntryPage,
    mut warnings: Vec<String>,
) -> Page {
    let mut room = call.limits().result().units().saturating_sub(FRAME_UNITS);
    let mut entries = Vec::new();
    let mut next = page.next;
    let mut last = None;
    let total = page.entries.len();
    for entry in page.entries {
        let units = cost(&entry.text) + ENTRY_UNITS;
        let place = entry.place.clone();
        if units <= room {
            room -= units;
            entries.push(EntryResult::from(entry));
            last = Some(place);
            continue;
        }
        if !entries.is_empty() {
            next = last;
            break;
        }
        let shown = cut(call, &row.thread, entry, room.saturating_sub(ENTRY_UNITS)).await;
        entries.push(shown.unwrap_or_else(|(entry, warning)| {
            warnings.push(warning);
            entry
        }));
        next = if total > 1 { Some(place) } else { next };
        break;
    }
    let next_cursor = next.as_ref().map(cursor::write);
    Page { thread: ThreadResult::from(row), entries, next_cursor, warnings }
}

/// Shows the beginning of a text; where the whole cannot be kept, with the reason.
async fn cut(
    call: &ToolCall<'_>,
    thread: &ThreadId,
    mut entry: Entry,
    room: usize,
) -> Result<EntryResult, (EntryResult, String)> {
    let kind = match entry.kind {
        EntryKind::Change => Kind::Diff,
        EntryKind::Command => Kind::Log,
        EntryKind::Message
        | EntryKind::Thinking
        | EntryKind::Plan
        | EntryKind::Approval
        | EntryKind::Artifact => Kind::Markdown,
    };
    let whole = entry.text.clone();
    let shown = split(&whole, Budget::new(room), kind);
    entry.text.truncate(shown);
    let total_chars = whole.chars().count();
    let turn = entry.turn.as_ref().map(|turn| turn.0.clone());
    let result = EntryResult { total_chars: Some(total_chars), ..EntryResult::from(entry) };
    let output = NewOutput { text: whole, kind, thread: Some(thread.0.clone()), turn };
    match call.outputs().keep(output).await {
        Ok(output) => {
            let token = ResumeToken { output, offset: shown as u64, page: 2 };
            Ok(EntryResult { token: Some(token.seal(call.outputs().token_key())), ..result })
        }
        Err(error) => Err((result, format!("the rest of a text could not be kept: {error}"))),
    }
}

impl From<Entry> for EntryResult {
    fn from(entry: Entry) -> Self {
        let patch = entry.patch.map(|patch| ResourceUri::Patch(patch).to_string());
        let output = entry.output.and_then(|output| output.parse().ok());
        let output = output.map(|output| ResourceUri::Output(output).to_string());
        Self {
            turn_id: entry.turn.map(|turn| turn.0),
            kind: entry.kind.into(),
            author: entry.author,
            detail: entry.detail,
            text: entry.text,
            uri: patch.or(output),
            token: None,
            total_chars: None,
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.thread)?;
        for entry in &self.entries {
            let who = match entry.kind {
                KindWord::Message => entry.author.as_str(),
                KindWord::Thinking => "thinking",
                KindWord::Command => "command",
                KindWord::Change => "change",
                KindWord::Plan => "plan",
                KindWord::Approval => "approval",
                KindWord::Artifact => "artifact",
            };
            write!(f, "\n[{who}")?;
            if let Some(detail) = &entry.detail {
                write!(f, ", {detail}")?;
            }
            writeln!(f, "]\n{}", entry.text.trim_end())?;
            if let (Some(token), Some(chars)) = (&entry.token, entry.total_chars) {
                writeln!(f, "[{chars} characters in all; go on with codex.read, token {token}]")?;
            }
        }
        if let Some(cursor) = &self.next_cursor {
            write!(f, "\n[There is more; go on with `cursor` {cursor}]")?;
        }
        for warning in &self.warnings {
            write!(f, "\nWarning: {warning}.")?;
        }
        Ok(())
    }
}
