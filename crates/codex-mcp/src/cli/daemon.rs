//! `codex-mcp daemon`: how the engine is, its end, its log. And, hidden, the engine itself.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio_util::sync::CancellationToken;

use super::{Exit, signal};
use crate::config::{Config, Environment, Flags};
use crate::daemon::{self, Host, Introduction, Place, Status, Stopped, Version, Welcome};
use crate::logging;

/// What `codex-mcp daemon` is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DaemonCommand {
    /// Print how the engine is.
    Status {
        /// As JSON.
        json: bool,
    },
    /// End the engine.
    Stop,
    /// Print the newest lines of the log.
    Logs {
        /// How many.
        lines: usize,
    },
    /// Be the engine. Started by `codex-mcp` itself.
    Run,
}

impl DaemonCommand {
    pub(super) fn from_matches(matches: &ArgMatches) -> Self {
        match matches.subcommand() {
            Some(("stop", _)) => Self::Stop,
            Some(("run", _)) => Self::Run,
            Some(("logs", matches)) => {
                Self::Logs { lines: matches.get_one::<usize>("lines").copied().unwrap_or(LINES) }
            }
            Some(("status", matches)) => Self::Status { json: matches.get_flag("json") },
            // The parser lets no other name through.
            Some(_) | None => Self::Status { json: false },
        }
    }
}

/// Lines of the log that are shown.
const LINES: usize = 50;

pub(super) fn command() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print it as JSON");
    let lines = Arg::new("lines")
        .long("lines")
        .value_name("COUNT")
        .value_parser(clap::value_parser!(usize))
        .help("How many lines to print; 50 unless given");
    Command::new("daemon")
        .about("Look after the engine, the process that serves all clients of a state directory.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("status").about("Print how the engine is and who is connected.").arg(json),
        )
        .subcommand(
            Command::new("stop").about(
                "End the engine. What runs is interrupted and kept. One that does not answer is ended by force.",
            ),
        )
        .subcommand(
            Command::new("logs").about("Print where the log is, and its newest lines.").arg(lines),
        )
        .subcommand(Command::new("run").about("Be the engine.").hide(true))
}

/// Carries out the command and writes for a person to `out`.
///
/// # Errors
/// `out` cannot be written, or the system refuses.
pub fn run(
    command: &DaemonCommand,
    environment: &Environment,
    flags: &Flags,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let config = match Config::load(environment, flags) {
        Ok(config) => config,
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(Exit::Configuration);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime cannot be started")?;
    let place = Place::new(&config.state_dir);
    match command {
        DaemonCommand::Status { json } => {
            let asked = runtime.block_on(daemon::ask(&place, &Introduction::Status));
            status(asked, *json, &place, out)
        }
        DaemonCommand::Stop => {
            let stopped =
                runtime.block_on(daemon::stop(&place)).context("cannot end the engine")?;
            tell_of_stop(stopped, &place, out)?;
            Ok(Exit::Success)
        }
        DaemonCommand::Logs { lines } => logs(&config, *lines, out),
        DaemonCommand::Run => {
            let _log = logging::start_engine(&config);
            runtime.block_on(be_the_engine(Arc::new(config), out))?;
            Ok(Exit::Success)
        }
    }
}

fn tell_of_stop(stopped: Stopped, place: &Place, out: &mut impl Write) -> io::Result<()> {
    match stopped {
        Stopped::Asked { pid, busy } => {
            let cut = if busy { "; turns that ran were interrupted" } else { "" };
            writeln!(out, "The engine (process {pid}) ends{cut}.")
        }
        Stopped::Forced { pid } => {
            let pid = pid.as_raw_nonzero();
            writeln!(out, "The engine (process {pid}) did not answer and was ended.")
        }
        Stopped::Nobody => writeln!(out, "No engine runs in {}.", place.directory().display()),
    }
}

fn status(
    answer: io::Result<Welcome>,
    json: bool,
    place: &Place,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let status = match answer {
        Ok(Welcome::Status(status)) => status,
        // For a program, this is an error like any other.
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(error.into()),
        Ok(_) | Err(_) => {
            match json {
                true => writeln!(out, "null")?,
                false => writeln!(out, "No engine runs in {}.", place.directory().display())?,
            }
            return Ok(Exit::Failure);
        }
    };
    match json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(&status)?)?,
        false => describe(&status, out)?,
    }
    Ok(Exit::Success)
}

fn describe(status: &Status, out: &mut impl Write) -> io::Result<()> {
    let work = if status.busy { "at work" } else { "idle" };
    writeln!(
        out,
        "The engine {} (process {}) runs since {} and is {work}.",
        status.version, status.pid, status.started_at
    )?;
    if status.retiring {
        writeln!(out, "A newer version takes its place when it is idle.")?;
    }
    match status.monitors {
        0 => {}
        1 => writeln!(out, "One monitor waits for news.")?,
        monitors => writeln!(out, "{monitors} monitors wait for news.")?,
    }
    for client in &status.clients {
        let directory = client.working_directory.as_ref().map(|path| path.display().to_string());
        let directory = directory.unwrap_or_else(|| "an unknown directory".to_owned());
        let session =
            client.claude_session.as_ref().map(|id| format!(", Claude Code session {id}"));
        let depth = (client.depth > 0).then(|| format!(", {} below a Codex of ours", client.depth));
        writeln!(
            out,
            "Client {} (version {}) in {directory}{}{}",
            client.pid,
            client.version,
            session.unwrap_or_default(),
            depth.unwrap_or_default()
        )?;
    }
    Ok(())
}

/// Prints the newest lines of the newest log.
fn logs(config: &Config, lines: usize, out: &mut impl Write) -> anyhow::Result<Exit> {
    let directory = config.state_dir.join("logs");
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    files.sort();
    let Some(newest) = files.last() else {
        writeln!(out, "There is no log in {}.", directory.display())?;
        return Ok(Exit::Failure);
    };
    let text =
        fs::read_to_string(newest).with_context(|| format!("cannot read {}", newest.display()))?;
    writeln!(out, "{}", newest.display())?;
    let all: Vec<_> = text.lines().collect();
    for line in &all[all.len().saturating_sub(lines)..] {
        writeln!(out, "{line}")?;
    }
    Ok(Exit::Success)
}

/// Listens, says so on standard output, which is closed then, and serves until nobody needs it.
async fn be_the_engine(config: Arc<Config>, out: &mut impl Write) -> anyhow::Result<()> {
    // The end of the client's terminal is not the engine's.
    let _ = rustix::process::setsid();
    codex_client::orphan::adopt();
    let place = Place::new(&config.state_dir);
    let listening = place.claim().map_err(anyhow::Error::from).and_then(|claim| {
        let listen = |claim| {
            daemon::take_last_words(&place);
            Host::listen(claim, config.clone(), Version::own(), config.engine_linger)
                .map_err(anyhow::Error::from)
        };
        claim.map(listen).transpose()
    });
    let host = match listening {
        Ok(Some(host)) => {
            writeln!(out, "ready")?;
            host
        }
        Ok(None) => {
            writeln!(out, "taken")?;
            return Ok(());
        }
        Err(error) => {
            writeln!(out, "{error:#}")?;
            return Ok(());
        }
    };
    out.flush()?;
    // Whoever started it waits for the end of its output.
    let nowhere = fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    let shutdown = CancellationToken::new();
    tokio::select! {
        () = host.run(shutdown.clone()) => {}
        () = async {
            signal::told_to_end().await;
            shutdown.cancel();
            std::future::pending::<()>().await
        } => {}
    }
    Ok(())
}
