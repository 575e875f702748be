//! Which loop a call belongs to. A thread that some loop has goes there, whichever engine that is of. Else an engine has
//! one loop for all threads, or with `isolation = "thread"` one a thread, each with an app-server of its own.
//!
//! A lane of a thread is made when the thread is first used and goes when its app-server was stopped for want of work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bridge_core::{CallRequest, Event, ThreadId};
use tokio::sync::mpsc;

use super::{INPUTS, Input, Isolation, ListMarks, Services};
use crate::config::Config;

/// The way to one loop.
pub(super) type Lane = mpsc::Sender<Input>;

/// All loops of one engine.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) config: Arc<Config>,
    pub(super) services: Services,
    pub(super) codex_home: Arc<str>,
    pub(super) marks: ListMarks,
    /// How many loops have work or a process.
    pub(super) in_use: Arc<AtomicUsize>,
    common: Lane,
    own: Mutex<Own>,
}

#[derive(Debug, Default)]
struct Own {
    next: u64,
    lanes: Vec<OwnLane>,
}

/// The lane of one thread.
#[derive(Clone, Debug)]
struct OwnLane {
    number: u64,
    lane: Lane,
}

impl Lanes {
    pub(super) fn start(config: Arc<Config>, services: Services) -> Arc<Self> {
        let codex_home = config.codex_home().unwrap_or_default().display().to_string().into();
        let (common, inputs) = mpsc::channel(INPUTS);
        let lanes = Arc::new(Self {
            config,
            services,
            codex_home,
            marks: ListMarks::default(),
            in_use: Arc::default(),
            common,
            own: Mutex::default(),
        });
        super::spawn(&lanes, &lanes.common, inputs, None);
        lanes
    }

    /// The lane of a call.
    pub(super) fn of(self: &Arc<Self>, request: &CallRequest) -> Lane {
        match request {
            CallRequest::StartThread { .. } | CallRequest::StartReview { .. } => {
                match self.config.isolation {
                    Isolation::Shared => self.common.clone(),
                    Isolation::Thread => self.open().lane,
                }
            }
            CallRequest::ContinueThread { thread, .. } => {
                self.holder(thread).unwrap_or_else(|| self.claim(thread))
            }
            CallRequest::ListThreads(_) | CallRequest::Health => self.common.clone(),
            CallRequest::Steer { thread, .. }
            | CallRequest::TellPlan { thread, .. }
            | CallRequest::Resume { thread, .. }
            | CallRequest::Wait { thread, .. }
            | CallRequest::Cancel { thread, .. }
            | CallRequest::StopTurn { thread, .. }
            | CallRequest::ReadTurn { thread, .. }
            | CallRequest::ReadTurns { thread, .. }
            | CallRequest::FindThread { thread }
            | CallRequest::ChangeThread { thread, .. } => {
                self.holder(thread).unwrap_or_else(|| self.common.clone())
            }
        }
    }

    /// The lane that has a thread, of this engine or another.
    fn holder(&self, thread: &ThreadId) -> Option<Lane> {
        self.services.switchboard.holder(&self.codex_home, thread)
    }

    /// Gives a thread to this engine, unless another one was faster.
    fn claim(self: &Arc<Self>, thread: &ThreadId) -> Lane {
        let board = &self.services.switchboard;
        match self.config.isolation {
            Isolation::Shared => board.claim(&self.codex_home, thread, &self.common),
            Isolation::Thread => {
                let own = self.open();
                let holder = board.claim(&self.codex_home, thread, &own.lane);
                if !holder.same_channel(&own.lane) {
                    // Without a way to it, the loop ends.
                    self.close(own.number);
                }
                holder
            }
        }
    }

    fn open(self: &Arc<Self>) -> OwnLane {
        let (lane, inputs) = mpsc::channel(INPUTS);
        let own = {
            let mut own = self.lock();
            own.next += 1;
            let opened = OwnLane { number: own.next, lane };
            own.lanes.push(opened.clone());
            opened
        };
        super::spawn(self, &own.lane, inputs, Some(own.number));
        own
    }

    /// Calls do not come to this lane any more.
    pub(super) fn close(&self, number: u64) {
        self.lock().lanes.retain(|lane| lane.number != number);
    }

    /// Whether a turn runs or waits, a call is not answered or a process is there.
    pub(super) fn is_in_use(&self) -> bool {
        self.in_use.load(Ordering::Relaxed) > 0
    }

    /// Sends to every lane of this engine. One that has ended needs nothing.
    pub(super) async fn tell_all(&self, event: Event) {
        let own: Vec<_> = self.lock().lanes.iter().map(|own| own.lane.clone()).collect();
        for lane in own.into_iter().chain([self.common.clone()]) {
            let _ = lane.send(Input::Event(event.clone())).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Own> {
        self.own.lock().expect("nothing panics while it holds the lanes")
    }
}
