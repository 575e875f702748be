//! `cargo xtask bench`: the numbers that the product is held to, measured side by side in one run.
//!
//! Everything runs on one scripted model that answers at once, with the real pinned Codex, so what differs is what
//! lies between. It never compares with numbers of another run or of another machine.

mod changes;
mod chaos;
mod cpu;
mod lab;
mod latency;
mod line_client;
mod machine;
mod memory;
mod party;
mod process;
mod repo;
mod row;
mod samples;
mod soak;
mod start;
mod stop;
mod turns;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::command;
use crate::server::{self, Profile};
use crate::tools;
use crate::workspace::Workspace;
use lab::Lab;
use row::Row;

/// What `cargo xtask bench` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Take few samples: a look, not a measurement.
    #[arg(long)]
    quick: bool,
    /// Also write the numbers to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure this server instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    server: Option<PathBuf>,
    /// Measure what takes long instead: 2,000 turns of 20 clients, and 2,000 calls under 40 kills of the app-server.
    #[arg(long)]
    soak: bool,
    /// Measure only the rows of these groups: turns, first-turn, memory, latency, start, stop, repo, changes; with --soak: soak, chaos.
    groups: Vec<String>,
}

/// Measures one group of rows.
type Group = fn(&Lab) -> Result<Vec<Row>>;

const GROUPS: &[(&str, Group)] = &[
    ("turns", turns::rows),
    ("first-turn", turns::first_turn),
    ("memory", memory::rows),
    ("latency", latency::rows),
    ("start", start::rows),
    ("stop", stop::rows),
    ("repo", repo::rows),
    ("changes", changes::rows),
];

/// Those that take minutes.
const LONG_GROUPS: &[(&str, Group)] = &[("soak", soak::rows), ("chaos", chaos::rows)];

/// Builds the server as a user gets it, measures it, and prints a table. A target that is missed is shown, and is no
/// failure: a busy machine misses it too.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    tools::run(workspace)?;
    let server = match &options.server {
        Some(server) => server.clone(),
        None => server::build(workspace, Profile::Release)?,
    };
    let stand_in = ["build", "--package", "testkit", "--bin", "fake-app-server"];
    command::run(&mut workspace.cargo(&stand_in))?;
    let lab = Lab::new(server, if options.quick { 1 } else { 4 })?;
    let before = machine::describe();
    println!("\n{before}");
    let mut rows = Vec::new();
    for (name, group) in if options.soak { LONG_GROUPS } else { GROUPS } {
        let wanted = options.groups.is_empty() || options.groups.iter().any(|group| group == name);
        if wanted {
            println!("measuring: {name}");
            rows.extend(group(&lab).with_context(|| format!("cannot measure {name}"))?);
        }
    }
    let after = machine::describe();
    println!("{after}\n\n{}", row::table(&rows));
    if let Some(path) = &options.json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        let all = json!({ "machine": before, "machineAfter": after, "rows": rows });
        std::fs::write(path, format!("{all:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
