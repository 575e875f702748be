//! Where log lines go: standard error, and a file for each day under `logs/` in the state directory.
//!
//! Standard output is the protocol and is never written to. Logging never stops the server: writers have a bounded
//! queue of their own that drops lines when it is full, and a log file that cannot be made is a warning.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, dispatcher, warn};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::config::Config;

const DAYS_KEPT: usize = 7;
const QUEUED_LINES: usize = 8192;

/// What `verbose` is about.
const OWN_CRATES: [&str; 3] = ["codex_mcp", "codex_client", "bridge_core"];

/// Writes what is still queued when it is dropped, for up to about a second. Keep it until the process ends.
#[must_use]
pub struct LogGuard {
    _workers: Vec<WorkerGuard>,
}

/// The log file cannot be written.
#[derive(Debug, thiserror::Error)]
enum LogFileError {
    #[error("cannot make the directory {}", .path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("cannot open a log file in {}", .path.display())]
    File { path: PathBuf, source: InitError },
}

/// Sends what a front logs, which is little, to standard error.
pub fn start_front(config: &Config) -> LogGuard {
    let (stderr, worker) = queue(io::stderr());
    let subscriber = tracing_subscriber::registry().with(filter(config)).with(
        tracing_subscriber::fmt::layer()
            .with_timer(TimeAndProcess)
            .with_ansi(Colour::of_stderr() == Colour::Ansi)
            .with_writer(stderr),
    );
    // Refused only where a subscriber is already set; its lines then go where that one wants them.
    let _ = dispatcher::set_global_default(Dispatch::new(subscriber));
    LogGuard { _workers: vec![worker] }
}

/// Sends what an engine logs to the log file; nobody sees its standard error.
pub fn start_engine(config: &Config) -> LogGuard {
    let (dispatch, guard) = dispatch(config, io::sink(), Colour::Plain);
    // Refused only where a subscriber is already set; its lines then go where that one wants them.
    let _ = dispatcher::set_global_default(dispatch);
    guard
}

/// Whether lines for a person are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With escape sequences.
    Ansi,
    /// Without.
    Plain,
}

impl Colour {
    fn of_stderr() -> Self {
        if io::stderr().is_terminal() { Self::Ansi } else { Self::Plain }
    }
}

/// Makes what [`start`] installs, with another writer in the place of standard error.
pub fn dispatch(
    config: &Config,
    stderr: impl Write + Send + 'static,
    colour: Colour,
) -> (Dispatch, LogGuard) {
    let (stderr, stderr_worker) = queue(stderr);
    let mut workers = vec![stderr_worker];
    let file = open_file(&config.state_dir.join("logs"));
    let (file, failure) = match file {
        Ok(file) => {
            let (file, worker) = queue(file);
            workers.push(worker);
            (Some(file), None)
        }
        Err(error) => (None, Some(error)),
    };
    let subscriber = tracing_subscriber::registry()
        .with(filter(config))
        .with(
            tracing_subscriber::fmt::layer()
                .with_timer(TimeAndProcess)
                .with_ansi(colour == Colour::Ansi)
                .with_writer(stderr),
        )
        .with(file.map(|file| {
            tracing_subscriber::fmt::layer()
                .with_timer(TimeAndProcess)
                .with_ansi(false)
                .with_writer(file)
        }));
    let dispatch = Dispatch::new(subscriber);
    if let Some(error) = failure {
        let error: &(dyn std::error::Error + 'static) = &error;
        dispatcher::with_default(&dispatch, || warn!(error, "logging to standard error only"));
    }
    (dispatch, LogGuard { _workers: workers })
}

/// The level of the configuration, except that the MCP library, which logs whole messages, never gets below warnings.
fn filter(config: &Config) -> Targets {
    let level = LevelFilter::from_level(config.log_level);
    let targets =
        Targets::new().with_default(level).with_target("rmcp", level.min(LevelFilter::WARN));
    if config.verbose {
        targets.with_targets(OWN_CRATES.map(|name| (name, LevelFilter::TRACE)))
    } else {
        targets
    }
}

/// Takes writing off the caller: a client that does not read standard error must not stop the server. A full queue
/// drops lines.
fn queue(writer: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().buffered_lines_limit(QUEUED_LINES).lossy(true).finish(writer)
}

fn open_file(directory: &Path) -> Result<RollingFileAppender, LogFileError> {
    make_private(directory)
        .map_err(|source| LogFileError::Directory { path: directory.to_owned(), source })?;
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("codex-mcp")
        .filename_suffix("log")
        .max_log_files(DAYS_KEPT)
        .build(directory)
        .map_err(|source| LogFileError::File { path: directory.to_owned(), source })
}

/// Makes a directory and what is missing above it, for its owner alone where the system has such a notion.
fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(directory)
}

/// Begins a line with the time and the process, because all servers of a user write to the same file.
struct TimeAndProcess;

impl FormatTime for TimeAndProcess {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        SystemTime.format_time(w)?;
        write!(w, " {}", std::process::id())
    }
}
