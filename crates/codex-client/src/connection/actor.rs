//! The one task that owns a connection's state and decides what happens next on it.
//!
//! It waits for several things at once and never for only one of them: while the owner does not read,
//! commands are still taken; while Codex does not read, its messages are still delivered.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pending::{Admission, Outcome, Pending, ReplyTo, Request};
use super::pipe::Received;
use super::{CloseReason, Incoming};
use crate::error::RequestError;
use crate::rpc::{CODE_OVERLOADED, Message, RequestId};

/// Undelivered messages beyond which the pipe is not read.
const READ_LIMIT: usize = 16;
/// Undelivered messages beyond which commands are not taken, which then fail as overloaded. Only an
/// owner that sends a thousand requests too many without reading gets here.
const COMMAND_LIMIT: usize = 1024;
/// Unwritten answers and notifications beyond which Codex counts as stuck.
const WRITE_LIMIT: usize = 1024;

/// What a handle asks of the actor.
#[derive(Debug)]
pub(super) enum Command {
    /// `line` is the request's object without `id` and closing brace.
    Request { request: Request, line: Vec<u8> },
    /// A whole line, newline included.
    Write { line: Vec<u8> },
    CloseInput,
}

/// What the actor waits for.
enum Event {
    /// A message was delivered or a line handed to the writer: there may be room for more.
    Moved,
    /// A deadline has passed.
    Late,
    Command(Command),
    HandlesGone,
    WriterGone,
    Received(Received),
    OwnerGone,
}

/// A line for the writer. `request` is the one that it carries, if it carries one.
#[derive(Debug)]
struct Outgoing {
    request: Option<u64>,
    line: Vec<u8>,
}

/// How far the input is from being closed.
#[derive(Debug)]
enum Input {
    Open(mpsc::Sender<Vec<u8>>),
    /// Nothing is added; what is queued is written first.
    Closing(mpsc::Sender<Vec<u8>>),
    Closed,
}

impl Input {
    /// Resolves when a line can be written; `None` when none can any more.
    async fn room(&self) -> Option<mpsc::Permit<'_, Vec<u8>>> {
        match self {
            Self::Open(writer) | Self::Closing(writer) => writer.reserve().await.ok(),
            Self::Closed => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Actor {
    pending: Pending,
    /// What the inbox had no room for yet, in order.
    undelivered: VecDeque<Incoming>,
    unwritten: VecDeque<Outgoing>,
    inbox: mpsc::Sender<Incoming>,
    commands: mpsc::Receiver<Command>,
    received: mpsc::Receiver<Received>,
    input: Input,
    /// Answers that nobody waited for, for the log.
    strays: u64,
    /// Ends the reader and the writer.
    stop_pipes: CancellationToken,
    handles_gone: bool,
}

impl Actor {
    pub(super) fn new(
        pending: Pending,
        inbox: mpsc::Sender<Incoming>,
        commands: mpsc::Receiver<Command>,
        received: mpsc::Receiver<Received>,
        writer: mpsc::Sender<Vec<u8>>,
        stop_pipes: CancellationToken,
    ) -> Self {
        Self {
            pending,
            undelivered: VecDeque::new(),
            unwritten: VecDeque::new(),
            inbox,
            commands,
            received,
            input: Input::Open(writer),
            strays: 0,
            stop_pipes,
            handles_gone: false,
        }
    }

    pub(super) async fn run(mut self) {
        let reason = self.serve().await;
        tracing::debug!(%reason, "connection closed");
        self.finish(reason).await;
    }

    async fn serve(&mut self) -> CloseReason {
        loop {
            match self.next().await {
                Event::Moved => (),
                Event::Late => self.expire(Instant::now()),
                Event::Command(command) => self.obey(command),
                Event::HandlesGone => {
                    self.handles_gone = true;
                    self.obey(Command::CloseInput);
                }
                Event::WriterGone => self.give_up_writing(),
                Event::Received(Received::Message(message)) => self.receive(message),
                Event::Received(Received::Malformed(malformed)) => {
                    tracing::debug!(%malformed, "the app-server wrote a malformed line");
                    self.undelivered.push_back(Incoming::Malformed(malformed));
                }
                Event::Received(Received::End(reason)) => return reason,
                Event::OwnerGone => return CloseReason::OwnerGone,
            }
            if self.unwritten.len() > WRITE_LIMIT {
                return CloseReason::PeerStoppedReading;
            }
            if self.unwritten.is_empty() && matches!(self.input, Input::Closing(_)) {
                self.input = Input::Closed;
            }
        }
    }

    /// Waits for whatever comes first. The order matters: what is decided is delivered first, and
    /// reading comes last, so that a flood of messages cannot keep a command out.
    async fn next(&mut self) -> Event {
        let deadline = self.pending.next_deadline();
        tokio::select! {
            biased;
            permit = self.inbox.reserve(), if !self.undelivered.is_empty() => {
                match (permit, self.undelivered.pop_front()) {
                    (Ok(permit), Some(message)) => {
                        permit.send(message);
                        Event::Moved
                    }
                    (Ok(_), None) => Event::Moved,
                    (Err(_closed), _) => Event::OwnerGone,
                }
            }
            () = self.inbox.closed(), if self.undelivered.is_empty() => Event::OwnerGone,
            () = until(deadline), if deadline.is_some() => Event::Late,
            command = self.commands.recv(),
                if !self.handles_gone && self.undelivered.len() < COMMAND_LIMIT =>
            {
                command.map_or(Event::HandlesGone, Event::Command)
            }
            permit = self.input.room(), if !self.unwritten.is_empty() => {
                let Some(permit) = permit else { return Event::WriterGone };
                if let Some(outgoing) = self.unwritten.pop_front() {
                    permit.send(outgoing.line);
                }
                Event::Moved
            }
            received = self.received.recv(), if self.undelivered.len() < READ_LIMIT => {
                // Without a last word only if the reader panicked.
                Event::Received(received.unwrap_or(Received::End(CloseReason::EndOfStream)))
            }
        }
    }

    /// Answers everything that is still open, then says why.
    async fn finish(mut self, reason: CloseReason) {
        self.input = Input::Closed;
        self.stop_pipes.cancel();
        for request in self.pending.take_all() {
            self.close_request(request);
        }
        self.commands.close();
        while let Some(command) = self.commands.recv().await {
            if let Command::Request { request, .. } = command {
                self.close_request(request);
            }
        }
        self.undelivered.push_back(Incoming::Closed { reason });
        for message in self.undelivered {
            if self.inbox.send(message).await.is_err() {
                return;
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let open = matches!(self.input, Input::Open(_));
        match command {
            Command::Request { request, .. } if !open => self.close_request(request),
            Command::Write { .. } if !open => (),
            Command::Request { request, line } => match self.pending.admit(request, line) {
                Admission::Send { id, line } => self.write_request(id, line),
                Admission::Waits => (),
                Admission::Refused(request) => {
                    let method = request.method;
                    self.resolve(request, Err(RequestError::Overloaded { method }));
                }
            },
            Command::Write { line } => self.unwritten.push_back(Outgoing { request: None, line }),
            Command::CloseInput => {
                self.input = match std::mem::replace(&mut self.input, Input::Closed) {
                    Input::Open(writer) | Input::Closing(writer) => Input::Closing(writer),
                    Input::Closed => Input::Closed,
                };
                self.close_waiting();
            }
        }
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Notification { method, params, emitted_at_ms } => self
                .undelivered
                .push_back(Incoming::Notification { method, params, emitted_at_ms }),
            Message::Request { id, method, params } => {
                self.undelivered.push_back(Incoming::Request { id, method, params });
            }
            Message::Response { id, result } => {
                let known = match &id {
                    RequestId::Number(number) => u64::try_from(*number).ok(),
                    RequestId::Text(_) => None,
                };
                let Some(request) = known.and_then(|id| self.pending.answered(id)) else {
                    self.strays += 1;
                    tracing::debug!(%id, strays = self.strays, "an answer that nobody waits for");
                    return;
                };
                let method = request.method;
                let outcome = result.map_err(|error| match error {
                    Ok(error) if error.code == CODE_OVERLOADED => {
                        RequestError::Overloaded { method }
                    }
                    Ok(error) => RequestError::Rejected {
                        method,
                        code: error.code,
                        message: error.message,
                        data: error.data,
                    },
                    Err(source) => RequestError::Unreadable { method, source },
                });
                self.resolve(request, outcome);
                self.promote();
            }
        }
    }

    /// Fails what is too late. A line that is still unwritten is never written: what was reported as
    /// failed must not happen afterwards.
    fn expire(&mut self, now: Instant) {
        while let Some((id, request)) = self.pending.expired(now) {
            self.unwritten.retain(|outgoing| outgoing.request != Some(id));
            let error =
                RequestError::DeadlineExceeded { method: request.method, after: request.after };
            self.resolve(request, Err(error));
        }
        self.promote();
    }

    fn promote(&mut self) {
        while let Some((id, line)) = self.pending.promote() {
            self.write_request(id, line);
        }
    }

    fn write_request(&mut self, id: u64, mut line: Vec<u8>) {
        line.extend_from_slice(format!(",\"id\":{id}}}\n").as_bytes());
        self.unwritten.push_back(Outgoing { request: Some(id), line });
    }

    fn resolve(&mut self, request: Request, outcome: Outcome) {
        match request.reply {
            ReplyTo::Inbox { tag } => {
                self.undelivered.push_back(Incoming::Response { tag, result: outcome });
            }
            // A caller that has gone away does not want to know.
            ReplyTo::Caller(caller) => drop(caller.send(outcome)),
        }
    }

    fn close_request(&mut self, request: Request) {
        let method = request.method;
        self.resolve(request, Err(RequestError::Closed { method }));
    }

    fn close_waiting(&mut self) {
        for request in self.pending.take_waiting() {
            self.close_request(request);
        }
    }

    /// The writer is gone. What was not written fails now; what was may still be answered, and the
    /// other side's output is read to its end.
    fn give_up_writing(&mut self) {
        self.input = Input::Closed;
        for outgoing in std::mem::take(&mut self.unwritten) {
            if let Some(request) = outgoing.request.and_then(|id| self.pending.answered(id)) {
                self.close_request(request);
            }
        }
        self.close_waiting();
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
