//! `codex.thread.list`: finds threads, made here or in another program.

use std::fmt;

use bridge_store::{Cursor, ThreadFilter, Timestamp};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility};
use crate::clock;
use crate::error::Problem;
use crate::mcp::arguments::{in_range, parse};
use crate::mcp::call::ToolCall;
use crate::mcp::cursor;
use crate::mcp::paging::cost;
use crate::mcp::render::{Answer, ThreadResult};
use crate::workspace::Roots;

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;
/// About ten years.
const MAX_DAYS: u32 = 3650;
/// The longest text to look for, in characters.
const MAX_TEXT: usize = 500;
/// What the fields around the list may cost.
const FRAME_UNITS: usize = 600;
const MILLISECONDS_A_DAY: i64 = 86_400_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    /// Only threads that work in this folder or below. Default: all workspace roots.
    cwd: Option<String>,
    /// Words that occur in its messages, or a text in its title or topic.
    text: Option<String>,
    /// Where its newest turn stands.
    state: Option<State>,
    /// Changed within so many days.
    #[schemars(range(min = 1, max = 3650))]
    newer_than_days: Option<u32>,
    /// Not changed for so many days.
    #[schemars(range(min = 1, max = 3650))]
    older_than_days: Option<u32>,
    /// Archived threads instead of the others.
    archived: Option<bool>,
    /// How many. Default: 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum State {
    // Queued counts too.
    Running,
    Completed,
    Interrupted,
    Failed,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// Threads, the one that changed last first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    threads: Vec<ThreadResult>,
    /// For the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.thread.list",
        title: "Find Codex threads",
        description: "Find threads, newest first: those made here, in a Codex terminal or by `codex exec`, that work in \
            the workspace roots. Continue one with `codex-reply`, read it with `codex.thread.read`.",
        search_hint: "list sessions conversations history search past resume earlier",
        annotations: ToolAnnotations::new().read_only(true).idempotent(true).open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Page>()
}

/// What a call asks for.
pub(super) struct Asked {
    filter: ThreadFilter,
    limit: usize,
    after: Option<Cursor>,
}

/// Reads the arguments.
pub(super) fn read(arguments: Option<JsonObject>, roots: &Roots) -> Result<Asked, Problem> {
    let arguments: Arguments = parse(arguments)?;
    let limit = in_range("limit", arguments.limit, 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    Ok(Asked {
        limit: limit as usize,
        after: arguments.cursor.as_deref().map(cursor::read).transpose()?,
        filter: arguments.filter(roots)?,
    })
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let Asked { filter, limit, after } = read(arguments, call.roots())?;
    let mut warnings = Vec::new();
    // The page after another one belongs to the same list.
    if after.is_none()
        && let Err(problem) = call.threads().sync(filter.archived).await
    {
        warnings.push(format!(
            "threads that other programs made lately may be missing: {}",
            problem.message
        ));
    }
    let page = call.threads().list(filter, limit, after).await?;
    let mut next = page.next;
    let mut room = call.limits().result().units().saturating_sub(FRAME_UNITS);
    let mut threads = Vec::new();
    let mut last = None;
    for row in page.threads {
        let place = Cursor { key: row.updated_at.0, id: row.thread.0.clone() };
        let thread = ThreadResult::from(row);
        let units = cost(&serde_json::to_string(&thread).unwrap_or_default());
        if units > room && !threads.is_empty() {
            next = last;
            break;
        }
        room = room.saturating_sub(units);
        threads.push(thread);
        last = Some(place);
    }
    let page = Page { threads, next_cursor: next.as_ref().map(cursor::write), warnings };
    Ok(Answer::success(page.to_string(), &page))
}

impl Arguments {
    fn filter(&self, roots: &Roots) -> Result<ThreadFilter, Problem> {
        let folder = |cwd: &String| match roots.resolve(Some(cwd)) {
            Ok(folder) => Ok(folder.path().to_owned()),
            Err(error) => Err(Problem::from(&error)),
        };
        let text = self.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if let Some(text) = text.filter(|text| text.chars().count() > MAX_TEXT) {
            let given = format!("it has {} characters", text.chars().count());
            return Err(Problem::argument("text", &given, &format!("at most {MAX_TEXT}")));
        }
        let ago = |name, days: Option<u32>| -> Result<Option<Timestamp>, Problem> {
            let days = in_range(name, days, 1..=MAX_DAYS)?;
            let now = clock::timestamp_ms().0;
            Ok(days.map(|days| Timestamp(now - i64::from(days) * MILLISECONDS_A_DAY)))
        };
        Ok(ThreadFilter {
            codex_home: String::new(),
            under: self.cwd.as_ref().map(folder).transpose()?.into_iter().collect(),
            text: text.map(str::to_owned),
            state: self.state.map(State::as_str),
            archived: self.archived.unwrap_or(false),
            since: ago("newerThanDays", self.newer_than_days)?,
            until: ago("olderThanDays", self.older_than_days)?,
        })
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.threads.is_empty() {
            write!(f, "There is no such thread.")?;
        }
        for (index, thread) in self.threads.iter().enumerate() {
            let before = if index == 0 { "" } else { "\n" };
            write!(f, "{before}{thread}")?;
        }
        if let Some(cursor) = &self.next_cursor {
            write!(f, "\n[There are more; go on with `cursor` {cursor}]")?;
        }
        for warning in &self.warnings {
            write!(f, "\nWarning: {warning}.")?;
        }
        Ok(())
    }
}
