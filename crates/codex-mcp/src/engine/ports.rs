//! The way back to each call: news until the answer, then nothing.

use std::collections::HashMap;

use bridge_core::{CallId, Outcome, Update};
use tokio::sync::{mpsc, oneshot};

/// News that wait for a client. The core makes at most ten a second; for a client that does not take them, further
/// ones are dropped: each is out of date soon, and the answer says everything.
const UPDATES: usize = 16;

/// The engine's end of one call.
#[derive(Debug)]
pub(super) struct Port {
    call: CallId,
    updates: mpsc::Sender<Update>,
    outcome: oneshot::Sender<Outcome>,
}

impl Port {
    pub(super) fn new(call: CallId) -> (Self, mpsc::Receiver<Update>, oneshot::Receiver<Outcome>) {
        let (updates, update_receiver) = mpsc::channel(UPDATES);
        let (outcome, outcome_receiver) = oneshot::channel();
        (Self { call, updates, outcome }, update_receiver, outcome_receiver)
    }
}

/// All calls that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Ports(HashMap<CallId, Port>);

impl Ports {
    pub(super) fn insert(&mut self, port: Port) {
        self.0.insert(port.call, port);
    }

    pub(super) fn report(&mut self, call: CallId, update: Update) {
        if let Some(port) = self.0.get(&call) {
            // Full: see `UPDATES`. Closed: the client gave up, and the core is being told.
            let _ = port.updates.try_send(update);
        }
    }

    /// The way for the one answer of a call; nothing else goes to it any more.
    pub(super) fn take(&mut self, call: CallId) -> Option<oneshot::Sender<Outcome>> {
        self.0.remove(&call).map(|port| port.outcome)
    }
}
