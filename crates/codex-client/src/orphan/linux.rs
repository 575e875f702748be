//! Linux: everything is in `/proc`.

mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rustix::process::{
    Pid, Signal, WaitOptions, child_subreaper, getpid, kill_process, set_child_subreaper, waitpid,
};

use super::{Marker, VARIABLE};

pub(super) use usage::usage;

/// How often is looked again: what is killed may have forked in between.
const ROUNDS: usize = 5;

pub(super) fn adopt() {
    if let Err(error) = set_child_subreaper(Some(getpid())) {
        tracing::warn!(%error, "orphans cannot be adopted; those that hide their origin stay");
    }
}

/// When a process began, in clock ticks since the system did: with the id it names one process for good.
pub(super) fn start_time(pid: i32) -> Option<u64> {
    began(&stat(pid)?)
}

fn began(stat: &[String]) -> Option<u64> {
    stat.get(19)?.parse().ok()
}

/// The fields of `/proc/PID/stat` behind the name, which may hold anything: the state is the first, the parent the
/// second.
fn stat(pid: i32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn is_child(stat: &[String], own: Pid) -> bool {
    stat.get(1).is_some_and(|parent| parent.parse() == Ok(own.as_raw_nonzero().get()))
}

fn is_zombie(stat: &[String]) -> bool {
    stat.first().is_some_and(|state| state == "Z")
}

pub(super) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// What is known of a process.
struct Process {
    marker: Option<Marker>,
    is_child: bool,
    is_zombie: bool,
    /// Whether it runs this very program: it is about to become an app-server.
    is_fork: bool,
    /// In clock ticks since the system did.
    began: u64,
}

pub(super) fn sweep(is_orphan: impl Fn(&Marker) -> bool) -> usize {
    let mut ended = BTreeMap::new();
    for _ in 0..ROUNDS {
        let orphans = orphans(&is_orphan);
        let mut new = false;
        for (pid, process) in orphans {
            if !process.is_zombie && kill_process(pid, Signal::KILL).is_ok() {
                new |= ended.insert(pid.as_raw_nonzero(), ()).is_none();
            }
        }
        if !new {
            break;
        }
    }
    ended.len()
}

/// Waits for adopted children that have ended: nobody else does. A child that was already there to be waited for at the
/// last look is one, because whoever starts a process waits for its end at once.
pub(super) fn reap(seen: &mut BTreeSet<(i32, u64)>) -> usize {
    let own = getpid();
    let zombie = |pid: Pid| {
        let stat = stat(pid.as_raw_nonzero().get())?;
        let is_ours = is_zombie(&stat) && is_child(&stat, own);
        is_ours.then_some(((pid.as_raw_nonzero().get(), began(&stat)?), pid))
    };
    let zombies: BTreeMap<_, _> = pids().filter_map(zombie).collect();
    let before = std::mem::take(seen);
    let (adopted, new): (Vec<_>, Vec<_>) =
        zombies.into_iter().partition(|(name, _)| before.contains(name));
    seen.extend(new.into_iter().map(|(name, _)| name));
    let waited = |pid| waitpid(Some(pid), WaitOptions::NOHANG).is_ok_and(|status| status.is_some());
    adopted.into_iter().filter(|(_, pid)| waited(*pid)).count()
}

fn orphans(is_orphan: &impl Fn(&Marker) -> bool) -> Vec<(Pid, Process)> {
    let own = getpid();
    let adopting = child_subreaper().is_ok_and(|subreaper| subreaper.is_some());
    let mut found: Vec<(Pid, Process)> =
        pids().filter_map(|pid| Some((pid, look(pid, own)?))).collect();
    let is_known =
        |process: &Process| process.marker.as_ref().is_some_and(|marker| !is_orphan(marker));
    // What hides its origin cannot come from an app-server that began after it.
    let living = found.iter().filter(|(_, process)| process.is_child && is_known(process));
    let oldest = living.map(|(_, process)| process.began).min().unwrap_or(u64::MAX);
    found.retain(|(_, process)| match &process.marker {
        Some(marker) => is_orphan(marker),
        None => process.is_child && adopting && !process.is_fork && process.began < oldest,
    });
    found
}

fn pids() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter_map(Pid::from_raw).filter(|pid| *pid != getpid())
}

/// The marker that a process carries.
fn marker(pid: i32) -> Option<Marker> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|variable| {
        let value =
            std::str::from_utf8(variable).ok()?.strip_prefix(VARIABLE)?.strip_prefix('=')?;
        Marker::parse(value)
    })
}

/// Looks at a process, if it is ours to look at: a child, or one whose environment can be read and is marked.
fn look(pid: Pid, own: Pid) -> Option<Process> {
    let number = pid.as_raw_nonzero().get();
    let stat = stat(number)?;
    let is_child = is_child(&stat, own);
    let program = |pid: &str| fs::read_link(format!("/proc/{pid}/exe")).ok();
    let is_fork =
        is_child && program("self").is_some_and(|own| program(&number.to_string()) == Some(own));
    let marker = marker(number);
    let process =
        Process { marker, is_child, is_zombie: is_zombie(&stat), is_fork, began: began(&stat)? };
    (is_child || process.marker.is_some()).then_some(process)
}
