//! Memory: ours by itself, and all that a number of turns at once takes, against a process for each.
//!
//! All processes of a party count, from the shell to the app-server.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use testkit::home::CodexHome;
use testkit::leaks::processes_under;
use testkit::model::{FakeModel, Script, reply};

use super::lab::{self, Lab};
use super::party::{OneShot, Ours, PROMPT};
use super::process::{self, megabytes};
use super::row::{Outcome, Row, Target};
use super::samples::Samples;

/// Threads over which the growth of our own memory is read.
const THREADS: usize = 50;
/// How long the model thinks, so that turns at once are at once.
const THINKING: Duration = Duration::from_millis(1500);
/// Turns at once, besides a single one.
const AT_ONCE: usize = 8;

/// All rows about memory.
pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let mut rows = own(lab)?;
    rows.extend(turns(lab, 1)?);
    rows.extend(turns(lab, AT_ONCE)?);
    Ok(rows)
}

/// Our processes alone, the client's front and the engine: before anything was asked, and for each further thread.
fn own(lab: &Lab) -> Result<Vec<Row>> {
    let (mut idle, mut each) = (Vec::new(), Vec::new());
    for _ in 0..lab.samples(4) {
        let home = lab.home();
        let mut ours = Ours::start(&lab.server, &home)?;
        let (front, engine) = (ours.client.pid(), process::engine(&home)?);
        let resident = || -> Result<f64> {
            Ok(megabytes(front, "status", "VmRSS:")? + megabytes(engine, "status", "VmRSS:")?)
        };
        idle.push(resident()?);
        ours.new_thread()?;
        let one = resident()?;
        for _ in 0..THREADS {
            ours.new_thread()?;
        }
        each.push((resident()? - one) / THREADS as f64);
    }
    let row = |what, samples, limit| Row {
        what,
        unit: "MB",
        ours: Samples::new(samples),
        other: None,
        outcome: Outcome::Median,
        target: Some(Target::AtMost(limit)),
    };
    Ok(vec![
        row("our own memory, idle (RSS)", idle, 20.0),
        row("our own memory, each further thread", each, 1.0),
    ])
}

/// What one party's processes have at their most, in megabytes, sample by sample.
#[derive(Default)]
struct Peaks {
    /// Shared pages are counted once for all processes of the machine that share them.
    shared_once: Vec<f64>,
    /// Shared pages are counted for each process, as `ps` and `top` do.
    resident: Vec<f64>,
}

impl Peaks {
    fn push(&mut self, peak: Memory) {
        self.shared_once.push(peak.shared_once);
        self.resident.push(peak.resident);
    }
}

/// All processes of this many turns at once: our server with its app-server, and a process each. Only one party runs
/// at a time, because shared pages would be split between them.
fn turns(lab: &Lab, at_once: usize) -> Result<Vec<Row>> {
    let reply = reply().pauses(THINKING).says("pong");
    let model = FakeModel::start(Script::always(reply).without_capture());
    let homes = [lab::home(&model), lab::home(&model), lab::home(&model)];
    let native = threads_of(OneShot::Native, &homes[1], at_once)?;
    let shell = threads_of(OneShot::Shell, &homes[2], at_once)?;
    let [mut ours, mut natives, mut shells] = <[Peaks; 3]>::default();
    for _ in 0..lab.samples(4) {
        ours.push(server_peak(lab, &homes[0], at_once)?);
        natives.push(process_peak(OneShot::Native, &homes[1], &native)?);
        shells.push(process_peak(OneShot::Shell, &homes[2], &shell)?);
    }
    let [once, resident] = match at_once {
        1 => ["memory of a turn (PSS)", "memory of a turn (RSS)"],
        _ => ["memory of 8 turns at once (PSS)", "memory of 8 turns at once (RSS)"],
    };
    let row = |what, ours: &[f64], name, others: Vec<f64>| Row {
        what,
        unit: "MB",
        ours: Samples::new(ours.to_vec()),
        other: Some((name, Samples::new(others))),
        outcome: Outcome::Saved,
        target: Some(Target::AtLeast(60.0)),
    };
    Ok(vec![
        row(once, &ours.shared_once, "shell, npm shim, exec resume", shells.shared_once),
        row(once, &ours.shared_once, "native exec resume", natives.shared_once),
        row(resident, &ours.resident, "shell, npm shim, exec resume", shells.resident),
    ])
}

fn threads_of(one_shot: OneShot, home: &CodexHome, count: usize) -> Result<Vec<String>> {
    (0..count).map(|_| one_shot.new_thread(home)).collect()
}

/// The most that our server and its app-server have while this many turns run.
fn server_peak(lab: &Lab, home: &CodexHome, at_once: usize) -> Result<Memory> {
    let mut server = Ours::start(&lab.server, home)?;
    for _ in 0..at_once {
        server.begin("codex", json!({ "prompt": PROMPT }))?;
    }
    let begun = Instant::now();
    let peak = peak_while(home, || Ok(begun.elapsed() < THINKING))?;
    let mut left = at_once;
    while left > 0 {
        let line = server.client.next_line()?;
        if line.contains("\"isError\":true") {
            bail!("a turn failed: {line}");
        }
        left -= usize::from(line.contains("\"structuredContent\""));
    }
    server.client.end()?;
    Ok(peak)
}

/// The most that the processes of a turn on each thread have.
fn process_peak(one_shot: OneShot, home: &CodexHome, threads: &[String]) -> Result<Memory> {
    let mut children = Vec::new();
    for thread in threads {
        children.push(one_shot.turn(home, thread).spawn().context("cannot start Codex")?);
    }
    let peak = peak_while(home, || any_runs(&mut children))?;
    for mut child in children {
        if !child.wait().context("Codex cannot be waited for")?.success() {
            bail!("a turn failed");
        }
    }
    Ok(peak)
}

fn any_runs(children: &mut [Child]) -> Result<bool> {
    for child in children {
        if child.try_wait().context("Codex cannot be waited for")?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Memory of some processes together, in megabytes, counted in both ways.
#[derive(Clone, Copy, Default)]
struct Memory {
    shared_once: f64,
    resident: f64,
}

/// Reads the memory of all processes of a home again and again, and returns the most that it was.
fn peak_while(home: &CodexHome, mut goes_on: impl FnMut() -> Result<bool>) -> Result<Memory> {
    let mut peak = Memory::default();
    while goes_on()? {
        let mut now = Memory::default();
        for process in processes_under(home.root()) {
            let pid = u32::try_from(process.pid).context("a process id is positive")?;
            // A process may end between the two looks.
            now.shared_once += megabytes(pid, "smaps_rollup", "Pss:").unwrap_or_default();
            now.resident += megabytes(pid, "smaps_rollup", "Rss:").unwrap_or_default();
        }
        peak.shared_once = peak.shared_once.max(now.shared_once);
        peak.resident = peak.resident.max(now.resident);
    }
    Ok(peak)
}
