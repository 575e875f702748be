//! Starts an engine that outlives this process.
//!
//! The file of last words belongs to the engine that holds the lock, which empties it; a start only adds to it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio_util::task::TaskTracker;

use super::reach::Miss;
use super::{Place, last_words_file};
use crate::config::Config;

/// How long an engine may take until it listens.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of what an engine says at its start is read.
const MAX_WORDS: u64 = 64 << 10;

/// Starts an engine and waits until it listens, or until it finds that another one does.
///
/// # Errors
/// It cannot be started, or ended with an error of its own, which is given in its words.
pub(super) async fn spawn(
    program: &Path,
    place: &Place,
    config: &Config,
    arguments: &[OsString],
    tasks: &TaskTracker,
) -> Result<(), Miss> {
    let said = start(program, place, config, arguments, tasks).await.map_err(Miss::ForGood)?;
    match said.answer.trim() {
        "ready" | "taken" => Ok(()),
        "" => {
            let message = format!("the engine ended at its start: {}", said.last_words());
            Err(Miss::ForNow(io::Error::other(message)))
        }
        error => Err(Miss::ForGood(io::Error::other(error.to_owned()))),
    }
}

/// What a new engine has said.
struct Said {
    /// On standard output, until it closed that.
    answer: String,
    /// Its standard error. Others may write to the file as well.
    words: File,
    /// Where its words begin.
    from: u64,
}

impl Said {
    fn last_words(mut self) -> String {
        let mut words = Vec::new();
        // Nothing that can be read is nothing that was said.
        let _ = self.words.seek(SeekFrom::Start(self.from));
        let _ = self.words.take(MAX_WORDS).read_to_end(&mut words);
        match String::from_utf8_lossy(&words).trim() {
            "" => "it said nothing".to_owned(),
            words => words.to_owned(),
        }
    }
}

async fn start(
    program: &Path,
    place: &Place,
    config: &Config,
    arguments: &[OsString],
    tasks: &TaskTracker,
) -> io::Result<Said> {
    place.prepare().map_err(io::Error::other)?;
    let mut open = OpenOptions::new();
    open.create(true).append(true).read(true).mode(0o600);
    let words = open.open(last_words_file(place))?;
    let from = words.metadata()?.len();
    #[expect(clippy::disallowed_methods, reason = "the one place that starts an engine")]
    let mut command = tokio::process::Command::new(program);
    command
        .args(["daemon", "run"])
        .args(arguments)
        .env_clear()
        .envs(config.engine_environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(words.try_clone()?);
    let failed = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot start {}: {error}", program.display()))
    };
    let mut child = command.spawn().map_err(failed)?;
    let output = child.stdout.take();
    // It is not ours to wait for, but its end has to be noticed while this process lives.
    tasks.spawn(async move { child.wait().await });
    let mut answer = String::new();
    if let Some(output) = output {
        let mut output = output.take(MAX_WORDS);
        let reading = tokio::time::timeout(PATIENCE, output.read_to_string(&mut answer));
        if reading.await.is_err() {
            let message = format!("the engine did not start within {} s", PATIENCE.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
    }
    Ok(Said { answer, words, from })
}
