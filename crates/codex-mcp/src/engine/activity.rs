//! Whether anything is going on, for who decides when the process may end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Shared by all engines of a process.
#[derive(Debug, Default)]
pub struct Activity {
    busy: AtomicUsize,
    changed: Notify,
    /// The last call that was numbered.
    calls: AtomicU64,
}

impl Activity {
    /// Starts numbering calls at `first`.
    #[must_use]
    pub fn starting_at(first: u64) -> Self {
        Self { calls: AtomicU64::new(first), ..Self::default() }
    }

    /// Whether turns run or wait, or calls are not answered, in any engine.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    /// Resolves when that may have changed since the last time it resolved.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Something goes on until the result is dropped.
    pub(crate) fn work(self: &Arc<Self>) -> Work {
        self.set(true);
        Work(self.clone())
    }

    pub(super) fn set(&self, busy: bool) {
        match busy {
            true => self.busy.fetch_add(1, Ordering::Relaxed),
            false => self.busy.fetch_sub(1, Ordering::Relaxed),
        };
        self.changed.notify_one();
    }

    /// A number for a connection or a call that no other one has.
    pub(super) fn mint(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }
}

/// Something that goes on outside of the loops.
pub(crate) struct Work(Arc<Activity>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
