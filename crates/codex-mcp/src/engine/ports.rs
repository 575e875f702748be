//! The way back to each call: news until the answer, then nothing.

use std::collections::HashMap;

use bridge_core::{ApprovalId, Ask, CallId, Outcome, Update};
use tokio::sync::{mpsc, oneshot};

/// News that wait for a client. The core makes at most ten a second; for a client that does not take them, further
/// ones are dropped: each is out of date soon, and the answer says everything.
const UPDATES: usize = 16;

/// Questions that wait for the client of one call. If it takes none of so many, further ones are declined.
const ASKS: usize = 32;

/// What the person behind a call is to be asked.
#[derive(Debug)]
pub enum Asking {
    /// This.
    Ask(Box<Ask>),
    /// This no more.
    Stop(ApprovalId),
}

/// The engine's end of one call.
#[derive(Debug)]
pub(super) struct Port {
    call: CallId,
    asks: mpsc::Sender<Asking>,
    updates: mpsc::Sender<Update>,
    outcome: oneshot::Sender<Outcome>,
}

impl Port {
    pub(super) fn new(call: CallId) -> (Self, Receivers) {
        let (asks, ask_receiver) = mpsc::channel(ASKS);
        let (updates, update_receiver) = mpsc::channel(UPDATES);
        let (outcome, outcome_receiver) = oneshot::channel();
        let receivers =
            Receivers { asks: ask_receiver, updates: update_receiver, outcome: outcome_receiver };
        (Self { call, asks, updates, outcome }, receivers)
    }
}

/// The client's end of one call.
#[derive(Debug)]
pub(super) struct Receivers {
    pub(super) asks: mpsc::Receiver<Asking>,
    pub(super) updates: mpsc::Receiver<Update>,
    pub(super) outcome: oneshot::Receiver<Outcome>,
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

    /// Passes a question on, and tells whether that went well.
    pub(super) fn ask(&mut self, call: CallId, asking: Asking) -> bool {
        self.0.get(&call).is_some_and(|port| port.asks.try_send(asking).is_ok())
    }

    /// The way for the one answer of a call; nothing else goes to it any more.
    pub(super) fn take(&mut self, call: CallId) -> Option<oneshot::Sender<Outcome>> {
        self.0.remove(&call).map(|port| port.outcome)
    }
}
