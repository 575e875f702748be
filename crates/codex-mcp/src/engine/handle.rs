//! What a connection holds of the engine: the way to make calls, each with its news and its one answer.

use std::sync::Arc;

use bridge_core::{CallId, CallRequest, ConnectionId, Event, Failure, Outcome, Update};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::{Activity, Input, Port};
use crate::ledger::Ledger;

/// A handle to the engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    inputs: mpsc::Sender<Input>,
    activity: Arc<Activity>,
    ledger: Ledger,
    codex_home: Arc<str>,
    tasks: TaskTracker,
}

impl Engine {
    pub(super) fn new(
        inputs: mpsc::Sender<Input>,
        ledger: Ledger,
        activity: Arc<Activity>,
        codex_home: Arc<str>,
        tasks: TaskTracker,
    ) -> Self {
        Self { inputs, activity, ledger, codex_home, tasks }
    }

    /// What is kept on disk.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The home of Codex that its threads lie in.
    pub(crate) fn codex_home(&self) -> &str {
        &self.codex_home
    }

    /// Tells the engine of a new client, until the result is dropped.
    pub async fn connect(&self) -> EngineConnection {
        let id = ConnectionId(self.mint());
        self.send(Input::Event(Event::ConnectionOpened { connection: id })).await;
        EngineConnection { id, engine: self.clone() }
    }

    /// Makes a call. Dropping the result gives the call up.
    pub async fn call(&self, connection: ConnectionId, request: CallRequest) -> EngineCall {
        let call = CallId(self.mint());
        let (port, updates, outcome) = Port::new(call);
        let event = Event::CallReceived { call, connection, request };
        self.send(Input::Call { event, port }).await;
        EngineCall { id: call, engine: self.clone(), updates, outcome, answered: false }
    }

    /// Answers everything, stops the app-servers and ends the loop.
    pub async fn shut_down(&self) {
        self.send(Input::Event(Event::ShutdownRequested)).await;
    }

    /// The loop ends only when it is shut down, and whoever waits for it then finds its channels closed.
    async fn send(&self, input: Input) {
        let _ = self.inputs.send(input).await;
    }

    /// Sends from where nothing can wait, such as a drop.
    fn send_soon(&self, event: Event) {
        if let Err(mpsc::error::TrySendError::Full(input)) =
            self.inputs.try_send(Input::Event(event))
        {
            let engine = self.clone();
            self.tasks.spawn(async move { engine.send(input).await });
        }
    }

    fn mint(&self) -> u64 {
        self.activity.mint()
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
        self.engine.send_soon(Event::ConnectionClosed { connection: self.id });
    }
}

/// What a call brings.
#[derive(Debug)]
pub enum Next {
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
    updates: mpsc::Receiver<Update>,
    outcome: oneshot::Receiver<Outcome>,
    answered: bool,
}

impl EngineCall {
    /// What comes next. News that wait when the outcome is there are dropped: it says all they could. Safe to cancel.
    pub async fn next(&mut self) -> Next {
        tokio::select! {
            biased;
            outcome = &mut self.outcome => {
                self.answered = true;
                Next::Outcome(outcome.unwrap_or(Outcome::Failed(Failure::ShuttingDown)))
            }
            Some(update) = self.updates.recv() => Next::News(update),
        }
    }

    /// Gives the call up, and waits until the engine has let go of it.
    pub async fn cancel(mut self) -> Outcome {
        self.engine.send(Input::Event(Event::CallCancelled { call: self.id })).await;
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
            self.engine.send_soon(Event::CallCancelled { call: self.id });
        }
    }
}
