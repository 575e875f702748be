//! The life of the app-server: warmed when a client connects, started again after a crash, stopped when idle.

use std::time::{Duration, Instant};

use crate::bridge::{Bridge, Purpose};
use crate::thread::Load;
use crate::turn::Stop;
use crate::{
    AppServerId, Effect, Failure, Request, RequestFailure, StopCause, TurnState, UsageWindow,
};

/// What an app-server said of itself, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppServerInfo {
    /// The program that was started.
    pub program: String,
    /// Its process id.
    pub pid: u32,
    /// Codex's version, where it could be read.
    pub version: Option<String>,
    /// Codex's home folder, where it told it.
    pub codex_home: Option<String>,
}

/// How an app-server ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The end of what it wrote to stderr.
    pub stderr: String,
}

/// Why an app-server did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartFailure {
    /// The program that was to start.
    pub program: String,
    /// The kind, which decides on the remedy and on a retry.
    pub kind: StartFailureKind,
    /// The particulars, for a person.
    pub detail: String,
}

/// Kinds of failed starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartFailureKind {
    /// There is no such program.
    NotFound,
    /// The program may not be run.
    NotExecutable,
    /// The program is not Codex, or has no app-server.
    NotCodex,
    /// It is Codex, but its app-server does not speak the protocol.
    BrokenAppServer,
    /// Codex is older than what the bridge needs.
    TooOld,
    /// It ended before it was ready.
    ExitedEarly,
    /// It was not ready in time.
    Deadline,
    /// The system refused (no memory, too many processes).
    System,
    /// The ceiling on processes is reached, and all are at work.
    NoPlace,
}

/// The longest pause between two starts.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// The longest quarantine.
const MAX_QUARANTINE: Duration = Duration::from_secs(300);

impl StartFailureKind {
    /// Whether the same start could go well a moment later.
    fn may_pass(self) -> bool {
        match self {
            Self::BrokenAppServer | Self::ExitedEarly | Self::Deadline | Self::System => true,
            Self::NoPlace
            | Self::NotFound
            | Self::NotExecutable
            | Self::NotCodex
            | Self::TooOld => false,
        }
    }
}

/// The app-server as the core sees it.
#[derive(Debug)]
pub(crate) struct AppServer {
    pub(crate) state: AppServerState,
    pub(crate) info: Option<AppServerInfo>,
    pub(crate) last_exit: Option<Exit>,
    /// Failed starts and deaths since a turn last ended well.
    pub(crate) failures: u32,
    /// When something last needed it.
    pub(crate) used_at: Option<Instant>,
    /// Until when nothing is started, after too many failures in a row.
    pub(crate) rest_until: Option<Instant>,
    /// The failure that led to that.
    pub(crate) rests_for: Option<Failure>,
    /// What it needs of memory, as last measured.
    pub(crate) resident_bytes: Option<u64>,
    /// How much of the account's limits is used, as told last.
    pub(crate) usage: Vec<UsageWindow>,
    /// The method that it did not answer, when it is being killed for that.
    hung: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppServerState {
    Stopped,
    Starting { id: AppServerId },
    Ready { id: AppServerId, since: Instant },
    Stopping { id: AppServerId },
    Pausing { until: Instant },
}

impl AppServer {
    pub(crate) fn new() -> Self {
        Self {
            state: AppServerState::Stopped,
            info: None,
            last_exit: None,
            failures: 0,
            used_at: None,
            rest_until: None,
            rests_for: None,
            resident_bytes: None,
            usage: Vec::new(),
            hung: None,
        }
    }

    pub(crate) fn ready(&self) -> Option<AppServerId> {
        match self.state {
            AppServerState::Ready { id, .. } => Some(id),
            AppServerState::Stopped
            | AppServerState::Starting { .. }
            | AppServerState::Stopping { .. }
            | AppServerState::Pausing { .. } => None,
        }
    }

    /// Whether news from this process still count.
    pub(crate) fn is_live(&self, app_server: AppServerId) -> bool {
        match self.state {
            AppServerState::Ready { id, .. }
            | AppServerState::Starting { id }
            | AppServerState::Stopping { id } => id == app_server,
            AppServerState::Stopped | AppServerState::Pausing { .. } => false,
        }
    }
}

impl Bridge {
    /// Starts the app-server if it is down and nothing says to wait.
    pub(crate) fn want_app_server(&mut self, now: Instant) {
        self.app_server.used_at = Some(now);
        let may_start = !self.shutting_down && self.quarantine(now).is_none();
        if self.app_server.state == AppServerState::Stopped && may_start {
            let id = AppServerId(self.numbers.mint());
            self.app_server.state = AppServerState::Starting { id };
            self.effects.push_back(Effect::StartAppServer { app_server: id });
        }
    }

    pub(crate) fn app_server_ready(&mut self, id: AppServerId, info: AppServerInfo, now: Instant) {
        if self.app_server.state != (AppServerState::Starting { id }) {
            return;
        }
        self.app_server.state = AppServerState::Ready { id, since: now };
        self.app_server.info = Some(info);
        self.app_server.used_at = Some(now);
        self.send(id, Request::ListModels, Purpose::Models);
        for call in std::mem::take(&mut self.waiting_for_app_server) {
            self.send_read(call, now);
        }
        self.pump_all(now);
    }

    pub(crate) fn app_server_failed(
        &mut self,
        id: AppServerId,
        failure: StartFailure,
        now: Instant,
    ) {
        if !self.app_server.is_live(id) {
            return;
        }
        self.app_server.failures += 1;
        let retry =
            failure.kind.may_pass() && self.app_server.failures < self.limits.start_attempts;
        self.after_end(Failure::Start(failure), retry, now);
    }

    pub(crate) fn app_server_exited(&mut self, id: AppServerId, exit: Exit, now: Instant) {
        if !self.app_server.is_live(id) {
            return;
        }
        let expected = matches!(self.app_server.state, AppServerState::Stopping { .. });
        let hung = self.app_server.hung.take();
        let failure = match hung {
            Some(method) => Failure::AppServerHung { method },
            None => Failure::AppServerExited(exit.clone()),
        };
        if !expected || hung.is_some() {
            self.app_server.failures += 1;
            self.app_server.last_exit = Some(exit);
        }
        self.pending.clear();
        self.app_server.state = AppServerState::Stopped;
        self.app_server.resident_bytes = None;
        self.unload_all(&failure, now);
        let retry = self.app_server.failures < self.limits.start_attempts;
        self.after_end(failure, retry, now);
        if retry && !expected && !self.connections.is_empty() {
            // After a crash that nobody waited out, the next call shall find it warm again.
            self.want_app_server(now);
        }
    }

    /// Marks every thread unloaded. What ran on it is run again if it had done nothing yet, and is over otherwise.
    fn unload_all(&mut self, failure: &Failure, now: Instant) {
        for key in self.thread_keys() {
            let Some(thread) = self.threads.get_mut(&key) else {
                continue;
            };
            thread.load = Load::Unloaded;
            thread.notes.give_back();
            let Some(mut turn) = thread.running.take_if(|turn| turn.is_with_app_server()) else {
                continue;
            };
            if turn.may_run_again(&self.limits) {
                turn.wait_again(failure.clone());
                thread.queue.push_front(turn);
                self.tell_queue(key, now);
                continue;
            }
            match turn.stop {
                // What it was told to do has come about, if roughly.
                Some(_) => self.finish_turn(key, turn, TurnState::Interrupted, None, now),
                // So does Codex call a turn that was cut, when it is asked later.
                None => {
                    let failure = Some(failure.clone());
                    self.finish_turn(key, turn, TurnState::Interrupted, failure, now);
                }
            }
        }
        // What only reads can be asked again. A steer or a change may have come about.
        for call in self.calls_without_turn() {
            let reads = self.calls.get(&call).is_some_and(|call| call.kind.reads());
            if !reads {
                self.fail_call(call, failure.clone(), now);
            } else if !self.waiting_for_app_server.contains(&call) {
                self.waiting_for_app_server.push(call);
            }
        }
    }

    /// Decides whether to start again once no app-server is there any more.
    fn after_end(&mut self, failure: Failure, retry: bool, now: Instant) {
        self.app_server.state = AppServerState::Stopped;
        let wanted = self.has_waiting_work() && !self.shutting_down;
        if wanted && retry {
            match self.app_server.failures {
                0 | 1 => self.want_app_server(now),
                failures => {
                    let pause = doubled(self.limits.restart_pause, failures - 2, MAX_PAUSE);
                    let pause = self.moved(pause);
                    self.app_server.state = AppServerState::Pausing { until: now + pause };
                }
            }
        } else {
            self.rest(&failure, now);
            if wanted {
                self.do_without(&failure, now);
            }
        }
        if self.app_server.failures == 0 {
            self.forget_idle_threads();
        }
    }

    /// Starts nothing for a while, if it failed too often.
    fn rest(&mut self, failure: &Failure, now: Instant) {
        // A program that is missing is looked for again with each call: that costs nothing.
        let may_pass = !matches!(failure, Failure::Start(failure) if !failure.kind.may_pass());
        let beyond = self.app_server.failures.checked_sub(self.limits.start_attempts);
        if let Some(beyond) = beyond.filter(|_| may_pass) {
            let rest = doubled(self.limits.quarantine, beyond, MAX_QUARANTINE);
            self.app_server.rest_until = Some(now + self.moved(rest));
            self.app_server.rests_for = Some(failure.clone());
        }
    }

    /// How much longer nothing is started.
    pub(crate) fn quarantine(&self, now: Instant) -> Option<Duration> {
        let rest = self.app_server.rest_until?.saturating_duration_since(now);
        (!rest.is_zero()).then_some(rest)
    }

    /// The answer to who needs an app-server while nothing is started.
    pub(crate) fn quarantined(&self, now: Instant) -> Option<Failure> {
        let failures = self.app_server.failures;
        let rest = self.quarantine(now)?;
        let last = Box::new(self.app_server.rests_for.clone()?);
        Some(Failure::Quarantined { failures, rest, last })
    }

    /// Moves a pause by up to a quarter, each time by another part of it.
    fn moved(&self, pause: Duration) -> Duration {
        match self.limits.jitter {
            0 => pause,
            seed => {
                // The finaliser of splitmix64: any two inputs give unrelated outputs.
                let mut mixed = seed.wrapping_add(u64::from(self.app_server.failures) << 32);
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                let part = (mixed ^ (mixed >> 31)) % 512;
                pause * 3 / 4 + pause * u32::try_from(part).unwrap_or_default() / 1024
            }
        }
    }

    /// Kills an app-server that left a request unanswered which it answers within milliseconds otherwise.
    pub(crate) fn presume_hung(&mut self, method: &'static str) {
        if let Some(id) = self.app_server.ready() {
            self.app_server.hung = Some(method);
            self.app_server.state = AppServerState::Stopping { id };
            self.effects.push_back(Effect::KillAppServer { app_server: id });
        }
    }

    /// When the app-server has to be looked at.
    pub(crate) fn app_server_timeout(&self) -> Option<Instant> {
        match self.app_server.state {
            AppServerState::Pausing { until } => Some(until),
            AppServerState::Ready { since, .. } if self.is_idle() => {
                let idle = self.limits.idle_stop;
                let worn = self.is_worn().then_some(since);
                worn.or(self.app_server.used_at.zip(idle).map(|(used_at, idle)| used_at + idle))
            }
            AppServerState::Ready { .. }
            | AppServerState::Stopped
            | AppServerState::Starting { .. }
            | AppServerState::Stopping { .. } => None,
        }
    }

    pub(crate) fn app_server_due(&mut self, now: Instant) {
        match self.app_server.state {
            AppServerState::Pausing { .. } => {
                self.app_server.state = AppServerState::Stopped;
                self.want_app_server(now);
                self.tell_all_queues(now);
            }
            AppServerState::Ready { id, .. } => {
                self.app_server.state = AppServerState::Stopping { id };
                self.effects.push_back(Effect::StopAppServer { app_server: id });
            }
            AppServerState::Stopped
            | AppServerState::Starting { .. }
            | AppServerState::Stopping { .. } => {}
        }
    }

    /// Answers everything, stops the app-server, and refuses what comes after.
    pub(crate) fn shut_down(&mut self, now: Instant) {
        self.shutting_down = true;
        for key in self.thread_keys() {
            let Some(thread) = self.threads.get_mut(&key) else {
                continue;
            };
            let turns: Vec<_> = thread
                .running
                .take()
                .into_iter()
                .chain(std::mem::take(&mut thread.queue))
                .collect();
            for mut turn in turns {
                if let Some(exec) = turn.exec {
                    self.stop_exec(exec);
                }
                let (state, failure) = turn.ended_as().unwrap_or_else(|| {
                    let failure = Some(Failure::ShuttingDown);
                    turn.stop.get_or_insert(Stop {
                        cause: StopCause::Shutdown,
                        failure,
                        deadline: now,
                    });
                    (TurnState::Interrupted, None)
                });
                self.finish_turn(key, turn, state, failure, now);
            }
        }
        for call in self.all_calls() {
            self.fail_call(call, Failure::ShuttingDown, now);
        }
        self.pending.clear();
        match self.app_server.state {
            AppServerState::Ready { id, .. } | AppServerState::Starting { id } => {
                self.app_server.state = AppServerState::Stopping { id };
                self.effects.push_back(Effect::StopAppServer { app_server: id });
            }
            AppServerState::Pausing { .. } => self.app_server.state = AppServerState::Stopped,
            AppServerState::Stopped | AppServerState::Stopping { .. } => {}
        }
    }

    /// Forgets threads that nobody uses; Codex has them on disk. After a crash they are kept: only we know how their
    /// last turns ended.
    fn forget_idle_threads(&mut self) {
        self.threads.retain(|_, thread| !thread.is_idle());
        let threads = &self.threads;
        self.keys.retain(|_, key| threads.contains_key(key));
    }

    /// Whether a failed request says that the app-server hangs, rather than that it refuses.
    pub(crate) fn is_hung(failure: &RequestFailure) -> bool {
        match failure {
            RequestFailure::DeadlineExceeded { .. } => true,
            RequestFailure::Rejected { .. }
            | RequestFailure::Overloaded
            | RequestFailure::Misplaced { .. }
            | RequestFailure::Closed
            | RequestFailure::Unreadable { .. } => false,
        }
    }

    /// Turns that run now.
    pub(crate) fn turns_running(&self) -> usize {
        self.threads.values().filter(|thread| thread.running.is_some()).count()
    }

    /// Threads that are loaded now.
    pub(crate) fn threads_loaded(&self) -> usize {
        self.threads.values().filter(|thread| thread.load == Load::Loaded).count()
    }
}

/// A time that was doubled so often.
fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(max)
}
