//! `codex-mcp config`: shows the settings that hold and checks those that are written down. It changes nothing.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};

use super::Exit;
use crate::config::{Config, Environment, Flags, default_file};

/// What `codex-mcp config` is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigCommand {
    /// Print every key with its value and origin.
    Show,
    /// Say whether the configuration can be used.
    Check {
        /// The file to read in the place of the user's own.
        file: Option<PathBuf>,
    },
}

impl ConfigCommand {
    pub(super) fn from_matches(matches: &ArgMatches) -> Self {
        match matches.subcommand() {
            Some(("check", matches)) => {
                Self::Check { file: matches.get_one::<PathBuf>("file").cloned() }
            }
            // The parser lets no other name through.
            Some(_) | None => Self::Show,
        }
    }
}

pub(super) fn command() -> Command {
    let file = Arg::new("file")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("The file to read in the place of your own");
    Command::new("config")
        .about("Show or check the configuration.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("show").about("Print every key with its value and where the value comes from."))
        .subcommand(
            Command::new("check")
                .about("Say whether the file, the variables and the flags together are a valid configuration.")
                .arg(file),
        )
}

/// Carries out the command and writes for a person to `out`.
///
/// # Errors
/// `out` cannot be written.
pub fn run(
    command: &ConfigCommand,
    environment: &Environment,
    flags: &Flags,
    out: &mut impl Write,
) -> io::Result<Exit> {
    let loaded = match command {
        ConfigCommand::Check { file: Some(file) } => Config::load_file(file, environment, flags),
        ConfigCommand::Show | ConfigCommand::Check { file: None } => {
            Config::load(environment, flags)
        }
    };
    let config = match loaded {
        Ok(config) => config,
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(Exit::Configuration);
        }
    };
    match command {
        ConfigCommand::Show => show(&config, environment, out)?,
        ConfigCommand::Check { file } => {
            writeln!(out, "the configuration is valid")?;
            if let Some(file) = file.clone().or_else(|| default_file(environment)) {
                writeln!(out, "file: {} ({})", file.display(), presence(&file))?;
            }
        }
    }
    Ok(Exit::Success)
}

/// Prints what could stand in a file, with comments.
fn show(config: &Config, environment: &Environment, out: &mut impl Write) -> io::Result<()> {
    if let Some(file) = default_file(environment) {
        writeln!(out, "# file: {} ({})", file.display(), presence(&file))?;
    }
    for setting in config.settings() {
        let line = format!("{} = {}", setting.key, setting.value);
        writeln!(out, "{line:<36} # {}", setting.origin)?;
    }
    Ok(())
}

fn presence(file: &Path) -> &'static str {
    if file.exists() { "read" } else { "not there" }
}
