//! `cargo xtask demo`: the bridge at work in half a minute, without an account.
//!
//! It shows the built server, driven as an MCP client drives it, with the real Codex. Only the model is scripted, and
//! listens on the loopback. Everything that is printed as true is checked first. Only `--live` uses the login and the
//! configuration of whoever runs it.

mod cast;
mod fix;
mod live;
mod project;
mod scenes;
mod screen;
mod script;
mod stage;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::server::{self, Profile};
use crate::tools;
use crate::workspace::Workspace;
use screen::Screen;

/// What `cargo xtask demo` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Do not pause for a reader.
    #[arg(long)]
    fast: bool,
    /// Ask the model behind your own Codex login, read-only, in a scratch project.
    #[arg(long)]
    live: bool,
    /// Show this server instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    server: Option<PathBuf>,
}

/// How fast the model goes on once the last news were shown.
///
/// The server merges news of one call that come within a tenth of a second, so even the fast pace waits that long:
/// otherwise what is shown would depend on the machine.
fn pace(options: &Options) -> Duration {
    Duration::from_millis(if options.fast { 130 } else { 550 })
}

/// Builds the server and plays the demo. Fails when anything is not as it is shown.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    tools::run(workspace)?;
    // An optimised build takes four times as long and looks the same; `cargo xtask bench` measures that one.
    let server = match &options.server {
        Some(server) => server.clone(),
        None => server::build(workspace, Profile::Dev)?,
    };
    let screen = Screen::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")?;
    runtime.block_on(async {
        if options.live {
            live::play(screen, &server).await
        } else {
            scenes::play(screen, &server, pace(options)).await
        }
    })
}
