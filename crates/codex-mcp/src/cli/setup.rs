//! `codex-mcp setup`: registers this program with a client, and takes that back.
//!
//! What it made is remembered, and nothing else is ever changed or removed. Claude Code is asked to do it by its own
//! commands; other clients have a file in which one entry is set, and the rest of it stays byte for byte.

mod claude;
mod clients;
mod made;
mod plugin;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use codex_client::orphan::Marker;

use self::clients::Client;
use self::made::Made;
use super::Exit;
use crate::config::Environment;

/// The name of Claude Code among the clients.
const CLAUDE: &str = "claude";

/// What `codex-mcp setup` is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupCommand {
    /// The client's name.
    client: String,
    undo: bool,
    dry_run: bool,
    claude_bin: Option<PathBuf>,
}

impl SetupCommand {
    pub(super) fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            client: matches.get_one::<String>("client").cloned().unwrap_or_default(),
            undo: matches.get_flag("undo"),
            dry_run: matches.get_flag("dry-run"),
            claude_bin: matches.get_one::<PathBuf>("claude-bin").cloned(),
        }
    }
}

pub(super) fn command() -> Command {
    let names = std::iter::once(CLAUDE).chain(Client::ALL.iter().map(|client| client.name));
    let client = Arg::new("client")
        .value_name("CLIENT")
        .required(true)
        .value_parser(PossibleValuesParser::new(names))
        .help("Which client: `claude` is Claude Code, with the plugin");
    let undo = Arg::new("undo")
        .long("undo")
        .action(ArgAction::SetTrue)
        .help("Take back what this command did, and nothing else");
    let dry_run = Arg::new("dry-run")
        .long("dry-run")
        .action(ArgAction::SetTrue)
        .help("Only say what would be done");
    let claude_bin = Arg::new("claude-bin")
        .long("claude-bin")
        .value_name("PROGRAM")
        .value_parser(value_parser!(PathBuf))
        .help("Claude Code, if it is not `claude` on PATH");
    Command::new("setup")
        .about("Register this program with a client, and check that the client can use it.")
        .args([client, undo, dry_run, claude_bin])
}

/// Where it works, and with what.
struct Setup<'a> {
    environment: &'a Environment,
    /// This program.
    program: PathBuf,
    /// What is kept of what was made.
    data: PathBuf,
    dry_run: bool,
}

/// Carries out the command and writes for a person to `out`. `program` is this program's file.
///
/// # Errors
/// `out` cannot be written, there is no home directory, or a file of ours cannot be written.
pub fn run(
    command: &SetupCommand,
    environment: &Environment,
    program: &Path,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let data = environment.base_directory("XDG_DATA_HOME", ".local/share");
    let data = data.context("there is no home directory: HOME is not set")?.join("codex-mcp");
    let mut made = Made::read(&data)?;
    let setup = Setup { environment, program: program.to_owned(), data, dry_run: command.dry_run };
    match Client::ALL.iter().find(|client| client.name == command.client) {
        Some(client) if command.undo => client.undo(&setup, &mut made, out),
        Some(client) => client.register(&setup, &mut made, out),
        None => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.context("the runtime cannot be started")?;
            let claude = command.claude_bin.as_deref();
            runtime.block_on(claude::run(&setup, claude, command.undo, &mut made, out))
        }
    }
}

/// One line of what was done: the verb in a column of its own.
fn tell(out: &mut impl Write, verb: &str, what: &str) -> anyhow::Result<()> {
    Ok(writeln!(out, "{verb:<9} {what}")?)
}

/// Something that a person has to do.
fn fail(out: &mut impl Write, what: &str, remedy: &str) -> anyhow::Result<Exit> {
    tell(out, "FAILED", what)?;
    tell(out, "", &format!("What to do: {remedy}"))?;
    Ok(Exit::Failure)
}

/// Writes a file whole or not at all, with its mode, where a link leads. A new one is its owner's alone.
fn write_whole(file: &Path, text: &str) -> anyhow::Result<()> {
    let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let context = || format!("cannot write {}", target.display());
    let folder = target.parent().unwrap_or(&target);
    fs::create_dir_all(folder).with_context(context)?;
    let mode = fs::metadata(&target).map_or(0o600, |metadata| metadata.permissions().mode());
    let beside = folder.join(format!(".codex-mcp-{}.tmp", Marker::mint()));
    let written = (|| -> io::Result<()> {
        let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
        let mut new = options?;
        new.write_all(text.as_bytes())?;
        new.set_permissions(fs::Permissions::from_mode(mode))?;
        new.sync_all()?;
        fs::rename(&beside, &target)
    })();
    if written.is_err() {
        // Nothing half-made stays.
        let _ = fs::remove_file(&beside);
    }
    written.with_context(context)
}
