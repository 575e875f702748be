//! What a connection holds of the engine: the way to make calls, each with its news and its one answer.

use std::sync::Arc;

use bridge_core::{
    Answer, ApprovalId, CallId, CallRequest, Caller, ConnectionId, Event, Failure, Outcome,
    TurnNumber, Update,
};
use tokio::sync::mpsc::error::TrySendError;

use super::lanes::{Lane, Lanes};
use super::ports::Receivers;
use super::{Asking, Input, Port, Room};
use crate::ledger::Ledger;

/// A handle to the engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    lanes: Arc<Lanes>,
}

impl Engine {
    pub(super) fn new(lanes: Arc<Lanes>) -> Self {
        Self { lanes }
    }

    /// What is kept on disk.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.lanes.services.ledger
    }

    /// The home of Codex that its threads lie in.
    pub(crate) fn codex_home(&self) -> &str {
        &self.lanes.codex_home
    }

    /// Places for app-servers.
    pub(crate) fn room(&self) -> &Room {
        &self.lanes.services.room
    }

    /// Tells the engine of a new client, until the result is dropped.
    pub async fn connect(&self) -> EngineConnection {
        let id = ConnectionId(self.mint());
        self.lanes.tell_all(Event::ConnectionOpened { connection: id }).await;
        EngineConnection { id, engine: self.clone() }
    }

    /// Makes a call. Dropping the result gives the call up.
    pub async fn call(&self, caller: Caller, request: CallRequest) -> EngineCall {
        let call = CallId(self.mint());
        let (port, receivers) = Port::new(call);
        let lane = self.lanes.of(&request);
        let event = Event::CallReceived { call, caller, request };
        // A loop ends only when it is shut down, and whoever waits for it then finds its channels closed.
        let _ = lane.send(Input::Call { event, port }).await;
        EngineCall { id: call, engine: self.clone(), lane, receivers, answered: false }
    }

    /// Answers everything, stops the app-servers and ends the loops.
    pub async fn shut_down(&self) {
        self.lanes.tell_all(Event::ShutdownRequested).await;
    }

    /// Tells every loop from where nothing can wait, such as a drop.
    fn tell_soon(&self, event: &Event) {
        for lane in self.lanes.all() {
            if let Err(TrySendError::Full(input)) = lane.try_send(Input::Event(event.clone())) {
                self.lanes.services.tasks.spawn(async move { lane.send(input).await });
            }
        }
    }

    fn mint(&self) -> u64 {
        self.lanes.services.activity.mint()
    }
}

/// A client, as the engine knows it. Dropping it tells the engine that the client is gone.
#[derive(Debug)]
pub struct EngineConnection {
    id: ConnectionId,
    engine: Engine,
}

impl EngineConnection {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        self.id
    }
}

impl Drop for EngineConnection {
    fn drop(&mut self) {
        self.engine.tell_soon(&Event::ConnectionClosed { connection: self.id });
    }
}

/// What a call brings.
#[derive(Debug)]
pub enum Next {
    /// What the person behind it is asked.
    Ask(Asking),
    /// How it goes.
    News(Update),
    /// How it ended. Nothing follows.
    Outcome(Outcome),
}

/// A call on its way. Dropping it before its outcome gives it up.
#[derive(Debug)]
pub struct EngineCall {
    id: CallId,
    engine: Engine,
    /// The loop that has it.
    lane: Lane,
    receivers: Receivers,
    answered: bool,
}

impl EngineCall {
    /// The number of the turn that the call asks for, if it asks for one.
    pub(crate) fn turn(&self) -> TurnNumber {
        TurnNumber(self.id.0)
    }

    /// What comes next. News that wait when the outcome is there are dropped: it says all they could. Safe to cancel.
    pub async fn next(&mut self) -> Next {
        let Receivers { asks, updates, outcome } = &mut self.receivers;
        tokio::select! {
            biased;
            outcome = outcome => {
                self.answered = true;
                Next::Outcome(outcome.unwrap_or(Outcome::Failed(Failure::ShuttingDown)))
            }
            Some(asking) = asks.recv() => Next::Ask(asking),
            Some(update) = updates.recv() => Next::News(update),
        }
    }

    /// Answers a question for the person behind the call. What is not open any more is not answered.
    pub async fn answer(&self, approval: ApprovalId, answer: Option<Answer>) {
        // A loop that has ended has answered everything.
        let _ = self.lane.send(Input::Event(Event::Answered { approval, answer })).await;
    }

    /// Gives the call up, and waits until the engine has let go of it.
    pub async fn cancel(mut self) -> Outcome {
        self.engine.lanes.tell_all(Event::CallCancelled { call: self.id }).await;
        loop {
            if let Next::Outcome(outcome) = self.next().await {
                return outcome;
            }
        }
    }
}

impl Drop for EngineCall {
    fn drop(&mut self) {
        if !self.answered {
            self.engine.tell_soon(&Event::CallCancelled { call: self.id });
        }
    }
}
