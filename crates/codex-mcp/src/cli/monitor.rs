//! `codex-mcp monitor`: prints a line for each thing that a Claude Code session is to be woken for.
//!
//! It lives as long as the session: until its output closes or it is told to end. It starts no engine.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use clap::Command;

use super::{Exit, signal};
use crate::config::{Config, Environment, Flags};
use crate::daemon::{Monitor, Version};
use crate::logging;
use crate::mcp::stdio;

pub(super) fn command() -> Command {
    Command::new("monitor").about(
        "Print a line when a background turn of this Claude Code session ends or asks something, until the output \
         closes. The plugin's monitor runs this; it starts no engine.",
    )
}

/// Prints news, and says on standard error why that is not possible.
pub fn run(environment: &Environment, flags: &Flags) -> Exit {
    let config = match Config::load(environment, flags) {
        Ok(config) => config,
        Err(error) => return say(&error.to_string(), Exit::Configuration),
    };
    let Some(session) = config.claude_session() else {
        let message = "codex-mcp monitor: CLAUDE_CODE_SESSION_ID is not set, so there is no session to tell; Claude Code \
                       sets it for the monitors of its plugins";
        return say(message, Exit::Failure);
    };
    let _log = logging::start_front(&config);
    match run_blocking(&config, session) {
        Ok(()) => Exit::Success,
        Err(error) => say(&format!("codex-mcp monitor: {error:#}"), Exit::Failure),
    }
}

fn say(message: &str, exit: Exit) -> Exit {
    // Nobody reads a closed standard error.
    let _ = writeln!(io::stderr(), "{message}");
    exit
}

fn run_blocking(config: &Config, session: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime cannot be started")?;
    let ended = runtime.block_on(print(config, session));
    // A write to a terminal cannot be interrupted and must not keep the process.
    runtime.shutdown_timeout(Duration::ZERO);
    ended
}

async fn print(config: &Config, session: &str) -> anyhow::Result<()> {
    let (output, closed) = stdio::watched_output().context("standard output cannot be used")?;
    let monitor = Monitor::new(&config.state_dir, session, Version::own())
        .context("the state directory cannot be used")?;
    tokio::select! {
        // Whoever closed it wants to read nothing more.
        _ = monitor.run(output) => {}
        () = closed => {}
        () = signal::told_to_end() => {}
    }
    Ok(())
}
