//! Runs one command in the sandbox of a Codex that serves nothing else, to its end or until it is told to stop.
//!
//! The app-server is private and short-lived, so that ending it ends whatever the command has started. Its own directory is the run's folder,
//! because Codex lets a command write in there whatever else is said. Between the sandbox and the command stands this very
//! program, which sets the limits that the system holds.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use codex_client::orphan::{self, Marker};
use codex_client::protocol::{
    CommandExec, CommandExecParams, CommandExecResponse, Method as _, Notification, SandboxPolicy,
    WorkspaceWriteSandbox,
};
use codex_client::{AppServer, Inbox, Incoming, RequestError, RpcError, ancestry};

use super::Job;
use super::protected::Hold;
use crate::cli::limited;
use crate::codex::launch;
use crate::error::{Code, Problem};

/// How long each step of the stop ladder may take. Codex ends within 70 ms of the end of its input, with all commands.
const STOP_GRACE: Duration = Duration::from_millis(200);
/// How much longer than our own is the time limit that Codex is told.
const MARGIN: Duration = Duration::from_secs(60);
/// How much longer than its total a single process may be on a processor, so that the total is what is noticed.
const CPU_MARGIN: u64 = 2;
/// There is one request.
const TAG: u64 = 1;

/// A sandbox in which the command runs.
pub(super) struct Sandbox {
    server: AppServer,
    inbox: Inbox,
    marker: Marker,
    pid: u32,
    /// Given back last, when nothing of the sandbox is left.
    hold: Hold,
}

/// What comes of a command.
pub(super) enum Said {
    Output(Vec<u8>),
    /// It ended by itself, with this code.
    Ended(i32),
    /// Codex failed.
    Lost(Box<Problem>),
}

impl Sandbox {
    /// Starts the app-server and the command in it.
    pub(super) async fn start(job: &Job, hold: Hold) -> Result<Self, Problem> {
        // It may have waited for its place.
        job.directory.confirm().map_err(|error| Problem::from(&error))?;
        let params = params(job)?;
        let marker = Marker::mint();
        let depth = ancestry::variable(job.config.depth().saturating_add(1));
        let environment =
            job.config.test_environment().into_iter().chain([marker.variable(), depth]).collect();
        let started = launch::start_in(&job.config, environment, job.folder.path()).await;
        let (server, inbox, info) =
            started.map_err(|failure| Problem::from(&bridge_core::Failure::Start(failure)))?;
        let deadline = job.time_limit + 2 * MARGIN;
        let sent = server.connection().submit(TAG, CommandExec::NAME, &params, deadline);
        let sandbox = Self { server, inbox, marker, pid: info.pid, hold };
        match sent {
            Ok(()) => Ok(sandbox),
            Err(error) => {
                sandbox.end().await;
                Err(lost(&error))
            }
        }
    }

    pub(super) fn marker(&self) -> &Marker {
        &self.marker
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// What comes next. Safe to cancel.
    pub(super) async fn next(&mut self) -> Said {
        loop {
            match self.inbox.recv().await {
                Some(Incoming::Notification { method, params, .. }) => {
                    if let Notification::CommandExecOutput(output) =
                        Notification::decode(&method, &params)
                    {
                        let bytes = data_encoding::BASE64.decode(output.delta_base64.as_bytes());
                        return Said::Output(bytes.unwrap_or_default());
                    }
                }
                Some(Incoming::Response { tag: TAG, result }) => return answered(result),
                Some(Incoming::Request { id, .. }) => {
                    let error =
                        RpcError { code: -32601, message: "nobody is here".to_owned(), data: None };
                    // One that cannot be answered is one that will not be asked again.
                    let _ = self.server.connection().answer::<()>(&id, Err(&error));
                }
                Some(
                    Incoming::Response { .. } | Incoming::Malformed(_) | Incoming::Closed { .. },
                ) => {}
                Some(Incoming::Exited(exit)) => {
                    let message = format!("the app-server {exit} while it ran the tests");
                    return Said::Lost(Box::new(Problem::new(Code::CodexExited, message)));
                }
                None => {
                    let message = "the app-server is gone";
                    return Said::Lost(Box::new(Problem::new(Code::CodexExited, message)));
                }
            }
        }
    }

    /// Ends everything, and waits until it has ended.
    pub(super) async fn end(self) {
        let Self { server, inbox, marker, hold, .. } = self;
        let exit = server.stop(STOP_GRACE).await;
        drop(inbox);
        tracing::debug!(%exit, "the app-server of a test run was stopped");
        let tidied = tokio::task::spawn_blocking(move || {
            let ended = orphan::sweep(&marker);
            drop(hold);
            ended
        });
        if let Ok(1..) = tidied.await {
            tracing::info!("ended what a test run had left behind");
        }
    }
}

fn answered(result: Result<Box<serde_json::value::RawValue>, RequestError>) -> Said {
    let read = result.and_then(|raw| CommandExec::read(&raw));
    match read {
        Ok(CommandExecResponse { exit_code, .. }) => Said::Ended(exit_code),
        Err(error) => Said::Lost(Box::new(lost(&error))),
    }
}

fn lost(error: &RequestError) -> Problem {
    let code = match error {
        RequestError::Rejected { .. } => Code::CodexRefused,
        RequestError::DeadlineExceeded { .. } => Code::CodexHung,
        RequestError::Overloaded { .. } => Code::CodexOverloaded,
        RequestError::Closed { .. } => Code::CodexExited,
        RequestError::Unreadable { .. } => Code::CodexUnreadable,
    };
    Problem::new(code, error.to_string())
}

fn params(job: &Job) -> Result<CommandExecParams, Problem> {
    let writable = [job.writable.as_path(), job.folder.path()];
    let writable = writable.into_iter().map(text).collect::<Result<_, _>>()?;
    let milliseconds = (job.time_limit + MARGIN).as_millis();
    Ok(CommandExecParams {
        command: within_limits(job)?,
        cwd: Some(text(job.directory.path())?),
        env: Some(variables(job)?),
        timeout_ms: Some(i64::try_from(milliseconds).unwrap_or(i64::MAX)),
        output_bytes_cap: None,
        disable_output_cap: Some(true),
        sandbox_policy: Some(SandboxPolicy::WorkspaceWrite(WorkspaceWriteSandbox {
            writable_roots: writable,
            network_access: job.network,
            exclude_tmpdir_env_var: true,
            exclude_slash_tmp: false,
        })),
        process_id: Some("tests".to_owned()),
        stream_stdout_stderr: Some(true),
    })
}

/// The command behind this program's own `limited`.
fn within_limits(job: &Job) -> Result<Vec<String>, Problem> {
    let cpu_seconds = job.config.test_cpu.as_secs() + CPU_MARGIN;
    let prefix = limited::prefix(cpu_seconds, job.config.test_file_megabytes);
    let (program, words) = prefix.map_err(|error| {
        Problem::new(
            Code::TestProgramMissing,
            format!("this server's own program is gone: {error}"),
        )
        .with_hint("Start the engine anew: `codex-mcp daemon stop` ends this one.")
    })?;
    let words = std::iter::once(text(&program)?).chain(words);
    Ok(words.chain(job.plan.command.iter().cloned()).collect())
}

/// What the command finds in its environment besides that of its Codex, and what it does not.
fn variables(job: &Job) -> Result<BTreeMap<String, Option<String>>, Problem> {
    let (temporary, cache) = (job.folder.temporary(), job.folder.cache());
    let paths = [
        ("TMPDIR", temporary),
        ("XDG_CACHE_HOME", cache.clone()),
        ("GOCACHE", cache.join("go-build")),
        ("npm_config_cache", cache.join("npm")),
    ];
    let mut variables = BTreeMap::new();
    for (name, path) in paths {
        variables.insert(name.to_owned(), Some(text(&path)?));
    }
    for (name, value) in [("CI", "true"), ("npm_config_update_notifier", "false")] {
        variables.insert(name.to_owned(), Some(value.to_owned()));
    }
    if !job.network {
        let path = job.folder.stdio();
        variables
            .insert("NODE_OPTIONS".to_owned(), Some(format!("--require \"{}\"", text(&path)?)));
    }
    for (name, value) in &job.plan.variables {
        variables.insert((*name).to_owned(), Some(value.clone()));
    }
    Ok(variables)
}

fn text(path: &Path) -> Result<String, Problem> {
    let path = OsString::from(path).into_string();
    path.map_err(|path| {
        let message = format!("the path {} is not valid UTF-8", path.to_string_lossy());
        Problem::new(Code::DirectoryNotFound, message)
    })
}
