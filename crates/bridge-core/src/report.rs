//! What a call is told of a turn, running or ended.

use std::time::Duration;

use crate::{ChangeSet, Failure, ThreadId, Transcript, TurnId, TurnNumber};

/// A turn as it stands at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnReport {
    /// Our number for the turn; `None` for one that Codex alone knows.
    pub number: Option<TurnNumber>,
    /// The thread; unknown while Codex is still being asked for it.
    pub thread: Option<ThreadId>,
    /// The turn; unknown until Codex has started it.
    pub turn: Option<TurnId>,
    /// Where the turn stands.
    pub state: TurnState,
    /// The model that Codex resolved for the turn.
    pub model: Option<String>,
    /// The reasoning effort of the turn; `None` is the default of a model that is not on Codex's list.
    pub effort: Option<String>,
    /// How long the turn has run, or ran. Waiting in the queue does not count.
    pub duration: Duration,
    /// What Codex said, thought, planned and did.
    pub transcript: Transcript,
    /// Why it failed, or why we stopped it, where that was a failure.
    pub failure: Option<Failure>,
    /// What it waits for a person to say, in words that follow "Codex asks".
    pub asking: Vec<String>,
    /// Who stopped it.
    pub stopped: Option<StopCause>,
    /// What it changed, where that was gathered.
    pub change_set: Option<ChangeSet>,
}

/// Where a turn stands. The last three are Codex's own words for an ended turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnState {
    /// Behind this many others, itself included: 1 is next.
    Queued {
        /// The place in the queue.
        position: usize,
    },
    /// Started, or about to be.
    InProgress,
    /// Ended by itself.
    Completed,
    /// Ended by an interrupt.
    Interrupted,
    /// Ended by an error.
    Failed,
}

impl TurnState {
    /// Whether the turn is over.
    #[must_use]
    pub fn is_end(self) -> bool {
        match self {
            Self::Completed | Self::Interrupted | Self::Failed => true,
            Self::Queued { .. } | Self::InProgress => false,
        }
    }
}

/// Why a turn was stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// Its call was cancelled by the client.
    CallCancelled,
    /// The client that owned it is gone.
    ClientGone,
    /// `codex.cancel`, with the reason that was given.
    Requested {
        /// The caller's words.
        reason: Option<String>,
    },
    /// A person answered a question of Codex with an end of the turn.
    Declined,
    /// A limit of ours; the report's failure says which.
    Limit,
    /// The server is about to end.
    Shutdown,
}
