//! One engine a state directory, and the clients that share it.
//!
//! Whoever holds the lock of a state directory is its engine and listens on its socket ([`place`]). `codex-mcp` on
//! standard input and output is a front ([`front`]): it finds the engine or starts it ([`reach`]), introduces its client
//! in a first line ([`hello`]), and then carries lines. A [`monitor`] waits for one and prints what it is told. The engine ([`host`]) serves MCP to each front, ends by itself
//! when nobody needs it, and makes room for a newer version.

mod arrival;
mod door;
mod flight;
mod front;
pub(crate) mod guest;
mod hello;
mod host;
mod launches;
mod monitor;
mod outside;
mod place;
mod reach;
mod spawn;
mod stop;
mod version;

pub use front::{Front, FrontEnd};
pub use hello::{ClientStatus, Hello, Introduction, MonitorHello, MonitorNews, Status, Welcome};
pub(crate) use host::MAX_CLIENTS;
pub use host::{Host, HostError};
pub use monitor::Monitor;
pub use place::{Claim, Place, PlaceError};
pub use reach::{Inside, Start};
pub use stop::{Stopped, stop};
pub use version::Version;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// How an engine is asked something that is not MCP.
///
/// # Errors
/// No engine answers. It is [`io::ErrorKind::TimedOut`] if one is there and hangs.
pub async fn ask(place: &Place, introduction: &Introduction) -> io::Result<Welcome> {
    let stream = place.connect().await?;
    let (welcome, _) = greet(stream, introduction).await?;
    Ok(welcome)
}

/// The longest first line, in bytes: an environment with room to spare.
const MAX_FIRST_LINE: u64 = 256 << 10;

/// How long an engine may take to answer a first line. It does nothing for it but look at its clients.
const GREETING: Duration = Duration::from_secs(5);

/// Introduces a client, and gives the answer with the stream behind it.
async fn greet(
    stream: UnixStream,
    introduction: &Introduction,
) -> io::Result<(Welcome, BufReader<UnixStream>)> {
    let hangs = |_| {
        let message = "the engine does not answer; `codex-mcp daemon stop` ends it";
        io::Error::new(io::ErrorKind::TimedOut, message)
    };
    tokio::time::timeout(GREETING, introduce(stream, introduction)).await.map_err(hangs)?
}

async fn introduce(
    mut stream: UnixStream,
    introduction: &Introduction,
) -> io::Result<(Welcome, BufReader<UnixStream>)> {
    let mut line = serde_json::to_vec(introduction)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut stream = BufReader::new(stream);
    let mut answer = Vec::new();
    (&mut stream).take(MAX_FIRST_LINE).read_until(b'\n', &mut answer).await?;
    if answer.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let welcome = serde_json::from_slice(&answer)?;
    Ok((welcome, stream))
}

/// How much of what an engine has said at its end is kept in the log.
const MAX_LAST_WORDS: usize = 64 << 10;

/// Where a detached engine writes what it has no log for: why it could not start, or a panic.
pub fn last_words_file(place: &Place) -> PathBuf {
    place.directory().join("engine.err")
}

/// Empties that file for a new engine, which must hold the lock, and gives what the one before it had to say to the log.
pub fn take_last_words(place: &Place) {
    let path = last_words_file(place);
    let words = std::fs::read(&path).unwrap_or_default();
    let words = String::from_utf8_lossy(&words[..words.len().min(MAX_LAST_WORDS)]);
    if !words.trim().is_empty() {
        tracing::warn!(words = words.trim(), "an engine before this one had said");
        // Nothing is lost but room: what is there was logged.
        let _ = std::fs::OpenOptions::new().write(true).truncate(true).open(&path);
    }
}
