//! News of a running turn: a line for a person, and the typed event in `_meta`.

use std::time::Duration;

use bridge_core::{ItemState, Phase, Plan, StepStatus, Update};
use rmcp::model::{JsonObject, RequestId};
use serde_json::{Value, json};

use super::plan::PlanResult;
use super::to_value;

/// The longest message, in characters: Claude Code shows 200.
const MAX_MESSAGE: usize = 190;

/// The message and the `_meta` of a progress notification: `event`, `data`, `requestId`, `timestamp`.
pub(in crate::mcp) fn progress(
    update: &Update,
    request: &RequestId,
    timestamp: String,
) -> (String, JsonObject) {
    let mut meta = JsonObject::new();
    meta.insert("event".to_owned(), Value::from(event(update)));
    meta.insert("data".to_owned(), data(update));
    meta.insert("requestId".to_owned(), to_value(request));
    meta.insert("timestamp".to_owned(), Value::from(timestamp));
    (one_line(&message(update)), meta)
}

/// The kind of event; a closed list that programs may match.
fn event(update: &Update) -> &'static str {
    match update {
        Update::Queued { .. }
        | Update::StartingCodex
        | Update::RunningExec
        | Update::Preparing
        | Update::Starting
        | Update::Started { .. }
        | Update::Tool { .. }
        | Update::Retrying { .. }
        | Update::Stopping
        | Update::Collecting
        | Update::StillRunning { .. }
        | Update::Message { phase: Some(Phase::Commentary), .. } => "progress",
        Update::Thinking { .. } => "thinking",
        Update::Message { phase: Some(Phase::FinalAnswer) | None, .. } => "result",
        Update::Plan(_) => "plan_update",
        Update::Command { .. } => "command",
        Update::Patch { .. } => "patch",
        Update::Asking { .. } | Update::Decided { .. } => "approval",
    }
}

fn message(update: &Update) -> String {
    match update {
        Update::Queued { position } => format!("waiting: place {position} in the thread's queue"),
        Update::StartingCodex => "starting Codex".to_owned(),
        Update::RunningExec => {
            "the app-server cannot be used: running the turn through `codex exec`".to_owned()
        }
        Update::Preparing => "preparing the workspace for changes".to_owned(),
        Update::Starting => "starting the turn".to_owned(),
        Update::Started { .. } => "Codex is at work".to_owned(),
        Update::Thinking { text } => format!("thinking: {}", last_words(text)),
        Update::Message { text, .. } => format!("says: {}", last_words(text)),
        Update::Plan(plan) => plan_message(plan),
        Update::Command { command, state, .. } => match state {
            ItemState::Started => format!("running: {}", shell_words(command)),
            ItemState::Completed => format!("ran: {}", shell_words(command)),
            ItemState::Failed => format!("failed: {}", shell_words(command)),
        },
        Update::Patch { paths, state, .. } => match state {
            ItemState::Started => format!("editing: {}", paths.join(", ")),
            ItemState::Completed => format!("edited: {}", paths.join(", ")),
            ItemState::Failed => format!("did not edit: {}", paths.join(", ")),
        },
        Update::Tool { name, .. } => format!("using: {name}"),
        Update::Asking { what } => format!("waiting for an answer: Codex asks {what}"),
        Update::Decided { what, decision, .. } => match decision.is_yes() {
            true => format!("approved: {what}"),
            false => format!("declined: {what}"),
        },
        Update::Retrying { message } => format!("Codex tries again: {message}"),
        Update::Stopping => "stopping the turn and what it started".to_owned(),
        Update::Collecting => "collecting the changes".to_owned(),
        Update::StillRunning { doing: Some(doing), elapsed } => {
            format!("still running after {}: {}", time(*elapsed), shell_words(doing))
        }
        Update::StillRunning { doing: None, elapsed } => {
            format!("still at work after {}", time(*elapsed))
        }
    }
}

fn data(update: &Update) -> Value {
    let state = |state: &ItemState| match state {
        ItemState::Started => "started",
        ItemState::Completed => "completed",
        ItemState::Failed => "failed",
    };
    match update {
        Update::Queued { position } => json!({ "state": "queued", "position": position }),
        Update::StartingCodex => json!({ "state": "startingCodex" }),
        Update::RunningExec => json!({ "state": "runningExec" }),
        Update::Preparing => json!({ "state": "preparing" }),
        Update::Starting => json!({ "state": "starting" }),
        Update::Started { thread, turn } => {
            json!({ "state": "started", "threadId": thread.as_str(), "turnId": turn.as_str() })
        }
        Update::Message { phase: Some(Phase::Commentary), text } => {
            json!({ "state": "says", "text": text })
        }
        Update::Thinking { text } | Update::Message { text, .. } => json!({ "text": text }),
        Update::Plan(plan) => to_value(&PlanResult::from(plan)),
        Update::Command { item, command, state: of } => {
            json!({ "itemId": item.as_str(), "command": command, "state": state(of) })
        }
        Update::Patch { item, paths, state: of } => {
            json!({ "itemId": item.as_str(), "paths": paths, "state": state(of) })
        }
        Update::Tool { item, name, state: of } => {
            json!({ "state": "tool", "itemId": item.as_str(), "name": name, "tool": state(of) })
        }
        Update::Asking { what } => json!({ "what": what, "state": "asking" }),
        Update::Decided { what, decision, decider } => json!({
            "what": what,
            "state": "decided",
            "decision": decision.as_str(),
            "decidedBy": decider.to_string()
        }),
        Update::Retrying { message } => json!({ "state": "retrying", "message": message }),
        Update::Stopping => json!({ "state": "stopping" }),
        Update::Collecting => json!({ "state": "collecting" }),
        Update::StillRunning { doing, elapsed } => {
            json!({ "state": "running", "doing": doing, "elapsedSeconds": elapsed.as_secs() })
        }
    }
}

/// The first step that is not done, and how many are.
fn plan_message(plan: &Plan) -> String {
    let total = plan.steps.len();
    let done = plan.steps.iter().filter(|step| step.status == StepStatus::Completed).count();
    let under_way = plan.steps.iter().position(|step| step.status == StepStatus::InProgress);
    let next =
        under_way.or_else(|| plan.steps.iter().position(|step| step.status == StepStatus::Pending));
    match next {
        Some(index) => format!("plan {}/{total}: {}", index + 1, plan.steps[index].step),
        None => format!("plan {done}/{total}: done"),
    }
}

/// Codex wraps every command in a login shell; a person wants the command.
pub(super) fn shell_words(command: &str) -> &str {
    let inner = ["/bin/bash -lc ", "bash -lc ", "/bin/sh -c ", "/bin/zsh -lc "]
        .iter()
        .find_map(|shell| command.strip_prefix(shell));
    match inner {
        Some(inner) => inner
            .strip_prefix('\'')
            .and_then(|inner| inner.strip_suffix('\''))
            .or_else(|| inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')))
            .unwrap_or(inner),
        None => command,
    }
}

/// The end of a growing text, beginning at a word.
fn last_words(text: &str) -> String {
    const CHARS: usize = 150;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().rev().nth(CHARS) {
        None => text,
        Some((start, _)) => {
            let tail = &text[start..];
            let from = tail.find(' ').map_or(0, |space| space + 1);
            format!("…{}", &tail[from..])
        }
    }
}

pub(super) fn one_line(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_MESSAGE) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

fn time(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}
