//! The client's end: carries lines between standard input and output and the engine, and outlives the engine.
//!
//! It knows nothing of MCP but what [`super::flight`] remembers. A client that does not read makes the engine wait, an
//! engine that does not read makes the client wait; nothing is queued here.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf};
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::flight::{Flight, is_own};
use super::hello::{Hello, Introduction, Welcome};
use super::spawn::spawn;
use super::{Place, Version, greet};
use crate::config::Config;
use crate::error::{Code, Problem};
use crate::mcp::{Line, Lines, refuse_long_line};

/// How often an engine is looked for before the client is told that there is none.
const ATTEMPTS: u32 = 8;
/// The first pause between two attempts; it doubles.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the last answers may take once the client has ended.
const LAST_ANSWERS: Duration = Duration::from_millis(400);

/// How a front came to its end.
#[derive(Debug)]
pub enum FrontEnd {
    /// The client went away, or this process was told to end.
    Done,
    /// There is no engine and none can be started.
    NoEngine(io::Error),
}

/// A client on its way to an engine.
pub struct Front {
    config: Arc<Config>,
    place: Place,
    arguments: Vec<OsString>,
    version: Version,
    tasks: TaskTracker,
    /// Whether an engine may be started that outlives this process.
    may_spawn: bool,
}

type Reading = Lines<ReadHalf<BufReader<UnixStream>>>;
type Writing = WriteHalf<BufReader<UnixStream>>;

/// The engine's end, as both directions share it. Whoever holds it is the only one who writes to the engine.
struct Link {
    flight: Flight,
    writer: Writing,
}

impl Front {
    /// A front for a configuration that was checked; `arguments` are the flags that it came from.
    #[must_use]
    pub fn new(config: Arc<Config>, arguments: Vec<OsString>, version: Version) -> Self {
        let place = Place::new(&config.state_dir);
        let may_spawn = !config.no_daemon;
        Self { config, place, arguments, version, tasks: TaskTracker::new(), may_spawn }
    }

    /// Serves the client until it ends, `shutdown` fires, or no engine can be had.
    pub async fn run<R, W>(self, input: R, output: W, shutdown: CancellationToken) -> FrontEnd
    where
        R: AsyncRead + Send + Unpin,
        W: AsyncWrite + Send + Unpin,
    {
        let (reader, writer) = match self.engine().await {
            Ok(ends) => ends,
            Err(error) => return self.without_engine(error, input, output, shutdown).await,
        };
        let link = Mutex::new(Link { flight: Flight::default(), writer });
        let output = Mutex::new(output);
        let ending = CancellationToken::new();
        let to_engine = async {
            let ended = tokio::select! {
                ended = self.to_engine(input, &link, &output) => ended,
                () = shutdown.cancelled() => Ok(()),
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "the client cannot be read any more");
            }
            ending.cancel();
            // The engine sees the end of its input, answers what it can, and closes.
            let _ = link.lock().await.writer.shutdown().await;
            tokio::time::sleep(LAST_ANSWERS).await;
        };
        tokio::select! {
            () = to_engine => FrontEnd::Done,
            end = self.to_client(reader, &link, &output, &ending) => end,
        }
    }

    /// Carries what the client says.
    async fn to_engine<R, W>(
        &self,
        input: R,
        link: &Mutex<Link>,
        output: &Mutex<W>,
    ) -> io::Result<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut lines = Lines::new(input, self.config.max_line_bytes);
        loop {
            match lines.next().await? {
                Line::Whole(line) => {
                    let mut link = link.lock().await;
                    link.flight.sent(line);
                    // An engine that is gone is noticed by the other direction, which knows what to do.
                    let _ = link.writer.write_all(line).await;
                }
                Line::TooLong { head, tail } => {
                    let answer = refuse_long_line(head, tail, self.config.max_line_bytes);
                    output.lock().await.write_all(&answer).await?;
                }
                Line::End => return Ok(()),
            }
        }
    }

    /// Carries what the engine says, and finds another one when it is gone.
    async fn to_client<W: AsyncWrite + Unpin>(
        &self,
        mut reader: Reading,
        link: &Mutex<Link>,
        output: &Mutex<W>,
        ending: &CancellationToken,
    ) -> FrontEnd {
        loop {
            let line = match reader.next().await {
                Ok(Line::Whole(line)) => line,
                Ok(Line::TooLong { .. }) => continue,
                Ok(Line::End) | Err(_) if ending.is_cancelled() => return FrontEnd::Done,
                Ok(Line::End) | Err(_) => {
                    // Held until the new engine knows everything: nothing new may come in between.
                    let mut held = link.lock().await;
                    match self.reconnect(&mut held, output).await {
                        Ok(new) => reader = new,
                        Err(error) => return self.give_up(error, &mut held, output).await,
                    }
                    continue;
                }
            };
            if is_own(line) {
                continue;
            }
            link.lock().await.flight.received(line);
            if output.lock().await.write_all(line).await.is_err() {
                return FrontEnd::Done;
            }
        }
    }

    /// Finds another engine, tells it what the client had opened, and settles what the client waits for.
    async fn reconnect<W: AsyncWrite + Unpin>(
        &self,
        link: &mut Link,
        output: &Mutex<W>,
    ) -> io::Result<Reading> {
        let (mut reader, mut writer) = self.engine().await?;
        let problem = Problem::new(
            Code::EngineLost,
            "the engine ended while this call ran, and another one has taken its place",
        );
        let aftermath = link.flight.aftermath(&problem);
        for (index, line) in aftermath.opening.iter().enumerate() {
            writer.write_all(line).await?;
            if index == 0
                && let Some(handshake) = &aftermath.handshake
            {
                skip_answer(&mut reader, handshake).await?;
            }
        }
        for line in &aftermath.again {
            writer.write_all(line).await?;
        }
        link.writer = writer;
        let mut output = output.lock().await;
        for answer in &aftermath.answers {
            output.write_all(answer).await?;
        }
        Ok(reader)
    }

    async fn give_up<W: AsyncWrite + Unpin>(
        &self,
        error: io::Error,
        link: &mut Link,
        output: &Mutex<W>,
    ) -> FrontEnd {
        let mut output = output.lock().await;
        for answer in link.flight.give_up(&no_engine(&error)) {
            let _ = output.write_all(&answer).await;
        }
        FrontEnd::NoEngine(error)
    }

    /// Answers what the client asks, for want of anybody else, until it ends.
    async fn without_engine<R, W>(
        &self,
        error: io::Error,
        input: R,
        mut output: W,
        shutdown: CancellationToken,
    ) -> FrontEnd
    where
        R: AsyncRead + Send + Unpin,
        W: AsyncWrite + Send + Unpin,
    {
        let problem = no_engine(&error);
        let mut flight = Flight::default();
        let mut lines = Lines::new(input, self.config.max_line_bytes);
        loop {
            let line = tokio::select! {
                line = lines.next() => line,
                () = shutdown.cancelled() => break,
            };
            match line {
                Ok(Line::Whole(line)) => flight.sent(line),
                Ok(Line::TooLong { .. }) => {}
                Ok(Line::End) | Err(_) => break,
            }
            for answer in flight.give_up(&problem) {
                let _ = output.write_all(&answer).await;
            }
        }
        FrontEnd::NoEngine(error)
    }

    /// Connects to the engine, and starts one where there is none.
    async fn engine(&self) -> io::Result<(Reading, Writing)> {
        let hello = Hello::of(&self.config, &self.arguments, self.version);
        let introduction = Introduction::Client(Box::new(hello));
        let mut pause = PAUSE;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match self.try_engine(&introduction).await {
                Ok(stream) => {
                    let (reader, writer) = tokio::io::split(stream);
                    // The engine keeps its own limit; whatever it says is the client's.
                    return Ok((Lines::new(reader, usize::MAX), writer));
                }
                Err(error) if error.kind() == io::ErrorKind::Unsupported => return Err(error),
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::ConnectionRefused.into()))
    }

    async fn try_engine(&self, introduction: &Introduction) -> io::Result<BufReader<UnixStream>> {
        let stream = match self.place.connect().await {
            Ok(stream) => stream,
            Err(error) if !self.may_spawn => return Err(error),
            Err(_) => {
                spawn(&self.place, &self.config, &self.arguments, &self.tasks).await?;
                self.place.connect().await?
            }
        };
        let (welcome, stream) = greet(stream, introduction).await?;
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
                Err(io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    "the engine makes room for a newer one",
                ))
            }
            Welcome::Refused { message } => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("the engine refuses: {message}"),
            )),
        }
    }
}

/// Reads up to the answer of a handshake that was repeated; the client had its own long ago.
async fn skip_answer(reader: &mut Reading, handshake: &str) -> io::Result<()> {
    loop {
        match reader.next().await? {
            Line::Whole(line) if Flight::answers(line, handshake) => return Ok(()),
            Line::Whole(_) | Line::TooLong { .. } => {}
            Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn no_engine(error: &io::Error) -> Problem {
    Problem::new(Code::NoEngine, format!("no engine serves this client: {error}"))
}
