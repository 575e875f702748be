//! `codex.cancel`: the end of a turn and of everything that it started.

use bridge_core::{CallRequest, Failure, Outcome, ThreadId, TurnId};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility, unexpected};
use crate::error::{Code, Problem};
use crate::mcp::arguments::{parse, thread_id, turn_id};
use crate::mcp::call::ToolCall;
use crate::mcp::render::{Answer, TurnResult};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    /// The thread.
    thread_id: String,
    /// The turn. Default: the running one and all that wait behind it.
    turn_id: Option<String>,
    /// Why; kept with the turn.
    reason: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Cancelled {
    /// The thread.
    thread_id: String,
    /// How many turns were dropped that waited in the queue.
    dropped_from_queue: usize,
    /// The turn that was running, as it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<TurnResult>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.cancel",
        title: "Cancel a Codex turn",
        description: "Stop a running Codex turn and every command it started. Without `turnId` the turns that wait \
            behind it are dropped too. Returns when nothing of it runs any more, with what Codex had said and done so \
            far. The thread stays and can be continued with codex-reply.",
        search_hint: "stop abort interrupt kill codex turn command",
        annotations: ToolAnnotations::new().read_only(false).destructive(true).idempotent(true).open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Cancelled>()
}

/// What a call asks for.
pub(super) struct Asked {
    thread: ThreadId,
    turn: Option<TurnId>,
    reason: Option<String>,
}

/// Reads the arguments.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<Asked, Problem> {
    let arguments: Arguments = parse(arguments)?;
    Ok(Asked {
        turn: turn_id(arguments.turn_id.as_deref())?,
        thread: thread_id(&arguments.thread_id)?,
        reason: arguments.reason.filter(|reason| !reason.trim().is_empty()),
    })
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let Asked { thread, turn, reason } = read(arguments)?;
    let thread = call.threads().find(&thread).await?.id().clone();
    let request = CallRequest::Cancel { thread: thread.clone(), turn, reason };
    match call.run(request).await {
        Outcome::Cancelled { turn, dropped } => {
            let turn = match turn {
                Some(report) => Some(call.turn_result(*report).await),
                None => None,
            };
            let ended = match &turn {
                Some(turn) => format!("The turn of thread {thread} is {}.", turn.status.as_str()),
                None => format!("No turn of thread {thread} was running."),
            };
            let dropped_text = match dropped {
                0 => String::new(),
                1 => " One waiting turn was dropped.".to_owned(),
                dropped => format!(" {dropped} waiting turns were dropped."),
            };
            let detail = turn.as_ref().map(|turn| format!("\n\n{turn}")).unwrap_or_default();
            let text = format!("{ended}{dropped_text}{detail}");
            Ok(Answer::success(
                text,
                &Cancelled { thread_id: thread.0, dropped_from_queue: dropped, turn },
            ))
        }
        Outcome::Failed(Failure::NoRunningTurn { thread }) => {
            let message = format!("no turn runs or waits on thread {thread}");
            Err(Problem::new(Code::NothingToCancel, message))
        }
        Outcome::Failed(failure) => Err(Problem::from(&failure)),
        Outcome::Turn(_)
        | Outcome::NotLive
        | Outcome::Asked { .. }
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Steered { .. }
        | Outcome::PlanTold { .. }
        | Outcome::Health(_) => Err(unexpected("codex.cancel")),
    }
}
