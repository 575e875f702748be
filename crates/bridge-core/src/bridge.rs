//! The state of everything, and the four verbs that drive it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use crate::app_server::AppServer;
use crate::approval::Approval;
use crate::call::Call;
use crate::ids::{Counter, ThreadKey};
use crate::pace::Pace;
use crate::thread::Thread;
use crate::turn::Turn;
use crate::{
    AppServerId, ApprovalId, CallId, ConnectionId, Effect, Event, Limits, Policy, Reply, Request,
    RequestFailure, RequestId, StopCause, ThreadId, TurnNumber,
};

/// Decides what happens next. See the crate's documentation for how to drive it.
#[derive(Debug)]
pub struct Bridge {
    pub(crate) limits: Limits,
    pub(crate) policy: Policy,
    pub(crate) connections: BTreeSet<ConnectionId>,
    /// The turns that each client asked for lately.
    pub(crate) paces: BTreeMap<ConnectionId, Pace>,
    pub(crate) threads: BTreeMap<ThreadKey, Thread>,
    pub(crate) keys: BTreeMap<ThreadId, ThreadKey>,
    /// Questions of Codex that are not answered yet.
    pub(crate) approvals: BTreeMap<ApprovalId, Approval>,
    /// Calls that are not answered yet.
    pub(crate) calls: BTreeMap<CallId, Call>,
    /// Calls that need an app-server and have none yet.
    pub(crate) waiting_for_app_server: Vec<CallId>,
    /// Requests that are not answered yet.
    pub(crate) pending: BTreeMap<RequestId, Pending>,
    pub(crate) app_server: AppServer,
    /// The reasoning effort that a model uses by default, by the model's name.
    pub(crate) default_efforts: BTreeMap<String, String>,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) numbers: Counter,
    pub(crate) shutting_down: bool,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) method: &'static str,
    pub(crate) purpose: Purpose,
}

/// What the answer to a request is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    OpenThread(ThreadKey),
    StartTurn(ThreadKey, TurnNumber),
    Interrupt,
    CleanAfter(ThreadKey, TurnNumber),
    Steer(CallId),
    /// Of the note that waits for its answer.
    SteerPlan(ThreadKey, TurnNumber, Option<CallId>),
    Read(CallId),
    List(CallId),
    /// Of a thread that may be loaded.
    Change(CallId, Option<ThreadKey>),
    Account(CallId),
    Sandbox(CallId),
    Models,
    Nothing,
}

impl Bridge {
    /// Creates a bridge with nothing in it.
    #[must_use]
    pub fn new(limits: Limits, policy: Policy) -> Self {
        Self {
            limits,
            policy,
            connections: BTreeSet::new(),
            paces: BTreeMap::new(),
            threads: BTreeMap::new(),
            keys: BTreeMap::new(),
            approvals: BTreeMap::new(),
            calls: BTreeMap::new(),
            waiting_for_app_server: Vec::new(),
            pending: BTreeMap::new(),
            app_server: AppServer::new(),
            default_efforts: BTreeMap::new(),
            effects: VecDeque::new(),
            numbers: Counter::default(),
            shutting_down: false,
        }
    }

    /// Takes one event.
    pub fn handle(&mut self, event: Event, now: Instant) {
        match event {
            Event::ConnectionOpened { connection } => {
                self.connections.insert(connection);
                self.want_app_server(now);
            }
            Event::ConnectionClosed { connection } => self.connection_closed(connection, now),
            Event::CallReceived { call, caller, request } => {
                self.call_received(call, caller, request, now)
            }
            Event::Answered { approval, answer } => self.answered(approval, answer, now),
            Event::CallCancelled { call } => self.give_up(call, StopCause::CallCancelled, now),
            Event::AppServerReady { app_server, info } => {
                self.app_server_ready(app_server, info, now)
            }
            Event::AppServerFailed { app_server, failure } => {
                self.app_server_failed(app_server, failure, now)
            }
            Event::AppServerExited { app_server, exit } => {
                self.app_server_exited(app_server, exit, now)
            }
            Event::AppServerMeasured { app_server, resident_bytes } => {
                self.measured(app_server, resident_bytes);
            }
            Event::Exec { exec, event } => self.exec_event(exec, event, now),
            Event::Prepared { turn, result } => self.prepared(turn, result, now),
            Event::Collected { turn, result } => self.collected(turn, result, now),
            Event::RoomWanted => self.make_room(),
            Event::ShutdownRequested => self.shut_down(now),
            Event::Response { app_server, .. }
            | Event::QuestionAsked { app_server, .. }
            | Event::QuestionWithdrawn { app_server, .. }
            | Event::Turn { app_server, .. }
            | Event::ThreadClosed { app_server, .. }
            | Event::Warned { app_server, .. }
            | Event::UsageTold { app_server, .. }
                if !self.app_server.is_live(app_server) => {}
            Event::Response { request, result, .. } => self.response(request, result, now),
            Event::QuestionAsked { app_server, id, thread, question } => {
                self.question_asked(app_server, id, thread.as_ref(), question, now);
            }
            Event::QuestionWithdrawn { app_server, id } => {
                self.question_withdrawn(app_server, &id, now);
            }
            Event::Turn { thread, turn, event, .. } => self.turn_event(&thread, &turn, event, now),
            Event::ThreadClosed { thread, .. } => self.thread_closed(&thread, now),
            Event::Warned { thread, message, .. } => self.warned(thread.as_ref(), &message),
            Event::UsageTold { windows, .. } => self.usage_told(windows),
        }
    }

    /// Gives the next thing to do. Effects are to be carried out in this order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Tells when [`Bridge::handle_timeout`] is due. Ask again after every event.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let calls = self.calls.values().filter_map(Call::timeout).min();
        let turns = self.threads.values().filter_map(|thread| thread.running.as_ref());
        let watchdog = |turn: &Turn| turn.watchdog(&self.limits, self.waits_for_person(turn.key));
        let turns = turns.filter_map(watchdog).map(|(at, _)| at).min();
        let others = [self.app_server_timeout(), self.unload_timeout(), self.approval_timeout()];
        others.into_iter().chain([calls, turns]).flatten().min()
    }

    /// Does what the passing of time asks for.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.app_server_timeout().is_some_and(|at| at <= now) {
            self.app_server_due(now);
        }
        if self.unload_timeout().is_some_and(|at| at <= now) {
            self.unload_due(now);
        }
        self.approvals_due(now);
        for key in self.thread_keys() {
            self.check_watchdog(key, now);
        }
        let due = |call: &Call| call.timeout().is_some_and(|at| at <= now);
        let calls: Vec<_> =
            self.calls.iter().filter(|(_, call)| due(call)).map(|(id, _)| *id).collect();
        for call in calls {
            self.call_due(call, now);
        }
    }

    /// Sends a request to the app-server that is ready, and remembers what for.
    pub(crate) fn send(
        &mut self,
        app_server: AppServerId,
        request: Request,
        purpose: Purpose,
    ) -> RequestId {
        let id = RequestId(self.numbers.mint());
        self.pending.insert(id, Pending { method: request.method(), purpose });
        self.effects.push_back(Effect::Send { app_server, id, request });
        id
    }

    fn response(
        &mut self,
        request: RequestId,
        result: Result<Reply, RequestFailure>,
        now: Instant,
    ) {
        if let Err(RequestFailure::Closed) = result {
            return; // The exit that follows ends everything at once.
        }
        let Some(Pending { method, purpose }) = self.pending.remove(&request) else {
            return;
        };
        // What nobody asked for is no use of the app-server.
        if !matches!(purpose, Purpose::Nothing) {
            self.app_server.used_at = Some(now);
        }
        match purpose {
            Purpose::OpenThread(key) => self.thread_opened(key, request, method, result, now),
            Purpose::StartTurn(key, turn) => self.turn_started(key, turn, method, result, now),
            Purpose::CleanAfter(key, turn) => self.cleaned(key, turn, method, result, now),
            Purpose::Steer(call) => self.steered(call, method, result),
            Purpose::SteerPlan(key, turn, call) => {
                self.plan_steered((key, turn), call, method, result);
            }
            Purpose::List(call) => self.listed(call, method, result),
            Purpose::Change(call, key) => self.thread_changed(call, key, method, result, now),
            Purpose::Read(call) => self.turn_read(call, method, result),
            Purpose::Account(call) => self.account_read(call, method, result, now),
            Purpose::Sandbox(call) => self.sandbox_probed(call, method, result, now),
            // Without the list only the name of a default effort is missing from reports.
            Purpose::Models => {
                if let Ok(Reply::Models(models)) = result {
                    self.default_efforts = models.into_iter().collect();
                }
            }
            // A refusal means that the turn has ended by itself: its end is on its way.
            Purpose::Interrupt | Purpose::Nothing => {
                if result.as_ref().is_err_and(Self::is_hung) {
                    self.presume_hung(method);
                }
            }
        }
    }

    pub(crate) fn thread_keys(&self) -> Vec<ThreadKey> {
        self.threads.keys().copied().collect()
    }

    /// Whether a turn runs or waits, or a call is not answered.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.calls.is_empty() || !self.threads.values().all(Thread::is_idle)
    }

    /// Whether this bridge has a thread: no other process can open it now.
    #[must_use]
    pub fn holds(&self, thread: &ThreadId) -> bool {
        let key = self.keys.get(thread);
        key.and_then(|key| self.threads.get(key)).is_some_and(Thread::is_held)
    }

    /// Whether nothing runs, waits or is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.pending.is_empty()
            && self.threads.values().all(Thread::is_idle)
    }
}
