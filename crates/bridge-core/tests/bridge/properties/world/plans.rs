//! What clients did to plans: the records know what waits, and each is told once.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::*;

/// The plans of all threads, as the records have them.
#[derive(Default)]
pub(super) struct Plans {
    versions: u64,
    /// Of each thread the version that Codex does not know.
    waiting: BTreeMap<ThreadId, u64>,
    /// Of each thread the version that was sent last.
    sent: BTreeMap<ThreadId, u64>,
    read: BTreeSet<u64>,
}

impl Plans {
    /// A client makes a version.
    pub(super) fn make(&mut self, thread: &ThreadId) -> PlanNote {
        self.versions += 1;
        self.waiting.insert(thread.clone(), self.versions);
        note(self.versions)
    }

    pub(super) fn waiting(&self, thread: &ThreadId) -> Option<PlanNote> {
        self.waiting.get(thread).copied().map(note)
    }

    /// A turn is given something to read.
    pub(super) fn sent(&mut self, thread: &ThreadId, text: Option<&str>) {
        if let Some(version) = text.and_then(version) {
            assert!(!self.read.contains(&version), "version {version} was read and is told again");
            self.sent.insert(thread.clone(), version);
        }
    }

    /// What the turn that runs on a thread may show that it has read.
    pub(super) fn shown(&self, thread: &ThreadId) -> Option<u64> {
        self.sent.get(thread).copied()
    }

    pub(super) fn read(&mut self, thread: &ThreadId, version: u64) {
        assert!(self.read.insert(version), "version {version} was read twice");
        if self.waiting.get(thread).is_some_and(|waiting| *waiting <= version) {
            self.waiting.remove(thread);
        }
    }
}

fn note(version: u64) -> PlanNote {
    PlanNote { version, text: format!("plan {version}") }
}

fn version(text: &str) -> Option<u64> {
    text.strip_prefix("plan ")?.parse().ok()
}
