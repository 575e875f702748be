//! How an app-server is started for this configuration, and what its failures to start mean.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bridge_core::{AppServerInfo, Exit, StartFailure, StartFailureKind};
use codex_client::ancestry;
use codex_client::orphan::Marker;
use codex_client::protocol::ClientInfo;
use codex_client::{
    AppServer, Exec, Greeting, Inbox, Launch, Limits, MINIMUM_VERSION, ServerInfo, StartError,
};

use super::last_words;
use crate::config::Config;
use crate::workspace::Places;

/// Notifications that nobody here reads, or that come in floods: Codex need not send them.
const OPT_OUT: &[&str] = &[
    "thread/settings/updated",
    "thread/started",
    "thread/status/changed",
    "thread/readState/changed",
    "thread/name/updated",
    "turn/diff/updated",
    "turn/moderationMetadata",
    "item/commandExecution/outputDelta",
    "item/fileChange/outputDelta",
    "account/updated",
    "app/list/updated",
    "skills/changed",
    "hook/started",
    "hook/completed",
    "mcpServer/startupStatus/updated",
    "remoteControl/status/changed",
];

/// Where programs put their temporary files.
const TEMPORARY: &str = "TMPDIR";
/// How long a program may take to tell its version. Codex needs 30 ms.
const VERSION_DEADLINE: Duration = Duration::from_secs(5);

/// Starts an app-server.
///
/// # Errors
/// In the core's words.
pub(crate) async fn start(
    config: &Config,
    marker: &Marker,
) -> Result<(AppServer, Inbox, AppServerInfo), StartFailure> {
    // Threads bring their own directory; this one only has to be there for as long as the process.
    start_in(config, environment(config, marker), Path::new("/")).await
}

/// Starts an app-server with another environment than the usual one, in a directory of its own: what it runs in its
/// sandbox may write there.
///
/// # Errors
/// In the core's words.
pub(crate) async fn start_in(
    config: &Config,
    environment: Vec<(OsString, OsString)>,
    directory: &Path,
) -> Result<(AppServer, Inbox, AppServerInfo), StartFailure> {
    let launch = Launch {
        program: program(config)?,
        args: vec![OsString::from("app-server")],
        environment,
        working_directory: directory.to_owned(),
    };
    let limits = Limits { max_line_bytes: config.max_line_bytes, ..Limits::default() };
    let greeting = Greeting {
        client_info: ClientInfo {
            name: "codex-mcp".to_owned(),
            title: Some("codex-mcp".to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        opt_out_notification_methods: OPT_OUT.iter().map(|method| (*method).to_owned()).collect(),
        deadline: config.start_deadline,
    };
    match AppServer::start(&launch, limits, &greeting).await {
        Ok((server, inbox, info)) => Ok((server, inbox, server_info(&launch.program, info))),
        Err(error) => Err(told_apart(&launch, error).await),
    }
}

/// What does not speak the protocol is no Codex, or one whose app-server is broken: its version tells.
async fn told_apart(launch: &Launch, error: StartError) -> StartFailure {
    let failure = start_failure(&launch.program, &error);
    if failure.kind != StartFailureKind::NotCodex {
        return failure;
    }
    match Exec::version(launch, VERSION_DEADLINE).await {
        Some(version) if version < MINIMUM_VERSION => {
            start_failure(&launch.program, &StartError::TooOld { version })
        }
        Some(version) => StartFailure {
            kind: StartFailureKind::BrokenAppServer,
            detail: format!("{}, though it says that it is Codex {version}", failure.detail),
            ..failure
        },
        None => failure,
    }
}

/// What a Codex that does work is given: its environment, by which it is found when it is left behind, and its depth.
///
/// Its temporary files have a directory of their own: the one that all programs share is not among what a turn may write.
pub(crate) fn environment(config: &Config, marker: &Marker) -> Vec<(OsString, OsString)> {
    let temporary = (OsString::from(TEMPORARY), Places::temporary(&config.state_dir).into());
    let given = config.codex_environment().into_iter().filter(|(name, _)| name != TEMPORARY);
    let own = [temporary, marker.variable(), ancestry::variable(config.depth().saturating_add(1))];
    given.chain(own).collect()
}

/// The Codex program.
///
/// # Errors
/// There is none.
pub(crate) fn program(config: &Config) -> Result<PathBuf, StartFailure> {
    config.find_codex_bin().map_err(|error| StartFailure {
        program: config.codex_bin.display().to_string(),
        kind: StartFailureKind::NotFound,
        detail: error.to_string(),
    })
}

/// How an app-server ended, in the core's words.
pub(crate) fn exit(exit: codex_client::Exit) -> Exit {
    Exit { code: exit.code, signal: exit.signal, stderr: exit.stderr_tail }
}

fn server_info(program: &Path, info: ServerInfo) -> AppServerInfo {
    AppServerInfo {
        program: program.display().to_string(),
        pid: info.pid,
        version: info.version.map(|version| version.to_string()),
        codex_home: info.codex_home.map(|home| home.display().to_string()),
    }
}

/// Why a process of Codex did not start, in the core's words.
pub(crate) fn start_failure(program: &Path, error: &StartError) -> StartFailure {
    let kind = match error {
        StartError::NotFound { .. } => StartFailureKind::NotFound,
        StartError::NotExecutable { .. } => StartFailureKind::NotExecutable,
        StartError::NotCodex { .. } => StartFailureKind::NotCodex,
        StartError::TooOld { .. } => StartFailureKind::TooOld,
        StartError::Exited { .. } => StartFailureKind::ExitedEarly,
        StartError::DeadlineExceeded { .. } => StartFailureKind::Deadline,
        StartError::SpawnFailed { .. } => StartFailureKind::System,
    };
    StartFailure { program: program.display().to_string(), kind, detail: explain(error) }
}

/// The error with its causes and, where the program said something, its last words.
fn explain(error: &StartError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    let stderr = match error {
        StartError::Exited { exit, .. } => exit.stderr_tail.as_str(),
        StartError::DeadlineExceeded { stderr_tail, .. } => stderr_tail.as_str(),
        StartError::NotFound { .. }
        | StartError::NotExecutable { .. }
        | StartError::SpawnFailed { .. }
        | StartError::NotCodex { .. }
        | StartError::TooOld { .. } => "",
    };
    match last_words(stderr) {
        Some(words) => format!("{text}; its last words: {words}"),
        None => text,
    }
}
