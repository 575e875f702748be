//! The only loop: events in, decisions by the core, effects out, in order.
//!
//! The engine owns the app-server processes and the way back to each call. It decides nothing: whatever happens goes
//! to [`Bridge`] as an event, and whatever that wants done is done here. It serves any number of connections.

mod activity;
mod handle;
mod ports;
mod servers;

use std::sync::Arc;
use std::time::Duration;

use bridge_core::{Bridge, CallId, Effect, Event, Limits, Outcome, Record, RequestFailure};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::clock;
use crate::codex::from_wire;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::mcp::resources::News;
use crate::mcp::subscriptions::Subscriptions;

pub use activity::Activity;
pub use handle::{Engine, EngineCall, EngineConnection, Next};
use ports::{Port, Ports};
use servers::{ServerNews, Servers};

/// Inputs that wait for the loop. When full, clients and app-servers wait: nothing is dropped.
const INPUTS: usize = 256;

/// How often in a row an app-server may fail before waiting calls are told.
const START_ATTEMPTS: u32 = 3;
/// The pause before the second start in a row.
const RESTART_PAUSE: Duration = Duration::from_millis(250);
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
    Call { event: Event, port: Port },
    /// News of an app-server.
    Server(ServerNews),
}

/// Starts the loop on `tasks`; it ends after [`Engine::shut_down`].
pub fn start(
    config: Arc<Config>,
    ledger: Ledger,
    subscriptions: Arc<Subscriptions>,
    activity: Arc<Activity>,
    tasks: &TaskTracker,
) -> Engine {
    let (inputs, receiver) = mpsc::channel(INPUTS);
    let home: Arc<str> = config.codex_home().unwrap_or_default().display().to_string().into();
    let engine_loop = EngineLoop {
        bridge: Bridge::new(limits(&config)),
        inputs: receiver,
        ports: Ports::default(),
        home: home.clone(),
        servers: Servers::new(config, inputs.downgrade(), tasks.clone()),
        ledger: ledger.clone(),
        subscriptions,
        activity: activity.clone(),
        busy: false,
    };
    tasks.spawn(engine_loop.run());
    Engine::new(inputs, ledger, activity, home, tasks.clone())
}

fn limits(config: &Config) -> Limits {
    Limits {
        queue_per_thread: config.max_queue_per_thread,
        turn_time: config.turn_time_limit,
        silence: config.silence_limit,
        provider_retry: config.provider_retry_limit,
        interrupt_grace: INTERRUPT_GRACE,
        idle_stop: config.idle_stop,
        start_attempts: START_ATTEMPTS,
        restart_pause: RESTART_PAUSE,
        command_output_chars: config.command_output_chars,
        finished_per_thread: FINISHED_PER_THREAD,
    }
}

struct EngineLoop {
    bridge: Bridge,
    inputs: mpsc::Receiver<Input>,
    ports: Ports,
    servers: Servers,
    ledger: Ledger,
    subscriptions: Arc<Subscriptions>,
    /// The Codex home that the records belong to.
    home: Arc<str>,
    activity: Arc<Activity>,
    busy: bool,
}

impl EngineLoop {
    async fn run(mut self) {
        let mut shutting_down = false;
        while !(shutting_down && self.servers.is_empty()) {
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
                () = until(timeout) => self.bridge.handle_timeout(clock::now()),
            }
            self.carry_out();
            self.tell_activity(self.bridge.is_busy());
        }
        self.tell_activity(false);
    }

    fn tell_activity(&mut self, busy: bool) {
        if self.busy != busy {
            self.busy = busy;
            self.activity.set(busy);
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Event(event) => self.handle(event),
            Input::Call { event, port } => {
                self.ports.insert(port);
                self.handle(event);
            }
            Input::Server(news) => {
                if let Some(event) = self.servers.take(news) {
                    self.handle(event);
                }
            }
        }
    }

    fn handle(&mut self, event: Event) {
        self.bridge.handle(event, clock::now());
    }

    /// Gives an answer once the records that it speaks of are safe.
    fn answer(&mut self, call: CallId, mut outcome: Outcome) {
        if let Some(port) = self.ports.take(call) {
            self.ledger.then(move |warning| {
                if let Some(warning) = warning {
                    warn(&mut outcome, warning);
                }
                // Nobody takes the answer to a call that was given up.
                let _ = port.send(outcome);
            });
        }
    }

    /// Keeps a record, and then tells those who watch what it changes.
    fn record(&self, record: Record) {
        let news = News::of(&record);
        self.ledger.record(record, &self.home);
        if self.subscriptions.is_watched(&news) {
            let subscriptions = self.subscriptions.clone();
            self.ledger.then(move |_| subscriptions.tell(&news));
        }
    }

    /// Carries out what the core wants, until it wants nothing more.
    fn carry_out(&mut self) {
        while let Some(effect) = self.bridge.poll_effect() {
            match effect {
                Effect::StartAppServer { app_server } => self.servers.start(app_server),
                Effect::StopAppServer { app_server } => self.servers.stop(app_server),
                Effect::KillAppServer { app_server } => self.servers.kill(app_server),
                Effect::Send { app_server, id, request } => {
                    if let Err(error) = self.servers.send(app_server, id, request) {
                        let failure: RequestFailure = from_wire::request_failure(error);
                        self.handle(Event::Response {
                            app_server,
                            request: id,
                            result: Err(failure),
                        });
                    }
                }
                Effect::Decline { app_server, id, question } => {
                    self.servers.decline(app_server, &id, &question)
                }
                Effect::Report { call, update } => self.ports.report(call, update),
                Effect::Record(record) => self.record(record),
                Effect::Answer { call, outcome } => self.answer(call, outcome),
            }
        }
    }
}

/// Tells the reader of a turn that it is not kept.
fn warn(outcome: &mut Outcome, warning: String) {
    let report = match outcome {
        Outcome::Turn(report) => report,
        Outcome::Cancelled { turn: Some(report), .. } => report,
        Outcome::Cancelled { turn: None, .. }
        | Outcome::Steered { .. }
        | Outcome::NotLive
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Health(_)
        | Outcome::Failed(_) => return,
    };
    report.transcript.warnings.push(warning);
}

async fn until(timeout: Option<std::time::Instant>) {
    match timeout {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
