//! What Codex has on its own disk: threads and their turns, asked for in parts.

use std::time::Duration;

use crate::{CodexError, ThreadId, Transcript, TurnId, TurnState};

/// Which part of Codex's list of threads is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadQuery {
    /// Archived ones instead of the others.
    pub archived: bool,
    /// Where the part begins, from the part before.
    pub cursor: Option<String>,
    /// How many.
    pub limit: u32,
}

/// A part of Codex's list of threads, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadList {
    /// The threads.
    pub threads: Vec<ThreadSummary>,
    /// Where the next part begins, if there is one.
    pub next: Option<String>,
}

/// A thread in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadSummary {
    /// Its id.
    pub thread: ThreadId,
    /// Its title.
    pub name: Option<String>,
    /// The beginning of its first prompt.
    pub preview: Option<String>,
    /// Where it works.
    pub working_directory: String,
    /// Codex's word for where it was made.
    pub source: String,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When it last changed, in Unix seconds.
    pub updated_at: i64,
    /// Whether it was put away.
    pub archived: bool,
}

/// Which part of a thread's turns is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnQuery {
    /// Where the part begins, from the part before.
    pub cursor: Option<String>,
    /// How much of each turn.
    pub detail: TurnDetail,
}

/// How much of a turn is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnDetail {
    /// That there is one: its id and its state.
    Outline,
    /// Everything.
    Whole,
}

/// A part of a thread's turns, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnList {
    /// The turns.
    pub turns: Vec<TurnRecord>,
    /// Where the next part begins, if there is one.
    pub next: Option<String>,
}

/// A turn as Codex has it on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRecord {
    /// Its id.
    pub turn: TurnId,
    /// The user's message, where Codex kept one.
    pub prompt: Option<String>,
    /// The versions of the plan that it was told of.
    pub plans_told: Vec<u64>,
    /// Its state.
    pub state: TurnState,
    /// What Codex kept of it.
    pub transcript: Transcript,
    /// Its error, if it failed.
    pub error: Option<CodexError>,
    /// When it began, in Unix seconds.
    pub started_at: Option<i64>,
    /// How long it ran.
    pub duration: Duration,
}
