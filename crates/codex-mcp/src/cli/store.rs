//! `codex-mcp store`: looks the records over, gives space back, and hands everything out. A running engine goes on
//! meanwhile.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Arg, ArgMatches, Command, value_parser};

use super::Exit;
use crate::config::{Config, Environment, Flags};

/// What `codex-mcp store` is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreCommand {
    /// Say whether the records are sound, and how many there are.
    Check,
    /// Rewrite the database without its holes.
    Vacuum,
    /// Write every record as a line of JSON.
    Export {
        /// Where to; standard output unless given.
        output: Option<PathBuf>,
    },
}

impl StoreCommand {
    pub(super) fn from_matches(matches: &ArgMatches) -> Self {
        match matches.subcommand() {
            Some(("vacuum", _)) => Self::Vacuum,
            Some(("export", matches)) => {
                Self::Export { output: matches.get_one::<PathBuf>("output").cloned() }
            }
            // The parser lets no other name through.
            Some(_) | None => Self::Check,
        }
    }
}

pub(super) fn command() -> Command {
    let output = Arg::new("output")
        .long("output")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("The file to write, for its owner alone; standard output unless given");
    Command::new("store")
        .about("Look after the records that the server keeps.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("check")
                .about("Say whether the records are sound, and how many there are."),
        )
        .subcommand(
            Command::new("vacuum").about("Give the space of forgotten records back to the disk."),
        )
        .subcommand(
            Command::new("export").about("Write every record as a line of JSON.").arg(output),
        )
}

/// Carries out the command and writes for a person to `out`.
///
/// # Errors
/// `out` cannot be written, or the database cannot be used.
pub fn run(
    command: &StoreCommand,
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
    if !bridge_store::exists(&config.state_dir) {
        writeln!(out, "There are no records in {}.", config.state_dir.display())?;
        return Ok(Exit::Failure);
    }
    match command {
        StoreCommand::Check => check(&config, out),
        StoreCommand::Vacuum => {
            let (before, after) = bridge_store::vacuum(&config.state_dir)
                .context("the database cannot be rewritten")?;
            writeln!(out, "{before} bytes before, {after} bytes after.")?;
            Ok(Exit::Success)
        }
        StoreCommand::Export { output: None } => export(&config, out),
        StoreCommand::Export { output: Some(path) } => {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let file = file.with_context(|| format!("cannot make {}", path.display()))?;
            export(&config, &mut BufWriter::new(file))
        }
    }
}

fn check(config: &Config, out: &mut impl Write) -> anyhow::Result<Exit> {
    let report = match bridge_store::check(&config.state_dir) {
        Ok(report) => report,
        Err(error) => {
            writeln!(out, "The records in {} cannot be read: {error}", config.state_dir.display())?;
            if let Some(cause) = std::error::Error::source(&error) {
                writeln!(out, "  because {cause}")?;
            }
            return remedy(out);
        }
    };
    for (table, count) in &report.statistics.records {
        writeln!(out, "{table}: {count}")?;
    }
    writeln!(out, "{} bytes, schema {}", report.statistics.bytes, report.schema_version)?;
    if report.problems.is_empty() {
        writeln!(out, "Sound.")?;
        return Ok(Exit::Success);
    }
    for problem in &report.problems {
        writeln!(out, "Problem: {problem}")?;
    }
    remedy(out)
}

fn remedy(out: &mut impl Write) -> anyhow::Result<Exit> {
    writeln!(
        out,
        "What to do: save what can be saved with `codex-mcp store export`, run `codex-mcp daemon stop`, and move \
         store.sqlite3 with its -wal and -shm files away. Codex itself still has every thread."
    )?;
    Ok(Exit::Failure)
}

fn export(config: &Config, out: &mut impl Write) -> anyhow::Result<Exit> {
    bridge_store::export(&config.state_dir, out).context("the records cannot be written out")?;
    Ok(Exit::Success)
}
