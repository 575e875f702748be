//! Threads as a whole: listing them, putting them away, taking them back, deleting them.

use std::time::Instant;

use crate::bridge::Bridge;
use crate::call::{Call, CallKind};
use crate::failure::unexpected;
use crate::ids::ThreadKey;
use crate::thread::Load;
use crate::{
    CallId, Caller, Failure, Outcome, Record, Reply, RequestFailure, ThreadChange, ThreadId,
};

impl Bridge {
    pub(crate) fn change_thread(
        &mut self,
        id: CallId,
        caller: Caller,
        thread: ThreadId,
        change: ThreadChange,
        now: Instant,
    ) {
        let busy = self.keys.get(&thread).and_then(|key| self.threads.get(key));
        if busy.is_some_and(|thread| !thread.is_idle()) {
            return self.refuse(id, Failure::ThreadBusy { thread });
        }
        self.read(id, caller, CallKind::Change { thread, change }, now);
    }

    pub(crate) fn thread_changed(
        &mut self,
        id: CallId,
        key: Option<ThreadKey>,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
        now: Instant,
    ) {
        // Whether it worked or not, and whether anybody still waits, Codex may have unloaded it: a refused deletion does
        // (measured with Codex 0.169).
        if let Some(thread) = key.and_then(|key| self.threads.get_mut(&key))
            && (thread.load == Load::Loaded || thread.load == Load::Leaving)
            && thread.running.is_none()
        {
            thread.load = Load::Unloaded;
        }
        let Some(Call { kind: CallKind::Change { thread, change }, .. }) = self.calls.get(&id)
        else {
            return;
        };
        let (thread, change) = (thread.clone(), *change);
        let outcome = match result {
            Ok(Reply::Done) => {
                self.record(match change {
                    ThreadChange::Archive => Record::ThreadArchived { thread },
                    ThreadChange::Unarchive => Record::ThreadUnarchived { thread },
                    ThreadChange::Delete => Record::ThreadDeleted { thread },
                });
                Outcome::ThreadChanged
            }
            other => Outcome::Failed(unexpected(method, other)),
        };
        self.answer(id, outcome);
        self.pump_all(now);
    }

    /// A listing, of threads or of turns, has come.
    pub(crate) fn listed(
        &mut self,
        id: CallId,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
    ) {
        let outcome = match result {
            Ok(Reply::Threads(list)) => Outcome::Threads(list),
            Ok(Reply::TurnsRead(turns)) => Outcome::Turns(turns),
            other => Outcome::Failed(unexpected(method, other)),
        };
        self.answer(id, outcome);
    }
}
