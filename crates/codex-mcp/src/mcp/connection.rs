//! Serves MCP on one connection, from the first byte to a prompt end.
//!
//! Whatever ends a connection (the peer, the caller, a fault of the pipe) is raised once; the calls in
//! flight are told at once and get a bounded time to answer. It opens no pipe and never outlives its own
//! future: dropping that ends the calls too.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::service::QuitReason;
use rmcp::{ServerHandler, ServiceExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::hardened::Hardened;
use super::outbox::{Outbox, WriteError};
use super::transport::LineTransport;

/// How long calls in flight may take to answer once the connection ends.
const GRACE: Duration = Duration::from_millis(150);
/// How long their last answers may take to be written.
const FLUSH: Duration = Duration::from_millis(40);

/// What one client may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest line that is read, in bytes; a longer one is answered with an error. 64 MiB.
    pub max_line_bytes: usize,
    /// Requests without an answer; one more is answered with an error. 1024.
    pub max_in_flight: usize,
    /// Answers that wait for the client to read, in bytes; the connection ends beyond that. 256 MiB.
    pub max_unread_bytes: usize,
    /// How long a client may take nothing of what waits for it before the connection ends. 60 s.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_line_bytes: 64 << 20,
            max_in_flight: 1024,
            max_unread_bytes: 256 << 20,
            patience: Duration::from_secs(60),
        }
    }
}

/// Why a connection ended that ended as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The peer closed its end, or is gone.
    PeerClosed,
    /// The caller asked for it.
    Shutdown,
}

/// Why a connection had to be given up. The caller can only close it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The client's messages could not be read.
    #[error("cannot read from the MCP client")]
    Read(#[source] io::Error),
    /// Messages to the client could not be written.
    #[error("cannot write to the MCP client")]
    Write(#[source] io::Error),
    /// The client took nothing for as long as [`Limits::patience`].
    #[error("the MCP client reads nothing any more")]
    Stalled,
    /// The client left more unread than [`Limits::max_unread_bytes`].
    #[error("the MCP client left {bytes} bytes unread")]
    Unread {
        /// How much was waiting.
        bytes: usize,
    },
    /// The SDK ended the session by itself, such as when the handler fails `initialize`.
    #[error("the MCP session failed: {0}")]
    Session(String),
}

impl ServeError {
    /// What an error from reading means: a peer that is gone is an end like any other.
    pub(super) fn from_read(error: io::Error) -> Result<EndReason, Self> {
        ended_by_peer(&error).ok_or(Self::Read(error))
    }

    fn from_write(error: WriteError) -> Result<EndReason, Self> {
        match error {
            WriteError::Io(error) => ended_by_peer(&error).ok_or(Self::Write(error)),
            WriteError::Stalled => Err(Self::Stalled),
        }
    }
}

fn ended_by_peer(error: &io::Error) -> Option<EndReason> {
    let gone = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
    gone.contains(&error.kind()).then_some(EndReason::PeerClosed)
}

/// Serves MCP until the connection ends: the peer closes it, `shutdown` fires or the pipe fails. Requests in
/// flight are then cancelled and may still answer; it returns within 200 ms, whatever they do.
///
/// # Errors
/// See [`ServeError`]; a peer that goes away is not an error.
pub async fn serve<H, R, W>(
    handler: H,
    reader: R,
    writer: W,
    shutdown: CancellationToken,
) -> Result<EndReason, ServeError>
where
    H: ServerHandler,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin,
{
    serve_within(Limits::default(), handler, reader, writer, shutdown).await
}

/// As [`serve`], with other limits.
///
/// # Errors
/// As [`serve`].
pub async fn serve_within<H, R, W>(
    limits: Limits,
    handler: H,
    reader: R,
    writer: W,
    shutdown: CancellationToken,
) -> Result<EndReason, ServeError>
where
    H: ServerHandler,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin,
{
    let ending = Arc::new(Ending::default());
    let outbox = Arc::new(Outbox::new(limits.max_unread_bytes));
    let abort = CancellationToken::new();
    // Also when this future is dropped, no call goes on alone.
    let _abort_on_drop = abort.clone().drop_guard();

    let versions = handler.supported_protocol_versions();
    let transport = LineTransport::new(reader, outbox.clone(), ending.clone(), limits, versions);
    let service = Hardened::new(handler, abort.clone());
    let session = async {
        let result = run(service, transport, ending.raised.child_token()).await;
        ending.raise(result);
        outbox.close();
    };
    let writing = async {
        if let Err(error) = outbox.write_to(writer, limits.patience).await {
            ending.raise(ServeError::from_write(error));
        }
    };
    let time_limit = async {
        tokio::select! {
            () = ending.raised.cancelled() => {}
            () = shutdown.cancelled() => ending.raise(Ok(EndReason::Shutdown)),
        }
        tokio::time::sleep(GRACE).await;
        abort.cancel();
        tokio::time::sleep(FLUSH).await;
    };
    tokio::select! {
        ((), ()) = async { tokio::join!(session, writing) } => {}
        () = time_limit => {}
    }
    ending.take()
}

/// Runs rmcp's opening and its loop. Cancelling `root` cancels every request and ends both.
async fn run<H, R>(
    service: Hardened<H>,
    transport: LineTransport<R>,
    root: CancellationToken,
) -> Result<EndReason, ServeError>
where
    H: ServerHandler,
    R: AsyncRead + Send + Unpin + 'static,
{
    let failed = |error: &dyn fmt::Display| ServeError::Session(error.to_string());
    // On the heap, because the opening holds a whole handler call and the caller's future would too.
    let running = Box::pin(service.serve_with_ct(transport, root)).await;
    let running = running.map_err(|error| failed(&error))?;
    match running.waiting().await {
        Ok(QuitReason::Closed | QuitReason::Cancelled) => Ok(EndReason::PeerClosed),
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(failed(&error)),
        Ok(other) => Err(failed(&format_args!("{other:?}"))),
    }
}

/// The end of a connection, as the first one who notices sees it.
#[derive(Default)]
pub(super) struct Ending {
    /// Fires with the first reason.
    raised: CancellationToken,
    reason: Mutex<Option<Result<EndReason, ServeError>>>,
}

impl Ending {
    /// Ends the connection. Every reason but the first is a consequence of it and is dropped.
    pub(super) fn raise(&self, reason: Result<EndReason, ServeError>) {
        let mut first = self.lock();
        if !self.raised.is_cancelled() {
            *first = Some(reason);
            self.raised.cancel();
        }
    }

    fn take(&self) -> Result<EndReason, ServeError> {
        let reason = self.lock().take();
        reason.expect("the connection ends with a reason, which is taken once")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Result<EndReason, ServeError>>> {
        self.reason.lock().expect("nothing panics while it holds the reason")
    }
}
