//! How a turn gets from the queue to its end: the thread is opened, the turn started, its calls answered.

use std::time::Instant;

use crate::bridge::{Bridge, Purpose};
use crate::call::CallKind;
use crate::failure::unexpected;
use crate::ids::ThreadKey;
use crate::thread::{Defaults, Load, Origin};
use crate::turn::{Turn, TurnPhase};
use crate::{
    AppServerId, CallId, Effect, Effort, Failure, Outcome, Record, Reply, Request, RequestFailure,
    RequestId, ThreadId, ThreadOpened, TurnId, TurnNumber, TurnOptions, TurnReport, TurnState,
    Update,
};

impl Bridge {
    pub(crate) fn pump_all(&mut self, now: Instant) {
        for key in self.thread_keys() {
            self.pump(key, now);
        }
    }

    /// Takes the next step for a thread that has turns waiting, if it can be taken now.
    ///
    /// This is the only place that starts a turn, and it never does while one runs: Codex would steer that one.
    pub(crate) fn pump(&mut self, key: ThreadKey, now: Instant) {
        if !self.may_start(key) {
            return;
        }
        let Some(app_server) = self.app_server.ready() else {
            return self.pump_without(key, now);
        };
        let running = self.turns_running();
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        match (thread.load, &thread.origin) {
            (Load::Opening { .. }, _) => {}
            (Load::Loaded, Origin::Known(_)) if running >= self.limits.running_turns => {}
            (Load::Loaded, Origin::Known(id)) => {
                let id = id.clone();
                match thread.queue.pop_front() {
                    Some(turn) if turn.wants_place() => self.prepare(key, turn, now),
                    Some(turn) => self.start_turn(key, (app_server, id), turn, now),
                    None => {}
                }
            }
            (Load::Unloaded | Load::Loaded | Load::Leaving, origin) => {
                let request = origin.open(thread.resume_config.as_ref());
                let request = self.send(app_server, request, Purpose::OpenThread(key));
                if let Some(thread) = self.threads.get_mut(&key) {
                    thread.load = Load::Opening { request };
                }
            }
        }
    }

    fn start_turn(
        &mut self,
        key: ThreadKey,
        (app_server, id): (AppServerId, ThreadId),
        mut turn: Turn,
        now: Instant,
    ) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let options = thread.complete(turn.options.clone());
        let (prompt, material) = (turn.prompt.clone(), turn.material.clone());
        turn.start(&options, thread.last_model.as_deref(), now);
        turn.effort = turn.effort.or_else(|| {
            turn.model.as_ref().and_then(|model| self.default_efforts.get(model)).cloned()
        });
        thread.last_model.clone_from(&turn.model);
        let last_effort = std::mem::replace(&mut thread.last_effort, options.effort.clone());
        let effort = match (&options.effort, last_effort) {
            (Some(effort), _) => Effort::Named(effort.clone()),
            (None, Some(_)) => Effort::ModelDefault,
            (None, None) => Effort::Unchanged,
        };
        let turn_key = turn.key;
        let place = turn.place.clone();
        let request = match &turn.review {
            Some(review) => Request::StartReview { thread: id, target: review.target.clone() },
            None => {
                let working_directory = thread.move_to(place.as_ref());
                let plan = thread.notes.hand_out();
                Request::StartTurn {
                    thread: id,
                    plan,
                    material,
                    prompt,
                    options,
                    effort,
                    place,
                    working_directory,
                }
            }
        };
        thread.running = Some(turn);
        self.send(app_server, request, Purpose::StartTurn(key, turn_key));
        self.tell_queue(key, now);
    }

    /// Whether a turn waits on a thread, and nothing on the thread keeps it from running.
    fn may_start(&self, key: ThreadKey) -> bool {
        let Some(thread) = self.threads.get(&key) else {
            return false;
        };
        // It goes on when the change is through.
        let is_changed =
            || thread.id().is_some_and(|id| self.calls.values().any(|call| call.kind.changes(id)));
        thread.running.is_none() && !thread.queue.is_empty() && !is_changed()
    }

    pub(crate) fn thread_opened(
        &mut self,
        key: ThreadKey,
        request: RequestId,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
        now: Instant,
    ) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        if thread.load != (Load::Opening { request }) {
            return;
        }
        match result {
            Ok(Reply::ThreadOpened(opened)) => {
                thread.load = Load::Loaded;
                thread.used_at = Some(now);
                let ThreadOpened { thread: id, working_directory, model, effort, approval_policy } =
                    opened;
                // Codex makes what one turn asked for the thread's own; only its first word is the thread's.
                if !thread.recorded {
                    thread.defaults = Defaults { model: model.clone(), effort, approval_policy };
                }
                thread.recorded = true;
                thread.found_in(working_directory);
                let home = thread.home.clone();
                let known = Origin::Known(id.clone());
                let new = match std::mem::replace(&mut thread.origin, known) {
                    Origin::New(options) => Some(options),
                    Origin::Known(_) => None,
                };
                let name = new.as_ref().and_then(|options| options.name.clone());
                let first = thread.queue.front().and_then(|turn| turn.calls.first()).copied();
                let connection =
                    first.and_then(|call| self.calls.get(&call)).map(|call| call.connection);
                self.keys.insert(id.clone(), key);
                self.record(Record::ThreadOpened {
                    thread: id.clone(),
                    connection,
                    working_directory: home,
                    options: new,
                    model,
                });
                self.record_queued(key);
                self.name_thread(id, name);
                self.pump(key, now);
                self.keep_below_ceiling();
            }
            Err(failure) if Self::is_hung(&failure) => {
                thread.load = Load::Unloaded;
                self.presume_hung(method);
            }
            other => {
                thread.load = Load::Unloaded;
                let failure = unexpected(method, other);
                self.fail_queue(key, &failure, now);
            }
        }
    }

    fn name_thread(&mut self, thread: ThreadId, name: Option<String>) {
        if let (Some(name), Some(app_server)) = (name, self.app_server.ready()) {
            self.send(app_server, Request::NameThread { thread, name }, Purpose::Nothing);
        }
    }

    pub(crate) fn turn_started(
        &mut self,
        key: ThreadKey,
        turn_key: TurnNumber,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
        now: Instant,
    ) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let meant = |turn: &Turn| turn.key == turn_key && turn.is_with_codex();
        if !thread.running.as_ref().is_some_and(meant) {
            return;
        }
        match result {
            Ok(Reply::TurnStarted(id)) => self.turn_runs(key, id, now),
            // Whether the turn runs is unknown, and another start could steer it.
            Err(failure) if Self::is_hung(&failure) => self.presume_hung(method),
            other => {
                // Nothing says whether Codex has kept what the turn was to run with.
                thread.codex_directory = None;
                let Some(turn) = thread.running.take() else {
                    return;
                };
                let (state, failure) = match turn.stop {
                    Some(_) => (TurnState::Interrupted, None),
                    None => (TurnState::Failed, Some(unexpected(method, other))),
                };
                self.finish_turn(key, turn, state, failure, now);
            }
        }
    }

    /// Codex has started the turn: it can be steered and interrupted from here on.
    pub(crate) fn turn_runs(&mut self, key: ThreadKey, id: TurnId, now: Instant) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let Some(thread_id) = thread.id().cloned() else {
            return;
        };
        let Some(turn) = thread.running.as_mut().filter(|turn| turn.phase == TurnPhase::Starting)
        else {
            return;
        };
        turn.phase = TurnPhase::Running;
        turn.running_as = Some(id.clone());
        let name = turn.id.get_or_insert_with(|| id.clone()).clone();
        let turn_key = turn.key;
        let record = (name == id).then(|| Record::TurnStarted {
            turn: turn_key,
            thread: thread_id.clone(),
            id: name.clone(),
            model: turn.model.clone(),
            effort: turn.effort.clone(),
        });
        turn.begun |= !turn.waiting_steers.is_empty();
        let steers = std::mem::take(&mut turn.waiting_steers);
        let is_exec = turn.exec.is_some();
        let interrupt =
            turn.interruptible_as().filter(|_| turn.stop.is_some() && !is_exec).cloned();
        if let Some(record) = record {
            self.record(record);
        }
        if is_exec {
            // It does not show what it reads, and it has read everything.
            self.plan_read(key);
        }
        if let Some(turn) = interrupt {
            self.send_interrupt(thread_id.clone(), turn);
        }
        for (call, prompt) in steers {
            self.send_steer(call, thread_id.clone(), id.clone(), prompt);
        }
        self.steer_plan(key, None);
        self.tell_turn(key, &Update::Started { thread: thread_id, turn: name }, now);
        self.release_background(key, turn_key, now);
    }

    /// Codex is done with a turn, or never got it.
    pub(crate) fn finish_turn(
        &mut self,
        key: ThreadKey,
        mut turn: Turn,
        state: TurnState,
        failure: Option<Failure>,
        now: Instant,
    ) {
        if state == TurnState::Completed {
            // It got there before the stop did.
            turn.stop = None;
            if turn.exec.is_none() {
                self.app_server.failures = 0;
            }
        }
        if let Some(thread) = self.threads.get_mut(&key).filter(|_| turn.is_with_codex()) {
            thread.notes.give_back();
        }
        let thread_id = self.threads.get(&key).and_then(|thread| thread.id().cloned());
        self.withdraw_all(&mut turn, thread_id.as_ref());
        if turn.leaves_place_unused() {
            self.effects.push_back(Effect::StopPreparing { turn: turn.key });
        }
        match thread_id.filter(|_| turn.may_have_changed()) {
            Some(thread) if !self.shutting_down => {
                return self.collect(key, thread, turn, (state, failure), now);
            }
            Some(_) => turn.leave_uncollected(),
            None => {}
        }
        self.end_turn(key, turn, state, failure, now);
    }

    /// Answers everybody who waits for a turn that is over, and goes on with the next one.
    pub(crate) fn end_turn(
        &mut self,
        key: ThreadKey,
        mut turn: Turn,
        state: TurnState,
        failure: Option<Failure>,
        now: Instant,
    ) {
        self.app_server.used_at = Some(now);
        let thread_id = self.threads.get(&key).and_then(|thread| thread.id().cloned());
        let mut report = turn.report(thread_id.as_ref(), state, now);
        report.failure = failure.or(report.failure);
        if turn.recorded {
            self.record(Record::TurnEnded { turn: turn.key, report: Box::new(report.clone()) });
        }
        let unheard = self.unheard_end(&turn, &report);
        self.answer_turn(std::mem::take(&mut turn.calls), &report);
        self.effects.extend(unheard);
        if let Some(thread) = thread_id {
            self.refuse_steers(&mut turn, &thread);
        }
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.used_at = Some(now);
            thread.remember(report, self.limits.finished_per_thread);
        }
        self.pump(key, now);
        // Others may have waited for the place of this turn.
        if self.turns_running() + 1 >= self.limits.running_turns {
            self.pump_all(now);
        }
        self.keep_below_ceiling();
    }

    /// Answers input that came for a turn and did not reach it.
    pub(crate) fn refuse_steers(&mut self, turn: &mut Turn, thread: &ThreadId) {
        for (call, _) in std::mem::take(&mut turn.waiting_steers) {
            let failure = Failure::NoRunningTurn { thread: thread.clone() };
            self.answer(call, Outcome::Failed(failure));
        }
    }

    /// Answers everybody who waits for a turn that has ended like this.
    fn answer_turn(&mut self, calls: Vec<CallId>, report: &TurnReport) {
        for call in calls {
            let turn = Box::new(report.clone());
            let outcome = match self.calls.get(&call).map(|call| &call.kind) {
                Some(CallKind::Canceller { dropped, .. }) => {
                    Outcome::Cancelled { turn: Some(turn), dropped: *dropped }
                }
                Some(
                    CallKind::Owner { .. }
                    | CallKind::Background { .. }
                    | CallKind::Waiter { .. }
                    | CallKind::Steer { .. }
                    | CallKind::TellPlan
                    | CallKind::Read { .. }
                    | CallKind::ReadTurns { .. }
                    | CallKind::Find { .. }
                    | CallKind::List { .. }
                    | CallKind::Change { .. }
                    | CallKind::Health { .. },
                )
                | None => Outcome::Turn(turn),
            };
            self.answer(call, outcome);
        }
    }

    /// Ends all turns that wait on a thread.
    pub(crate) fn fail_queue(&mut self, key: ThreadKey, failure: &Failure, now: Instant) {
        let queue = self.threads.get_mut(&key).map(|thread| std::mem::take(&mut thread.queue));
        for mut turn in queue.into_iter().flatten() {
            let (state, failure) = match turn.cut_by.take() {
                Some(cut) => (TurnState::Interrupted, cut),
                None => (TurnState::Failed, failure.clone()),
            };
            self.finish_turn(key, turn, state, Some(failure), now);
        }
        self.forget_if_empty(key);
    }

    /// Ends everything that waits for an app-server.
    pub(crate) fn fail_waiting(&mut self, failure: &Failure, now: Instant) {
        for key in self.thread_keys() {
            self.fail_queue(key, failure, now);
        }
        for call in std::mem::take(&mut self.waiting_for_app_server) {
            self.fail_call(call, failure.clone(), now);
        }
    }

    pub(crate) fn has_waiting_work(&self) -> bool {
        !self.waiting_for_app_server.is_empty()
            || self.threads.values().any(|thread| !thread.queue.is_empty())
    }

    /// Forgets a thread of which nothing is worth keeping: it was never opened.
    pub(crate) fn forget_if_empty(&mut self, key: ThreadKey) {
        let empty = |thread: &crate::thread::Thread| match thread.load {
            Load::Unloaded => {
                thread.is_idle() && thread.finished.iter().all(|report| report.turn.is_none())
            }
            Load::Opening { .. } | Load::Loaded | Load::Leaving => false,
        };
        if self.threads.get(&key).is_some_and(empty) {
            self.threads.remove(&key);
            self.keys.retain(|_, known| *known != key);
        }
    }

    /// Tells everybody who waits for the thread's running turn.
    pub(crate) fn tell_turn(&mut self, key: ThreadKey, update: &Update, now: Instant) {
        let turn = self.threads.get(&key).and_then(|thread| thread.running.as_ref());
        for call in turn.map(|turn| turn.calls.clone()).unwrap_or_default() {
            self.tell(call, update.clone(), now);
        }
    }

    /// Tells the calls of one turn where it stands.
    pub(crate) fn tell_position(&mut self, key: ThreadKey, turn: TurnNumber, now: Instant) {
        let Some(thread) = self.threads.get(&key) else {
            return;
        };
        let Some(position) = thread.position(turn) else {
            return;
        };
        let Some(turn) = thread.turn(turn) else {
            return;
        };
        let update = match (position, &thread.running, self.app_server.ready()) {
            (0, ..) if turn.phase != TurnPhase::Starting => turn.heartbeat(now),
            (1, None, None) => Update::StartingCodex,
            (0, ..) | (1, None, Some(_)) => Update::Starting,
            (position, ..) => Update::Queued { position },
        };
        for call in turn.calls.clone() {
            self.tell(call, update.clone(), now);
        }
    }

    /// Tells everybody who waits in a thread's queue that it moved.
    pub(crate) fn tell_queue(&mut self, key: ThreadKey, now: Instant) {
        let waiting = self
            .threads
            .get(&key)
            .map(|thread| thread.queue.iter().map(|turn| turn.key).collect::<Vec<_>>());
        for turn in waiting.into_iter().flatten() {
            self.tell_position(key, turn, now);
        }
    }

    /// Tells everybody who waits in any queue.
    pub(crate) fn tell_all_queues(&mut self, now: Instant) {
        for key in self.thread_keys() {
            self.tell_queue(key, now);
        }
    }
}

impl Turn {
    pub(crate) fn start(&mut self, options: &TurnOptions, last_model: Option<&str>, now: Instant) {
        self.phase = TurnPhase::Starting;
        self.starts += 1;
        if self.cut_by.take().is_some() {
            self.transcript.warn(
                "Codex ended before it had begun to work on this turn, so the turn was run again",
            );
        }
        self.model = options.model.clone();
        if let (Some(before), Some(model)) = (last_model, &self.model)
            && before != model
        {
            // Measured with Codex 0.169 between models of different families.
            self.transcript.warn(&format!(
                "the thread's model changed from {before} to {model}: Codex may have summarised the history"
            ));
        }
        self.effort = options.effort.clone();
        self.started_at.get_or_insert(now);
        self.progress_at = Some(now);
    }
}
