//! Finds and ends what an app-server leaves behind: commands that left its process group and its session.
//!
//! Each app-server carries a marker in its environment, which everything that it starts inherits. Whatever carries the
//! marker of an app-server that is gone is an orphan, whoever its parent is by now. A process that adopts orphans
//! ([`adopt`]) finds also those that have thrown their environment away. Nothing else is ever touched.
//!
//! Only Linux tells the environment and the parent of any process; elsewhere the process group, which is killed with
//! the app-server, is all that is found.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

/// The variable that holds the marker.
pub const VARIABLE: &str = "CODEX_MCP_APP_SERVER";

/// The mark of one app-server, or of another program of ours: the process that started it, when that began, and a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    engine: i32,
    began: u64,
    number: u64,
}

static NUMBERS: AtomicU64 = AtomicU64::new(1);

impl Marker {
    /// A mark that no other app-server has.
    #[must_use]
    pub fn mint() -> Self {
        let engine = i32::try_from(std::process::id()).unwrap_or(i32::MAX);
        let began = system::start_time(engine).unwrap_or_default();
        Self { engine, began, number: NUMBERS.fetch_add(1, Ordering::Relaxed) }
    }

    /// The variable for the app-server's environment.
    #[must_use]
    pub fn variable(&self) -> (OsString, OsString) {
        (VARIABLE.into(), self.to_string().into())
    }

    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux shows environments")
    )]
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let marker = Self {
            engine: parts.next()?.parse().ok()?,
            began: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(marker)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.engine, self.began, self.number)
    }
}

/// Makes this process the parent of every orphan among its descendants. For a process that starts nothing without a
/// marker.
pub fn adopt() {
    system::adopt();
}

/// Ends what an app-server that is gone has left, and gives how many processes that were. Blocks for some milliseconds.
pub fn sweep(marker: &Marker) -> usize {
    system::sweep(|found| found == marker)
}

/// Ends what the app-servers of engines that are gone have left. Blocks for some milliseconds.
pub fn sweep_abandoned() -> usize {
    system::sweep(|found| system::start_time(found.engine) != Some(found.began))
}

/// Waits for orphans that were adopted and have ended, so that they leave no trace in the system's list of processes.
/// To be asked now and then: what it finds is waited for when it is asked the next time.
#[derive(Debug, Default)]
pub struct Reaper {
    /// What had ended at the last look: its id, and when it began.
    seen: BTreeSet<(i32, u64)>,
}

impl Reaper {
    /// Gives how many there were. Blocks for some milliseconds.
    pub fn reap(&mut self) -> usize {
        system::reap(&mut self.seen)
    }
}

/// How much memory a process needs for itself: what is resident and not shared with a file, in bytes. The code of Codex,
/// 120 MB that all its processes share, does not count.
#[must_use]
pub fn resident_bytes(pid: u32) -> Option<u64> {
    system::resident_bytes(pid)
}

/// What the commands of an app-server use together; it does not count itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processes and their threads.
    pub threads: u64,
    /// Memory of their own.
    pub memory_bytes: u64,
    /// The time on processors of those that live and of those that they waited for.
    pub cpu: Duration,
}

/// Looks at what lives below an app-server, and at what left it and was adopted. Memory that processes share counts for
/// each, unless that makes it more than `ceiling`: then it is looked at closely. `None` where the system does not tell.
#[must_use]
pub fn usage(marker: &Marker, app_server: u32, ceiling: u64) -> Option<Usage> {
    system::usage(marker, app_server, ceiling)
}
