//! What a connection holds of the engine: the way to make calls, each with its news and its one answer.

use std::sync::Arc;

use bridge_core::{
    Answer, ApprovalId, CallId, CallRequest, Caller, ConnectionId, Event, Failure, Outcome, Update,
};
use tokio::sync::mpsc::error::{SendError, TrySendError};

use super::lanes::Lanes;
use super::ports::Receivers;
use super::{Asking, Input, ListMarks, Port, Room};
use crate::config::Config;
use crate::ledger::Ledger;
use crate::mcp::resources::News;
use crate::monitors::Monitors;
use crate::workspace::Places;

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

    /// The configuration that its Codex and its limits follow: that of the client for which it was started.
    pub(crate) fn config(&self) -> &Config {
        &self.lanes.config
    }

    /// The configuration of this process: what it keeps, and how many app-servers there may be.
    pub(crate) fn process_config(&self) -> &Config {
        &self.lanes.services.config
    }

    /// How much of Codex's list of threads has been read.
    pub(crate) fn marks(&self) -> &ListMarks {
        &self.lanes.marks
    }

    /// Tells those who watch what changed.
    pub(crate) fn tell_watchers(&self, news: &News) {
        self.lanes.services.subscriptions.tell(news);
    }

    /// Who waits for news of which session.
    pub(crate) fn monitors(&self) -> &Monitors {
        &self.lanes.services.monitors
    }

    /// Whether nobody else has a handle, and nothing is going on.
    pub(crate) fn is_unused(&self) -> bool {
        Arc::strong_count(&self.lanes) == 1 && !self.lanes.is_in_use()
    }

    /// Where turns may change files.
    pub(crate) fn places(&self) -> &Places {
        &self.lanes.services.places
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

    /// A number for a call that is about to be made.
    pub(crate) fn number_call(&self) -> CallId {
        CallId(self.mint())
    }

    /// A connection that will never make a call: nothing is warmed for it.
    pub fn connect_idle(&self) -> EngineConnection {
        EngineConnection { id: ConnectionId(self.mint()), engine: self.clone() }
    }

    /// Makes a call. Dropping the result gives the call up.
    pub async fn call(&self, caller: Caller, request: CallRequest) -> EngineCall {
        self.call_as(self.number_call(), caller, request).await
    }

    /// Makes a call under a number of its own.
    pub(crate) async fn call_as(
        &self,
        call: CallId,
        caller: Caller,
        request: CallRequest,
    ) -> EngineCall {
        let (port, receivers) = Port::new(call);
        let lane = self.lanes.of(&request);
        let input = Input::Call { call, caller, request, port };
        // A lane that ended in this moment has left its threads to the next one. If that has ended too, everything
        // is shut down, and whoever waits finds its channels closed.
        if let Err(SendError(Input::Call { call, caller, request, port })) = lane.send(input).await
        {
            let lane = self.lanes.of(&request);
            let _ = lane.send(Input::Call { call, caller, request, port }).await;
        }
        EngineCall { id: call, engine: self.clone(), receivers, answered: false }
    }

    /// Answers everything, stops the app-servers and ends the loops.
    pub async fn shut_down(&self) {
        self.lanes.tell_all(Event::ShutdownRequested).await;
    }

    /// Tells every loop of every engine: a call may have gone to any.
    async fn tell_everyone(&self, event: Event) {
        for lane in self.lanes.services.switchboard.all() {
            let _ = lane.send(Input::Event(event.clone())).await;
        }
    }

    /// The same from where nothing can wait, such as a drop.
    fn tell_everyone_soon(&self, event: &Event) {
        for lane in self.lanes.services.switchboard.all() {
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
        self.engine.tell_everyone_soon(&Event::ConnectionClosed { connection: self.id });
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
    receivers: Receivers,
    answered: bool,
}

impl EngineCall {
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
        self.engine.tell_everyone(Event::Answered { approval, answer }).await;
    }

    /// Gives the call up, and waits until the engine has let go of it.
    pub async fn cancel(mut self) -> Outcome {
        self.engine.tell_everyone(Event::CallCancelled { call: self.id }).await;
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
            self.engine.tell_everyone_soon(&Event::CallCancelled { call: self.id });
        }
    }
}
