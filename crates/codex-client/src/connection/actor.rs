//! The one task that owns a connection's state and decides what happens next on it.
//!
//! It waits for several things at once and never for only one of them: while the owner does not read,
//! commands are still taken; while Codex does not read, its messages are still delivered.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::output::{Advance, Output};
use super::pending::{Admission, Outcome, Pending, ReplyTo, Request};
use super::pipe::Received;
use super::{CloseReason, Incoming};
use crate::error::RequestError;
use crate::rpc::{Message, RequestId};

/// Undelivered messages beyond which the pipe is not read.
const READ_LIMIT: usize = 16;
/// Undelivered messages beyond which commands are not taken, which then fail as overloaded. Only an
/// owner that sends a thousand requests too many without reading gets here.
const COMMAND_LIMIT: usize = 1024;

/// What a handle asks of the actor.
#[derive(Debug)]
pub(super) enum Command {
    /// `line` is the request's object without `id` and closing brace.
    Request {
        request: Request,
        line: Vec<u8>,
    },
    /// A whole line, newline included.
    Write {
        line: Vec<u8>,
    },
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

#[derive(Debug)]
pub(super) struct Actor {
    pending: Pending,
    /// What the inbox had no room for yet, in order.
    undelivered: VecDeque<Incoming>,
    output: Output,
    inbox: mpsc::Sender<Incoming>,
    commands: mpsc::Receiver<Command>,
    received: mpsc::Receiver<Received>,
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
            output: Output::new(writer),
            inbox,
            commands,
            received,
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
            if self.output.is_stuck() {
                return CloseReason::PeerStoppedReading;
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
            advance = self.output.advance(), if !self.output.is_empty() => match advance {
                Advance::Written => Event::Moved,
                Advance::Broken => Event::WriterGone,
            },
            received = self.received.recv(), if self.undelivered.len() < READ_LIMIT => {
                // Without a last word only if the reader panicked.
                Event::Received(received.unwrap_or(Received::End(CloseReason::EndOfStream)))
            }
        }
    }

    /// Answers everything that is still open, then says why.
    async fn finish(mut self, reason: CloseReason) {
        self.output.abandon();
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
        match command {
            Command::Request { request, .. } if !self.output.is_open() => {
                self.close_request(request);
            }
            Command::Request { request, line } => match self.pending.admit(request, line) {
                Admission::Send { id, line } => self.write_request(id, line),
                Admission::Waits => (),
                Admission::Refused(request) => {
                    let method = request.method;
                    self.resolve(request, Err(RequestError::Overloaded { method }));
                }
            },
            // Nobody reads it any more, and nobody waits for what comes of it.
            Command::Write { .. } if !self.output.is_open() => (),
            Command::Write { line } => self.output.push(None, line),
            Command::CloseInput => {
                self.output.close();
                self.close_waiting();
            }
        }
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Notification { method, params, emitted_at_ms } => {
                self.undelivered.push_back(Incoming::Notification { method, params, emitted_at_ms })
            }
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
                let outcome = result.map_err(|error| RequestError::answered(method, error));
                self.resolve(request, outcome);
                self.promote();
            }
        }
    }

    /// Fails what is too late. A line that is still unwritten is never written: what was reported as
    /// failed must not happen afterwards.
    fn expire(&mut self, now: Instant) {
        while let Some((id, request)) = self.pending.expired(now) {
            self.output.retract(id);
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
        self.output.push(Some(id), line);
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
        for id in self.output.abandon() {
            if let Some(request) = self.pending.answered(id) {
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
