//! `codex.wait`: the state or the result of a turn; the way back after a time-out or `background`.

use std::time::Duration;

use bridge_core::{CallRequest, Outcome, ThreadId, TurnId};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Definition, Visibility, unexpected};
use crate::error::Problem;
use crate::mcp::arguments::{in_range, parse, thread_id, turn_id};
use crate::mcp::call::ToolCall;
use crate::mcp::render::{Answer, TurnResult};
use crate::mcp::threads::ThreadRef;

/// How long a call waits that does not say.
const DEFAULT_WAIT: u32 = 60;
/// The longest wait: an hour. The turn does not depend on it.
const MAX_WAIT: u32 = 3600;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    /// The thread.
    thread_id: String,
    /// The turn. Default: the newest of the thread.
    turn_id: Option<String>,
    /// How long to wait for its end. 0: only look. Default: 60.
    #[schemars(range(min = 0, max = 3600))]
    wait_seconds: Option<u32>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.wait",
        title: "Wait for a Codex turn",
        description: "Get the result of a Codex turn, or how far it is: after `background: true`, after a time-out or a \
            lost connection, or for an older turn. Waits up to `waitSeconds` for a running turn and then returns with \
            status `inProgress` or `queued`; call it again then. Waiting does not change the turn.",
        search_hint: "poll status result background job codex turn progress collect",
        annotations: ToolAnnotations::new().read_only(true).idempotent(true).open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, TurnResult>()
}

/// What a call asks for.
pub(super) struct Asked {
    thread: ThreadId,
    turn: Option<TurnId>,
    wait: Duration,
}

/// Reads the arguments.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<Asked, Problem> {
    let arguments: Arguments = parse(arguments)?;
    let wait = in_range("waitSeconds", arguments.wait_seconds, 0..=MAX_WAIT)?;
    Ok(Asked {
        turn: turn_id(arguments.turn_id.as_deref())?,
        thread: thread_id(&arguments.thread_id)?,
        wait: Duration::from_secs(u64::from(wait.unwrap_or(DEFAULT_WAIT))),
    })
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let Asked { thread, turn, wait } = read(arguments)?;
    let thread = call.threads().find(&thread).await?;
    let request = CallRequest::Wait { thread: thread.id().clone(), turn: turn.clone(), wait };
    let outcome = call.run(request).await;
    if matches!(outcome, Outcome::NotLive) {
        return from_disk(&call, &thread, turn).await;
    }
    call.turn_answer(outcome).await.ok_or_else(|| unexpected("codex.wait"))
}

/// A turn that ended long ago, or elsewhere: our own record says the most of it; Codex knows also those that were not
/// ours.
async fn from_disk(
    call: &ToolCall<'_>,
    thread: &ThreadRef,
    turn: Option<TurnId>,
) -> Result<Answer, Problem> {
    let thread = thread.id().clone();
    let (asked, wanted) = (thread.clone(), turn.clone());
    let kept = call.ledger().read(move |store| store.turn(&asked, wanted.as_ref())).await;
    let kept = kept.ok().flatten();
    if turn.is_some()
        && let Some(row) = kept
    {
        return Ok(call.stored_answer(row).await);
    }
    // A turn that somebody else made on the thread, in a terminal say, is known to Codex alone.
    let outcome = call.run(CallRequest::ReadTurn { thread: thread.clone(), turn }).await;
    let newest_is_ours = match &outcome {
        Outcome::Turn(report) => {
            let newest = report.turn.clone();
            let ours = call.ledger().read(move |store| store.turn(&thread, newest.as_ref())).await;
            ours.is_ok_and(|row| row.is_some())
        }
        Outcome::Failed(_)
        | Outcome::NotLive
        | Outcome::Asked { .. }
        | Outcome::Steered { .. }
        | Outcome::PlanTold { .. }
        | Outcome::Cancelled { .. }
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Health(_) => true,
    };
    match kept.filter(|_| newest_is_ours) {
        Some(row) => Ok(call.stored_answer(row).await),
        None => call.turn_answer(outcome).await.ok_or_else(|| unexpected("codex.wait")),
    }
}
