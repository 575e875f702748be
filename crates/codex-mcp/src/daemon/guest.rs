//! One connection to the engine, from its first line to its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::hello::{Hello, Introduction, MonitorHello, MonitorNews, Welcome};
use super::host::{Common, Decision, INTRODUCTION, MAX_CLIENTS, News};
use super::place::check_peer;
use super::{MAX_FIRST_LINE, Version};
use crate::cli;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::brief;
use crate::mcp::{Server, Shared, connection};
use crate::monitors::{self, MAX_MONITORS, Watch};
use crate::redact;
use crate::workspace::Roots;

/// How long the news of the last turns may take once the engine ends.
const LAST_NEWS: Duration = Duration::from_secs(1);

/// A connection that has said who it is.
struct Guest<'a> {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    news: &'a mpsc::Sender<News>,
    version: Version,
}

/// Serves one connection from its first line to its end. It counts as a stranger until it has introduced itself.
pub(super) async fn serve(
    stream: UnixStream,
    stranger: OwnedSemaphorePermit,
    news: &mpsc::Sender<News>,
    version: Version,
    common: Common,
    shutdown: CancellationToken,
) -> io::Result<()> {
    check_peer(&stream)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let introduced = tokio::time::timeout(INTRODUCTION, introduction(&mut reader));
    let late = || Err("no introduction came in time".to_owned());
    let introduction = match introduced.await.unwrap_or_else(|_| late()) {
        Ok(introduction) => introduction,
        Err(message) => return answer(&mut writer, &Welcome::Refused { message }).await,
    };
    drop(stranger);
    let guest = Guest { reader, writer, news, version };
    match introduction {
        Introduction::Monitor(hello) => guest.serve_monitor(&hello, common, shutdown).await,
        Introduction::Status => guest.tell_status().await,
        Introduction::Stop => guest.stop().await,
        Introduction::Client(hello) => guest.serve_client(hello, common, shutdown).await,
    }
}

impl Guest<'_> {
    async fn tell_status(mut self) -> io::Result<()> {
        let status = ask(self.news, |answer| News::Status { answer }).await?;
        answer(&mut self.writer, &Welcome::Status(status)).await
    }

    async fn stop(mut self) -> io::Result<()> {
        let busy = ask(self.news, |answer| News::Stop { answer }).await?;
        answer(&mut self.writer, &Welcome::Stopping { pid: std::process::id(), busy }).await
    }

    /// Tells a monitor what its session hears by no call, until it goes or the engine does.
    async fn serve_monitor(
        mut self,
        hello: &MonitorHello,
        common: Common,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        let watch = match monitors::session(&hello.session) {
            Some(session) => common.monitors.watch(session).ok_or_else(|| {
                format!("{MAX_MONITORS} monitors are connected already; end one of them")
            }),
            None => Err("the name of the session is empty, or longer than 200 bytes".to_owned()),
        };
        let watch = match watch {
            Ok(watch) => watch,
            Err(message) => return answer(&mut self.writer, &Welcome::Refused { message }).await,
        };
        tracing::info!(?hello, "a monitor came");
        let accepted = self.accepted();
        let Self { mut reader, mut writer, .. } = self;
        answer(&mut writer, &accepted).await?;
        tokio::select! {
            told = tell(watch, &mut writer) => told,
            gone = end_of(&mut reader) => gone,
            () = last_words(&shutdown) => Ok(()),
        }
    }

    fn accepted(&self) -> Welcome {
        Welcome::Accepted { version: self.version.to_string(), pid: std::process::id() }
    }

    async fn serve_client(
        mut self,
        hello: Box<Hello>,
        common: Common,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        let newer_client = Version::parse(&hello.version).filter(|theirs| *theirs > self.version);
        let (config, roots) = match configuration(&hello) {
            Ok(found) => found,
            Err(message) => return answer(&mut self.writer, &Welcome::Refused { message }).await,
        };
        let claude_session = hello.claude_session().map(str::to_owned);
        let came = |answer| News::Came { hello, config: config.clone(), answer };
        let (seat, engine) = match ask(self.news, came).await? {
            Decision::Retire => return answer(&mut self.writer, &Welcome::Retiring).await,
            Decision::Full => {
                let message = format!(
                    "{MAX_CLIENTS} clients are connected already; end one of them, or give this one an engine of its \
                     own with --state-dir"
                );
                return answer(&mut self.writer, &Welcome::Refused { message }).await;
            }
            Decision::Serve { seat, engine } => (seat, engine),
        };
        let Common { outputs, repositories, subscriptions, test_runs, monitors: _ } = common;
        let shared = Shared {
            config,
            roots,
            outputs,
            repositories,
            subscriptions,
            test_runs,
            newer_client,
            claude_session,
        };
        let accepted = self.accepted();
        let Self { reader, mut writer, .. } = self;
        let served = answer(&mut writer, &accepted).await;
        if served.is_ok() {
            mcp(shared, engine, reader, writer, shutdown).await;
        }
        drop(seat);
        served
    }
}

/// Asks the host something.
async fn ask<T>(
    news: &mpsc::Sender<News>,
    question: impl FnOnce(oneshot::Sender<T>) -> News,
) -> io::Result<T> {
    let (sender, receiver) = oneshot::channel();
    news.send(question(sender)).await.map_err(|_| closing())?;
    receiver.await.map_err(|_| closing())
}

/// The host ends, and with it everything that it was asked.
fn closing() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

/// Reads a first line; what is wrong with it is told to who sent it.
async fn introduction(reader: &mut BufReader<OwnedReadHalf>) -> Result<Introduction, String> {
    let mut line = Vec::new();
    let read = reader.take(MAX_FIRST_LINE).read_until(b'\n', &mut line).await;
    read.map_err(|error| format!("the introduction cannot be read: {error}"))?;
    if !line.ends_with(b"\n") {
        return Err(format!("the introduction is no line of at most {MAX_FIRST_LINE} bytes"));
    }
    parse(&line)
}

fn parse(line: &[u8]) -> Result<Introduction, String> {
    serde_json::from_slice(line)
        .map_err(|error| brief(format!("the introduction is not understood: {error}")))
}

/// What a first line comes to, before anybody is asked whether there is room: for [`fuzzing`](crate::fuzzing).
pub(crate) fn check(line: &[u8]) -> Result<(), String> {
    match parse(line)? {
        Introduction::Client(hello) => {
            let _newer = Version::parse(&hello.version);
            let _session = hello.claude_session();
            configuration(&hello).map(drop)
        }
        Introduction::Monitor(hello) => {
            let _session = monitors::session(&hello.session);
            Ok(())
        }
        Introduction::Status | Introduction::Stop => Ok(()),
    }
}

/// What the client's own configuration says, as if the engine ran inside it.
fn configuration(hello: &Hello) -> Result<(Arc<Config>, Arc<Roots>), String> {
    let words = std::iter::once("codex-mcp").chain(hello.arguments.iter().map(String::as_str));
    let invocation = cli::parse(words).map_err(|error| brief(error.to_string()))?;
    let config = Config::load(&hello.environment(), &invocation.flags)
        .map_err(|error| brief(error.to_string()))?;
    redact::learn(&config);
    let roots = Roots::new(&config.workspace_roots).map_err(|error| error.to_string())?;
    Ok((Arc::new(config), Arc::new(roots)))
}

/// Tells a monitor its news until there are none any more. What it did not take is left to the next one.
async fn tell(mut watch: Watch, writer: &mut OwnedWriteHalf) -> io::Result<()> {
    while let Some(news) = watch.next().await {
        let line = MonitorNews { line: news.line().to_owned() };
        if let Err(error) = say(writer, &line).await {
            watch.give_back(news);
            return Err(error);
        }
    }
    Ok(())
}

/// Waits for the end of what the other end says, which is nothing that matters.
async fn end_of(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<()> {
    loop {
        let read = reader.fill_buf().await?.len();
        if read == 0 {
            return Ok(());
        }
        reader.consume(read);
    }
}

/// Waits until the engine ends, and then for as long as the last news may take.
async fn last_words(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(LAST_NEWS).await;
}

async fn answer(writer: &mut OwnedWriteHalf, welcome: &Welcome) -> io::Result<()> {
    say(writer, welcome).await
}

async fn say(writer: &mut OwnedWriteHalf, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

async fn mcp(
    shared: Shared,
    engine: Engine,
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    shutdown: CancellationToken,
) {
    let max_line_bytes = shared.config.max_line_bytes;
    let limits = connection::Limits { max_line_bytes, ..Default::default() };
    let page_rule = shared.config.page_rule();
    let server = Server::connect(engine, shared, page_rule).await;
    match connection::serve_within(limits, server, reader, writer, shutdown).await {
        Ok(reason) => tracing::debug!(?reason, "a client's connection has ended"),
        Err(error) => tracing::warn!(%error, "a client's connection failed"),
    }
}
