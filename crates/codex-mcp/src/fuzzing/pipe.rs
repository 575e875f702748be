//! The app-server's side of the pipe, through framing, envelope, wire types and core to what clients and the store get.
//!
//! The lines are those of an app-server; one that begins with `!` is a step of a client, of a person or of the clock. Answers
//! go to the oldest request of ours, so that a script knows no numbers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bridge_core::{
    Answer, AppServerId, AppServerInfo, ApprovalId, Attachment, Bridge, CallId, CallRequest,
    Caller, ConnectionId, Decision, Effect, Event, Exit, Limits, Outcome, Person, Policy, Request,
    RequestId, ReviewTarget, Rule, ServerRequestId, SessionId, Subject, ThreadId, ThreadOptions,
    TurnDetail, TurnQuery, TurnRequest, Verdict,
};
use codex_client::Incoming;
use codex_client::fuzzing::read_all;
use codex_client::protocol::{Notification, ServerRequest};
use tokio::io::{AsyncRead, ReadBuf};

use super::CONFIG;
use crate::codex::{artifact, from_wire, output, question};
use crate::engine;
use crate::ledger::record;
use crate::mcp::fuzzing::{render_ask, render_outcome, render_update};
use crate::monitors;

/// The longest line that is read: short enough to be reached.
const MAX_LINE: usize = 4096;
/// How much of a command's output is kept: little enough to be cut.
const OUTPUT_CHARS: usize = 100;
/// The one client.
const CLIENT: ConnectionId = ConnectionId(0);
/// The longest that a step moves the clock.
const MAX_SECONDS: u64 = 100_000;

/// Whatever an app-server writes, each call is answered once, no question is answered twice, and nothing is left over.
pub fn app_server(script: &[u8]) {
    let mut world = World::new();
    let mut output = Vec::new();
    for line in script.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b"!") {
            Some(step) => {
                world.read(&std::mem::take(&mut output));
                world.step(&String::from_utf8_lossy(step));
            }
            None => output.extend_from_slice(line),
        }
    }
    world.read(&output);
    world.end();
}

struct World {
    bridge: Bridge,
    now: Instant,
    app_server: Option<AppServerId>,
    /// Processes that were to end.
    ending: VecDeque<AppServerId>,
    requests: BTreeMap<u64, Request>,
    /// How many questions of a name wait for an answer: Codex may use one twice.
    questions: BTreeMap<ServerRequestId, u64>,
    asked: Vec<ApprovalId>,
    calls: u64,
    answered: BTreeSet<CallId>,
}

impl World {
    /// A client with a call whose turn is to run on a thread.
    fn new() -> Self {
        let limits = Limits { exec_fallback: false, ..engine::limits(&CONFIG) };
        let allowed = Subject::Command(vec!["ls".to_owned()]);
        let rules = vec![Rule { verdict: Verdict::Allow, subject: allowed }];
        let mut world = Self {
            bridge: Bridge::new(limits, Policy { rules }),
            now: crate::clock::now(),
            app_server: None,
            ending: VecDeque::new(),
            requests: BTreeMap::new(),
            questions: BTreeMap::new(),
            asked: Vec::new(),
            calls: 0,
            answered: BTreeSet::new(),
        };
        world.handle(Event::ConnectionOpened { connection: CLIENT });
        world.step("start");
        world
    }

    /// Reads what an app-server wrote, in small pieces.
    fn read(&mut self, output: &[u8]) {
        let pieces = Pieces { rest: output, bytes: 1 + output.len() % 61 };
        let incoming = futures_util::FutureExt::now_or_never(read_all(pieces, MAX_LINE));
        for incoming in incoming.expect("all of it is there") {
            if let Some(event) = self.event(incoming) {
                self.handle(event);
            }
        }
    }

    /// As the engine does it, in `Servers::received`, but for links, which only a disk has.
    fn event(&mut self, incoming: Incoming) -> Option<Event> {
        let app_server = self.app_server?;
        match incoming {
            Incoming::Notification { method, params, .. } => {
                let told = Notification::decode(&method, &params);
                artifact::images(&told);
                let mut event = from_wire::notification(app_server, told)?;
                if let Event::Turn { event, .. } = &mut event {
                    output::keep_end(event, OUTPUT_CHARS);
                }
                Some(event)
            }
            Incoming::Request { id, method, params } => {
                let id = from_wire::request_id(&id);
                *self.questions.entry(id.clone()).or_default() += 1;
                let (thread, question) =
                    question::from_wire(ServerRequest::decode(&method, &params));
                Some(Event::QuestionAsked { app_server, id, thread, question })
            }
            Incoming::Response { result, .. } => {
                let (id, request) = self.requests.pop_first()?;
                let result = from_wire::reply(&request, result);
                Some(Event::Response { app_server, request: RequestId(id), result })
            }
            Incoming::Malformed(_) | Incoming::Closed { .. } | Incoming::Exited(_) => None,
        }
    }

    fn step(&mut self, step: &str) {
        let (verb, rest) = step.trim_end().split_once(' ').unwrap_or((step.trim_end(), ""));
        let number = rest.parse::<u64>().unwrap_or_default();
        let thread = || ThreadId("T".to_owned());
        match verb {
            "start" => {
                let options =
                    ThreadOptions { working_directory: "/w".to_owned(), ..Default::default() };
                self.call(CallRequest::StartThread { options, turn: turn(rest) });
            }
            "review" => {
                let options =
                    ThreadOptions { working_directory: "/w".to_owned(), ..Default::default() };
                let (target, time_limit) = (ReviewTarget::Uncommitted, None);
                self.call(CallRequest::StartReview { options, target, time_limit });
            }
            "reply" => {
                let turn = turn(rest);
                self.call(CallRequest::ContinueThread {
                    thread: thread(),
                    config: None,
                    working_directory: None,
                    plan: None,
                    turn,
                });
            }
            "steer" => {
                let prompt = rest.to_owned();
                self.call(CallRequest::Steer { thread: thread(), turn: None, prompt });
            }
            "wait" => {
                let wait = Duration::from_secs(number.min(MAX_SECONDS));
                self.call(CallRequest::Wait { thread: thread(), turn: None, wait });
            }
            "stop" => self.call(CallRequest::Cancel { thread: thread(), turn: None, reason: None }),
            "health" => self.call(CallRequest::Health),
            "turns" => {
                let query = TurnQuery { cursor: None, detail: TurnDetail::Whole };
                self.call(CallRequest::ReadTurns { thread: thread(), query });
            }
            "find" => self.call(CallRequest::FindThread { thread: thread() }),
            "give-up" => self.handle(Event::CallCancelled { call: CallId(number) }),
            "yes" | "no" => self.answer(number, verb == "yes"),
            "later" => self.later(Duration::from_secs(number.min(MAX_SECONDS))),
            "exit" => self.exit(),
            _ => {}
        }
    }

    fn call(&mut self, request: CallRequest) {
        let call = CallId(self.calls);
        self.calls += 1;
        let person = match call.0 % 3 {
            0 => Person::During,
            1 => Person::Instead,
            _ => Person::Absent,
        };
        let caller =
            Caller { connection: CLIENT, person, session: Some(SessionId("s".to_owned())) };
        self.handle(Event::CallReceived { call, caller, request });
    }

    fn answer(&mut self, number: u64, says_yes: bool) {
        let index = usize::try_from(number).unwrap_or_default();
        if let Some(approval) = self.asked.get(index).copied() {
            let decision = if says_yes { Decision::Accept } else { Decision::Decline };
            let answer = Some(Answer { decision, content: None });
            self.handle(Event::Answered { approval, answer });
        }
    }

    fn later(&mut self, time: Duration) {
        self.now += time;
        self.bridge.handle_timeout(self.now);
        self.carry_out();
        let due = self.bridge.poll_timeout();
        assert!(due.is_none_or(|at| at > self.now), "what was due is due again at once");
    }

    fn exit(&mut self) {
        if let Some(app_server) = self.app_server.take() {
            self.requests.clear();
            self.questions.clear();
            self.handle(Event::AppServerExited { app_server, exit: Exit::default() });
        }
    }

    fn handle(&mut self, event: Event) {
        self.bridge.handle(event, self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.bridge.poll_effect() {
            self.carry_out_one(effect);
        }
        while let Some(app_server) = self.ending.pop_front() {
            if self.app_server == Some(app_server) {
                self.exit();
            }
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::StartAppServer { app_server } => {
                assert_eq!(self.app_server, None, "a second app-server was started");
                self.app_server = Some(app_server);
                let info = AppServerInfo {
                    program: "codex".to_owned(),
                    pid: 1,
                    version: None,
                    codex_home: None,
                };
                self.bridge.handle(Event::AppServerReady { app_server, info }, self.now);
            }
            Effect::StopAppServer { app_server } | Effect::KillAppServer { app_server } => {
                self.ending.push_back(app_server);
            }
            Effect::RunExec { .. } | Effect::StopExec { .. } => unreachable!("it is switched off"),
            Effect::Prepare { .. } | Effect::StopPreparing { .. } | Effect::Collect { .. } => {
                unreachable!("no turn here may change files")
            }
            Effect::Send { app_server, id, request } => {
                assert_eq!(self.app_server, Some(app_server), "{} to nobody", request.method());
                self.requests.insert(id.0, request);
            }
            Effect::Reply { id, .. } => {
                let open = self.questions.entry(id).or_default();
                *open = open.checked_sub(1).expect("no question is answered twice");
            }
            Effect::Ask { call, ask } => {
                self.is_open(call);
                self.asked.push(ask.approval);
                render_ask(&ask);
            }
            Effect::StopAsking { call, .. } => self.is_open(call),
            Effect::Record(record) => drop(record::writes(record, "/home")),
            Effect::TellSession { session, news } => {
                drop(monitors::News::of(session, &news));
            }
            Effect::Report { call, update } => {
                self.is_open(call);
                render_update(&update);
            }
            Effect::Answer { call, outcome } => {
                self.is_open(call);
                self.answered.insert(call);
                if let Outcome::Asked { asks, .. } = &outcome {
                    self.asked.extend(asks.iter().map(|ask| ask.approval));
                }
                render_outcome(outcome);
            }
        }
    }

    fn is_open(&self, call: CallId) {
        assert!(!self.answered.contains(&call), "{call:?} heard something after its answer");
    }

    /// The server ends, and its app-server with it: nobody is left waiting.
    fn end(mut self) {
        self.handle(Event::ShutdownRequested);
        self.exit();
        assert_eq!(self.answered.len() as u64, self.calls, "a call was not answered");
        assert!(!self.bridge.is_busy(), "something is left over");
    }
}

fn turn(prompt: &str) -> TurnRequest {
    TurnRequest {
        prompt: prompt.to_owned(),
        material: Default::default(),
        options: Default::default(),
        attachment: Attachment::Foreground,
        time_limit: None,
    }
}

/// Gives so many bytes at once.
struct Pieces<'a> {
    rest: &'a [u8],
    bytes: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let length = self.bytes.min(self.rest.len()).min(buffer.remaining());
        let (piece, rest) = self.rest.split_at(length);
        buffer.put_slice(piece);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}
