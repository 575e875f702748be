//! `codex.steer`: more input for the turn that runs, and never silently a new one.

use bridge_core::{CallRequest, Outcome, ThreadId, TurnId};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility, unexpected};
use crate::error::Problem;
use crate::mcp::arguments::{parse, thread_id, turn_id};
use crate::mcp::call::ToolCall;
use crate::mcp::input_limits::InputLimits;
use crate::mcp::render::Answer;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    /// The thread whose turn runs.
    thread_id: String,
    /// What Codex shall know or do differently, at once.
    prompt: String,
    /// The turn that is meant; another running turn is then left alone.
    turn_id: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Steered {
    /// The thread.
    thread_id: String,
    /// The turn that took the input.
    turn_id: String,
    /// Always `inProgress`: the turn goes on.
    status: &'static str,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.steer",
        title: "Steer the running Codex turn",
        description: "Add a message to the Codex turn that is running right now: a correction, a new fact, a change of \
            direction. Codex takes it up at its next step. Fails if no turn runs on the thread; then use codex-reply. \
            Get the turn's result where it was started, or with codex.wait.",
        search_hint: "interject correct redirect running turn codex mid-turn message",
        annotations: ToolAnnotations::new().read_only(false).destructive(false).idempotent(false).open_world(true),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Steered>()
}

/// What a call asks for.
pub(super) struct Asked {
    thread: ThreadId,
    turn: Option<TurnId>,
    prompt: String,
}

/// Reads the arguments.
pub(super) fn read(
    arguments: Option<JsonObject>,
    limits: &InputLimits<'_>,
) -> Result<Asked, Problem> {
    let arguments: Arguments = parse(arguments)?;
    Ok(Asked {
        turn: turn_id(arguments.turn_id.as_deref())?,
        prompt: limits.prompt(arguments.prompt)?,
        thread: thread_id(&arguments.thread_id)?,
    })
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let Asked { thread, turn, prompt } = read(arguments, &call.input_limits())?;
    let thread = call.threads().find(&thread).await?;
    let request = CallRequest::Steer { thread: thread.id().clone(), turn, prompt };
    match call.run(request).await {
        Outcome::Steered { thread, turn } => {
            let text = format!(
                "Codex took the message into turn {turn} of thread {thread}, which goes on."
            );
            Ok(Answer::success(
                text,
                &Steered { thread_id: thread.0, turn_id: turn.0, status: "inProgress" },
            ))
        }
        Outcome::Failed(failure) => Err(Problem::from(&failure)),
        Outcome::Turn(_)
        | Outcome::NotLive
        | Outcome::Asked { .. }
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::PlanTold { .. }
        | Outcome::Cancelled { .. }
        | Outcome::Health(_) => Err(unexpected("codex.steer")),
    }
}
