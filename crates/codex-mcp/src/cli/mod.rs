//! The command line: what may be written on it, and its reference. It reads no file and no variable.
//!
//! The flags of the configuration are made from the declared keys and are not checked here: their values go through
//! the same checks as those of the other layers, so that all problems are reported together.

pub mod config;
pub mod daemon;
pub mod doctor;
pub mod limited;
pub mod monitor;
pub mod serve;
pub mod setup;
mod signal;
pub mod store;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use self::config::ConfigCommand;
use self::daemon::DaemonCommand;
use self::doctor::DoctorCommand;
use self::limited::LimitedCommand;
use self::setup::SetupCommand;
use self::store::StoreCommand;
use crate::config::{FlagShape, Flags, all_keys};

/// What a command line asks for.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// What to do.
    pub command: Subcommand,
    /// The flags of the configuration.
    pub flags: Flags,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subcommand {
    /// Serve MCP on standard input and output.
    Serve,
    /// Speak about the configuration.
    Config(ConfigCommand),
    /// Look after the engine.
    Daemon(DaemonCommand),
    /// Look at everything.
    Doctor(DoctorCommand),
    /// Print what a Claude Code session is to be woken for.
    Monitor,
    /// Register with a client.
    Setup(SetupCommand),
    /// Look after the records.
    Store(StoreCommand),
    /// Become another program.
    Limited(LimitedCommand),
}

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Success,
    /// It could not.
    Failure,
    /// The command line or the configuration is not valid. Also what the command-line parser itself exits with.
    Configuration,
}

impl Exit {
    const ALL: [(Self, &str); 3] = [
        (Self::Success, "what was asked is done"),
        (Self::Failure, "it could not be done"),
        (Self::Configuration, "the command line or the configuration is not valid"),
    ];

    fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Configuration => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Reads a command line, the program's name included.
///
/// # Errors
/// It is not valid, or it asks for help or the version: [`clap::Error::exit`] prints what is to be said.
pub fn parse(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Invocation, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    let flags = flags(&matches);
    let command = match matches.subcommand() {
        Some(("daemon", matches)) => Subcommand::Daemon(DaemonCommand::from_matches(matches)),
        Some(("doctor", matches)) => Subcommand::Doctor(DoctorCommand::from_matches(matches)),
        Some(("monitor", _)) => Subcommand::Monitor,
        Some(("setup", matches)) => Subcommand::Setup(SetupCommand::from_matches(matches)),
        Some(("store", matches)) => Subcommand::Store(StoreCommand::from_matches(matches)),
        Some(("limited", matches)) => Subcommand::Limited(LimitedCommand::from_matches(matches)),
        Some(("config", matches)) => Subcommand::Config(ConfigCommand::from_matches(matches)),
        // The parser lets no other name through.
        Some(_) | None => Subcommand::Serve,
    };
    Ok(Invocation { command, flags })
}

/// The command line as the parser sees it.
pub fn command() -> Command {
    let keys = all_keys();
    let flags = keys.iter().map(|key| {
        let help = key.meaning.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        let flag = Arg::new(key.name)
            .long(key.flag)
            .help(help)
            .help_heading("Configuration")
            .global(true)
            .value_parser(value_parser!(OsString));
        match key.kind.flag() {
            FlagShape::Switch => flag
                .value_name("true|false")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            FlagShape::Once(value) => flag.value_name(value).allow_negative_numbers(true),
            FlagShape::Repeatable(value) => flag.value_name(value).action(ArgAction::Append),
        }
    });
    Command::new("codex-mcp")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Serve MCP on standard input and output, working with Codex through live app-server processes.")
        .disable_help_subcommand(true)
        .args(flags)
        .subcommand(config::command())
        .subcommand(daemon::command())
        .subcommand(doctor::command())
        .subcommand(monitor::command())
        .subcommand(setup::command())
        .subcommand(store::command())
        .subcommand(limited::command())
}

fn flags(matches: &ArgMatches) -> Flags {
    let mut flags = Flags::default();
    for key in all_keys() {
        if let Some(values) = matches.get_many::<OsString>(key.name) {
            flags.add(&key, values.cloned().collect());
        }
    }
    flags
}

/// Returns the text of `docs/cli.md`.
pub fn reference_markdown() -> String {
    let mut root = command();
    root.build();
    let mut text = "\
<!-- Generated from the program by its tests; run them with UPDATE_EXPECT=1 to write this file anew. -->

# Command line

Every key of the [configuration](config.md) is a flag, and may stand before or after a subcommand.
"
    .to_owned();
    describe(&root, "codex-mcp", &mut text);
    text += "\n## Exit codes\n\n";
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(text, "- {}: {meaning}", exit.code());
    }
    text
}

/// Describes a command and those below it. Global flags are described once, at the root.
fn describe(command: &Command, path: &str, text: &mut String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, "\n## `{path}`\n\n{about}\n");
    let is_root = path == "codex-mcp";
    let arguments: Vec<_> = command
        .get_arguments()
        .filter(|argument| is_root || !argument.is_global_set())
        .filter(|argument| !matches!(argument.get_action(), ArgAction::Help | ArgAction::Version))
        .collect();
    if !arguments.is_empty() {
        text.push('\n');
    }
    for argument in arguments {
        let repeatable =
            if matches!(argument.get_action(), ArgAction::Append) { " (repeatable)" } else { "" };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "- `{argument}`{repeatable}: {help}");
    }
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        describe(subcommand, &format!("{path} {}", subcommand.get_name()), text);
    }
}
