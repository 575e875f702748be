//! From the start of our process to its first answer, with the engine there and without.

use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::mcp::MODERN_VERSION;
use testkit::tools;

use super::lab::Lab;
use super::line_client::LineClient;
use super::party::{Ours, greeting, server_command};
use super::process;
use super::row::{Outcome, Row, Target};
use super::samples::Samples;

/// Both ways in which a client opens a connection.
pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN_VERSION,
        "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let discover = ("server/discover", json!({ "_meta": meta }));
    let initialize = ("initialize", greeting());
    let home = lab.home();
    let cold = opened(lab, &home, &initialize, 30)?;
    // One client that stays keeps the engine.
    let mut stays = Ours::start(&lab.server, &home)?;
    let warm = opened(lab, &home, &initialize, 60)?;
    let discovered = opened(lab, &home, &discover, 60)?;
    stays.client.end().context("the server does not end")?;
    Ok(vec![
        row("start to `initialize` answered, engine up", warm, 10.0),
        row("start to `server/discover` answered, engine up", discovered, 10.0),
        row("start to `initialize` answered, no engine", cold, 60.0),
    ])
}

fn row(what: &'static str, ours: Samples, limit: f64) -> Row {
    let target = Some(Target::AtMost(limit));
    Row { what, unit: "ms", ours, other: None, outcome: Outcome::Median, target }
}

/// Opens connections one after the other. Each starts when the processes of the one before are gone, but for an engine
/// that somebody else keeps.
fn opened(
    lab: &Lab,
    home: &CodexHome,
    (method, params): &(&str, Value),
    full: usize,
) -> Result<Samples> {
    let mut times = Vec::new();
    for _ in 0..lab.samples(full) {
        let others = process::named(home, "codex").len();
        let mut command = server_command(&lab.server, home, &tools::codex());
        let begun = Instant::now();
        let mut client = LineClient::spawn(&mut command)?;
        client.request(method, params.clone())?;
        times.push(begun.elapsed());
        client.end().context("the server does not end")?;
        while process::named(home, "codex").len() > others {}
    }
    Ok(Samples::of_times(&times))
}
