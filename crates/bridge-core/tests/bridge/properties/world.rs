//! A world around the bridge: a model of Codex that knows what is loaded and what runs, and objects to what must not be.

mod exec;
mod plans;
mod process;
mod review;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bridge_core::*;

use super::Step;
use super::codex::Codex;
use crate::support;
use plans::Plans;
use workspace::Workspaces;
pub(super) use workspace::home;

/// What the records say of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Queued,
    Started,
    Ended,
}

pub(super) struct World {
    bridge: Bridge,
    now: Instant,
    codex: Codex,
    workspaces: Workspaces,
    plans: Plans,
    shut_down: bool,
    pub(super) calls: u64,
    pub(super) answers: BTreeMap<CallId, usize>,
    kept: BTreeMap<TurnNumber, Kept>,
    ended: BTreeSet<TurnId>,
    /// The turns whose end a session was told of.
    told: BTreeSet<TurnNumber>,
    /// Questions of Codex that were not answered, and how many there were.
    questions: BTreeSet<ServerRequestId>,
    asks: u64,
    /// What persons were asked.
    asked: Vec<(ThreadId, TurnNumber, ApprovalId)>,
}

impl World {
    #[expect(
        clippy::disallowed_methods,
        reason = "the clock's first reading; the steps move it from there"
    )]
    pub(super) fn new() -> Self {
        let mut world = Self {
            // Refused turns would show little.
            bridge: Bridge::new(
                Limits {
                    turns_a_minute_of_thread: 15,
                    turns_a_minute_of_client: 40,
                    exec_fallback: true,
                    ..support::limits()
                },
                support::policy(),
            ),
            now: Instant::now(),
            codex: Codex::default(),
            workspaces: Workspaces::default(),
            plans: Plans::default(),
            shut_down: false,
            calls: 0,
            answers: BTreeMap::new(),
            kept: BTreeMap::new(),
            ended: BTreeSet::new(),
            told: BTreeSet::new(),
            questions: BTreeSet::new(),
            asks: 0,
            asked: Vec::new(),
        };
        world.handle(Event::ConnectionOpened { connection: ConnectionId(0) });
        world
    }

    pub(super) fn handle(&mut self, event: Event) {
        self.bridge.handle(event, self.now);
        self.drain();
    }

    pub(super) fn shut_down(&mut self) {
        self.shut_down = true;
        self.handle(Event::ShutdownRequested);
    }

    fn call(&mut self, request: CallRequest) {
        let call = CallId(self.calls);
        self.calls += 1;
        let person = match call.0 % 3 {
            0 => Person::Absent,
            1 => Person::During,
            _ => Person::Instead,
        };
        let session = (!call.0.is_multiple_of(4)).then(|| SessionId((call.0 % 2).to_string()));
        let caller = Caller { connection: ConnectionId(0), person, session };
        self.handle(Event::CallReceived { call, caller, request });
    }

    fn drain(&mut self) {
        while let Some(effect) = self.bridge.poll_effect() {
            match effect {
                Effect::StartAppServer { app_server } => {
                    assert!(self.codex.process.is_none(), "a second app-server was started");
                    self.codex.process = Some((app_server, false));
                }
                Effect::StopAppServer { app_server } | Effect::KillAppServer { app_server } => {
                    assert_eq!(self.codex.process.map(|(id, _)| id), Some(app_server));
                }
                Effect::RunExec { exec, run } => self.run_exec(exec, &run),
                Effect::StopExec { exec } => {
                    assert!(self.codex.execs.contains_key(&exec), "{exec:?} is gone");
                }
                Effect::Prepare { turn, thread, working_directory, .. } => {
                    self.prepare(turn, thread, &working_directory);
                }
                Effect::StopPreparing { turn } => self.stop_preparing(turn),
                Effect::Collect { turn, thread } => self.collect(turn, &thread),
                Effect::Send { app_server, id, request } => self.sent(app_server, id, request),
                Effect::Reply { id, .. } => {
                    assert!(self.questions.remove(&id), "{id:?} was answered twice");
                }
                Effect::Ask { call, ask } => {
                    assert!(
                        !self.answers.contains_key(&call),
                        "{call:?} was asked after its answer"
                    );
                    self.asked.push((ask.thread, TurnNumber(0), ask.approval));
                }
                Effect::StopAsking { call, .. } => {
                    assert!(
                        !self.answers.contains_key(&call),
                        "{call:?} was told after its answer"
                    );
                }
                Effect::Record(record) => self.recorded(record),
                Effect::TellSession { news, .. } => self.told(&news),
                Effect::Report { call, .. } => {
                    assert!(
                        !self.answers.contains_key(&call),
                        "{call:?} was told news after its answer"
                    );
                }
                Effect::Answer { call, outcome } => {
                    *self.answers.entry(call).or_default() += 1;
                    self.answered(&outcome);
                }
            }
        }
    }

    /// A turn is kept from its beginning to its one end, in order.
    fn recorded(&mut self, record: Record) {
        match record {
            Record::TurnQueued { turn, .. } => {
                assert_eq!(self.kept.insert(turn, Kept::Queued), None, "{turn:?} began twice");
            }
            Record::TurnStarted { turn, .. } => {
                assert_eq!(self.kept.insert(turn, Kept::Started), Some(Kept::Queued), "{turn:?}");
            }
            Record::TurnEnded { turn, report } => {
                let before = self.kept.insert(turn, Kept::Ended);
                assert!(
                    matches!(before, Some(Kept::Queued | Kept::Started)),
                    "{turn:?} ended after {before:?}"
                );
                self.ended.extend(report.turn);
                self.ends(turn);
            }
            Record::PlanDelivered { thread, version, .. } => self.plans.read(&thread, version),
            Record::ItemCompleted { turn, .. }
            | Record::PlanUpdated { turn, .. }
            | Record::Decided { turn, .. } => {
                let state = self.kept.get(&turn);
                assert!(
                    matches!(state, Some(Kept::Queued | Kept::Started)),
                    "{turn:?} is {state:?}"
                );
            }
            Record::ThreadOpened { .. }
            | Record::ThreadArchived { .. }
            | Record::ThreadUnarchived { .. }
            | Record::ThreadDeleted { .. } => {}
        }
    }

    /// A session is told of the end of a turn once, and after it was kept.
    fn told(&mut self, news: &SessionNews) {
        match news {
            SessionNews::Ended { report, .. } => {
                let number = report.number.expect("it is a turn of ours");
                assert_eq!(self.kept.get(&number), Some(&Kept::Ended), "{number:?}");
                assert!(self.told.insert(number), "{number:?} was told twice");
            }
            SessionNews::Asked { number, .. } => {
                let state = self.kept.get(number);
                assert!(
                    matches!(state, Some(Kept::Queued | Kept::Started)),
                    "{number:?} is {state:?}"
                );
            }
        }
    }

    /// An answer that tells of an ended turn comes after the record of it.
    fn answered(&mut self, outcome: &Outcome) {
        if let Outcome::Asked { turn, number, asks } = outcome
            && let Some(thread) = &turn.thread
        {
            self.asked.extend(asks.iter().map(|ask| (thread.clone(), *number, ask.approval)));
        }
        if let Outcome::Turn(report) = outcome
            && let Some(turn) = &report.turn
            && !matches!(report.state, TurnState::InProgress | TurnState::Queued { .. })
        {
            assert!(self.ended.contains(turn), "{turn} was told of before it was kept");
        }
    }

    /// Turns that began and did not end, as far as the records say.
    pub(super) fn unfinished_records(&self) -> usize {
        self.kept.values().filter(|kept| **kept != Kept::Ended).count()
    }

    fn sent(&mut self, app_server: AppServerId, id: RequestId, request: Request) {
        assert_eq!(
            self.codex.process,
            Some((app_server, true)),
            "{request:?} was sent to no live process"
        );
        let loaded = |thread: &ThreadId| {
            assert!(self.codex.loaded.contains(thread), "{request:?}: not loaded")
        };
        match &request {
            Request::StartTurn { thread, plan, prompt, place, .. } => {
                loaded(thread);
                self.plans.sent(thread, plan.as_deref());
                self.starts(prompt, place.as_ref());
                self.codex.starts(thread, prompt);
                self.is_free(thread);
            }
            Request::StartReview { thread, target } => {
                loaded(thread);
                self.codex.starts(thread, &target.to_string());
                self.is_free(thread);
            }
            Request::InterruptTurn { thread, turn } => {
                loaded(thread);
                self.codex.can_interrupt(turn);
            }
            Request::SteerTurn { thread, prompt, .. } => {
                loaded(thread);
                self.plans.sent(thread, Some(prompt));
            }
            Request::NameThread { thread, .. } | Request::CleanTerminals(thread) => loaded(thread),
            Request::ArchiveThread(thread) | Request::DeleteThread(thread) => {
                assert!(
                    !self.codex.running.contains_key(thread),
                    "{request:?}: a turn runs on the thread"
                );
            }
            Request::UnsubscribeThread(thread) => {
                // One that is not loaded any more needs not be: Codex says so and does nothing.
                assert!(
                    !self.codex.running.contains_key(thread),
                    "{request:?}: a turn runs on the thread"
                );
                // Codex takes its time, and this one is in a hurry: nothing may count on the thread from here on.
                self.codex.loaded.remove(thread);
            }
            Request::StartThread(_)
            | Request::ResumeThread { .. }
            | Request::UnarchiveThread(_)
            | Request::ListThreads(_)
            | Request::ReadTurns { .. }
            | Request::ReadThread(_)
            | Request::ReadTurn { .. }
            | Request::ReadAccount
            | Request::ProbeSandbox
            | Request::ListModels => {}
        }
        self.codex.pending.push((id, request));
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Start { background, proposes } => {
                let options = ThreadOptions {
                    working_directory: "/w".to_owned(),
                    name: Some("name".to_owned()),
                    ..ThreadOptions::default()
                };
                let turn = self.turn(background, proposes);
                self.call(CallRequest::StartThread { options, turn });
            }
            Step::Continue { thread, background, proposes } => {
                let thread = self.name(thread);
                let turn = self.turn(background, proposes);
                self.call(CallRequest::ContinueThread {
                    working_directory: Some(home(&thread)),
                    plan: self.plans.waiting(&thread),
                    thread,
                    config: None,
                    turn,
                });
            }
            Step::Review => self.start_review(),
            Step::ReviewBegins(which) => self.review_begins(which),
            Step::Steer(thread) => {
                let thread = self.name(thread);
                self.call(CallRequest::Steer { thread, turn: None, prompt: String::new() });
            }
            Step::TellPlan(thread) => {
                let thread = self.name(thread);
                let note = self.plans.make(&thread);
                self.call(CallRequest::TellPlan { thread, note });
            }
            Step::Wait(thread) => {
                let thread = self.name(thread);
                self.call(CallRequest::Wait { thread, turn: None, wait: Duration::from_secs(60) });
            }
            Step::Cancel(thread) => {
                let thread = self.name(thread);
                self.call(CallRequest::Cancel { thread, turn: None, reason: None });
            }
            Step::Stop { thread, turn } => {
                let thread = self.name(thread);
                self.call(CallRequest::StopTurn { thread, turn: TurnNumber(turn) });
            }
            Step::Change { thread, change } => {
                let thread = self.name(thread);
                self.call(CallRequest::ChangeThread { thread, change });
            }
            Step::Health => self.call(CallRequest::Health),
            Step::Measure(resident_bytes) => {
                if let Some((app_server, true)) = self.codex.process {
                    self.handle(Event::AppServerMeasured { app_server, resident_bytes });
                }
            }
            Step::WantRoom => self.handle(Event::RoomWanted),
            Step::GiveUp(call) => self.handle(Event::CallCancelled { call: CallId(call) }),
            Step::CloseConnection => {
                self.handle(Event::ConnectionClosed { connection: ConnectionId(0) })
            }
            Step::AppServer(step) => self.app_server(step),
            Step::Respond { which, well, hung } => self.respond(which, well, hung),
            Step::EndTurn { which, state } => self.end_turn(which, state),
            Step::Retry(which) => {
                let error = CodexError {
                    kind: "other".to_owned(),
                    http_status: None,
                    message: String::new(),
                    details: None,
                    resets_at: None,
                };
                self.turn_event(which, TurnEvent::ErrorReported { error, will_retry: true });
            }
            Step::Work(which) => {
                let Some((thread, _)) = self.pick_turn(which) else {
                    return;
                };
                if let Some(version) = self.plans.shown(&thread) {
                    self.turn_event(which, TurnEvent::PlanTaken { version });
                }
                self.codex.begun.extend(self.codex.prompts.get(&thread).cloned());
                let (item, text) = (ItemId("m".to_owned()), "word".to_owned());
                self.turn_event(which, TurnEvent::MessageDelta { item, text });
            }
            Step::Exec { which, step } => self.exec(which, step),
            Step::Prepared { which, well } => self.prepared(which, well),
            Step::Collected { which, well } => self.collected(which, well),
            Step::Ask(thread) => {
                if let Some((app_server, true)) = self.codex.process {
                    let wanted = Json("{}".to_owned());
                    let question = Question::Permissions { wanted, reason: None };
                    self.asks += 1;
                    let id = ServerRequestId(self.asks.to_string());
                    self.questions.insert(id.clone());
                    let thread = Some(self.name(thread));
                    self.handle(Event::QuestionAsked { app_server, id, thread, question });
                }
            }
            Step::Answer { which, stop } => {
                let Some((_, _, approval)) = self.pick_asked(which) else {
                    return;
                };
                let decision = if stop { Decision::Cancel } else { Decision::Accept };
                self.handle(Event::Answered {
                    approval,
                    answer: Some(Answer { decision, content: None }),
                });
            }
            Step::ComeAgain(which) => {
                let Some((thread, turn, approval)) = self.pick_asked(which) else {
                    return;
                };
                let answers = vec![(approval, Answer::declined())];
                self.call(CallRequest::Resume { thread, turn, id: None, answers });
            }
            Step::Unload(thread) => {
                if let Some((app_server, true)) = self.codex.process {
                    let thread = self.name(thread);
                    self.codex.loaded.remove(&thread);
                    self.codex.running.remove(&thread);
                    self.codex.starting.remove(&thread);
                    self.handle(Event::ThreadClosed { app_server, thread });
                }
            }
            Step::Pass(seconds) => {
                self.now += Duration::from_secs(seconds);
                self.pass();
            }
        }
    }

    fn pass(&mut self) {
        for _ in 0..1000 {
            if self.bridge.poll_timeout().is_none_or(|at| at > self.now) {
                return;
            }
            self.bridge.handle_timeout(self.now);
            self.drain();
        }
        panic!("handle_timeout leaves a timeout in the past");
    }

    fn end_turn(&mut self, which: usize, state: TurnState) {
        let Some((thread, turn)) = self.pick_turn(which) else {
            return;
        };
        self.codex.running.remove(&thread);
        let Some((app_server, true)) = self.codex.process else {
            return;
        };
        let event = TurnEvent::Completed { state, error: None };
        self.handle(Event::Turn { app_server, thread, turn, event });
    }

    fn turn_event(&mut self, which: usize, event: TurnEvent) {
        let Some((thread, turn)) = self.pick_turn(which) else {
            return;
        };
        let Some((app_server, true)) = self.codex.process else {
            return;
        };
        self.handle(Event::Turn { app_server, thread, turn, event });
    }

    /// One of four threads from before, or one of those started here.
    fn name(&self, thread: u8) -> ThreadId {
        match u64::from(thread).checked_sub(4) {
            Some(started) if started < self.codex.threads => {
                ThreadId(format!("new-{}", started + 1))
            }
            _ => ThreadId(format!("thread-{}", thread % 4)),
        }
    }

    /// A turn that no other call asks for.
    fn turn(&mut self, background: bool, proposes: bool) -> TurnRequest {
        let prompt = format!("prompt {}", self.calls);
        TurnRequest {
            options: self.turn_options(&prompt, proposes),
            prompt,
            material: Default::default(),
            attachment: if background { Attachment::Background } else { Attachment::Foreground },
            time_limit: None,
        }
    }

    fn pick_asked(&self, which: usize) -> Option<(ThreadId, TurnNumber, ApprovalId)> {
        self.asked.get(which % self.asked.len().max(1)).cloned()
    }

    fn pick_turn(&self, which: usize) -> Option<(ThreadId, TurnId)> {
        let running = &self.codex.running;
        let (thread, turn) = running.iter().nth(which % running.len().max(1))?;
        Some((thread.clone(), turn.clone()))
    }
}
