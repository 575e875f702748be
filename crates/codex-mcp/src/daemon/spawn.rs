//! Starts an engine that outlives this process.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio_util::task::TaskTracker;

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
    place: &Place,
    config: &Config,
    arguments: &[OsString],
    tasks: &TaskTracker,
) -> io::Result<()> {
    place.prepare().map_err(io::Error::other)?;
    let program = std::env::current_exe()?;
    let stderr = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(last_words_file(place))?;
    #[expect(clippy::disallowed_methods, reason = "the one place that starts an engine")]
    let mut command = tokio::process::Command::new(program);
    command
        .args(["daemon", "run"])
        .args(arguments)
        .env_clear()
        .envs(config.engine_environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr);
    let mut child = command.spawn()?;
    let words = child.stdout.take();
    // It is not ours to wait for, but its end has to be noticed while this process lives.
    tasks.spawn(async move { child.wait().await });
    let mut said = String::new();
    if let Some(words) = words {
        let mut words = words.take(MAX_WORDS);
        let reading = tokio::time::timeout(PATIENCE, words.read_to_string(&mut said));
        if reading.await.is_err() {
            let message = format!("the engine did not start within {} s", PATIENCE.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
    }
    match said.trim() {
        "ready" | "taken" => Ok(()),
        "" => {
            let words = std::fs::read_to_string(last_words_file(place)).unwrap_or_default();
            let words = words.trim();
            let words = if words.is_empty() { "it said nothing" } else { words };
            Err(io::Error::other(format!("the engine ended at its start: {words}")))
        }
        error => Err(io::Error::other(error.to_owned())),
    }
}
