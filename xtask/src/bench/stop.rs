//! The end of a turn that is cancelled, and of the whole server: answered, and nothing left running.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::json;
use testkit::home::CodexHome;
use testkit::leaks::processes_under;
use testkit::model::{FakeModel, Script, runs};

use super::lab::{self, Lab};
use super::party::{Ours, PROMPT, text};
use super::row::{Outcome, Row, Target};
use super::samples::Samples;

/// A command that ends only when it is stopped.
const COMMAND: &str = "sleep 600";
/// How long to look for processes to appear or to vanish.
const PATIENCE: Duration = Duration::from_secs(10);

/// All rows about ends.
pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let model = FakeModel::start(Script::always(runs(COMMAND)).without_capture());
    let mut rows = cancel(lab, &model)?;
    rows.push(shutdown_idle(lab)?);
    rows.push(shutdown_busy(lab, &model)?);
    Ok(rows)
}

fn cancel(lab: &Lab, model: &FakeModel) -> Result<Vec<Row>> {
    let home = lab::home(model);
    let mut ours = Ours::start(&lab.server, &home)?;
    let (mut answered, mut gone) = (Vec::new(), Vec::new());
    for _ in 0..lab.samples(20) {
        let background = json!({ "prompt": PROMPT, "background": true });
        let thread = text(&ours.call("codex", background)?["threadId"])?;
        wait_for(&home, Commands::Running)?;
        let begun = Instant::now();
        ours.call("codex.cancel", json!({ "threadId": thread }))?;
        answered.push(begun.elapsed());
        wait_for(&home, Commands::Gone)?;
        gone.push(begun.elapsed());
    }
    let row = |what, times: &[Duration]| Row {
        what,
        unit: "ms",
        ours: Samples::of_times(times),
        other: None,
        outcome: Outcome::P99,
        target: Some(Target::AtMost(500.0)),
    };
    Ok(vec![
        row("cancel to answered", &answered),
        row("cancel to answered, its command gone", &gone),
    ])
}

fn shutdown_idle(lab: &Lab) -> Result<Row> {
    let mut times = Vec::new();
    for _ in 0..lab.samples(12) {
        let home = lab.home();
        let mut ours = Ours::start(&lab.server, &home)?;
        ours.new_thread()?;
        times.push(end(&mut ours, &home)?);
    }
    Ok(shutdown("end of input to nothing left, idle", &times))
}

fn shutdown_busy(lab: &Lab, model: &FakeModel) -> Result<Row> {
    let mut times = Vec::new();
    for _ in 0..lab.samples(12) {
        let home = lab::home(model);
        let mut ours = Ours::start(&lab.server, &home)?;
        ours.begin("codex", json!({ "prompt": PROMPT }))?;
        wait_for(&home, Commands::Running)?;
        times.push(end(&mut ours, &home)?);
    }
    Ok(shutdown("end of input to nothing left, a turn running", &times))
}

fn shutdown(what: &'static str, times: &[Duration]) -> Row {
    Row {
        what,
        unit: "ms",
        ours: Samples::of_times(times),
        other: None,
        outcome: Outcome::Median,
        target: None,
    }
}

/// Closes the server's input, and returns how long it took until no process of its home was left.
fn end(ours: &mut Ours, home: &CodexHome) -> Result<Duration> {
    let begun = Instant::now();
    let status = ours.client.end()?;
    let server_gone = begun.elapsed();
    if !status.success() {
        bail!("the server ended badly: {status}");
    }
    if processes_under(home.root()).is_empty() {
        return Ok(server_gone);
    }
    while !processes_under(home.root()).is_empty() {
        if begun.elapsed() > PATIENCE {
            bail!("processes are left behind");
        }
    }
    Ok(begun.elapsed())
}

/// Whether a command of a turn is a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Commands {
    Running,
    Gone,
}

fn wait_for(home: &CodexHome, wanted: Commands) -> Result<()> {
    let begun = Instant::now();
    loop {
        let processes = processes_under(home.root());
        let found = match processes.iter().any(|process| process.command_line == COMMAND) {
            true => Commands::Running,
            false => Commands::Gone,
        };
        if found == wanted {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            bail!("a command is not {wanted:?} after {PATIENCE:?}");
        }
    }
}
