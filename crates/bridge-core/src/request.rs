//! What each kind of call sets going.

use std::time::{Duration, Instant};

use crate::bridge::{Bridge, Purpose};
use crate::call::{Call, CallKind};
use crate::failure::unexpected;
use crate::ids::ThreadKey;
use crate::thread::{Origin, Thread};
use crate::turn::{Turn, TurnPhase};
use crate::{
    Attachment, CallId, CallRequest, Caller, ConnectionId, Effect, Failure, Json, Outcome, Reply,
    Request, RequestFailure, Scope, StopCause, ThreadChange, ThreadId, ThreadOptions, TurnId,
    TurnNumber, TurnReport, TurnRequest,
};

impl Bridge {
    pub(crate) fn call_received(
        &mut self,
        id: CallId,
        caller: Caller,
        request: CallRequest,
        now: Instant,
    ) {
        if let Some(failure) = self.refusal(&request, now) {
            return self.refuse(id, failure);
        }
        match request {
            CallRequest::StartThread { options, turn } => {
                self.open(id, caller.clone(), options, self.new_turn(id, &caller, turn), now);
            }
            CallRequest::StartReview { options, target, time_limit } => {
                let turn = self.new_turn(id, &caller, target.turn(time_limit)).reviewing(target);
                self.open(id, caller, options, turn, now);
            }
            CallRequest::ContinueThread { thread, config, working_directory, plan, turn } => {
                let key = self.known_thread(thread, config, working_directory);
                self.bring_plan(key, plan);
                self.enqueue(id, caller.clone(), key, self.new_turn(id, &caller, turn), now);
            }
            CallRequest::Steer { thread, turn, prompt } => {
                let kind = CallKind::Steer { thread: thread.clone() };
                self.calls.insert(id, Call::new(caller, kind));
                self.steer(id, &thread, turn.as_ref(), prompt);
            }
            CallRequest::TellPlan { thread, note } => self.tell_plan(id, caller, &thread, note),
            CallRequest::Wait { thread, turn, wait } => {
                self.wait(id, caller, thread, turn, wait, now)
            }
            CallRequest::Resume { thread, turn, id: name, answers } => {
                self.resume(id, caller, (thread, name, turn), answers, now);
            }
            CallRequest::Cancel { thread, turn, reason } => {
                let cause = StopCause::Requested { reason };
                self.cancel(id, caller, &thread, turn.as_ref(), cause, now);
            }
            CallRequest::StopTurn { thread, turn } => self.stop_one(id, caller, &thread, turn, now),
            CallRequest::ReadTurn { thread, turn } => {
                self.read(id, caller, CallKind::Read { thread, turn }, now);
            }
            CallRequest::ReadTurns { thread, query } => {
                self.read(id, caller, CallKind::ReadTurns { thread, query }, now);
            }
            CallRequest::FindThread { thread } => {
                self.read(id, caller, CallKind::Find { thread }, now);
            }
            CallRequest::ListThreads(query) => {
                self.read(id, caller, CallKind::List { query }, now);
            }
            CallRequest::ChangeThread { thread, change } => {
                self.change_thread(id, caller, thread, change, now);
            }
            CallRequest::Health => {
                self.read(id, caller, CallKind::Health { account: None, sandbox: None }, now);
            }
        }
    }

    /// Why a call cannot even be taken.
    fn refusal(&self, request: &CallRequest, now: Instant) -> Option<Failure> {
        if self.shutting_down {
            return Some(Failure::ShuttingDown);
        }
        self.quarantined(now).filter(|_| request.starts_turn() && !self.falls_back(now))
    }

    /// Takes a call that needs no more than an answer of Codex.
    pub(crate) fn read(&mut self, id: CallId, caller: Caller, kind: CallKind, now: Instant) {
        self.calls.insert(id, Call::new(caller, kind));
        self.send_read(id, now);
    }

    fn add_thread(&mut self, origin: Origin) -> ThreadKey {
        let key = ThreadKey(self.numbers.mint());
        let thread = Thread::new(key, origin);
        if let Some(id) = thread.id() {
            self.keys.insert(id.clone(), key);
        }
        self.threads.insert(key, thread);
        key
    }

    /// A thread that Codex has on disk, what it is loaded with if it is not loaded yet, and the user's folder.
    fn known_thread(
        &mut self,
        id: ThreadId,
        config: Option<Json>,
        home: Option<String>,
    ) -> ThreadKey {
        let known = self.keys.get(&id).copied();
        let key = known.unwrap_or_else(|| self.add_thread(Origin::Known(id)));
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.resume_config = config;
            thread.home = home.or(thread.home.take());
        }
        key
    }

    /// A new thread with its first turn.
    fn open(
        &mut self,
        id: CallId,
        caller: Caller,
        options: ThreadOptions,
        turn: Turn,
        now: Instant,
    ) {
        let key = self.add_thread(Origin::New(Box::new(options)));
        self.enqueue(id, caller, key, turn, now);
    }

    /// The turn that a call asks for.
    fn new_turn(&self, id: CallId, caller: &Caller, request: TurnRequest) -> Turn {
        Turn::new(TurnNumber(id.0), caller, request, &self.limits)
    }

    fn enqueue(&mut self, id: CallId, caller: Caller, key: ThreadKey, new: Turn, now: Instant) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let limit = self.limits.queue_per_thread;
        if thread.queue.len() >= limit {
            return self.refuse(id, Failure::QueueFull { limit });
        }
        if let Err(failure) = self.count_turn(key, caller.connection, now) {
            self.refuse(id, failure);
            return self.forget_if_empty(key);
        }
        let turn = new.key;
        let kind = match new.attachment {
            Attachment::Foreground => CallKind::Owner { thread: key, turn },
            Attachment::Background => CallKind::Background { thread: key, turn },
        };
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.queue.push_back(new);
        }
        self.attach(id, Call::new(caller, kind));
        self.record_queued(key);
        self.want_app_server(now);
        self.pump(key, now);
        let thread = self.threads.get(&key);
        // One that is being prepared by now has just been told so.
        let preparing = thread
            .and_then(|thread| thread.turn(turn))
            .is_some_and(|turn| turn.phase == TurnPhase::Preparing);
        if !preparing {
            self.tell_position(key, turn, now);
        }
        self.release_background(key, turn, now);
    }

    /// Counts a turn against the limits of its client and its thread.
    fn count_turn(
        &mut self,
        key: ThreadKey,
        connection: ConnectionId,
        now: Instant,
    ) -> Result<(), Failure> {
        let too_many = |scope, limit| move |wait| Failure::TooManyTurns { scope, limit, wait };
        let (of_client, of_thread) =
            (self.limits.turns_a_minute_of_client, self.limits.turns_a_minute_of_thread);
        self.paces.retain(|_, pace| !pace.is_idle(now));
        let client = self.paces.entry(connection).or_default();
        client.count(of_client, now).map_err(too_many(Scope::Client, of_client))?;
        let Some(thread) = self.threads.get_mut(&key) else {
            return Ok(());
        };
        let counted = thread.pace.count(of_thread, now);
        counted.map_err(|wait| {
            client.take_back();
            too_many(Scope::Thread, of_thread)(wait)
        })
    }

    /// Answers a background call as soon as there is something to come back for: its turn runs, or waits behind
    /// another one.
    pub(crate) fn release_background(&mut self, key: ThreadKey, turn: TurnNumber, now: Instant) {
        let Some(running) = self.threads.get(&key).and_then(|thread| thread.running.as_ref())
        else {
            return;
        };
        let waits = running.key != turn;
        if !waits && running.phase == TurnPhase::Starting {
            return;
        }
        let background = |call: &Call| match call.kind {
            CallKind::Background { turn: of, .. } => of == turn,
            CallKind::Owner { .. }
            | CallKind::Waiter { .. }
            | CallKind::Canceller { .. }
            | CallKind::Steer { .. }
            | CallKind::TellPlan
            | CallKind::Read { .. }
            | CallKind::ReadTurns { .. }
            | CallKind::Find { .. }
            | CallKind::List { .. }
            | CallKind::Change { .. }
            | CallKind::Health { .. } => false,
        };
        let Some(id) = self.calls.iter().find(|(_, call)| background(call)).map(|(id, _)| *id)
        else {
            return;
        };
        if let Some(report) = self.snapshot(key, turn, now) {
            self.answer(id, Outcome::Turn(Box::new(report)));
        }
    }

    fn wait(
        &mut self,
        id: CallId,
        caller: Caller,
        thread_id: ThreadId,
        turn: Option<TurnId>,
        wait: Duration,
        now: Instant,
    ) {
        if let Some(thread) = self.keys.get(&thread_id).and_then(|key| self.threads.get(key)) {
            let target = match &turn {
                None => thread.newest(),
                Some(turn) => thread.named(turn),
            };
            if let Some(target) = target {
                let (key, turn) = (thread.key, target.key);
                let mut call = Call::new(caller, CallKind::Waiter { thread: key, turn });
                call.deadline = Some(now + wait);
                self.attach(id, call);
                self.tell_position(key, turn, now);
                return self.offer(key, now);
            }
            if let Some(report) = thread.finished(turn.as_ref()) {
                let outcome = Outcome::Turn(Box::new(report.clone()));
                return self.effects.push_back(Effect::Answer { call: id, outcome });
            }
        }
        self.effects.push_back(Effect::Answer { call: id, outcome: Outcome::NotLive });
    }

    fn cancel(
        &mut self,
        id: CallId,
        caller: Caller,
        thread_id: &ThreadId,
        turn: Option<&TurnId>,
        cause: StopCause,
        now: Instant,
    ) {
        let Some(thread) = self.keys.get(thread_id).and_then(|key| self.threads.get(key)) else {
            return self.refuse(id, Failure::NoRunningTurn { thread: thread_id.clone() });
        };
        if let Some(given) = turn.filter(|given| thread.named(given).is_none()) {
            let outcome = match thread.finished(Some(given)) {
                Some(report) => {
                    Outcome::Cancelled { turn: Some(Box::new(report.clone())), dropped: 0 }
                }
                None => Outcome::Failed(Failure::WrongTurn {
                    given: given.clone(),
                    running: thread.running_id().cloned(),
                }),
            };
            return self.effects.push_back(Effect::Answer { call: id, outcome });
        }
        if thread.is_idle() {
            return self.refuse(id, Failure::NoRunningTurn { thread: thread_id.clone() });
        }
        let target = match turn {
            None => thread.running.as_ref(),
            Some(given) => thread.named(given),
        };
        let (key, target) = (thread.key, target.map(|turn| turn.key));
        let waiting: Vec<TurnNumber> = match turn {
            None => thread.queue.iter().map(|turn| turn.key).collect(),
            Some(_) => Vec::new(),
        };
        let dropped = waiting.len();
        for waiting in waiting {
            self.stop_turn(key, waiting, cause.clone(), None, now);
        }
        match target {
            Some(turn) => {
                let kind = CallKind::Canceller { thread: key, turn, dropped };
                self.attach(id, Call::new(caller, kind));
                self.stop_turn(key, turn, cause, None, now);
            }
            None => {
                let outcome = Outcome::Cancelled { turn: None, dropped };
                self.effects.push_back(Effect::Answer { call: id, outcome });
            }
        }
    }

    fn stop_one(
        &mut self,
        id: CallId,
        caller: Caller,
        thread: &ThreadId,
        turn: TurnNumber,
        now: Instant,
    ) {
        let cause = StopCause::Requested { reason: None };
        let thread = self.keys.get(thread).and_then(|key| self.threads.get(key));
        let place = thread.and_then(|thread| Some((thread.key, thread.position(turn)?)));
        let dropped = match place {
            Some((key, 0)) => {
                let kind = CallKind::Canceller { thread: key, turn, dropped: 0 };
                self.attach(id, Call::new(caller, kind));
                return self.stop_turn(key, turn, cause, None, now);
            }
            Some((key, _)) => {
                self.stop_turn(key, turn, cause, None, now);
                1
            }
            None => 0,
        };
        let outcome = Outcome::Cancelled { turn: None, dropped };
        self.effects.push_back(Effect::Answer { call: id, outcome });
    }

    fn steer(&mut self, id: CallId, thread_id: &ThreadId, given: Option<&TurnId>, prompt: String) {
        let thread = self.keys.get(thread_id).and_then(|key| self.threads.get_mut(key));
        let running = thread.and_then(|thread| thread.running.as_mut());
        let Some(turn) = running.filter(|turn| !turn.is_collecting()) else {
            return self
                .answer(id, Outcome::Failed(Failure::NoRunningTurn { thread: thread_id.clone() }));
        };
        if turn.stop.is_some() {
            return self.answer(id, Outcome::Failed(Failure::TurnStopping));
        }
        if turn.exec.is_some() {
            return self.answer(id, Outcome::Failed(Failure::ExecTakesNoInput));
        }
        if turn.review.is_some() {
            return self.answer(id, Outcome::Failed(Failure::ReviewTakesNoInput));
        }
        match (&turn.id, given) {
            (None, Some(given)) => {
                let failure = Failure::WrongTurn { given: given.clone(), running: None };
                self.answer(id, Outcome::Failed(failure));
            }
            (Some(running), Some(given)) if running != given => {
                let failure =
                    Failure::WrongTurn { given: given.clone(), running: Some(running.clone()) };
                self.answer(id, Outcome::Failed(failure));
            }
            (None, None) => turn.waiting_steers.push((id, prompt)),
            (Some(_), _) => match turn.running_as.clone() {
                Some(running) => {
                    turn.begun = true;
                    self.send_steer(id, thread_id.clone(), running, prompt);
                }
                None => turn.waiting_steers.push((id, prompt)),
            },
        }
    }

    pub(crate) fn send_steer(
        &mut self,
        id: CallId,
        thread: ThreadId,
        turn: TurnId,
        prompt: String,
    ) {
        if let Some(app_server) = self.app_server.ready() {
            self.send(app_server, Request::SteerTurn { thread, turn, prompt }, Purpose::Steer(id));
        }
    }

    pub(crate) fn steered(
        &mut self,
        id: CallId,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
    ) {
        let Some(Call { kind: CallKind::Steer { thread }, .. }) = self.calls.get(&id) else {
            return;
        };
        let outcome = match result {
            Ok(Reply::TurnStarted(turn)) => Outcome::Steered { thread: thread.clone(), turn },
            other => Outcome::Failed(unexpected(method, other)),
        };
        self.answer(id, outcome);
    }

    /// Sends what a reading call needs, or keeps it until an app-server is there.
    pub(crate) fn send_read(&mut self, id: CallId, now: Instant) {
        if let Some(failure) = self.quarantined(now) {
            return self.fail_call(id, failure, now);
        }
        self.want_app_server(now);
        let Some(app_server) = self.app_server.ready() else {
            return self.waiting_for_app_server.push(id);
        };
        match self.calls.get(&id).map(|call| &call.kind) {
            Some(CallKind::Read { thread, turn }) => {
                let request = Request::ReadTurn { thread: thread.clone(), turn: turn.clone() };
                self.send(app_server, request, Purpose::Read(id));
            }
            Some(CallKind::ReadTurns { thread, query }) => {
                let request = Request::ReadTurns { thread: thread.clone(), query: query.clone() };
                self.send(app_server, request, Purpose::List(id));
            }
            Some(CallKind::Find { thread }) => {
                self.send(app_server, Request::ReadThread(thread.clone()), Purpose::List(id));
            }
            Some(CallKind::List { query }) => {
                self.send(app_server, Request::ListThreads(query.clone()), Purpose::List(id));
            }
            Some(CallKind::Change { thread, change }) => {
                let thread = thread.clone();
                let key = self.keys.get(&thread).copied();
                let request = match change {
                    ThreadChange::Archive => Request::ArchiveThread(thread),
                    ThreadChange::Unarchive => Request::UnarchiveThread(thread),
                    ThreadChange::Delete => Request::DeleteThread(thread),
                };
                self.send(app_server, request, Purpose::Change(id, key));
            }
            Some(CallKind::Health { .. }) => {
                self.send(app_server, Request::ReadAccount, Purpose::Account(id));
                self.send(app_server, Request::ProbeSandbox, Purpose::Sandbox(id));
            }
            Some(
                CallKind::Owner { .. }
                | CallKind::Background { .. }
                | CallKind::Waiter { .. }
                | CallKind::Canceller { .. }
                | CallKind::Steer { .. }
                | CallKind::TellPlan,
            )
            | None => {}
        }
    }

    pub(crate) fn turn_read(
        &mut self,
        id: CallId,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
    ) {
        let Some(Call { kind: CallKind::Read { thread, turn }, .. }) = self.calls.get(&id) else {
            return;
        };
        let outcome = match result {
            Ok(Reply::TurnRead(Some(record))) => Outcome::Turn(Box::new(TurnReport {
                number: None,
                thread: Some(thread.clone()),
                turn: Some(record.turn),
                state: record.state,
                model: None,
                effort: None,
                duration: record.duration,
                transcript: record.transcript,
                failure: record.error.map(Failure::Codex),
                asking: Vec::new(),
                stopped: None,
                change_set: None,
            })),
            Ok(Reply::TurnRead(None)) => {
                Outcome::Failed(Failure::NoSuchTurn { thread: thread.clone(), turn: turn.clone() })
            }
            other => Outcome::Failed(unexpected(method, other)),
        };
        self.answer(id, outcome);
    }

    /// Answers a call that was never kept.
    pub(crate) fn refuse(&mut self, call: CallId, failure: Failure) {
        self.effects.push_back(Effect::Answer { call, outcome: Outcome::Failed(failure) });
    }
}
