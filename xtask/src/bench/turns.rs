//! Turns on a thread that is loaded: through us, on a bare app-server, and by a process each.
//!
//! The parties take turns, so that what the machine does meanwhile hits all of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use testkit::fake_app_server::{self, Play};
use testkit::home::CodexHome;
use testkit::tools;

use super::cpu;
use super::lab::{Lab, time};
use super::party::{self, Bare, OneShot, Ours};
use super::row::{Outcome, Row, Target, saved};
use super::samples::Samples;

/// Turns that nobody counts.
const WARM_UP: usize = 10;
/// Turns over which processor time is read together.
const BLOCK: usize = 5;

const SHELL: &str = "shell, npm shim, exec resume";
const NATIVE: &str = "native exec resume";

/// Warm turns, against the bare app-server and against processes.
pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let mut rows = vec![against_bare(lab)?, against_bare_stand_in(lab)?];
    rows.extend(against_processes(lab)?);
    Ok(rows)
}

/// The first turn of a new thread, in turns with one of a loaded thread on the same server, and with the first turn
/// of a new thread on a bare app-server.
pub(super) fn first_turn(lab: &Lab) -> Result<Vec<Row>> {
    let (home, bare_home) = (lab.home(), lab.home());
    let mut ours = Ours::start(&lab.server, &home)?;
    let mut bare = Bare::start(&bare_home)?;
    let thread = ours.new_thread()?;
    let (mut first, mut warm, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..WARM_UP + lab.samples(40) {
        let a = time(|| ours.new_thread().map(drop))?;
        let b = time(|| ours.turn(&thread))?;
        let c = time(|| bare.new_thread(&bare_home).map(drop))?;
        if number >= WARM_UP {
            first.push(a);
            warm.push(b);
            without.push(c);
        }
    }
    let row = |name, other, outcome, target| Row {
        what: "first turn of a new thread",
        unit: "ms",
        ours: Samples::of_times(&first),
        other: Some((name, Samples::of_times(other))),
        outcome,
        target,
    };
    Ok(vec![
        row("warm turn", &warm, Outcome::Ratio, Some(Target::AtMost(1.5))),
        row("bare app-server", &without, Outcome::More, None),
    ])
}

fn against_bare(lab: &Lab) -> Result<Row> {
    let homes = [lab.home(), lab.home()];
    let codex = tools::codex();
    pairs(lab, "warm turn", "bare app-server", &homes, [&codex, &codex], lab.samples(100))
}

/// The same with a stand-in for Codex that answers at once: what is left is what we add, free of Codex's own ups and
/// downs.
fn against_bare_stand_in(lab: &Lab) -> Result<Row> {
    let homes = [lab.home(), lab.home()];
    let samples = lab.samples(1000);
    let turns = 0..2 + WARM_UP + samples;
    let script = turns.fold(Play::new(), Play::completes_turn).script();
    let codex = homes.each_ref().map(|home| fake_app_server::install(home.root(), &script));
    let what = "turn of a stand-in for Codex";
    pairs(lab, what, "the same, bare", &homes, codex.each_ref().map(PathBuf::as_path), samples)
}

/// Turns through us and turns without us, one after the other.
fn pairs(
    lab: &Lab,
    what: &'static str,
    other: &'static str,
    homes: &[CodexHome; 2],
    codex: [&Path; 2],
    samples: usize,
) -> Result<Row> {
    let mut ours = Ours::start_with(&lab.server, &homes[0], codex[0])?;
    let mut bare = Bare::start_with(&homes[1], codex[1])?;
    let (thread, bare_thread) = (ours.new_thread()?, bare.new_thread(&homes[1])?);
    let (mut through_us, mut without) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + samples {
        let a = time(|| ours.turn(&thread))?;
        let b = time(|| bare.turn(&bare_thread))?;
        if number >= WARM_UP {
            through_us.push(a);
            without.push(b);
        }
    }
    Ok(Row {
        what,
        unit: "ms",
        ours: Samples::of_times(&through_us),
        other: Some((other, Samples::of_times(&without))),
        outcome: Outcome::More,
        target: Some(Target::AtMost(1.0)),
    })
}

/// What one party took.
#[derive(Default)]
struct Cost {
    times: Vec<Duration>,
    /// Milliseconds of processor time a turn, block by block.
    cpu: Vec<f64>,
}

impl Cost {
    /// Takes a block of turns; `spent` reads the processor time that the party has spent so far.
    fn block(
        &mut self,
        spent: impl Fn() -> Result<f64>,
        mut turn: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let before = spent()?;
        for _ in 0..BLOCK {
            self.times.push(time(&mut turn)?);
        }
        self.cpu.push((spent()? - before) / BLOCK as f64);
        Ok(())
    }

    fn times(&self) -> Samples {
        Samples::of_times(&self.times)
    }

    fn cpu(&self) -> Samples {
        Samples::new(self.cpu.clone())
    }
}

fn against_processes(lab: &Lab) -> Result<Vec<Row>> {
    let homes = [lab.home(), lab.home(), lab.home(), lab.home()];
    let mut ours = Ours::start(&lab.server, &homes[0])?;
    let mut bare = Bare::start(&homes[1])?;
    let thread = ours.new_thread()?;
    let bare_thread = bare.new_thread(&homes[1])?;
    let native_thread = OneShot::Native.new_thread(&homes[2])?;
    let shell_thread = OneShot::Shell.new_thread(&homes[3])?;
    let pids = [ours.client.pid(), ours.app_server()?];
    let bare_pid = bare.client.pid();
    let [mut a, mut b, mut native, mut shell] = <[Cost; 4]>::default();
    let mut native_turn = OneShot::Native.turn(&homes[2], &native_thread);
    let mut shell_turn = OneShot::Shell.turn(&homes[3], &shell_thread);
    for number in 0..1 + lab.samples(8) {
        a.block(
            || Ok(cpu::of_process(pids[0])? + cpu::of_process(pids[1])?),
            || ours.turn(&thread),
        )?;
        b.block(|| cpu::of_process(bare_pid), || bare.turn(&bare_thread))?;
        native.block(cpu::of_ended_children, || party::run(&mut native_turn))?;
        shell.block(cpu::of_ended_children, || party::run(&mut shell_turn))?;
        if number == 0 {
            [a, b, native, shell] = Default::default();
        }
    }
    Ok(process_rows(&a, &b, &native, &shell))
}

fn process_rows(ours: &Cost, bare: &Cost, native: &Cost, shell: &Cost) -> Vec<Row> {
    let row = |what, unit, ours: Samples, other, theirs: Samples, target| Row {
        what,
        unit,
        ours,
        other: Some((other, theirs)),
        outcome: Outcome::Saved,
        target,
    };
    let wall = |who, what, other, cost: &Cost, target: Option<f64>| {
        let who: &Cost = who;
        row(what, "ms", who.times(), other, cost.times(), target.map(Target::AtLeast))
    };
    let cpu = |other, cost: &Cost, target: Option<f64>| {
        let what = "CPU of a warm turn";
        row(what, "ms", ours.cpu(), other, cost.cpu(), target.map(Target::AtLeast))
    };
    // We may save 2 % less than is possible.
    let possible = saved(&bare.times(), &native.times());
    let reference = "for comparison: bare app-server, warm turn";
    vec![
        wall(ours, "warm turn", SHELL, shell, Some(80.0)),
        wall(bare, reference, SHELL, shell, None),
        wall(ours, "warm turn", NATIVE, native, Some(possible - 2.0)),
        wall(bare, reference, NATIVE, native, None),
        cpu(SHELL, shell, Some(60.0)),
        cpu(NATIVE, native, Some(60.0)),
        cpu("bare app-server", bare, None),
    ]
}
