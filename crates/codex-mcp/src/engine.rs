//! The loop of a lane: events in, decisions by the core, effects out, in order. There is no other.
//!
//! The engine owns the app-server processes and the way back to each call. It decides nothing: whatever happens goes
//! to [`Bridge`] as an event, and whatever that wants done is done here. It serves any number of connections.

mod activity;
mod changes;
mod execs;
mod handle;
mod holdings;
mod lanes;
mod list_marks;
mod ports;
mod room;
mod servers;
mod switchboard;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bridge_core::{
    Bridge, CallId, CallRequest, Caller, Effect, Event, Limits, Outcome, Record, SessionId,
    SessionNews, TurnReport,
};
use bridge_store::Subject;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use crate::clock;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::mcp::resources::News;
use crate::mcp::subscriptions::Subscriptions;
use crate::monitors::{self, Monitors};
use crate::workspace::Places;

pub use activity::Activity;
use changes::Changing;
use execs::{ExecNews, Execs};
pub use handle::{Engine, EngineCall, EngineConnection, Next};
use holdings::Holdings;
use lanes::{Lane, Lanes};
pub(crate) use list_marks::ListMarks;
pub use ports::Asking;
use ports::{Port, Ports};
pub use room::Room;
use servers::{ServerNews, Servers};
pub use switchboard::Switchboard;

/// Inputs that wait for the loop. When full, clients and app-servers wait: nothing is dropped.
const INPUTS: usize = 256;

/// How often in a row an app-server may fail before waiting calls are told.
const START_ATTEMPTS: u32 = 3;
/// The pause before the second start in a row.
const RESTART_PAUSE: Duration = Duration::from_millis(250);
/// How long nothing is started after [`START_ATTEMPTS`] failures.
const QUARANTINE: Duration = Duration::from_secs(5);
/// How long an interrupt may take before the app-server counts as hung. Codex needs under 10 ms.
const INTERRUPT_GRACE: Duration = Duration::from_secs(3);
/// Finished turns that are kept for each thread.
const FINISHED_PER_THREAD: usize = 8;

/// Everything that reaches the loop.
#[derive(Debug)]
enum Input {
    /// Something that needs no further resources.
    Event(Event),
    /// A call, with the way back to it.
    Call { call: CallId, caller: Caller, request: CallRequest, port: Port },
    /// News of an app-server.
    Server(ServerNews),
    /// News of a run of `codex exec`.
    Exec(ExecNews),
}

/// Which threads share an app-server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// All.
    #[default]
    Shared,
    /// None: each has its own.
    Thread,
}

/// What all engines of a process have in common.
#[derive(Clone, Debug)]
pub struct Services {
    /// The settings of the process itself.
    pub config: Arc<Config>,
    /// What is kept on disk.
    pub ledger: Ledger,
    /// Who watches which resource.
    pub subscriptions: Arc<Subscriptions>,
    /// Who waits for news of which session.
    pub monitors: Arc<Monitors>,
    /// Whether anything is going on.
    pub activity: Arc<Activity>,
    /// Places for app-servers.
    pub room: Arc<Room>,
    /// Which loop has which thread.
    pub switchboard: Arc<Switchboard>,
    /// Where turns may change files.
    pub places: Places,
    /// What the process waits for before it ends.
    pub tasks: TaskTracker,
}

/// Starts an engine; it ends after [`Engine::shut_down`].
#[must_use]
pub fn start(config: Arc<Config>, services: Services) -> Engine {
    Engine::new(Lanes::start(config, services))
}

/// Starts the loop of a lane; one with a number is a thread's own.
fn spawn(lanes: &Arc<Lanes>, lane: &Lane, inputs: mpsc::Receiver<Input>, number: Option<u64>) {
    let Lanes { config, services, codex_home, in_use, .. } = &**lanes;
    let Services {
        ledger,
        subscriptions,
        monitors,
        activity,
        room,
        switchboard,
        places,
        tasks,
        ..
    } = services;
    switchboard.join(lane);
    let engine_loop = EngineLoop {
        bridge: Bridge::new(limits(config), config.approvals.clone()),
        inputs,
        ports: Ports::default(),
        home: codex_home.clone(),
        servers: Servers::new(
            config.clone(),
            lane.downgrade(),
            room.clone(),
            (ledger.clone(), codex_home.clone()),
            tasks.clone(),
        ),
        execs: Execs::new(
            config.clone(),
            lane.downgrade(),
            room.clone(),
            ledger.clone(),
            tasks.clone(),
        ),
        changing: Changing::new(places.clone(), config.clone(), lane.downgrade(), tasks.clone()),
        room_wanted: room.wanted(),
        ledger: ledger.clone(),
        subscriptions: subscriptions.clone(),
        monitors: monitors.clone(),
        activity: activity.clone(),
        busy: false,
        in_use: in_use.clone(),
        counted: false,
        holdings: Holdings::new(switchboard.clone(), codex_home.clone(), lane),
        may_let_go: false,
        lanes: Arc::downgrade(lanes),
        number,
        was_used: false,
        tasks: tasks.clone(),
    };
    tasks.spawn(engine_loop.run());
}

pub(crate) fn limits(config: &Config) -> Limits {
    Limits {
        queue_per_thread: config.max_queue_per_thread,
        running_turns: config.max_running_turns,
        turns_a_minute_of_thread: config.max_turns_per_minute,
        turns_a_minute_of_client: config.max_client_turns_per_minute,
        turn_time: config.turn_time_limit,
        silence: config.silence_limit,
        provider_retry: config.provider_retry_limit,
        approval: config.approval_deadline,
        interrupt_grace: INTERRUPT_GRACE,
        idle_stop: config.idle_stop,
        start_attempts: START_ATTEMPTS,
        restart_pause: RESTART_PAUSE,
        quarantine: QUARANTINE,
        exec_fallback: config.exec_fallback,
        jitter: u64::from(std::process::id()),
        loaded_threads: config.max_loaded_threads,
        thread_idle: config.thread_idle,
        app_server_memory: (config.max_codex_megabytes as u64) << 20,
        command_output_chars: config.command_output_chars,
        finished_per_thread: FINISHED_PER_THREAD,
    }
}

struct EngineLoop {
    bridge: Bridge,
    inputs: mpsc::Receiver<Input>,
    ports: Ports,
    servers: Servers,
    execs: Execs,
    changing: Changing,
    ledger: Ledger,
    subscriptions: Arc<Subscriptions>,
    monitors: Arc<Monitors>,
    /// The Codex home that the records belong to.
    home: Arc<str>,
    activity: Arc<Activity>,
    busy: bool,
    /// The loops of this engine that have work or a process, and whether this one is counted.
    in_use: Arc<AtomicUsize>,
    counted: bool,
    /// The threads that only this loop can open.
    holdings: Holdings,
    /// Whether something came that can end a holding.
    may_let_go: bool,
    /// Changes when another engine finds no place for an app-server.
    room_wanted: watch::Receiver<u64>,
    lanes: Weak<Lanes>,
    /// The number of this lane, if it is a thread's own.
    number: Option<u64>,
    /// Whether a call has come.
    was_used: bool,
    tasks: TaskTracker,
}

impl EngineLoop {
    async fn run(mut self) {
        let mut shutting_down = false;
        while !(self.servers.is_empty()
            && self.execs.is_empty()
            && (shutting_down || self.is_done()))
        {
            let timeout = self.bridge.poll_timeout();
            tokio::select! {
                input = self.inputs.recv() => match input {
                    Some(input) => {
                        shutting_down |= matches!(input, Input::Event(Event::ShutdownRequested));
                        self.take(input);
                    }
                    // Every handle is gone, and with them the way for news: what still runs is killed with its owner.
                    None => break,
                },
                () = until(timeout) => {
                    self.may_let_go = true;
                    self.bridge.handle_timeout(clock::now());
                }
                Ok(()) = self.room_wanted.changed() => self.handle(Event::RoomWanted),
            }
            self.carry_out();
            self.let_go();
            let busy = self.bridge.is_busy();
            self.tell_activity(busy);
            self.count(busy || !self.servers.is_empty() || !self.execs.is_empty());
        }
        self.tell_activity(false);
        self.count(false);
        self.leave().await;
    }

    /// Whether this lane is of no use any more: its thread's app-server was stopped, or its thread never was.
    fn is_done(&self) -> bool {
        self.number.is_some() && self.was_used && !self.bridge.is_busy()
    }

    /// Closes the lane. A call that came just now goes to the lane that is its thread's next.
    async fn leave(mut self) {
        self.holdings.leave();
        let (Some(number), Some(lanes)) = (self.number, self.lanes.upgrade()) else {
            return;
        };
        lanes.close(number);
        self.inputs.close();
        while let Some(input) = self.inputs.recv().await {
            if let Input::Call { request, .. } = &input {
                let lane = lanes.of(request);
                // Boxed, because the way to the next lane may end in this very function.
                let _ = Box::pin(lane.send(input)).await;
            }
        }
    }

    fn tell_activity(&mut self, busy: bool) {
        if self.busy != busy {
            self.busy = busy;
            self.activity.set(busy);
        }
    }

    fn count(&mut self, in_use: bool) {
        if self.counted != in_use {
            self.counted = in_use;
            match in_use {
                true => self.in_use.fetch_add(1, Ordering::Relaxed),
                false => self.in_use.fetch_sub(1, Ordering::Relaxed),
            };
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Event(event) => self.handle(event),
            Input::Call { call, caller, request, port } => {
                self.was_used = true;
                if let CallRequest::ContinueThread { thread, .. } = &request
                    && let Some(holder) = self.holdings.take(thread)
                {
                    let input = Input::Call { call, caller, request, port };
                    self.tasks.spawn(async move { holder.send(input).await });
                    return;
                }
                self.ports.insert(port);
                self.handle(Event::CallReceived { call, caller, request });
            }
            Input::Server(news) => {
                for event in self.servers.take(news) {
                    self.handle(event);
                }
            }
            Input::Exec(news) => {
                let event = self.execs.take(news);
                self.handle(event);
            }
        }
    }

    fn handle(&mut self, event: Event) {
        // What is streamed, of which there is much, ends no holding.
        self.may_let_go |= !matches!(event, Event::Turn { .. });
        self.bridge.handle(event, clock::now());
    }

    /// Leaves the threads to other loops that this one does not have any more.
    fn let_go(&mut self) {
        if std::mem::take(&mut self.may_let_go) {
            let bridge = &self.bridge;
            self.holdings.keep(|thread| bridge.holds(thread));
        }
    }

    /// Gives an answer once the records that it speaks of are safe.
    fn answer(&mut self, call: CallId, mut outcome: Outcome) {
        if let Some(port) = self.ports.take(call) {
            let subjects = report(&mut outcome).map(subjects).unwrap_or_default();
            self.ledger.then(subjects, move |warning| {
                if let (Some(warning), Some(report)) = (warning, report(&mut outcome)) {
                    report.transcript.warnings.push(warning);
                }
                // Nobody takes the answer to a call that was given up.
                let _ = port.send(outcome);
            });
        }
    }

    /// Keeps a record, and then tells those who watch what it changes.
    fn record(&mut self, record: Record) {
        if let Record::ThreadOpened { thread, .. } = &record {
            // Nobody else can have it: Codex has just opened it here.
            self.holdings.take(thread);
        }
        if let Record::ThreadDeleted { thread } | Record::ThreadArchived { thread } = &record {
            self.changing.forget(thread.clone());
        }
        if let Record::Decided { turn, decided, .. } = &record {
            let (monitors, turn, what) = (self.monitors.clone(), *turn, decided.what.clone());
            self.ledger.then(Vec::new(), move |_| monitors.decided(turn, &what));
        }
        let news = News::of(&record);
        self.ledger.record(record, &self.home);
        if self.subscriptions.is_watched(&news) {
            let subscriptions = self.subscriptions.clone();
            self.ledger.then(Vec::new(), move |_| subscriptions.tell(&news));
        }
    }

    /// Tells a session, once what the news speak of is kept.
    fn tell_session(&self, session: SessionId, news: &SessionNews) {
        if let Some(news) = monitors::News::of(session, news) {
            let monitors = self.monitors.clone();
            self.ledger.then(Vec::new(), move |_| monitors.tell(news));
        }
    }

    /// Carries out what the core wants, until it wants nothing more.
    fn carry_out(&mut self) {
        while let Some(effect) = self.bridge.poll_effect() {
            match effect {
                Effect::StartAppServer { app_server } => self.servers.start(app_server),
                Effect::StopAppServer { app_server } => self.servers.stop(app_server),
                Effect::KillAppServer { app_server } => self.servers.kill(app_server),
                Effect::RunExec { exec, run } => self.execs.start(exec, *run),
                Effect::StopExec { exec } => self.execs.stop(exec),
                Effect::Prepare { turn, thread, changes, workspace, working_directory } => {
                    self.changing.prepare((turn, thread), changes, workspace, working_directory);
                }
                Effect::StopPreparing { turn } => self.changing.stop(turn),
                Effect::Collect { turn, thread } => self.changing.collect(turn, thread),
                Effect::Send { app_server, id, request } => {
                    if let Err(failure) = self.servers.send(app_server, id, request) {
                        self.handle(Event::Response {
                            app_server,
                            request: id,
                            result: Err(failure),
                        });
                    }
                }
                Effect::Reply { app_server, id, question, answer } => {
                    self.servers.reply(app_server, &id, &question, &answer)
                }
                Effect::Ask { call, ask } => {
                    let approval = ask.approval;
                    if !self.ports.ask(call, Asking::Ask(Box::new(ask))) {
                        self.handle(Event::Answered { approval, answer: None });
                    }
                }
                Effect::StopAsking { call, approval } => {
                    self.ports.ask(call, Asking::Stop(approval));
                }
                Effect::TellSession { session, news } => self.tell_session(session, &news),
                Effect::Report { call, update } => self.ports.report(call, update),
                Effect::Record(record) => self.record(record),
                Effect::Answer { call, outcome } => self.answer(call, outcome),
            }
        }
    }
}

/// The turn that an answer tells of.
fn report(outcome: &mut Outcome) -> Option<&mut TurnReport> {
    match outcome {
        Outcome::Turn(report)
        | Outcome::Asked { turn: report, .. }
        | Outcome::Cancelled { turn: Some(report), .. } => Some(report),
        Outcome::Cancelled { turn: None, .. }
        | Outcome::Steered { .. }
        | Outcome::PlanTold { .. }
        | Outcome::NotLive
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Health(_)
        | Outcome::Failed(_) => None,
    }
}

/// What has to be kept so that a turn can be found again. Nothing, if only Codex knows it.
fn subjects(report: &mut TurnReport) -> Vec<Subject> {
    let Some(number) = report.number else {
        return Vec::new();
    };
    let thread = report.thread.clone().map(Subject::Thread);
    let patch = report.change_set.as_ref().map(|set| Subject::ChangeSet(set.id.clone()));
    let artifacts = report.transcript.artifacts.iter();
    let outputs = artifacts.map(|artifact| Subject::Output(artifact.output.clone()));
    thread.into_iter().chain(patch).chain(outputs).chain([Subject::Turn(number)]).collect()
}

async fn until(timeout: Option<std::time::Instant>) {
    match timeout {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
