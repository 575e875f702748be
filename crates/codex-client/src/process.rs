//! One child process: an app-server, greeted and supervised, a `codex exec`, or a program of ours. The only place that
//! spawns.
//!
//! Each child leads its own process group, so that what it starts can be killed with it. Its stderr is
//! always drained. It never restarts anything and never chooses the program or the environment.

mod child;
mod exec;
mod handshake;
mod limited;
pub mod program;
mod stderr;
mod version;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::connection::{Connection, Inbox, Limits};
use crate::protocol::ClientInfo;
use stderr::StderrTail;

pub use exec::Exec;
pub use limited::{ProcessLimits, become_program};
pub use version::{MINIMUM_VERSION, Version};

/// How long a child that closed its output during the handshake may take to end.
const EXIT_GRACE: Duration = Duration::from_secs(1);

/// What to run.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program; give a path, since a bare name is looked up in the *child's* `PATH`.
    pub program: PathBuf,
    /// All its arguments, `app-server` included.
    pub args: Vec<OsString>,
    /// The whole environment: nothing is inherited.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it runs. Codex joins relative paths to it.
    pub working_directory: PathBuf,
}

/// How to introduce ourselves, and for how long to wait.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// Becomes part of Codex's user agent and of each thread's `originator`.
    pub client_info: ClientInfo,
    /// Notifications not to be sent, by exact method name.
    pub opt_out_notification_methods: Vec<String>,
    /// From before the spawn until Codex has answered `initialize`.
    pub deadline: Duration,
}

/// What Codex said about itself.
#[derive(Debug, Clone)]
pub struct ServerInfo {
    /// As received, such as `codex-mcp/0.169.0 (Debian 12.0.0; x86_64) …`.
    pub user_agent: String,
    /// From the user agent; `None` when it holds no version that can be read.
    pub version: Option<Version>,
    /// Where Codex keeps its state.
    pub codex_home: Option<PathBuf>,
    /// Such as `unix`.
    pub platform_family: Option<String>,
    /// Such as `linux`.
    pub platform_os: Option<String>,
    /// The child's process id, which is also its process group.
    pub pid: u32,
}

/// How a child ended. Neither code nor signal: its end could not be observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// What it returned, unless a signal killed it.
    pub code: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// The last 64 KiB of its stderr.
    pub stderr_tail: String,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exited with code {code}"),
            (None, Some(signal)) => write!(f, "killed by signal {signal}"),
            (None, None) => f.write_str("ended in an unknown way"),
        }
    }
}

/// Why there is no app-server. In every case nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Install Codex or correct the path.
    #[error("there is no program {}", program.display())]
    NotFound { program: PathBuf },
    /// The file is there but may not or cannot be run.
    #[error("{} cannot be executed", program.display())]
    NotExecutable { program: PathBuf, source: io::Error },
    /// The system refused for another reason: the working directory, a process limit, memory.
    #[error("{} could not be started", program.display())]
    SpawnFailed { program: PathBuf, source: io::Error },
    /// It ended before it had answered. Its stderr says why.
    #[error("{} {exit} before it was ready", program.display())]
    Exited { program: PathBuf, exit: Exit },
    /// It runs but does not speak the protocol.
    #[error("{} is not a Codex app-server: {said}", program.display())]
    NotCodex { program: PathBuf, said: String },
    /// Upgrade Codex.
    #[error("Codex {version} is too old: {MINIMUM_VERSION} is the oldest that works")]
    TooOld { version: Version },
    /// It neither answered nor ended.
    #[error("{} did not answer within {after:?}", program.display())]
    DeadlineExceeded { program: PathBuf, after: Duration, stderr_tail: String },
}

/// A running app-server. Dropping it kills the process; [`AppServer::stop`] is the kind way.
#[derive(Debug)]
pub struct AppServer {
    connection: Connection,
    stderr: StderrTail,
    terminate: CancellationToken,
    kill: CancellationToken,
    _kill_on_drop: DropGuard,
    exit: watch::Receiver<Option<Exit>>,
    tasks: TaskTracker,
}

impl AppServer {
    /// Spawns the child and shakes hands with it. Everything that it sent meanwhile is in the inbox,
    /// whose very last element will be [`crate::Incoming::Exited`].
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        launch: &Launch,
        limits: Limits,
        greeting: &Greeting,
    ) -> Result<(Self, Inbox, ServerInfo), StartError> {
        let (server, mut inbox, pid) = Self::spawn(launch, limits)?;
        let failure = match handshake::greet(&server.connection, &mut inbox, greeting).await {
            Ok(initialized) => {
                return Ok((server, inbox, handshake::server_info(initialized, pid)));
            }
            Err(failure) => failure,
        };
        drop(inbox);
        // One that closed its output is about to say with its exit status why.
        if matches!(failure, handshake::Failure::Ended { .. }) {
            let _ = tokio::time::timeout(EXIT_GRACE, server.exited()).await;
        }
        server.kill();
        let exit = server.exited().await;
        server.tasks.wait().await;
        Err(failure.into_error(launch, greeting, exit))
    }

    /// Sends to it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The last 64 KiB that it wrote to stderr.
    pub fn stderr_tail(&self) -> String {
        self.stderr.text()
    }

    /// Ends the process: closes its input; after `grace`, SIGTERM; after `grace` again, SIGKILL to its
    /// process group. The inbox need not be read meanwhile.
    pub async fn stop(&self, grace: Duration) -> Exit {
        self.connection.close_input();
        if let Ok(exit) = tokio::time::timeout(grace, self.exited()).await {
            return exit;
        }
        self.terminate.cancel();
        if let Ok(exit) = tokio::time::timeout(grace, self.exited()).await {
            return exit;
        }
        self.kill();
        self.exited().await
    }

    /// Sends SIGKILL to the process group.
    pub fn kill(&self) {
        self.kill.cancel();
    }

    /// Resolves once the process is gone.
    pub async fn exited(&self) -> Exit {
        let mut exit = self.exit.clone();
        let known = exit.wait_for(Option::is_some).await.ok().and_then(|exit| exit.clone());
        // None only if the supervising task panicked, and then the child died with it.
        known.unwrap_or_else(|| Exit { code: None, signal: None, stderr_tail: self.stderr.text() })
    }

    /// Resolves once the process is gone, the inbox was read to its end (or dropped) and every task
    /// that served it has ended.
    pub async fn joined(&self) {
        self.tasks.wait().await;
    }
}
