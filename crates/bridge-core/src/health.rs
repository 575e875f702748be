//! What `codex.health` is told.

use std::time::{Duration, Instant};

use crate::app_server::AppServerState;
use crate::bridge::Bridge;
use crate::call::{Call, CallKind};
use crate::failure::unexpected;
use crate::{AppServerInfo, CallId, Exit, Failure, Outcome, Reply, RequestFailure, UsageWindow};

/// How everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// The app-server.
    pub process: ProcessState,
    /// Whether turns run through `codex exec` meanwhile.
    pub falls_back: bool,
    /// What the app-server said of itself when it last started.
    pub info: Option<AppServerInfo>,
    /// How much memory it needs for itself, in bytes, as last measured.
    pub resident_bytes: Option<u64>,
    /// How an app-server last ended, unless we stopped it.
    pub last_exit: Option<Exit>,
    /// Who is logged in, or why that is not known.
    pub account: Result<Account, Failure>,
    /// Whether commands can run in the sandbox, or why that is not known.
    pub sandbox: Result<SandboxProbe, Failure>,
    /// How much of the account's limits is used, where Codex has told it.
    pub usage: Vec<UsageWindow>,
    /// Threads that are loaded.
    pub threads_loaded: usize,
    /// Turns that run.
    pub turns_running: usize,
    /// Turns that wait.
    pub turns_queued: usize,
    /// MCP connections.
    pub connections: usize,
}

/// The state of the app-server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// None runs; the next call starts one.
    Stopped,
    /// One is being started.
    Starting,
    /// One runs.
    Ready {
        /// For how long.
        uptime: Duration,
    },
    /// One is being stopped.
    Stopping,
    /// Starting failed; it is tried again by itself.
    Pausing {
        /// How often in a row it failed.
        failures: u32,
    },
    /// It failed so often that nothing is started for a while.
    Quarantined {
        /// How often in a row it failed.
        failures: u32,
        /// How much longer.
        rest: Duration,
    },
}

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `apiKey`, `chatgpt` or another word of Codex's; `None` if nobody is.
    pub kind: Option<String>,
    /// The plan, where Codex tells it.
    pub plan: Option<String>,
    /// Whether the configured provider needs an OpenAI login at all.
    pub login_required: bool,
}

/// What came of a harmless command in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxProbe {
    /// Its exit code; 0 is well.
    pub exit_code: i64,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Bridge {
    pub(crate) fn account_read(
        &mut self,
        id: CallId,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
        now: Instant,
    ) {
        let Some(Call { kind: CallKind::Health { account, .. }, .. }) = self.calls.get_mut(&id)
        else {
            return;
        };
        *account = Some(match result {
            Ok(Reply::Account(account)) => Ok(account),
            other => Err(unexpected(method, other)),
        });
        self.answer_health(id, now);
    }

    pub(crate) fn sandbox_probed(
        &mut self,
        id: CallId,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
        now: Instant,
    ) {
        let Some(Call { kind: CallKind::Health { sandbox, .. }, .. }) = self.calls.get_mut(&id)
        else {
            return;
        };
        *sandbox = Some(match result {
            Ok(Reply::Sandbox(probe)) => Ok(probe),
            other => Err(unexpected(method, other)),
        });
        self.answer_health(id, now);
    }

    /// Answers a health call once both parts are there.
    pub(crate) fn answer_health(&mut self, id: CallId, now: Instant) {
        let Some(Call { kind: CallKind::Health { account, sandbox }, .. }) = self.calls.get(&id)
        else {
            return;
        };
        let (Some(account), Some(sandbox)) = (account.clone(), sandbox.clone()) else {
            return;
        };
        let process = match self.app_server.state {
            AppServerState::Stopped => match self.quarantine(now) {
                Some(rest) => {
                    ProcessState::Quarantined { failures: self.app_server.failures, rest }
                }
                None => ProcessState::Stopped,
            },
            AppServerState::Starting { .. } => ProcessState::Starting,
            AppServerState::Ready { since, .. } => {
                ProcessState::Ready { uptime: now.saturating_duration_since(since) }
            }
            AppServerState::Stopping { .. } => ProcessState::Stopping,
            AppServerState::Pausing { .. } => {
                ProcessState::Pausing { failures: self.app_server.failures }
            }
        };
        let report = HealthReport {
            process,
            falls_back: self.falls_back(now),
            info: self.app_server.info.clone(),
            resident_bytes: self.app_server.resident_bytes,
            last_exit: self.app_server.last_exit.clone(),
            account,
            sandbox,
            usage: self.app_server.usage.clone(),
            threads_loaded: self.threads_loaded(),
            turns_running: self.turns_running(),
            turns_queued: self.threads.values().map(|thread| thread.queue.len()).sum(),
            connections: self.connections.len(),
        };
        self.answer(id, Outcome::Health(Box::new(report)));
    }
}
