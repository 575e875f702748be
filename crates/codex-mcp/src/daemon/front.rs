//! The client's end: carries lines between standard input and output and the engine, and outlives the engine.
//!
//! It knows nothing of MCP but what [`super::flight`] remembers. A client that does not read makes the engine wait, an
//! engine that does not read makes the client wait; nothing is queued here. Without an engine it answers for it, and
//! looks for one again with each request.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Version;
use super::flight::{Flight, Life, Said, Whose};
use super::reach::{Reach, Reading, Start, Writing};
use crate::config::Config;
use crate::error::{Code, Problem};
use crate::mcp::{Line, Lines, refuse_long_line};

/// How long the last answers may take once the client has ended.
const LAST_ANSWERS: Duration = Duration::from_millis(400);
/// An engine that ends sooner than this may have been ended by what this client made it do.
const SHORT_LIFE: Duration = Duration::from_secs(60);
/// How long after an engine was looked for in vain requests are answered without looking again: those that came
/// meanwhile would each wait as long as the first.
const FRESH: Duration = Duration::from_millis(500);
/// How many short-lived engines in a row are replaced before the client has to say something first.
const MAX_LOSSES: u32 = 3;

/// How a front came to its end.
#[derive(Debug)]
pub enum FrontEnd {
    /// The client went away, or this process was told to end.
    Done,
    /// The same, and at last there was no engine.
    NoEngine(io::Error),
}

/// A client on its way to an engine.
pub struct Front {
    max_line_bytes: usize,
    reach: Reach,
}

/// The engine's end, as both directions share it. Whoever holds it is the only one who writes to the engine.
struct Link {
    flight: Flight,
    /// Where the engine listens; it ends with what it says.
    engine: Option<Writing>,
    since: Instant,
    /// Short-lived engines since the client last said something.
    losses: u32,
    /// Why there is no engine, and since when that is known.
    failure: Option<(io::Error, Instant)>,
    /// Gives the other half of each engine to the direction that reads it. There is room for the one that can be: a
    /// further engine comes only when the last one was read to its end.
    readers: mpsc::Sender<Reading>,
}

impl Front {
    /// A front for a configuration that was checked; `arguments` are the flags that it came from.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        arguments: Vec<OsString>,
        version: Version,
        start: Start,
    ) -> Self {
        let max_line_bytes = config.max_line_bytes;
        Self { max_line_bytes, reach: Reach::new(config, arguments, version, start) }
    }

    /// Serves the client until it ends or `shutdown` fires.
    pub async fn run<R, W>(self, input: R, output: W, shutdown: CancellationToken) -> FrontEnd
    where
        R: AsyncRead + Send + Unpin,
        W: AsyncWrite + Send + Unpin,
    {
        let (readers, engines) = mpsc::channel(1);
        let link = Mutex::new(Link::new(readers));
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
            let _ = tokio::time::timeout(LAST_ANSWERS, last_answers(&link)).await;
        };
        tokio::select! {
            () = to_engine => {}
            () = self.to_client(engines, &link, &output, &ending) => {}
        }
        link.into_inner().failure.map_or(FrontEnd::Done, |(error, _)| FrontEnd::NoEngine(error))
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
        // Before the client has said a word, so that its first call finds everything warm.
        self.connect(&mut *link.lock().await, output).await;
        let mut lines = Lines::new(input, self.max_line_bytes);
        loop {
            match lines.next().await? {
                Line::Whole(line) => self.say(line, &mut *link.lock().await, output).await,
                Line::TooLong { head, tail } => {
                    let answer = refuse_long_line(head, tail, self.max_line_bytes);
                    output.lock().await.write_all(&answer).await?;
                }
                Line::End => return Ok(()),
            }
        }
    }

    /// Says one line to the engine; without one, to another that is found for it.
    async fn say<W: AsyncWrite + Unpin>(&self, line: &[u8], link: &mut Link, output: &Mutex<W>) {
        link.losses = 0;
        let said = link.flight.sent(line);
        if link.engine.is_none() && said != Said::Notice {
            match link.failed_just_now() {
                true => refuse(link, output).await,
                false => self.connect(link, output).await,
            }
            // Who was found was told it with everything else that waits.
            if said == Said::Request {
                return;
            }
        }
        let Some(engine) = &mut link.engine else {
            return;
        };
        // An engine that is gone is noticed by the other direction, which knows what to do.
        if engine.write_all(line).await.is_ok() {
            link.flight.delivered();
        }
    }

    /// Carries what engines say, and finds another one when one is gone.
    async fn to_client<W: AsyncWrite + Unpin>(
        &self,
        mut engines: mpsc::Receiver<Reading>,
        link: &Mutex<Link>,
        output: &Mutex<W>,
        ending: &CancellationToken,
    ) {
        while let Some(mut engine) = engines.recv().await {
            if listen(&mut engine, link, output).await.is_err() || ending.is_cancelled() {
                return;
            }
            // Held until another engine knows everything: nothing new may come in between.
            self.replace(&mut *link.lock().await, output).await;
        }
    }

    /// Settles what waited for an engine that is gone, and finds another one.
    async fn replace<W: AsyncWrite + Unpin>(&self, link: &mut Link, output: &Mutex<W>) {
        let life = match link.since.elapsed() < SHORT_LIFE {
            true => Life::Short,
            false => Life::Long,
        };
        link.engine = None;
        link.losses = match life {
            Life::Short => link.losses + 1,
            Life::Long => 1,
        };
        tell(output, &link.flight.settle(life)).await;
        match link.losses > MAX_LOSSES {
            true => {
                let message =
                    "every engine that was started ended soon; `codex-mcp daemon logs` may say why";
                link.fail(io::Error::other(message));
                refuse(link, output).await;
            }
            false => self.connect(link, output).await,
        }
    }

    /// Finds an engine and tells it what the client had opened and what it waits for; without one, answers that.
    async fn connect<W: AsyncWrite + Unpin>(&self, link: &mut Link, output: &Mutex<W>) {
        let (reader, mut writer) = match self.reach.engine().await {
            Ok(ends) => ends,
            Err(error) => {
                link.fail(error);
                return refuse(link, output).await;
            }
        };
        // An engine that is gone again is noticed by who reads it.
        let _ = writer.write_all(&link.flight.replay()).await;
        link.engine = Some(writer);
        link.since = Instant::now();
        link.failure = None;
        let _ = link.readers.send(reader).await;
    }
}

impl Link {
    fn new(readers: mpsc::Sender<Reading>) -> Self {
        Self {
            flight: Flight::default(),
            engine: None,
            since: Instant::now(),
            losses: 0,
            failure: None,
            readers,
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.failure = Some((error, Instant::now()));
    }

    fn failed_just_now(&self) -> bool {
        self.failure.as_ref().is_some_and(|(_, since)| since.elapsed() < FRESH)
    }
}

/// Carries what one engine says until it is gone. An error is the client's end.
async fn listen<W: AsyncWrite + Unpin>(
    engine: &mut Reading,
    link: &Mutex<Link>,
    output: &Mutex<W>,
) -> io::Result<()> {
    loop {
        match engine.next().await {
            Ok(Line::Whole(line)) => {
                let whose = link.lock().await.flight.received(line);
                match whose {
                    Whose::Client => output.lock().await.write_all(line).await?,
                    Whose::Front => {}
                }
            }
            Ok(Line::TooLong { .. }) => {}
            Ok(Line::End) | Err(_) => return Ok(()),
        }
    }
}

/// Answers everything that waits: there is no engine for it.
async fn refuse<W: AsyncWrite + Unpin>(link: &mut Link, output: &Mutex<W>) {
    let Some((error, _)) = &link.failure else {
        return;
    };
    let message = format!("no engine serves this client: {error}");
    tell(output, &link.flight.give_up(&Problem::new(Code::NoEngine, message))).await;
}

/// Tells the client. One that does not read any more is noticed by who reads it.
async fn tell<W: AsyncWrite + Unpin>(output: &Mutex<W>, answers: &[Vec<u8>]) {
    let mut output = output.lock().await;
    for answer in answers {
        let _ = output.write_all(answer).await;
    }
}

/// Closes the engine's input and leaves it to the caller how long it may answer. There is nothing to wait for without one.
async fn last_answers(link: &Mutex<Link>) {
    let had_engine = match &mut link.lock().await.engine {
        Some(engine) => engine.shutdown().await.is_ok(),
        None => false,
    };
    if had_engine {
        std::future::pending::<()>().await;
    }
}
