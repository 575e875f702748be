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
                Some(_) => Self::list(thread),
                None => Self::default(),
            },
            Record::TurnQueued { thread, .. } => Self::thread(thread),
            Record::TurnStarted { thread, id, .. } => {
                Self::thread(thread).and(ResourceUri::Turn(thread.clone(), id.clone()))
            }
            Record::ItemCompleted { .. } | Record::Decided { .. } => Self::default(),
            Record::PlanUpdated { thread, .. } => {
                Self::default().and(ResourceUri::Plan(thread.clone()))
            }
            Record::TurnEnded { report, .. } => {
                let Some(thread) = &report.thread else {
                    return Self::default();
                };
                let mut news = Self::thread(thread);
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
            | Record::ThreadDeleted { thread } => Self::list(thread),
        }
    }

    fn thread(thread: &ThreadId) -> Self {
        Self::default().and(ResourceUri::Threads).and(ResourceUri::Thread(thread.clone()))
    }

    fn list(thread: &ThreadId) -> Self {
        Self { list_changed: true, ..Self::thread(thread) }
    }

    fn and(mut self, uri: ResourceUri) -> Self {
        self.updated.push(uri);
        self
    }
}
