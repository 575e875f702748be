//! One `codex exec` child process: a prompt in, lines out, and an end with everything that it had in its group.
//!
//! It says nothing of what the lines mean. Dropping it kills the child itself; [`Exec::stop`] also ends its group.

use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdout};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::child::{self, STDERR_GRACE};
use super::stderr::StderrTail;
use super::{Exit, Launch, StartError, Version};
use crate::framing::{Line, LineReader};

/// The longest line that may tell a version, in bytes.
const MAX_VERSION_LINE: usize = 200;
/// How long a program may take to end that has told its version.
const VERSION_GRACE: Duration = Duration::from_millis(200);

/// A running `codex exec`.
#[derive(Debug)]
pub struct Exec {
    child: Child,
    pid: u32,
    lines: LineReader<ChildStdout>,
    stderr: StderrTail,
    drain: JoinHandle<()>,
}

impl Exec {
    /// Spawns the child and gives it `input`, whole, on its standard input.
    ///
    /// # Errors
    /// [`StartError::NotFound`], [`StartError::NotExecutable`], [`StartError::SpawnFailed`].
    ///
    /// # Panics
    /// Never: the pipes that it takes were asked for.
    pub fn start(
        launch: &Launch,
        input: String,
        max_line_bytes: usize,
    ) -> Result<Self, StartError> {
        let spawned = child::command(launch).spawn();
        let mut child = spawned.map_err(|error| child::spawn_error(launch, error))?;
        let pid = child.id().expect("a child that was not waited for has an id");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr_pipe = child.stderr.take().expect("stderr is piped");
        // Both end with the child: a pipe that nobody reads or writes any more is an error or an end.
        let tasks = TaskTracker::new();
        tasks.spawn(async move {
            if let Err(error) = stdin.write_all(input.as_bytes()).await {
                tracing::debug!(%error, "`codex exec` did not read its whole prompt");
            }
        });
        let stderr = StderrTail::default();
        let drain = tasks.spawn(stderr.clone().drain(stderr_pipe));
        let lines = LineReader::new(stdout, max_line_bytes);
        Ok(Self { child, pid, lines, stderr, drain })
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.pid
    }

    /// The version that a program tells when asked for it on its command line, if it says that it is Codex.
    pub async fn version(launch: &Launch, deadline: Duration) -> Option<Version> {
        let launch = Launch { args: vec!["--version".into()], ..launch.clone() };
        let mut child = Self::start(&launch, String::new(), MAX_VERSION_LINE).ok()?;
        let said = tokio::time::timeout(deadline, child.line()).await;
        child.stop(VERSION_GRACE).await;
        Version::from_command_line(&said.ok()??)
    }

    /// The next line that it writes; `None` once it writes no more. What is no text, or too long, is left out. Dropping
    /// this while it waits loses nothing.
    pub async fn line(&mut self) -> Option<String> {
        loop {
            match self.lines.next().await {
                Ok(Some(Line::Text(text))) => return Some(text.to_owned()),
                Ok(Some(Line::NotUtf8(_) | Line::TooLong { .. } | Line::Partial(_))) => {
                    tracing::warn!("`codex exec` wrote something that is no line");
                }
                Ok(None) => return None,
                Err(error) => {
                    tracing::debug!(%error, "the output of `codex exec` cannot be read");
                    return None;
                }
            }
        }
    }

    /// Ends it: SIGTERM; after `grace`, SIGKILL to its process group, which what is left of it gets in any case.
    pub async fn stop(mut self, grace: Duration) -> Exit {
        child::signal_leader(self.pid, Signal::TERM);
        self.end(grace).await
    }

    /// Waits for the end of a child that writes no more; after `grace`, it is killed.
    pub async fn end(&mut self, grace: Duration) -> Exit {
        let ended = tokio::time::timeout(grace, self.child.wait()).await;
        child::signal_group(self.pid, Signal::KILL);
        let status = match ended {
            Ok(status) => status,
            Err(_) => self.child.wait().await,
        };
        if tokio::time::timeout(STDERR_GRACE, &mut self.drain).await.is_err() {
            self.drain.abort();
        }
        let status =
            status.inspect_err(|error| tracing::warn!(%error, "cannot wait for the child"));
        let exit = child::exit(status.ok().as_ref(), &self.stderr);
        tracing::debug!(pid = self.pid, %exit, "`codex exec` ended");
        exit
    }
}
