//! From an event of Codex to the progress notification: the part of a client's wait that is ours.
//!
//! A stand-in takes the place of Codex. Once a turn runs, the bench itself writes the events into the pipe that our
//! server reads, so that one clock times both ends.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;
use testkit::fake_app_server::{self, Play, command_begins};
use testkit::leaks::processes_under;

use super::lab::Lab;
use super::party::{Ours, PROMPT};
use super::row::{Outcome, Row, Target};
use super::samples::Samples;

/// News of one call are merged if they come within a tenth of a second.
const GAP: Duration = Duration::from_millis(120);
const WARM_UP: usize = 5;

/// The times of single events, far enough apart not to be merged.
pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.home();
    let codex = fake_app_server::install(home.root(), &Play::new().begins_turn(1).script());
    let mut ours = Ours::start_with(&lab.server, &home, &codex)?;
    ours.begin("codex", json!({ "prompt": PROMPT }))?;
    ours.client.wait_for("Codex is at work")?;
    let program = codex.display().to_string();
    let stand_in = processes_under(home.root())
        .into_iter()
        .find(|process| process.command_line.starts_with(&program))
        .context("the stand-in for Codex does not run")?;
    let pipe = format!("/proc/{}/fd/1", stand_in.pid);
    let mut pipe = OpenOptions::new()
        .write(true)
        .open(&pipe)
        .with_context(|| format!("cannot open {pipe}"))?;
    let mut times = Vec::new();
    for number in 0..WARM_UP + lab.samples(400) {
        thread::sleep(GAP);
        let event = format!("{}\n", command_begins(1, number));
        let begun = Instant::now();
        pipe.write_all(event.as_bytes()).context("our server does not read")?;
        ours.client.wait_for(&format!("running: step {number}\""))?;
        if number >= WARM_UP {
            times.push(begun.elapsed());
        }
    }
    Ok(vec![Row {
        what: "event of Codex to progress",
        unit: "ms",
        ours: Samples::of_times(&times),
        other: None,
        outcome: Outcome::P99,
        target: Some(Target::AtMost(1.0)),
    }])
}
