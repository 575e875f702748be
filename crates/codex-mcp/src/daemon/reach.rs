//! How a front gets to an engine: it connects, starts one where there is none, and introduces its client.
//!
//! It gives up after a bounded time. Whoever asks again later looks again: nothing is remembered.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use codex_client::orphan;
use tokio::io::{BufReader, ReadHalf, WriteHalf};
use tokio::net::UnixStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hello::{Hello, Introduction, Welcome};
use super::spawn::spawn;
use super::{Host, Place, Version, greet};
use crate::config::Config;
use crate::mcp::Lines;

/// How long an engine is looked for before the client is told that there is none.
const LOOKING: Duration = Duration::from_secs(8);
/// The first pause between two attempts; it doubles.
const PAUSE: Duration = Duration::from_millis(20);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// What the engine says.
pub(super) type Reading = Lines<ReadHalf<BufReader<UnixStream>>>;
/// What is said to the engine.
pub(super) type Writing = WriteHalf<BufReader<UnixStream>>;

/// Where an engine runs that a front starts.
#[derive(Debug)]
pub enum Start {
    /// In a process that outlives this one. Whatever is at the path by then is the right program, also after an upgrade.
    Detached {
        /// This program's path, as it was when this process started: a replaced file has none any more.
        program: PathBuf,
    },
    /// Inside this process.
    Inside(Inside),
}

/// The engines inside this process: one at most runs at a time, because each holds the lock.
#[derive(Clone, Debug, Default)]
pub struct Inside {
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Inside {
    /// Tells them to end, whoever needs them.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Waits until nobody needs them any more. No further one may be started.
    pub async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Why there is no engine this time.
#[derive(Debug)]
pub(super) enum Miss {
    /// Another attempt in a moment can succeed.
    ForNow(io::Error),
    /// Somebody has to do something first.
    ForGood(io::Error),
}

impl Miss {
    /// One that hangs goes on hanging; another error is the end of an engine.
    fn of_greeting(error: io::Error) -> Self {
        match error.kind() == io::ErrorKind::TimedOut {
            true => Self::ForGood(error),
            false => Self::ForNow(error),
        }
    }
}

/// A front's way to the engine of its place.
pub(super) struct Reach {
    config: Arc<Config>,
    place: Place,
    arguments: Vec<OsString>,
    version: Version,
    start: Start,
    /// Who waits for the engines that were started.
    tasks: TaskTracker,
}

impl Reach {
    pub(super) fn new(
        config: Arc<Config>,
        arguments: Vec<OsString>,
        version: Version,
        start: Start,
    ) -> Self {
        let place = Place::new(&config.state_dir);
        Self { config, place, arguments, version, start, tasks: TaskTracker::new() }
    }

    /// Connects to the engine, and starts one where there is none.
    pub(super) async fn engine(&self) -> io::Result<(Reading, Writing)> {
        let hello = Hello::of(&self.config, &self.arguments, self.version);
        let introduction = Introduction::Client(Box::new(hello));
        let deadline = Instant::now() + LOOKING;
        let mut pause = PAUSE;
        loop {
            match self.attempt(&introduction).await {
                Ok(stream) => {
                    let (reader, writer) = tokio::io::split(stream);
                    // The engine keeps its own limit; whatever it says is the client's.
                    return Ok((Lines::new(reader, usize::MAX), writer));
                }
                Err(Miss::ForGood(error)) => return Err(error),
                Err(Miss::ForNow(error)) if Instant::now() + pause > deadline => return Err(error),
                Err(Miss::ForNow(_)) => tokio::time::sleep(pause).await,
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn attempt(&self, introduction: &Introduction) -> Result<BufReader<UnixStream>, Miss> {
        let stream = match self.place.connect().await {
            Ok(stream) => stream,
            Err(_) => {
                self.start().await?;
                self.place.connect().await.map_err(Miss::ForNow)?
            }
        };
        let (welcome, stream) = greet(stream, introduction).await.map_err(Miss::of_greeting)?;
        match welcome {
            Welcome::Accepted { version, pid } => {
                if Version::parse(&version).is_some_and(|theirs| theirs < self.version) {
                    tracing::warn!(
                        "an older engine ({version}, process {pid}) is still at work and serves this client; version \
                         {} takes over when it is idle",
                        self.version
                    );
                }
                Ok(stream)
            }
            Welcome::Retiring | Welcome::Status(_) | Welcome::Stopping { .. } => {
                let message = "the engine makes room for a newer one";
                Err(Miss::ForNow(io::Error::new(io::ErrorKind::ConnectionAborted, message)))
            }
            Welcome::Refused { message } => {
                Err(Miss::ForGood(io::Error::other(format!("the engine refuses: {message}"))))
            }
        }
    }

    /// Starts an engine, unless a newer one is about to come or another one was faster.
    async fn start(&self) -> Result<(), Miss> {
        if let Some(newer) = self.place.successor_of(self.version) {
            let message = format!("the engine of version {newer} is about to start");
            return Err(Miss::ForNow(io::Error::new(io::ErrorKind::ConnectionAborted, message)));
        }
        match &self.start {
            Start::Detached { program } => {
                spawn(program, &self.place, &self.config, &self.arguments, &self.tasks).await
            }
            Start::Inside(inside) => self.host(inside).map_err(Miss::ForGood),
        }
    }

    fn host(&self, inside: &Inside) -> io::Result<()> {
        let Some(claim) = self.place.claim().map_err(io::Error::other)? else {
            return Ok(());
        };
        let host = Host::listen(claim, self.config.clone(), self.version, Duration::ZERO);
        orphan::adopt();
        inside.tasks.spawn(host.map_err(io::Error::other)?.run(inside.shutdown.clone()));
        Ok(())
    }
}
