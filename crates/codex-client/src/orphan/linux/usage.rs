//! How much the commands of an app-server use, added up over the tree of their processes.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::process::getpid;

use super::{marker, pids, stat};
use crate::orphan::{Marker, Usage};

pub(in crate::orphan) fn usage(marker: &Marker, app_server: u32, ceiling: u64) -> Option<Usage> {
    let app_server = i32::try_from(app_server).ok()?;
    let processes = tree(marker, app_server);
    let mut usage = Usage::default();
    // What has ended counts where it was waited for.
    let mut ticks = waited(app_server);
    for (pid, stat) in &processes {
        usage.threads += stat.threads;
        usage.memory_bytes += memory(*pid);
        ticks += stat.ticks;
    }
    let second = clock_ticks_per_second().max(1);
    usage.cpu = Duration::from_millis(ticks.saturating_mul(1000) / second);
    if usage.memory_bytes > ceiling {
        let close = processes.iter().map(|(pid, _)| share(*pid).unwrap_or_else(|| memory(*pid)));
        usage.memory_bytes = close.sum();
    }
    Some(usage)
}

struct Stat {
    parent: i32,
    ticks: u64,
    threads: u64,
}

/// What lives below the app-server, and what was adopted and carries its marker, with what lives below that.
fn tree(wanted: &Marker, app_server: i32) -> Vec<(i32, Stat)> {
    let own = getpid().as_raw_nonzero().get();
    let numbers = pids().map(|pid| pid.as_raw_nonzero().get());
    let mut all: BTreeMap<i32, Stat> = numbers.filter_map(|pid| Some((pid, read(pid)?))).collect();
    all.remove(&app_server);
    let mut parents = vec![app_server];
    let is_adopted =
        |pid: &i32, stat: &Stat| stat.parent == own && marker(*pid).as_ref() == Some(wanted);
    let mut found: Vec<(i32, Stat)> =
        all.extract_if(.., |pid, stat| is_adopted(pid, stat)).collect();
    parents.extend(found.iter().map(|(pid, _)| *pid));
    while !parents.is_empty() {
        let children: Vec<(i32, Stat)> =
            all.extract_if(.., |_, stat| parents.contains(&stat.parent)).collect();
        parents = children.iter().map(|(pid, _)| *pid).collect();
        found.extend(children);
    }
    found
}

/// The time of the children that a process has waited for.
fn waited(pid: i32) -> u64 {
    let fields = stat(pid).unwrap_or_default();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    (13..15).filter_map(number).fold(0, u64::saturating_add)
}

/// The numbers of `/proc/PID/stat` behind the name: the parent is the second, times begin with the twelfth.
fn read(pid: i32) -> Option<Stat> {
    let fields = stat(pid)?;
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        // Of itself and of the children that it has waited for, as a user and inside the system.
        ticks: (11..15).filter_map(number).fold(0, u64::saturating_add),
        threads: number(17)?,
    })
}

/// What is in memory and belongs to no file, shared or not.
fn memory(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    kilobytes(&status, &["RssAnon:", "RssShmem:"])
}

/// A process's share of what it has in memory: what it shares with others counts for each by its part.
fn share(pid: i32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    Some(kilobytes(&rollup, &["Pss_Anon:", "Pss_Shmem:"]))
}

fn kilobytes(text: &str, names: &[&str]) -> u64 {
    let number = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
    let wanted = text.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
    wanted.filter_map(number).sum::<u64>().saturating_mul(1024)
}
