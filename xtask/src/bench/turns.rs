//! Turns on a thread that is loaded: through us, on a bare app-server, and by a process each.
//!
//! The parties take turns, so that what the machine does meanwhile hits all of them.

use anyhow::Result;

use super::cpu;
use super::lab::{Lab, time};
use super::party::{self, Bare, OneShot, Ours};
use super::row::{Outcome, Row, Target, saved};
use super::samples::Samples;

/// Turns that nobody counts.
const WARM_UP: usize = 10;
/// Turns over which processor time is read together.
const BLOCK: usize = 5;

/// Warm turns, against the bare app-server and against processes.
pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let mut rows = vec![against_bare(lab)?];
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
    let (home, bare_home) = (lab.home(), lab.home());
    let mut ours = Ours::start(&lab.server, &home)?;
    let mut bare = Bare::start(&bare_home)?;
    let (thread, bare_thread) = (ours.new_thread()?, bare.new_thread(&bare_home)?);
    let (mut through_us, mut without) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + lab.samples(100) {
        let a = time(|| ours.turn(&thread))?;
        let b = time(|| bare.turn(&bare_thread))?;
        if number >= WARM_UP {
            through_us.push(a);
            without.push(b);
        }
    }
    Ok(Row {
        what: "warm turn",
        unit: "ms",
        ours: Samples::of_times(&through_us),
        other: Some(("bare app-server", Samples::of_times(&without))),
        outcome: Outcome::More,
        target: Some(Target::AtMost(1.0)),
    })
}

/// What one party took.
#[derive(Default)]
struct Cost {
    times: Vec<std::time::Duration>,
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
    let wall = |what, other, cost: &Cost, least| Row {
        what,
        unit: "ms",
        ours: ours.times(),
        other: Some((other, cost.times())),
        outcome: Outcome::Saved,
        target: Some(Target::AtLeast(least)),
    };
    let cpu = |what, other, cost: &Cost, target| Row {
        what,
        unit: "ms",
        ours: ours.cpu(),
        other: Some((other, cost.cpu())),
        outcome: Outcome::Saved,
        target,
    };
    // A bare app-server saves this much against the native program; we may save 2 % less.
    let possible = saved(&bare.times(), &native.times());
    vec![
        wall("warm turn", "shell, npm shim, exec resume", shell, 80.0),
        wall("warm turn", "native exec resume", native, possible - 2.0),
        cpu(
            "CPU of a warm turn",
            "shell, npm shim, exec resume",
            shell,
            Some(Target::AtLeast(60.0)),
        ),
        cpu("CPU of a warm turn", "native exec resume", native, Some(Target::AtLeast(60.0))),
        cpu("CPU of a warm turn", "bare app-server", bare, None),
    ]
}
