//! Small conversions between columns and the core's words.

use bridge_core::{CommandStatus, Phase, TurnState};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// A state that is kept; a place in the queue is not.
pub(crate) fn state(state: TurnState) -> &'static str {
    match state {
        TurnState::Queued { .. } => "queued",
        TurnState::InProgress => "inProgress",
        TurnState::Completed => "completed",
        TurnState::Interrupted => "interrupted",
        TurnState::Failed => "failed",
    }
}

pub(crate) fn to_state(text: &str) -> Result<TurnState, StoreError> {
    match text {
        "queued" => Ok(TurnState::Queued { position: 1 }),
        "inProgress" => Ok(TurnState::InProgress),
        "completed" => Ok(TurnState::Completed),
        "interrupted" => Ok(TurnState::Interrupted),
        "failed" => Ok(TurnState::Failed),
        other => Err(StoreError::Unreadable(format!("the state {other:?} of a turn"))),
    }
}

pub(crate) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Commentary => "commentary",
        Phase::FinalAnswer => "final_answer",
    }
}

pub(crate) fn to_phase(text: &str) -> Option<Phase> {
    match text {
        "commentary" => Some(Phase::Commentary),
        "final_answer" => Some(Phase::FinalAnswer),
        _ => None,
    }
}

/// A status, as JSON columns hold it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Status {
    InProgress,
    Completed,
    Failed,
    Declined,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "inProgress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Declined => "declined",
        }
    }

    pub(crate) fn of_text(text: &str) -> Result<Self, StoreError> {
        match text {
            "inProgress" => Ok(Self::InProgress),
            "completed" => Ok(Self::Completed),
            "failed" => Ok(Self::Failed),
            "declined" => Ok(Self::Declined),
            other => Err(StoreError::Unreadable(format!("the status {other:?} of a patch"))),
        }
    }
}

impl From<CommandStatus> for Status {
    fn from(status: CommandStatus) -> Self {
        match status {
            CommandStatus::InProgress => Self::InProgress,
            CommandStatus::Completed => Self::Completed,
            CommandStatus::Failed => Self::Failed,
            CommandStatus::Declined => Self::Declined,
        }
    }
}

impl From<Status> for CommandStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::InProgress => Self::InProgress,
            Status::Completed => Self::Completed,
            Status::Failed => Self::Failed,
            Status::Declined => Self::Declined,
        }
    }
}

/// SQLite's integers are signed; ours never reach its limit.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(crate) fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
