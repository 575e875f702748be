//! Codex's own review of changes.

use serde::{Deserialize, Serialize};

use super::Turn;

/// Params of `review/start`. It runs as the thread's next turn, with what the thread has.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewStartParams {
    pub thread_id: String,
    pub target: ReviewTarget,
}

/// What is reviewed. Codex takes names of branches and commits that there are not, and a folder that is no repository.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ReviewTarget {
    UncommittedChanges,
    BaseBranch { branch: String },
    Commit { sha: String },
    Custom { instructions: String },
}

/// Result of `review/start`. Items and `turn/completed` carry this turn's id; `turn/started` carries another one, and
/// `turn/interrupt` takes only that.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewStartResponse {
    pub turn: Turn,
    /// The same thread.
    pub review_thread_id: Option<String>,
}
