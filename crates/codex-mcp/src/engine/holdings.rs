//! The threads that one loop has, as the other loops of the process see it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bridge_core::ThreadId;
use tokio::sync::mpsc;

use super::lanes::Lane;
use super::{Input, Switchboard};

/// The threads of a loop. Dropping it leaves them to others.
pub(super) struct Holdings {
    switchboard: Arc<Switchboard>,
    home: Arc<str>,
    lane: mpsc::WeakSender<Input>,
    threads: BTreeSet<ThreadId>,
}

impl Holdings {
    pub(super) fn new(switchboard: Arc<Switchboard>, home: Arc<str>, lane: &Lane) -> Self {
        Self { switchboard, home, lane: lane.downgrade(), threads: BTreeSet::new() }
    }

    /// This loop is about to have a thread. Gives the loop that was faster, if one was.
    pub(super) fn take(&mut self, thread: &ThreadId) -> Option<Lane> {
        let ours = self.lane.upgrade()?;
        let holder = self.switchboard.claim(&self.home, thread, &ours);
        if !holder.same_channel(&ours) {
            return Some(holder);
        }
        self.threads.insert(thread.clone());
        None
    }

    /// Leaves to others what this loop does not have any more.
    pub(super) fn keep(&mut self, has: impl Fn(&ThreadId) -> bool) {
        let Some(ours) = self.lane.upgrade() else {
            return;
        };
        self.threads.retain(|thread| {
            let kept = has(thread);
            if !kept {
                self.switchboard.release(&self.home, thread, &ours);
            }
            kept
        });
    }

    /// Leaves everything to others, also what is on its way here.
    pub(super) fn leave(&self) {
        if let Some(ours) = self.lane.upgrade() {
            self.switchboard.leave(&ours);
        }
    }
}
