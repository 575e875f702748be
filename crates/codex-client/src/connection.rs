//! One conversation with an app-server over a pair of pipes.
//!
//! Three tasks: a reader and a writer each own a pipe end, and one actor owns everything else. What
//! arrives goes to the owner through one bounded, ordered [`Inbox`]; while the owner does not read it,
//! the pipe is not read either, and Codex waits without losing anything. Sending never waits, so an
//! owner that is busy sending can not block itself. Nothing here knows a method's meaning.

mod actor;
mod output;
mod pending;
mod pipe;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::RequestError;
use crate::protocol::Method;
use crate::rpc::{Malformed, RequestId, RpcError};
use actor::{Actor, Command};
use pending::{Pending, ReplyTo, Request};
pub(crate) use pipe::{Received, next as next_received};

/// Commands between a handle and the actor. The actor empties it at once; when full, the command is
/// refused as [`RequestError::Overloaded`].
const COMMANDS: usize = 1024;

/// What one connection may hold at a time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The longest line that is read, in bytes.
    pub max_line_bytes: usize,
    /// Requests that Codex has and has not answered. Codex 0.169 loses some beyond 128.
    pub in_flight: usize,
    /// Requests that wait their turn behind those.
    pub waiting: usize,
    /// Messages that wait for the owner. When full, the pipe is not read.
    pub inbox: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_line_bytes: 64 * 1024 * 1024, in_flight: 64, waiting: 256, inbox: 256 }
    }
}

/// What an app-server sent, or what became of it.
#[derive(Debug)]
pub enum Incoming {
    /// Something that happened. Read it with [`crate::protocol::Notification::decode`].
    Notification { method: String, params: Box<RawValue>, emitted_at_ms: Option<i64> },
    /// A question, to be answered with [`Connection::answer`]. Read it with
    /// [`crate::protocol::ServerRequest::decode`].
    Request { id: RequestId, method: String, params: Box<RawValue> },
    /// What came of [`Connection::submit`], once for each.
    Response { tag: u64, result: Result<Box<RawValue>, RequestError> },
    /// A line that is no message.
    Malformed(Malformed),
    /// Nothing more will be read; every submitted request has been answered.
    Closed { reason: CloseReason },
    /// The process has ended. Follows `Closed`; only a connection to a child process has it.
    Exited(crate::process::Exit),
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum CloseReason {
    /// The other side closed its output.
    #[error("the app-server closed its output")]
    EndOfStream,
    /// Its output could not be read.
    #[error("the app-server's output cannot be read")]
    ReadFailed(#[source] io::Error),
    /// It leaves what we write unread.
    #[error("the app-server does not read its input")]
    PeerStoppedReading,
    /// The inbox was dropped: nobody is there to answer questions.
    #[error("the owner of the connection is gone")]
    OwnerGone,
}

/// Everything received, in order. Dropping it closes the connection.
#[derive(Debug)]
pub struct Inbox {
    /// What was looked at during the handshake.
    early: VecDeque<Incoming>,
    receiver: mpsc::Receiver<Incoming>,
}

impl Inbox {
    /// The next message; `None` after the last one. Safe to cancel.
    pub async fn recv(&mut self) -> Option<Incoming> {
        match self.early.pop_front() {
            Some(message) => Some(message),
            None => self.receiver.recv().await,
        }
    }

    /// Puts back, in order and before everything else, what was received before.
    pub(crate) fn put_back(&mut self, messages: VecDeque<Incoming>) {
        self.early = messages;
    }
}

/// Sends to one app-server. Cheap to clone; when the last clone is dropped, its input is closed.
#[derive(Debug, Clone)]
pub struct Connection {
    commands: mpsc::Sender<Command>,
}

/// What a supervisor needs besides the handle and the inbox.
pub(crate) struct Wiring {
    /// Adds to the end of the inbox, once the actor is done.
    pub(crate) inbox: mpsc::Sender<Incoming>,
    /// Cancel it when the peer is known to be dead: what is in the pipe is read, but not waited for.
    pub(crate) peer_gone: CancellationToken,
    /// Ends once the actor has delivered its last message.
    pub(crate) actor: JoinHandle<()>,
}

impl Connection {
    /// Talks through `output` (theirs, which is read) and `input` (theirs, which is written). The
    /// three tasks run on `tasks` and end after [`Incoming::Closed`] or when the inbox is dropped.
    pub fn open<R, W>(output: R, input: W, limits: Limits, tasks: &TaskTracker) -> (Self, Inbox)
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (connection, inbox, _wiring) = Self::wire(output, input, limits, tasks);
        (connection, inbox)
    }

    pub(crate) fn wire<R, W>(
        output: R,
        input: W,
        limits: Limits,
        tasks: &TaskTracker,
    ) -> (Self, Inbox, Wiring)
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (commands, command_queue) = mpsc::channel(COMMANDS);
        // Full: the actor keeps the rest and stops reading the pipe.
        let (inbox, receiver) = mpsc::channel(limits.inbox);
        let peer_gone = CancellationToken::new();
        let stop_pipes = CancellationToken::new();
        let received =
            pipe::read(output, limits.max_line_bytes, peer_gone.clone(), stop_pipes.clone(), tasks);
        let writer = pipe::write(input, stop_pipes.clone(), tasks);
        let actor = Actor::new(
            Pending::new(limits.in_flight, limits.waiting),
            inbox.clone(),
            command_queue,
            received,
            writer,
            stop_pipes,
        );
        let actor = tasks.spawn(actor.run());
        let inbox_end = Inbox { early: VecDeque::new(), receiver };
        (Self { commands }, inbox_end, Wiring { inbox, peer_gone, actor })
    }

    /// Sends a request whose result arrives in the inbox as [`Incoming::Response`] with this `tag`,
    /// exactly once, at its place between the notifications. `deadline` runs from now. Never waits.
    ///
    /// # Errors
    /// [`RequestError::Closed`], or [`RequestError::Overloaded`] when a thousand commands or results
    /// are unread. Then nothing will arrive for this tag.
    pub fn submit<P: Serialize + ?Sized>(
        &self,
        tag: u64,
        method: &'static str,
        params: &P,
        deadline: Duration,
    ) -> Result<(), RequestError> {
        self.send_request(method, params, deadline, ReplyTo::Inbox { tag })
    }

    /// Sends a request and waits for its result, apart from the inbox, which must still be read (or
    /// have room) for anything to arrive. For the command line, health checks and tests.
    ///
    /// # Errors
    /// Any [`RequestError`].
    pub async fn request<M: Method>(
        &self,
        params: &M::Params,
        deadline: Duration,
    ) -> Result<M::Response, RequestError> {
        let (reply, result) = oneshot::channel();
        self.send_request(M::NAME, params, deadline, ReplyTo::Caller(reply))?;
        match result.await {
            Ok(result) => M::read(&result?),
            Err(_actor_gone) => Err(RequestError::Closed { method: M::NAME }),
        }
    }

    /// Answers a question of Codex. An answer to a question that was withdrawn is ignored by Codex.
    ///
    /// # Errors
    /// As [`Connection::submit`].
    pub fn answer<T: Serialize + ?Sized>(
        &self,
        id: &RequestId,
        result: Result<&T, &RpcError>,
    ) -> Result<(), RequestError> {
        #[derive(Serialize)]
        struct Answer<'a, T: ?Sized> {
            id: &'a RequestId,
            #[serde(skip_serializing_if = "Option::is_none")]
            result: Option<&'a T>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a RpcError>,
        }
        let mut line = to_line(&Answer { id, result: result.ok(), error: result.err() });
        line.push(b'\n');
        self.send("answer", Command::Write { line })
    }

    /// Tells Codex something that it does not answer.
    ///
    /// # Errors
    /// As [`Connection::submit`].
    pub fn notify<P: Serialize + ?Sized>(
        &self,
        method: &'static str,
        params: Option<&P>,
    ) -> Result<(), RequestError> {
        let mut line = to_line(&Call { method, params });
        line.push(b'\n');
        self.send(method, Command::Write { line })
    }

    /// Closes the app-server's input once everything sent before is written. It is read to its end.
    pub fn close_input(&self) {
        // Refused only by an actor that is gone, whose input is closed, or by a full queue, which
        // the stop ladder answers with a signal.
        let _ = self.commands.try_send(Command::CloseInput);
    }

    fn send_request<P: Serialize + ?Sized>(
        &self,
        method: &'static str,
        params: &P,
        after: Duration,
        reply: ReplyTo,
    ) -> Result<(), RequestError> {
        let mut line = to_line(&Call { method, params: Some(params) });
        // The actor numbers the request and closes the object again.
        line.pop();
        let request = Request::new(method, reply, Instant::now(), after);
        self.send(method, Command::Request { request, line })
    }

    fn send(&self, method: &'static str, command: Command) -> Result<(), RequestError> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => RequestError::Overloaded { method },
            TrySendError::Closed(_) => RequestError::Closed { method },
        })
    }
}

#[derive(Serialize)]
struct Call<'a, P: ?Sized> {
    method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<&'a P>,
}

fn to_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value)
        .expect("wire types have string keys and cannot fail to serialise");
    // Raw values may have been written over several lines. Within JSON a newline is only ever space.
    for byte in &mut line {
        if *byte == b'\n' {
            *byte = b' ';
        }
    }
    line
}
