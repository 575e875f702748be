//! The process behind a peer: its signals, its end, and its stderr, which is always read.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr};
use tokio::task::JoinSet;

/// How much of stderr is kept; the rest is read and dropped, so that the child never blocks on it.
const STDERR_KEPT: usize = 1 << 20;

/// How long the last of stderr may take once the child has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A child whose stdin and stdout belong to a peer. It is killed when this is dropped.
pub(super) struct PeerChild {
    child: Child,
    stderr: Arc<Mutex<Vec<u8>>>,
    /// The task that reads stderr ends with this.
    drain: JoinSet<()>,
}

impl PeerChild {
    pub(super) fn new(mut child: Child) -> Self {
        let kept = Arc::default();
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let mut drain = JoinSet::new();
        drain.spawn(keep_stderr(stderr, Arc::clone(&kept)));
        Self { child, stderr: kept, drain }
    }

    pub(super) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap_or_else(PoisonError::into_inner))
            .into_owned()
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id().expect("the child has not been waited for")
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id is positive");
        kill_process(pid, signal).expect("a child that has not been waited for can be signalled");
    }

    pub(super) async fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().await.expect("a child can be waited for");
        // What it said last is read too, unless a process that it left behind keeps its stderr open.
        let _ = tokio::time::timeout(LAST_WORDS, self.drain.join_next()).await;
        status
    }
}

async fn keep_stderr(mut stderr: ChildStderr, kept: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = vec![0; 8192];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = STDERR_KEPT.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&buffer[..room]);
    }
}
