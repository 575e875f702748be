//! Spawns the child and supervises it: one task waits for its end, and is alone in signalling it, so
//! that no signal can reach a process that took over its id.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::stderr::StderrTail;
use super::{AppServer, Exit, Launch, StartError};
use crate::connection::{Connection, Inbox, Incoming, Limits, Wiring};

/// How long the stderr of a dead child is still read: a descendant of it may hold it open for ever.
pub(super) const STDERR_GRACE: Duration = Duration::from_millis(500);

impl AppServer {
    pub(super) fn spawn(launch: &Launch, limits: Limits) -> Result<(Self, Inbox, u32), StartError> {
        let mut child = command(launch).spawn().map_err(|error| spawn_error(launch, error))?;
        let pid = child.id().expect("a child that was not waited for has an id");
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr_pipe = child.stderr.take().expect("stderr is piped");

        let tasks = TaskTracker::new();
        let (connection, inbox, wiring) = Connection::wire(stdout, stdin, limits, &tasks);
        let stderr = StderrTail::default();
        let drain = tasks.spawn(stderr.clone().drain(stderr_pipe));
        let (terminate, kill) = (CancellationToken::new(), CancellationToken::new());
        let (exit_sender, exit) = watch::channel(None);
        let supervisor = Supervisor {
            child,
            pid,
            terminate: terminate.clone(),
            kill: kill.clone(),
            stderr: stderr.clone(),
        };
        tasks.spawn(supervisor.run(drain, exit_sender, wiring));
        tasks.close();
        Ok((
            Self {
                connection,
                stderr,
                terminate,
                _kill_on_drop: kill.clone().drop_guard(),
                kill,
                exit,
                tasks,
            },
            inbox,
            pid,
        ))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
pub(super) fn command(launch: &Launch) -> Command {
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.args)
        .env_clear()
        .envs(launch.environment.iter().map(|(key, value)| (key, value)))
        .current_dir(&launch.working_directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// The system says "not found" also of a missing working directory or interpreter.
pub(super) fn spawn_error(launch: &Launch, source: io::Error) -> StartError {
    let program = launch.program.clone();
    let missing = source.kind() == io::ErrorKind::NotFound;
    if missing && !launch.working_directory.is_dir() {
        return StartError::SpawnFailed { program, source };
    }
    if missing && !program.exists() {
        return StartError::NotFound { program };
    }
    let unusable = [Errno::ACCESS, Errno::NOEXEC, Errno::ISDIR, Errno::NOTDIR];
    let refused = unusable.iter().any(|errno| source.raw_os_error() == Some(errno.raw_os_error()));
    if missing || refused {
        return StartError::NotExecutable { program, source };
    }
    StartError::SpawnFailed { program, source }
}

struct Supervisor {
    child: Child,
    pid: u32,
    terminate: CancellationToken,
    kill: CancellationToken,
    stderr: StderrTail,
}

impl Supervisor {
    async fn run(
        mut self,
        mut drain: JoinHandle<()>,
        exit_sender: watch::Sender<Option<Exit>>,
        wiring: Wiring,
    ) {
        let status = self.wait().await;
        // What the child left in its group must not outlive it. The group's id cannot have been
        // given away while anything is in it.
        signal_group(self.pid, Signal::KILL);
        wiring.peer_gone.cancel();
        if tokio::time::timeout(STDERR_GRACE, &mut drain).await.is_err() {
            drain.abort();
        }
        let exit = exit(status.as_ref(), &self.stderr);
        tracing::debug!(pid = self.pid, %exit, "the app-server ended");
        exit_sender.send_replace(Some(exit.clone()));
        // Both fail only if the owner dropped the inbox or the actor panicked; the exit is still told.
        let _ = wiring.actor.await;
        let _ = wiring.inbox.send(Incoming::Exited(exit)).await;
    }

    /// Obeys until the child is gone. Each order is obeyed once: asking twice is no more than asking.
    async fn wait(&mut self) -> Option<ExitStatus> {
        let (mut terminated, mut killed) = (false, false);
        loop {
            tokio::select! {
                status = self.child.wait() => {
                    return status
                        .inspect_err(|error| tracing::warn!(%error, "cannot wait for the child"))
                        .ok();
                }
                () = self.terminate.cancelled(), if !terminated => {
                    terminated = true;
                    // Only the leader is asked: it knows how to end what it started.
                    signal_leader(self.pid, Signal::TERM);
                }
                () = self.kill.cancelled(), if !killed => {
                    killed = true;
                    signal_group(self.pid, Signal::KILL);
                }
            }
        }
    }
}

/// How a child ended.
pub(super) fn exit(status: Option<&ExitStatus>, stderr: &StderrTail) -> Exit {
    Exit {
        code: status.and_then(ExitStatus::code),
        signal: status.and_then(ExitStatus::signal),
        stderr_tail: stderr.text(),
    }
}

pub(super) fn signal_leader(pid: u32, signal: Signal) {
    if let Some(pid) = leader(pid) {
        // Fails only if it is gone already.
        let _ = kill_process(pid, signal);
    }
}

pub(super) fn signal_group(pid: u32, signal: Signal) {
    if let Some(pid) = leader(pid) {
        // Fails only if the group is gone already.
        let _ = kill_process_group(pid, signal);
    }
}

fn leader(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}
