//! One engine a state directory, and the clients that share it.
//!
//! Whoever holds the lock of a state directory is its engine and listens on its socket ([`place`]). `codex-mcp` on
//! standard input and output is a front ([`front`]): it finds the engine or starts it ([`spawn`]), introduces its client
//! in a first line ([`hello`]), and then carries lines. The engine ([`host`]) serves MCP to each front, ends by itself
//! when nobody needs it, and makes room for a newer version.

mod flight;
mod front;
mod guest;
mod hello;
mod host;
mod launches;
mod place;
mod spawn;
mod version;

pub use front::{Front, FrontEnd};
pub use hello::{ClientStatus, Hello, Introduction, Status, Welcome};
pub use host::{Host, HostError};
pub use place::{Claim, Place, PlaceError};
pub use version::Version;

use std::io;
use std::path::PathBuf;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// How an engine is asked something that is not MCP.
///
/// # Errors
/// No engine answers.
pub async fn ask(place: &Place, introduction: &Introduction) -> io::Result<Welcome> {
    let stream = place.connect().await?;
    let (welcome, _) = greet(stream, introduction).await?;
    Ok(welcome)
}

/// The longest first line, in bytes: an environment with room to spare.
const MAX_FIRST_LINE: u64 = 256 << 10;

/// Introduces a client, and gives the answer with the stream behind it.
async fn greet(
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

/// Where a detached engine writes what it has no log for: why it could not start, or a panic.
pub fn last_words_file(place: &Place) -> PathBuf {
    place.directory().join("engine.err")
}
