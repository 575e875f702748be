//! From the start of our process to its first answer.

use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::json;
use testkit::mcp::MODERN_VERSION;
use testkit::tools;

use super::lab::Lab;
use super::line_client::LineClient;
use super::party::{greeting, server_command};
use super::row::{Outcome, Row, Target};
use super::samples::Samples;

/// Both ways in which a client opens a connection.
pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN_VERSION,
        "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let openers = [
        ("start to `initialize` answered", "initialize", greeting()),
        ("start to `server/discover` answered", "server/discover", json!({ "_meta": meta })),
    ];
    let home = lab.home();
    let mut rows = Vec::new();
    for (what, method, params) in openers {
        let mut times = Vec::new();
        for _ in 0..lab.samples(60) {
            let mut command = server_command(&lab.server, &home, &tools::codex());
            let begun = Instant::now();
            let mut client = LineClient::spawn(&mut command)?;
            client.request(method, params.clone())?;
            times.push(begun.elapsed());
            client.end().context("the server does not end")?;
        }
        rows.push(Row {
            what,
            unit: "ms",
            ours: Samples::of_times(&times),
            other: None,
            outcome: Outcome::Median,
            target: Some(Target::AtMost(10.0)),
        });
    }
    Ok(rows)
}
