//! Memory: ours by itself, and all that a number of turns at once takes, against a process for each.
//!
//! Shared pages are counted once (PSS), as the machine has them once.

use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use testkit::home::CodexHome;
use testkit::leaks::processes_under;
use testkit::model::{FakeModel, Script, reply};

use super::lab::{self, Lab};
use super::party::{OneShot, Ours, PROMPT};
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

/// Our process alone: before anything was asked, and for each further thread.
fn own(lab: &Lab) -> Result<Vec<Row>> {
    let (mut idle, mut each) = (Vec::new(), Vec::new());
    for _ in 0..lab.samples(4) {
        let home = lab.home();
        let mut ours = Ours::start(&lab.server, &home)?;
        idle.push(megabytes(ours.client.pid(), "status", "VmRSS:")?);
        ours.new_thread()?;
        let one = megabytes(ours.client.pid(), "status", "VmRSS:")?;
        for _ in 0..THREADS {
            ours.new_thread()?;
        }
        let all = megabytes(ours.client.pid(), "status", "VmRSS:")?;
        each.push((all - one) / THREADS as f64);
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

/// All processes of this many turns at once: ours with its app-server, and a process each.
fn turns(lab: &Lab, at_once: usize) -> Result<Vec<Row>> {
    let model =
        FakeModel::start(Script::always(reply().pauses(THINKING).says("pong")).without_capture());
    let (ours_home, native_home, shell_home) =
        (lab::home(&model), lab::home(&model), lab::home(&model));
    let mut server = Ours::start(&lab.server, &ours_home)?;
    let threads = (0..at_once)
        .map(|_| server.new_thread())
        .collect::<Result<Vec<_>>>()?;
    let native = threads_of(OneShot::Native, &native_home, at_once)?;
    let shell = threads_of(OneShot::Shell, &shell_home, at_once)?;
    let [mut ours, mut natives, mut shells] = <[Vec<f64>; 3]>::default();
    for _ in 0..lab.samples(4) {
        ours.push(server_peak(&mut server, &ours_home, &threads)?);
        natives.push(process_peak(OneShot::Native, &native_home, &native)?);
        shells.push(process_peak(OneShot::Shell, &shell_home, &shell)?);
    }
    let what = if at_once == 1 {
        "memory of a turn (PSS)"
    } else {
        "memory of 8 turns at once (PSS)"
    };
    let row = |name, others| Row {
        what,
        unit: "MB",
        ours: Samples::new(ours.clone()),
        other: Some((name, Samples::new(others))),
        outcome: Outcome::Saved,
        target: Some(Target::AtLeast(60.0)),
    };
    Ok(vec![
        row("shell, npm shim, exec resume", shells),
        row("native exec resume", natives),
    ])
}

fn threads_of(one_shot: OneShot, home: &CodexHome, count: usize) -> Result<Vec<String>> {
    (0..count).map(|_| one_shot.new_thread(home)).collect()
}

/// The most that our server and its app-server have while a turn runs on each thread.
fn server_peak(server: &mut Ours, home: &CodexHome, threads: &[String]) -> Result<f64> {
    let mut calls = Vec::new();
    for thread in threads {
        let arguments = json!({ "threadId": thread, "prompt": PROMPT });
        calls.push(server.begin("codex-reply", arguments)?);
    }
    let begun = Instant::now();
    let peak = peak_while(home, || Ok(begun.elapsed() < THINKING))?;
    // Replies come in any order, and each names its call.
    let mut left = calls.len();
    while left > 0 {
        let line = server.client.next_line()?;
        if line.contains("\"isError\":true") {
            bail!("a turn failed: {line}");
        }
        left -= usize::from(line.contains("\"structuredContent\""));
    }
    Ok(peak)
}

/// The most that the processes of a turn on each thread have.
fn process_peak(one_shot: OneShot, home: &CodexHome, threads: &[String]) -> Result<f64> {
    let mut children = Vec::new();
    for thread in threads {
        children.push(
            one_shot
                .turn(home, thread)
                .spawn()
                .context("cannot start Codex")?,
        );
    }
    let peak = peak_while(home, || any_runs(&mut children))?;
    for mut child in children {
        if !child
            .wait()
            .context("Codex cannot be waited for")?
            .success()
        {
            bail!("a turn failed");
        }
    }
    Ok(peak)
}

fn any_runs(children: &mut [Child]) -> Result<bool> {
    for child in children {
        if child
            .try_wait()
            .context("Codex cannot be waited for")?
            .is_none()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the memory of all processes of a home again and again, and returns the most that it was, in megabytes.
fn peak_while(home: &CodexHome, mut goes_on: impl FnMut() -> Result<bool>) -> Result<f64> {
    let mut peak: f64 = 0.0;
    while goes_on()? {
        let processes = processes_under(home.root());
        // A process may end between the two looks.
        let sizes = processes.iter().filter_map(|process| {
            let pid = u32::try_from(process.pid).ok()?;
            megabytes(pid, "smaps_rollup", "Pss:").ok()
        });
        peak = peak.max(sizes.sum());
    }
    Ok(peak)
}

/// A line of a file about a process, in megabytes.
fn megabytes(pid: u32, file: &str, field: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/{file}");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kilobytes.with_context(|| format!("{path} says nothing of {field}"))? / 1024.0)
}
