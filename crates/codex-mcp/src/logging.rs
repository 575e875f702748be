//! Where log lines go: standard error, and a file for each day under `logs/` in the state directory.
//!
//! Nothing is written before secrets were taken out of it, and no line is longer than somebody would read.
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
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::config::Config;
use crate::redact;

const DAYS_KEPT: usize = 7;
const QUEUED_LINES: usize = 8192;

/// What `verbose` is about.
const OWN_CRATES: [&str; 4] = ["codex_mcp", "codex_client", "bridge_core", "bridge_store"];
/// How much of a line is written, in bytes. It is cut after secrets were taken out: half a secret has no shape.
const MAX_LINE_BYTES: usize = 8 << 10;

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
    redact::learn(config);
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

/// Sends what an engine logs to the log file; nobody sees its standard error, which goes to a file as well.
pub fn start_engine(config: &Config) -> LogGuard {
    let (dispatch, guard) = dispatch(config, io::sink(), Colour::Plain);
    std::panic::set_hook(Box::new(|panic| say_redacted(&panic.to_string(), &mut io::stderr())));
    // Refused only where a subscriber is already set; its lines then go where that one wants them.
    let _ = dispatcher::set_global_default(dispatch);
    guard
}

/// Writes what a program says at its end, which may quote anything, without secrets.
pub fn say_redacted(words: &str, out: &mut impl Write) {
    // Nobody reads a closed standard error.
    let _ = writeln!(out, "{}", redact::text(words));
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

/// Makes what is installed, with a writer in the place of standard error.
pub fn dispatch(
    config: &Config,
    stderr: impl Write + Send + 'static,
    colour: Colour,
) -> (Dispatch, LogGuard) {
    redact::learn(config);
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
fn queue(writer: impl Write + Send + 'static) -> (Redacted, WorkerGuard) {
    let builder = NonBlockingBuilder::default().buffered_lines_limit(QUEUED_LINES).lossy(true);
    let (queue, worker) = builder.finish(writer);
    (Redacted(queue), worker)
}

/// Takes secrets out of each line, and cuts what is too long, on the way into a queue. The one way to a log.
#[derive(Clone)]
struct Redacted(NonBlocking);

impl Write for Redacted {
    /// Gets a whole line at once: so the formatter writes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let clean = redact::text(&text);
        let shown = clean.floor_char_boundary(MAX_LINE_BYTES);
        match clean.len() - shown {
            0 => self.0.write_all(clean.as_bytes())?,
            cut => {
                self.0.write_all(format!("{}… ({cut} bytes more)\n", &clean[..shown]).as_bytes())?
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl MakeWriter<'_> for Redacted {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
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
