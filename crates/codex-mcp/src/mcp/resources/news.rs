//! Which resources a record changes.

use bridge_core::{Record, ThreadId};

use super::ResourceUri;

/// What clients that watch may want to hear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Resources that say something else now.
    pub updated: Vec<ResourceUri>,
    /// Whether the list of resources is another.
    pub list_changed: bool,
}

impl News {
    /// What a record changes. Items of a running turn are not told one by one: its end tells them all.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        match record {
            Record::ThreadOpened { thread, options, .. } => match options {
                Some(_) => Self::of_list(thread),
                None => Self::default(),
            },
            Record::TurnQueued { thread, .. } => Self::of_thread(thread),
            Record::TurnStarted { thread, id, .. } => {
                Self::of_thread(thread).and(ResourceUri::Turn(thread.clone(), id.clone()))
            }
            Record::ItemCompleted { .. } | Record::Decided { .. } => Self::default(),
            Record::PlanUpdated { thread, .. } | Record::PlanDelivered { thread, .. } => {
                Self::of_plan(thread)
            }
            Record::TurnEnded { report, .. } => {
                let Some(thread) = &report.thread else {
                    return Self::default();
                };
                let mut news = Self::of_thread(thread);
                if let Some(turn) = &report.turn {
                    news = news.and(ResourceUri::Turn(thread.clone(), turn.clone()));
                }
                match report.transcript.patches.is_empty() {
                    true => news,
                    false => news.and(ResourceUri::Diff(thread.clone())),
                }
            }
            Record::ThreadArchived { thread }
            | Record::ThreadUnarchived { thread }
            | Record::ThreadDeleted { thread } => Self::of_list(thread),
        }
    }

    /// A thread's plan has changed, or Codex was told of it.
    pub(in crate::mcp) fn of_plan(thread: &ThreadId) -> Self {
        Self::default().and(ResourceUri::Plan(thread.clone()))
    }

    /// A thread has changed.
    pub(in crate::mcp) fn of_thread(thread: &ThreadId) -> Self {
        Self::default().and(ResourceUri::Threads).and(ResourceUri::Thread(thread.clone()))
    }

    /// A thread has come into the list, has left it, or is in another one.
    pub(in crate::mcp) fn of_list(thread: &ThreadId) -> Self {
        Self { list_changed: true, ..Self::of_thread(thread) }
    }

    /// Adds further news; what is told already is told once.
    pub(in crate::mcp) fn add(&mut self, further: Self) {
        self.list_changed |= further.list_changed;
        for uri in further.updated {
            if !self.updated.contains(&uri) {
                self.updated.push(uri);
            }
        }
    }

    fn and(mut self, uri: ResourceUri) -> Self {
        self.updated.push(uri);
        self
    }
}
