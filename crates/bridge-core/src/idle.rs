//! Letting go of what nobody uses: threads in the app-server's memory, and an app-server whose place is wanted or that
//! has grown too large.

use std::time::Instant;

use crate::app_server::AppServerState;
use crate::bridge::{Bridge, Purpose};
use crate::ids::ThreadKey;
use crate::thread::{Load, Thread};
use crate::{AppServerId, Effect, Request};

impl Bridge {
    /// When the next thread has been in memory unused for long enough.
    pub(crate) fn unload_timeout(&self) -> Option<Instant> {
        let idle = self.limits.thread_idle?;
        self.app_server.ready()?;
        let unused = self.threads.values().filter(|thread| can_go(thread));
        unused.filter_map(|thread| thread.used_at).min().map(|used_at| used_at + idle)
    }

    /// Lets go of the threads that nobody used for long enough.
    pub(crate) fn unload_due(&mut self, now: Instant) {
        let Some(idle) = self.limits.thread_idle else {
            return;
        };
        let due = |thread: &Thread| {
            can_go(thread) && thread.used_at.is_none_or(|used_at| used_at + idle <= now)
        };
        let due: Vec<_> =
            self.threads.iter().filter(|(_, thread)| due(thread)).map(|(key, _)| *key).collect();
        for key in due {
            self.unload(key);
        }
    }

    /// Lets go of the threads that were idle longest until there are no more in memory than there may be.
    pub(crate) fn keep_below_ceiling(&mut self) {
        let excess = self.threads_loaded().saturating_sub(self.limits.loaded_threads);
        // At the end all are let go at once, with the app-server.
        if excess == 0 || self.shutting_down {
            return;
        }
        let unused = self.threads.iter().filter(|(_, thread)| can_go(thread));
        let mut unused: Vec<_> = unused.map(|(key, thread)| (thread.used_at, *key)).collect();
        unused.sort_unstable();
        for (_, key) in unused.into_iter().take(excess) {
            self.unload(key);
        }
    }

    /// Asks the app-server to take a thread out of its memory, which it does some time later. How its last turns ended is in the records.
    fn unload(&mut self, key: ThreadKey) {
        let Some(app_server) = self.app_server.ready() else {
            return;
        };
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        thread.load = Load::Leaving;
        thread.finished.clear();
        if let Some(id) = thread.id().cloned() {
            self.send(app_server, Request::UnsubscribeThread(id), Purpose::Nothing);
        }
    }

    pub(crate) fn measured(&mut self, app_server: AppServerId, resident_bytes: u64) {
        if self.app_server.ready() == Some(app_server) {
            self.app_server.resident_bytes = Some(resident_bytes);
        }
    }

    /// Whether the app-server has grown too large to be kept.
    pub(crate) fn is_worn(&self) -> bool {
        self.app_server.resident_bytes.is_some_and(|bytes| bytes > self.limits.app_server_memory)
    }

    /// Stops an app-server that is idle, because its place is wanted.
    pub(crate) fn make_room(&mut self) {
        if let AppServerState::Ready { id, .. } = self.app_server.state
            && self.is_idle()
        {
            self.app_server.state = AppServerState::Stopping { id };
            self.effects.push_back(Effect::StopAppServer { app_server: id });
        }
    }
}

/// Whether a thread is in memory and nobody uses it.
fn can_go(thread: &Thread) -> bool {
    thread.load == Load::Loaded && thread.is_idle()
}
