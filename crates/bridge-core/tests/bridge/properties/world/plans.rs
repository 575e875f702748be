//! What clients did to plans: the records know what waits, and each is told once.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::*;

/// The plans of all threads, as the records have them.
#[derive(Default)]
pub(super) struct Plans {
    versions: u64,
    /// Of each thread the version that Codex does not know.
    waiting: BTreeMap<ThreadId, u64>,
    delivered: BTreeSet<u64>,
    /// The prompt that each version was told with.
    prompts: BTreeMap<u64, String>,
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

    /// A turn was started with a version. Only a turn that is run again tells once more what it told.
    pub(super) fn told(&mut self, plan: Option<&str>, prompt: &str) {
        if let Some(version) = plan.and_then(version) {
            let before = self.prompts.insert(version, prompt.to_owned());
            let again = before.is_some_and(|before| before == prompt);
            assert!(
                again || !self.delivered.contains(&version),
                "version {version} was told twice"
            );
        }
    }

    /// The running turn was given an input.
    pub(super) fn steered(&mut self, input: &str) {
        if let Some(version) = version(input) {
            assert!(!self.delivered.contains(&version), "version {version} was told twice");
        }
    }

    pub(super) fn delivered(&mut self, thread: &ThreadId, version: u64) {
        self.delivered.insert(version);
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
