//! Notices processes that a test leaves behind.
//!
//! A process belongs to a test when its working directory, command line or environment mentions the
//! test's own directory. Test runners only see children that hold their output open, and Codex's
//! commands run in their own sessions, so neither process groups nor pipes would do. Linux only: it
//! reads `/proc`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long processes may take to be gone once the test is over. Codex needs about 30 ms after end
/// of input, but much longer on a busy machine.
const GRACE: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(5);

/// A live process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its process id.
    pub pid: i32,
    /// Its arguments, joined with spaces.
    pub command_line: String,
}

impl fmt::Display for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pid {}: {}", self.pid, self.command_line)
    }
}

/// Every live process whose working directory, command line or environment mentions `directory`,
/// this process excepted. Zombies have none of the three and do not count.
pub fn processes_under(directory: &Path) -> Vec<Process> {
    let needle = directory.as_os_str().as_encoded_bytes();
    let entries = fs::read_dir("/proc").expect("/proc is mounted");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let others = pids.filter(|pid| *pid as u32 != std::process::id());
    others.filter_map(|pid| mentions(pid, needle)).collect()
}

/// Those of them whose command line contains `words`. A process that was just forked has its parent's command line until
/// it becomes a program of its own, and does not count; neither does one that was killed and has not got round to dying.
pub fn programs_under(directory: &Path, words: &str) -> Vec<Process> {
    let mut found = processes_under(directory);
    found.retain(|process| process.command_line.contains(words) && !is_killed(process.pid));
    let is_fork = |process: &&Process| {
        let parent = parent(process.pid);
        found
            .iter()
            .any(|other| Some(other.pid) == parent && other.command_line == process.command_line)
    };
    found.iter().filter(|process| !is_fork(process)).cloned().collect()
}

/// Whether SIGKILL waits for a process: on a busy machine it takes a moment until it is heard.
fn is_killed(pid: i32) -> bool {
    const SIGKILL: u64 = 1 << 8;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = status.lines().filter_map(|line| {
        let ("SigPnd" | "ShdPnd", set) = line.split_once(':')? else { return None };
        u64::from_str_radix(set.trim(), 16).ok()
    });
    pending.fold(0, std::ops::BitOr::bitor) & SIGKILL != 0
}

/// The parent of a process, from the fourth field of its `stat`; the second may have anything in its parentheses.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Fails the test when processes outlive it. Declare it before what starts them, so that it is
/// dropped after.
#[derive(Debug)]
pub struct LeakGuard {
    directory: PathBuf,
    grace: Duration,
}

impl LeakGuard {
    /// Watches over `directory`, which no other test may use.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), grace: GRACE }
    }

    /// Sets how long processes may take to be gone; three seconds otherwise.
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Waits until no process is left, at most for the grace, and returns those that are.
    pub fn left_behind(&self) -> Vec<Process> {
        let mut waited = Duration::ZERO;
        loop {
            let left = processes_under(&self.directory);
            if left.is_empty() || waited >= self.grace {
                return left;
            }
            pause();
            waited += STEP;
        }
    }

    /// Checks now rather than at the end of the test.
    ///
    /// # Panics
    /// When processes are left after the grace. They are killed, so that one failure does not cause
    /// another.
    pub fn check(&self) {
        let left = self.left_behind();
        for process in &left {
            if let Some(pid) = Pid::from_raw(process.pid) {
                // It may have ended since it was listed, which is what was wanted.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let list: Vec<_> = left.iter().map(ToString::to_string).collect();
        assert!(left.is_empty(), "processes left behind:\n{}", list.join("\n"));
    }
}

impl Drop for LeakGuard {
    fn drop(&mut self) {
        // A test that already fails says more about the cause than what it leaves behind.
        if !std::thread::panicking() {
            self.check();
        }
    }
}

fn mentions(pid: i32, needle: &[u8]) -> Option<Process> {
    // Each read fails once the process is gone, or if it belongs to another user.
    let root = PathBuf::from(format!("/proc/{pid}"));
    let command_line = fs::read(root.join("cmdline")).ok()?;
    let directory = fs::read_link(root.join("cwd")).unwrap_or_default();
    let environment = fs::read(root.join("environ")).unwrap_or_default();
    let places = [&command_line, directory.as_os_str().as_encoded_bytes(), &environment];
    let found =
        places.iter().any(|place| place.windows(needle.len()).any(|window| window == needle));
    let text = String::from_utf8_lossy(&command_line).trim_end_matches('\0').replace('\0', " ");
    found.then_some(Process { pid, command_line: text })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the end of a stranger's process gives no event to wait for"
)]
fn pause() {
    std::thread::sleep(STEP);
}
