//! `codex-mcp limited`: becomes another program within limits. It stands between Codex's sandbox and the tests of a
//! project, and before `codex exec`, and is nothing for a person to call.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use codex_client::{ProcessLimits, become_program};

/// What it shall become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitedCommand {
    limits: ProcessLimits,
    program: OsString,
    arguments: Vec<OsString>,
}

impl LimitedCommand {
    pub(super) fn from_matches(matches: &ArgMatches) -> Self {
        let number = |name: &str| matches.get_one::<u64>(name).copied().unwrap_or_default();
        let mut words = matches.get_many::<OsString>("command").into_iter().flatten().cloned();
        Self {
            limits: ProcessLimits {
                cpu_seconds: number("cpu-seconds"),
                file_bytes: number("file-bytes"),
            },
            program: words.next().unwrap_or_default(),
            arguments: words.collect(),
        }
    }
}

pub(super) fn command() -> Command {
    let number = |name: &'static str| {
        Arg::new(name).long(name).required(true).value_parser(value_parser!(u64))
    };
    let command = Arg::new("command").required(true).last(true).num_args(1..);
    Command::new("limited")
        .about("Become another program within limits.")
        .hide(true)
        .arg(number("cpu-seconds"))
        .arg(number("file-bytes"))
        .arg(command.value_parser(value_parser!(OsString)))
}

/// What stands before a command line that is to be run within limits: this program's file, and its words.
///
/// # Errors
/// The file is gone.
pub(crate) fn prefix(
    cpu_seconds: u64,
    file_megabytes: usize,
) -> io::Result<(PathBuf, [String; 4])> {
    let program = std::env::current_exe()?.canonicalize()?;
    let file_bytes = (file_megabytes as u64) << 20;
    let words = [
        "limited".to_owned(),
        format!("--cpu-seconds={cpu_seconds}"),
        format!("--file-bytes={file_bytes}"),
        "--".to_owned(),
    ];
    Ok((program, words))
}

/// Becomes the program; returns only if that fails, with the words for standard error.
#[must_use]
pub fn run(command: &LimitedCommand) -> String {
    let error = become_program(command.limits, &command.program, &command.arguments);
    format!("{} cannot be run: {error}", command.program.display())
}
