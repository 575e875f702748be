//! What a reader of a turn's result could mistake, in words.

use bridge_core::{Command, Message, Phase, Transcript, TurnState};

use crate::error::Code;

/// An answer that is not there, or not whole.
pub(super) fn of_end(state: TurnState, transcript: &Transcript) -> Option<String> {
    let cut = |message: &Message| !message.complete && message.phase != Some(Phase::Commentary);
    match (state, transcript.answer()) {
        (TurnState::Completed, None) => {
            Some("Codex ended the turn without a final answer".to_owned())
        }
        (TurnState::Interrupted | TurnState::Failed, Some(answer)) if cut(answer) => {
            Some("`content` was cut off in the middle".to_owned())
        }
        (
            TurnState::Queued { .. }
            | TurnState::InProgress
            | TurnState::Completed
            | TurnState::Interrupted
            | TurnState::Failed,
            _,
        ) => None,
    }
}

/// Where its sandbox does not start, Codex says so nowhere but in the output of each command.
pub(super) fn of_sandbox(transcript: &Transcript) -> Option<String> {
    let failed = |command: &Command| {
        command.exit_code == Some(1) && command.output.trim_start().starts_with("bwrap: ")
    };
    let remedy = Code::SandboxFailed.entry().remedy.trim_end_matches('.');
    let warning = || format!("Codex's sandbox did not start, so commands did not run. {remedy}");
    transcript.commands.iter().any(failed).then(warning)
}
