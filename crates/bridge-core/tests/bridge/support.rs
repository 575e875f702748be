//! Drives a bridge by a script, one event a line, and writes down every effect.

#![expect(clippy::unwrap_used, reason = "a script that cannot be read fails its test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bridge_core::*;

use crate::samples::*;
use crate::show::show;

/// The limits of every test: round numbers.
pub(crate) fn limits() -> Limits {
    Limits {
        queue_per_thread: 2,
        running_turns: 3,
        turns_a_minute_of_thread: 4,
        turns_a_minute_of_client: 6,
        turn_time: Duration::from_secs(1000),
        silence: Duration::from_secs(100),
        provider_retry: Duration::from_secs(50),
        approval: Duration::from_secs(200),
        interrupt_grace: Duration::from_secs(3),
        idle_stop: Some(Duration::from_secs(300)),
        start_attempts: 3,
        restart_pause: Duration::from_millis(500),
        quarantine: Duration::from_secs(5),
        exec_fallback: false,
        jitter: 0,
        loaded_threads: 2,
        thread_idle: Some(Duration::from_secs(400)),
        app_server_memory: 1000,
        command_output_chars: 10,
        finished_per_thread: 2,
    }
}

/// The rules of every test.
pub(crate) fn policy() -> Policy {
    let command =
        |words: &str| Subject::Command(words.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let rule = |verdict, subject| Rule { verdict, subject };
    Policy {
        rules: vec![
            rule(Verdict::Allow, command("cargo test")),
            rule(Verdict::Deny, command("rm")),
            rule(Verdict::Deny, Subject::Path("/w/secret".to_owned())),
            rule(Verdict::Allow, Subject::Path("/w/src".to_owned())),
        ],
    }
}

/// A bridge, a clock that the script moves, and the requests that wait for an answer.
pub(crate) struct Script {
    bridge: Bridge,
    now: Instant,
    pending: BTreeMap<&'static str, Vec<RequestId>>,
    app_server: AppServerId,
    exec: ExecId,
    /// The questions that persons were asked, in order.
    asked: Vec<ApprovalId>,
    output: String,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::with(limits())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the clock's first reading; the script moves it from there"
    )]
    pub(crate) fn with(limits: Limits) -> Self {
        Self {
            bridge: Bridge::new(limits, policy()),
            now: Instant::now(),
            pending: BTreeMap::new(),
            app_server: AppServerId(0),
            exec: ExecId(0),
            asked: Vec::new(),
            output: String::new(),
        }
    }

    /// Plays the lines and gives them back with their effects. News are shown on one line each.
    pub(crate) fn play(mut self, script: &str) -> String {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            writeln!(self.output, "{line}").unwrap();
            self.step(line);
            self.drain();
        }
        self.output
    }

    fn step(&mut self, line: &str) {
        if let Some(time) = line.strip_prefix('+') {
            self.now += match time.strip_suffix("ms") {
                Some(millis) => Duration::from_millis(millis.parse().unwrap()),
                None => Duration::from_secs(time.strip_suffix('s').unwrap().parse().unwrap()),
            };
            while self.bridge.poll_timeout().is_some_and(|at| at <= self.now) {
                self.bridge.handle_timeout(self.now);
            }
            return;
        }
        if let Some(thread) = line.strip_prefix("holds ") {
            let held = self.bridge.holds(&ThreadId(thread.to_owned()));
            writeln!(self.output, "  {}", if held { "yes" } else { "no" }).unwrap();
            return;
        }
        let event = self.event(line);
        self.bridge.handle(event, self.now);
    }

    fn event(&mut self, line: &str) -> Event {
        let (words, text) = match line.split_once('"') {
            Some((words, text)) => (words, text.trim_end_matches('"')),
            None => (line, ""),
        };
        let words: Vec<&str> = words.split_whitespace().collect();
        let number = |index: usize| words[index].parse::<u64>().unwrap();
        let thread = |index: usize| ThreadId(words[index].to_owned());
        let turn = |index: usize| words.get(index).map(|id| TurnId((*id).to_owned()));
        let app_server = self.app_server;
        let person = match (words.contains(&"during"), words.contains(&"instead")) {
            (true, _) => Person::During,
            (false, true) => Person::Instead,
            (false, false) => Person::Absent,
        };
        let session = words.iter().find_map(|word| word.strip_prefix("session="));
        let session = session.map(|session| SessionId(session.to_owned()));
        let caller = Caller { connection: ConnectionId(1), person, session };
        let call = |request| Event::CallReceived {
            call: CallId(number(1)),
            caller: caller.clone(),
            request,
        };
        let change = |thread, change| call(CallRequest::ChangeThread { thread, change });
        let exec = |event| Event::Exec { exec: self.exec, event };
        let in_turn =
            |event| Event::Turn { app_server, thread: thread(1), turn: turn(2).unwrap(), event };
        match words[0] {
            "connect" => Event::ConnectionOpened { connection: ConnectionId(number(1)) },
            "close" => Event::ConnectionClosed { connection: ConnectionId(number(1)) },
            "codex" => call(CallRequest::StartThread {
                options: ThreadOptions {
                    working_directory: "/w".to_owned(),
                    ..ThreadOptions::default()
                },
                turn: turn_request(text, &words[2..]),
            }),
            "review" => call(CallRequest::StartReview {
                options: ThreadOptions {
                    working_directory: "/w".to_owned(),
                    ..ThreadOptions::default()
                },
                target: ReviewTarget::BaseBranch(text.to_owned()),
                time_limit: None,
            }),
            "reply" => call(CallRequest::ContinueThread {
                thread: thread(2),
                config: None,
                working_directory: home(&words),
                plan: brought(&words),
                turn: turn_request(text, &words[3..]),
            }),
            "tell-plan" => call(CallRequest::TellPlan { thread: thread(2), note: note(number(3)) }),
            "steer" => call(CallRequest::Steer {
                thread: thread(2),
                turn: turn(3),
                prompt: text.to_owned(),
            }),
            "wait" => call(CallRequest::Wait {
                thread: thread(2),
                turn: turn(3),
                wait: Duration::from_secs(60),
            }),
            "resume" => call(CallRequest::Resume {
                thread: thread(2),
                turn: TurnNumber(number(3)),
                id: turn(4),
                answers: decision(words[5])
                    .map(|answer| (self.asked[0], answer))
                    .into_iter()
                    .collect(),
            }),
            "answers" => Event::Answered {
                approval: self.asked[usize::try_from(number(1)).unwrap()],
                answer: decision(words[2]),
            },
            "withdrawn" => {
                Event::QuestionWithdrawn { app_server, id: ServerRequestId("0".to_owned()) }
            }
            "cancel" => {
                call(CallRequest::Cancel { thread: thread(2), turn: turn(3), reason: None })
            }
            "stop" => {
                call(CallRequest::StopTurn { thread: thread(2), turn: TurnNumber(number(3)) })
            }
            "read" => call(CallRequest::ReadTurn { thread: thread(2), turn: turn(3) }),
            "list" => call(CallRequest::ListThreads(ThreadQuery {
                archived: false,
                cursor: None,
                limit: 10,
            })),
            "archive" => change(thread(2), ThreadChange::Archive),
            "unarchive" => change(thread(2), ThreadChange::Unarchive),
            "delete" => change(thread(2), ThreadChange::Delete),
            "health" => call(CallRequest::Health),
            "give-up" => Event::CallCancelled { call: CallId(number(1)) },
            "measured" => Event::AppServerMeasured { app_server, resident_bytes: number(1) },
            "room-wanted" => Event::RoomWanted,
            "shutdown" => Event::ShutdownRequested,
            "ready" => Event::AppServerReady { app_server, info: info() },
            "start-failed" => {
                Event::AppServerFailed { app_server, failure: start_failure(words[1]) }
            }
            "prepared" => {
                Event::Prepared { turn: TurnNumber(number(1)), result: Ok(place(words[2])) }
            }
            "prepare-failed" => {
                let kind = WorkspaceFailure::TooLarge;
                let failure = Failure::Workspace { kind, detail: text.to_owned() };
                Event::Prepared { turn: TurnNumber(number(1)), result: Err(failure) }
            }
            "collected" => {
                let result = match text {
                    "" => Ok(words.get(2).map(|id| change_set(id))),
                    warning => Err(warning.to_owned()),
                };
                Event::Collected { turn: TurnNumber(number(1)), result }
            }
            "exec-started" => exec(ExecEvent::Started {
                thread: thread(1),
                turn: turn(2).unwrap(),
                working_directory: "/w".to_owned(),
            }),
            "exec-ran" => exec(ExecEvent::Turn(TurnEvent::ItemCompleted(command(
                text,
                CommandStatus::Completed,
            )))),
            "exec-warns" => exec(ExecEvent::Warned(text.to_owned())),
            "exec-completed" => exec(ExecEvent::Ended(Ok(()))),
            "exec-failed" => exec(ExecEvent::Ended(Err(Failure::Codex(error(text))))),
            "exec-exited" => exec(ExecEvent::Ended(Err(Failure::ExecExited(Exit::default())))),
            "exited" => Event::AppServerExited {
                app_server,
                exit: Exit { signal: Some(9), ..Exit::default() },
            },
            "opened" => {
                let opened = opened(words[1], words.get(2).copied().unwrap_or("/w"));
                self.reply("thread/start thread/resume", Ok(Reply::ThreadOpened(opened)))
            }
            "started" => {
                self.reply("turn/start", Ok(Reply::TurnStarted(TurnId(words[1].to_owned()))))
            }
            "review-started" => {
                self.reply("review/start", Ok(Reply::TurnStarted(TurnId(words[1].to_owned()))))
            }
            "steered" => {
                self.reply("turn/steer", Ok(Reply::TurnStarted(TurnId(words[1].to_owned()))))
            }
            "done" => self.reply(words[1], Ok(Reply::Done)),
            "rejected" => self.reply(words[1], Err(rejected(text))),
            "late" => self.reply(
                words[1],
                Err(RequestFailure::DeadlineExceeded { after: Duration::from_secs(30) }),
            ),
            "account" => self.reply("account/read", Ok(Reply::Account(account()))),
            "sandbox" => self.reply("command/exec", Ok(Reply::Sandbox(probe()))),
            "listed" => {
                let list = ThreadList { threads: Vec::new(), next: None };
                self.reply("thread/list", Ok(Reply::Threads(list)))
            }
            "nothing-read" => self.reply("thread/turns/list", Ok(Reply::TurnRead(None))),
            "asks" => Event::QuestionAsked {
                app_server,
                id: ServerRequestId("0".to_owned()),
                thread: Some(thread(1)),
                question: Question::Command {
                    command: text.to_owned(),
                    working_directory: None,
                    reason: None,
                },
            },
            "asks-patch" => Event::QuestionAsked {
                app_server,
                id: ServerRequestId("0".to_owned()),
                thread: Some(thread(1)),
                question: Question::FileChange {
                    item: ItemId("p".to_owned()),
                    reason: None,
                    grants: None,
                },
            },
            "unloaded" => Event::ThreadClosed { app_server, thread: thread(1) },
            "usage" => {
                let resets_at = Some(i64::try_from(number(2)).unwrap());
                let used_percent = u32::try_from(number(1)).unwrap();
                let windows = vec![UsageWindow { used_percent, length: None, resets_at }];
                Event::UsageTold { app_server, windows }
            }
            "warns" => {
                Event::Warned { app_server, thread: Some(thread(1)), message: text.to_owned() }
            }
            "turn-started" => in_turn(TurnEvent::Started),
            "says" => in_turn(TurnEvent::MessageDelta {
                item: ItemId("m".to_owned()),
                text: text.to_owned(),
            }),
            "said" => in_turn(TurnEvent::ItemCompleted(message(text))),
            "thinks" => in_turn(TurnEvent::ThinkingDelta {
                item: ItemId("r".to_owned()),
                text: text.to_owned(),
            }),
            "takes-plan" => in_turn(TurnEvent::PlanTaken { version: number(3) }),
            "plans" => in_turn(TurnEvent::PlanUpdated(plan(text))),
            "runs" => in_turn(TurnEvent::ItemStarted(command(text, CommandStatus::InProgress))),
            "ran" => in_turn(TurnEvent::ItemCompleted(command(text, CommandStatus::Completed))),
            "patches" => in_turn(TurnEvent::ItemStarted(patch(text))),
            "retries" => in_turn(TurnEvent::ErrorReported { error: error(text), will_retry: true }),
            "completed" => {
                in_turn(TurnEvent::Completed { state: TurnState::Completed, error: None })
            }
            "interrupted" => {
                in_turn(TurnEvent::Completed { state: TurnState::Interrupted, error: None })
            }
            "failed" => {
                in_turn(TurnEvent::Completed { state: TurnState::Failed, error: Some(error(text)) })
            }
            other => panic!("the script has no word {other}"),
        }
    }

    /// Answers the oldest request of one of these methods.
    fn reply(&mut self, methods: &str, result: Result<Reply, RequestFailure>) -> Event {
        let waiting = self.pending.iter_mut().find(|(method, ids)| {
            methods.split(' ').any(|wanted| wanted == **method) && !ids.is_empty()
        });
        let (_, ids) = waiting.unwrap_or_else(|| panic!("no request {methods} waits"));
        Event::Response { app_server: self.app_server, request: ids.remove(0), result }
    }

    fn drain(&mut self) {
        while let Some(effect) = self.bridge.poll_effect() {
            match &effect {
                Effect::StartAppServer { app_server } => self.app_server = *app_server,
                // Asked at every start, so scripts do not repeat it.
                Effect::Send { app_server, id, request: Request::ListModels } => {
                    let models = vec![("base".to_owned(), "medium".to_owned())];
                    let result = Ok(Reply::Models(models));
                    let (app_server, request) = (*app_server, *id);
                    self.bridge.handle(Event::Response { app_server, request, result }, self.now);
                    continue;
                }
                Effect::RunExec { exec, .. } => self.exec = *exec,
                Effect::Send { id, request, .. } => {
                    self.pending.entry(request.method()).or_default().push(*id)
                }
                Effect::Ask { ask, .. } => self.asked.push(ask.approval),
                Effect::Answer { outcome: Outcome::Asked { asks, .. }, .. } => {
                    self.asked.extend(asks.iter().map(|ask| ask.approval));
                }
                Effect::StopAppServer { .. }
                | Effect::KillAppServer { .. }
                | Effect::StopExec { .. }
                | Effect::Prepare { .. }
                | Effect::StopPreparing { .. }
                | Effect::Collect { .. }
                | Effect::Reply { .. }
                | Effect::StopAsking { .. }
                | Effect::Record(_)
                | Effect::TellSession { .. }
                | Effect::Report { .. }
                | Effect::Answer { .. } => {}
            }
            writeln!(self.output, "  -> {}", show(&effect)).unwrap();
        }
    }
}

/// What a script says of the user's folder, as `home=/u`.
fn home(words: &[&str]) -> Option<String> {
    words.iter().find_map(|word| word.strip_prefix("home=")).map(str::to_owned)
}

/// What a script says of a plan that Codex does not know, as `plan=3`.
fn brought(words: &[&str]) -> Option<PlanNote> {
    let version = words.iter().find_map(|word| word.strip_prefix("plan="))?;
    Some(note(version.parse().unwrap()))
}

fn note(version: u64) -> PlanNote {
    PlanNote { version, text: format!("plan {version}") }
}

fn turn_request(prompt: &str, words: &[&str]) -> TurnRequest {
    let value = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)).map(str::to_owned);
    let background = words.contains(&"background");
    let changes = match words.contains(&"propose") {
        true => Changes::Propose,
        false => Changes::None,
    };
    TurnRequest {
        prompt: prompt.to_owned(),
        material: Arc::new(Material {
            text: value("with="),
            images: value("image=").into_iter().collect(),
            warnings: value("warning=").into_iter().collect(),
        }),
        options: TurnOptions {
            model: value("model="),
            effort: value("effort="),
            changes,
            ..TurnOptions::default()
        },
        attachment: if background { Attachment::Background } else { Attachment::Foreground },
        time_limit: value("limit=").map(|seconds| Duration::from_secs(seconds.parse().unwrap())),
    }
}

fn decision(word: &str) -> Option<Answer> {
    let decision = match word {
        "accept" => Decision::Accept,
        "session" => Decision::AcceptForSession,
        "decline" => Decision::Decline,
        "stop" => Decision::Cancel,
        "-" => return None,
        other => panic!("the script has no decision {other}"),
    };
    Some(Answer { decision, content: None })
}
