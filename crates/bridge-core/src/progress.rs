//! How often a client hears of its call: at once at first, then at most ten times a second, at least every 15 s.
//!
//! In a burst the newest state of each kind wins, and text that merely grows waits for news of another kind.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::{Decider, Decision, ItemId, Phase, Plan, ThreadId, TurnId};

/// The shortest time between two updates of one call.
pub(crate) const GAP: Duration = Duration::from_millis(100);
/// The longest time between two updates of one call; the contract promises 20 s.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// News of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// It waits behind this many others, itself included.
    Queued {
        /// The place in the queue.
        position: usize,
    },
    /// An app-server is being started, or started again.
    StartingCodex,
    /// No app-server can be had: the turn runs through `codex exec`.
    RunningExec,
    /// The place in which it may change files is being made.
    Preparing,
    /// Codex opens its thread, or takes it up.
    Starting,
    /// It runs.
    Started {
        /// Its thread.
        thread: ThreadId,
        /// Its turn.
        turn: TurnId,
    },
    /// Codex thinks.
    Thinking {
        /// The end of this piece of reasoning, as far as it has come.
        text: String,
    },
    /// Codex says something on the way, or begins its answer.
    Message {
        /// The end of this message, as far as it has come.
        text: String,
        /// Which of the two, where Codex says so.
        phase: Option<Phase>,
    },
    /// The plan changed.
    Plan(Plan),
    /// A command began or ended.
    Command {
        /// Its item.
        item: ItemId,
        /// The command line.
        command: String,
        /// Whether it ended.
        state: ItemState,
    },
    /// A change of files began or ended.
    Patch {
        /// Its item.
        item: ItemId,
        /// The files.
        paths: Vec<String>,
        /// Whether it ended.
        state: ItemState,
    },
    /// Another tool was called.
    Tool {
        /// Its item.
        item: ItemId,
        /// What it is.
        name: String,
        /// Whether it ended.
        state: ItemState,
    },
    /// Codex asks for something, and a person is asked.
    Asking {
        /// What it is.
        what: String,
    },
    /// Codex asked for something and was told.
    Decided {
        /// What it was.
        what: String,
        /// The answer.
        decision: Decision,
        /// Who gave it.
        decider: Decider,
    },
    /// Codex tries again after an error.
    Retrying {
        /// The error.
        message: String,
    },
    /// It is being interrupted.
    Stopping,
    /// It has ended, and what it changed is being gathered.
    Collecting,
    /// Nothing new, but it still goes on.
    StillRunning {
        /// What it is busy with, if that is known.
        doing: Option<String>,
        /// For how long it has been running.
        elapsed: Duration,
    },
}

/// Whether an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It began.
    Started,
    /// It ended well.
    Completed,
    /// It ended badly, or was not allowed.
    Failed,
}

impl Update {
    /// Whether `newer` makes this one out of date.
    fn is_replaced_by(&self, newer: &Self) -> bool {
        match (self, newer) {
            (Self::Command { item: old, .. }, Self::Command { item: new, .. })
            | (Self::Patch { item: old, .. }, Self::Patch { item: new, .. })
            | (Self::Tool { item: old, .. }, Self::Tool { item: new, .. }) => old == new,
            (old, new) => std::mem::discriminant(old) == std::mem::discriminant(new),
        }
    }

    fn is_heartbeat(&self) -> bool {
        matches!(self, Self::StillRunning { .. })
    }

    fn is_growing_text(&self) -> bool {
        matches!(self, Self::Thinking { .. } | Self::Message { .. } | Self::StillRunning { .. })
    }
}

/// The pace of one call.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    sent_at: Option<Instant>,
    news: VecDeque<Update>,
    text: Option<Update>,
    /// The growing text that was told last. A piece that has ended says no more than its last delta did.
    told: Option<Update>,
}

/// News that are kept while a call may not be told; older ones are dropped, the newest states stay.
const WAITING_NEWS: usize = 8;

impl Pacer {
    /// Takes news, and gives what may be told at once.
    pub(crate) fn push(&mut self, update: Update, now: Instant) -> Option<Update> {
        if update.is_growing_text() {
            let is_known = !update.is_heartbeat() && self.told.as_ref() == Some(&update);
            if !is_known {
                self.text = Some(update);
            }
        } else {
            self.news.retain(|waiting| !waiting.is_replaced_by(&update));
            if self.news.len() == WAITING_NEWS {
                self.news.pop_front();
            }
            self.news.push_back(update);
        }
        self.due(now)
    }

    /// Gives what waits, if its time has come.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Update> {
        if self.sent_at.is_some_and(|sent_at| now < sent_at + GAP) {
            return None;
        }
        let update = self.news.pop_front().or_else(|| self.text.take())?;
        self.sent_at = Some(now);
        if update.is_growing_text() {
            self.told = Some(update.clone());
        }
        Some(update)
    }

    /// When to call [`Pacer::due`], or to make a heartbeat.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let pause = if self.news.is_empty() && self.text.is_none() { HEARTBEAT } else { GAP };
        self.sent_at.map(|sent_at| sent_at + pause)
    }
}
