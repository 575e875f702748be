//! The monitor's end of a connection: finds the engine whenever there is one, and prints what it tells.
//!
//! It never starts an engine. Without one it waits for the socket to come, and looks by itself from time to time.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::Instant;

use super::arrival::Arrival;
use super::hello::{Introduction, MonitorHello, MonitorNews, Welcome};
use super::{Place, PlaceError, Version, greet};
use crate::mcp::{Line, Lines};

/// The first pause before an engine is looked for again; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest pause. An engine that comes meanwhile is noticed at once where the system tells of it.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The longest line of an engine, in bytes: many times what one has.
const MAX_LINE: usize = 64 << 10;

/// A monitor of a session.
pub struct Monitor {
    place: Place,
    introduction: Introduction,
}

impl Monitor {
    /// A monitor that waits in a state directory, which is made if it is missing.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn new(state_dir: &Path, session: &str, version: Version) -> Result<Self, PlaceError> {
        let place = Place::new(state_dir);
        place.prepare()?;
        let introduction = Introduction::Monitor(MonitorHello {
            version: version.to_string(),
            pid: std::process::id(),
            session: session.to_owned(),
        });
        Ok(Self { place, introduction })
    }

    /// Prints what engines tell, until the output takes no more: that is the error.
    pub async fn run<W: AsyncWrite + Unpin>(self, mut output: W) -> io::Error {
        let mut arrival = Arrival::at(self.place.directory());
        let mut pause = PAUSE;
        let mut refused = String::new();
        loop {
            let since = Instant::now();
            match self.connect().await {
                Ok(engine) => {
                    refused.clear();
                    if let Err(error) = carry(engine, &mut output).await {
                        return error;
                    }
                    if since.elapsed() > LONGEST_PAUSE {
                        pause = PAUSE;
                    }
                }
                Err(Some(reason)) if reason != refused => {
                    tracing::warn!(
                        reason,
                        "no news from this engine; it is asked again from time to time"
                    );
                    refused = reason;
                }
                Err(_) => {}
            }
            tokio::select! {
                () = arrival.came() => pause = PAUSE,
                () = tokio::time::sleep(pause) => pause = LONGEST_PAUSE.min(pause * 2),
            }
        }
    }

    /// The engine's news, or why it tells none; nothing, if there is no engine.
    async fn connect(&self) -> Result<BufReader<UnixStream>, Option<String>> {
        let stream = self.place.connect().await.map_err(|_| None)?;
        let greeted = greet(stream, &self.introduction).await;
        let (welcome, stream) = greeted.map_err(|error| Some(error.to_string()))?;
        match welcome {
            Welcome::Accepted { .. } => Ok(stream),
            Welcome::Refused { message } => Err(Some(message)),
            Welcome::Retiring | Welcome::Status(_) | Welcome::Stopping { .. } => Err(None),
        }
    }
}

/// Prints what an engine tells until it is gone. An error is the output's.
async fn carry<W: AsyncWrite + Unpin>(
    engine: BufReader<UnixStream>,
    output: &mut W,
) -> io::Result<()> {
    let mut lines = Lines::new(engine, MAX_LINE);
    loop {
        match lines.next().await {
            Ok(Line::Whole(line)) => {
                // What a later engine says besides is not for this version.
                if let Ok(news) = serde_json::from_slice::<MonitorNews>(line) {
                    output.write_all(&printed(&news.line)).await?;
                    output.flush().await?;
                }
            }
            Ok(Line::TooLong { .. }) => {}
            Ok(Line::End) | Err(_) => return Ok(()),
        }
    }
}

/// One line, whatever an engine sends.
fn printed(line: &str) -> Vec<u8> {
    let line: String =
        line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    format!("{line}\n").into_bytes()
}
