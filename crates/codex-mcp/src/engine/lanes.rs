//! Which loop a call belongs to: one for all threads, or with `isolation = "thread"` one a thread, each with an app-server
//! of its own.
//!
//! A lane of a thread is made when the thread is first used and goes when its app-server was stopped for want of work.

use std::sync::{Arc, Mutex, MutexGuard};

use bridge_core::{CallRequest, Event, ThreadId};
use tokio::sync::mpsc;

use super::{INPUTS, Input, Isolation, Services};
use crate::config::Config;

/// The way to one loop.
pub(super) type Lane = mpsc::Sender<Input>;

/// All loops of one engine.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) config: Arc<Config>,
    pub(super) services: Services,
    pub(super) codex_home: Arc<str>,
    common: Lane,
    own: Mutex<Own>,
}

#[derive(Debug, Default)]
struct Own {
    next: u64,
    lanes: Vec<OwnLane>,
}

/// The lane of one thread.
#[derive(Debug)]
struct OwnLane {
    number: u64,
    /// The thread, once it has an id.
    thread: Option<ThreadId>,
    lane: Lane,
}

impl Lanes {
    pub(super) fn start(config: Arc<Config>, services: Services) -> Arc<Self> {
        let codex_home = config.codex_home().unwrap_or_default().display().to_string().into();
        let (common, inputs) = mpsc::channel(INPUTS);
        let lanes = Self { config, services, codex_home, common, own: Mutex::default() };
        let lanes = Arc::new(lanes);
        super::spawn(&lanes, &lanes.common, inputs, None);
        lanes
    }

    /// The lane of a call.
    pub(super) fn of(self: &Arc<Self>, request: &CallRequest) -> Lane {
        if self.config.isolation == Isolation::Shared {
            return self.common.clone();
        }
        match request {
            CallRequest::StartThread { .. } => self.open(None),
            CallRequest::ContinueThread { thread, .. } => {
                self.known(thread).unwrap_or_else(|| self.open(Some(thread.clone())))
            }
            CallRequest::ListThreads(_) | CallRequest::Health => self.common.clone(),
            CallRequest::Steer { thread, .. }
            | CallRequest::Resume { thread, .. }
            | CallRequest::Wait { thread, .. }
            | CallRequest::Cancel { thread, .. }
            | CallRequest::StopTurn { thread, .. }
            | CallRequest::ReadTurn { thread, .. }
            | CallRequest::ReadTurns { thread }
            | CallRequest::ChangeThread { thread, .. } => {
                self.known(thread).unwrap_or_else(|| self.common.clone())
            }
        }
    }

    fn known(&self, thread: &ThreadId) -> Option<Lane> {
        let own = self.lock();
        let lane = own.lanes.iter().find(|lane| lane.thread.as_ref() == Some(thread));
        lane.map(|lane| lane.lane.clone())
    }

    fn open(self: &Arc<Self>, thread: Option<ThreadId>) -> Lane {
        let (lane, inputs) = mpsc::channel(INPUTS);
        let number = {
            let mut own = self.lock();
            own.next += 1;
            let number = own.next;
            own.lanes.push(OwnLane { number, thread, lane: lane.clone() });
            number
        };
        super::spawn(self, &lane, inputs, Some(number));
        lane
    }

    /// A lane's thread has got its id.
    pub(super) fn name(&self, number: u64, thread: &ThreadId) {
        if let Some(lane) = self.lock().lanes.iter_mut().find(|lane| lane.number == number) {
            lane.thread = Some(thread.clone());
        }
    }

    /// Calls do not come to this lane any more.
    pub(super) fn close(&self, number: u64) {
        self.lock().lanes.retain(|lane| lane.number != number);
    }

    /// Sends to every lane. One that has ended needs nothing.
    pub(super) async fn tell_all(&self, event: Event) {
        for lane in self.all() {
            let _ = lane.send(Input::Event(event.clone())).await;
        }
    }

    pub(super) fn all(&self) -> Vec<Lane> {
        let own = self.lock();
        own.lanes.iter().map(|own| own.lane.clone()).chain([self.common.clone()]).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Own> {
        self.own.lock().expect("nothing panics while it holds the lanes")
    }
}
