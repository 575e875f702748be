//! Watches what the processes of a run use together, because the system limits each only by itself.

use std::time::Duration;

use codex_client::orphan::{self, Marker, Usage};

use super::Reason;
use crate::config::Config;

/// How often is looked.
pub(super) const EVERY: Duration = Duration::from_millis(100);

/// The most that a run may use.
#[derive(Clone, Copy)]
pub(super) struct Ceilings {
    memory_bytes: u64,
    cpu: Duration,
    threads: u64,
}

impl Ceilings {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            memory_bytes: (config.test_memory_megabytes as u64) << 20,
            cpu: config.test_cpu,
            threads: config.test_processes as u64,
        }
    }

    /// Which ceiling is exceeded.
    pub(super) async fn exceeded(self, marker: &Marker, app_server: u32) -> Option<Reason> {
        let marker = marker.clone();
        let look = move || orphan::usage(&marker, app_server, self.memory_bytes);
        self.judge(tokio::task::spawn_blocking(look).await.ok()??)
    }

    fn judge(self, usage: Usage) -> Option<Reason> {
        if usage.memory_bytes > self.memory_bytes {
            Some(Reason::MemoryLimit)
        } else if usage.threads > self.threads {
            Some(Reason::ProcessLimit)
        } else {
            (usage.cpu > self.cpu).then_some(Reason::CpuLimit)
        }
    }
}
