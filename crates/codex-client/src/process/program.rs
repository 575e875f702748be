//! A program of ours, such as `git` or a test runner, from its start to its end: bounded in time, in output and in what
//! it leaves behind.
//!
//! It leads its own process group and carries a marker ([`Marker`]), without which a sweep for an app-server's orphans
//! would take it for one. What it writes is handed on as it comes and never waits in a queue, so a flood costs no memory. It never goes through
//! a shell, never inherits the environment and never says what the output means.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio_util::sync::CancellationToken;

use super::child::{self, STDERR_GRACE};
use super::{Launch, StartError};
use crate::orphan::{self, Marker};

const CHUNK_BYTES: usize = 64 * 1024;

/// What to run, and what it reads.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program, its arguments, its whole environment and where it runs.
    pub launch: Launch,
    /// All of its standard input, which then ends.
    pub input: Vec<u8>,
    /// What is ended with it.
    pub reach: Reach,
}

/// What is ended with a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Its process group: enough for a program that starts none which leave it.
    Group,
    /// Also whatever left the group, found by the marker. It takes some milliseconds.
    Everything,
}

/// What a program may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it may run.
    pub time: Duration,
    /// How long it may go on after SIGTERM, before SIGKILL.
    pub grace: Duration,
    /// How much it may write, on both streams together. One byte more stops it.
    pub output_bytes: u64,
    /// How much of each stream is kept: of more, the first and the last half of that.
    pub kept_bytes: usize,
}

/// Where it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Stdout,
    Stderr,
}

/// Why a program came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It ended by itself.
    Finished,
    /// It was stopped: it ran for too long.
    TimeLimit,
    /// It was stopped: it wrote too much.
    OutputLimit,
    /// It was stopped on request.
    Cancelled,
}

/// How a program ended. Neither code nor signal: its end could not be observed.
#[derive(Debug)]
pub struct Ended {
    pub reason: Reason,
    /// What it returned, unless a signal killed it.
    pub code: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
    pub stdout: Kept,
    pub stderr: Kept,
}

impl Program {
    /// Runs it to its end. `heard` is given all output up to the limit, also what is not kept; the program waits while
    /// `heard` is at work. Dropping this kills the process group.
    ///
    /// # Errors
    /// [`StartError::NotFound`], [`StartError::NotExecutable`], [`StartError::SpawnFailed`]: it did not run.
    ///
    /// # Panics
    /// Never: the pipes that it takes were asked for.
    pub async fn run(
        mut self,
        limits: Limits,
        cancel: &CancellationToken,
        heard: impl FnMut(Source, &[u8]) + Send,
    ) -> Result<Ended, StartError> {
        let marker = Marker::mint();
        self.launch.environment.push(marker.variable());
        let spawned = child::command(&self.launch).spawn();
        let mut child = spawned.map_err(|error| child::spawn_error(&self.launch, error))?;
        let stdin = child.stdin.take().expect("stdin is piped");
        let mut streams = Streams {
            stdout: Pipe::new(child.stdout.take().expect("stdout is piped"), limits.kept_bytes),
            stderr: Pipe::new(child.stderr.take().expect("stderr is piped"), limits.kept_bytes),
            room: limits.output_bytes,
            overflowed: false,
            heard,
        };
        let mut group = Group {
            pid: child.id().expect("a child that was not waited for has an id"),
            ended: false,
        };

        let input = feed(stdin, self.input);
        let (reason, status) =
            match supervise(&mut child, &mut streams, input, limits.time, cancel).await {
                Stop::Ended(status) => (Reason::Finished, status),
                Stop::Told(reason) => {
                    (reason, stop(&mut child, &mut streams, &group, limits.grace).await)
                }
            };
        group.end();
        if self.reach == Reach::Everything {
            sweep(marker).await;
        }
        // Something that left the group may hold the pipes open for ever.
        let _ = tokio::time::timeout(STDERR_GRACE, streams.drain()).await;
        let overflowed = reason == Reason::Finished && streams.overflowed;
        Ok(Ended {
            reason: if overflowed { Reason::OutputLimit } else { reason },
            code: status.as_ref().and_then(ExitStatus::code),
            signal: status.as_ref().and_then(ExitStatus::signal),
            stdout: streams.stdout.kept,
            stderr: streams.stderr.kept,
        })
    }
}

/// What is kept of a stream: all of it, or its first and its last part.
#[derive(Debug)]
pub struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    written: u64,
}

impl Kept {
    fn new(kept_bytes: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), half: kept_bytes / 2, written: 0 }
    }

    /// How much was written, kept or not.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// How much of it, in the middle, is not kept.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        let kept = self.head.len() + self.tail.len();
        self.written.saturating_sub(u64::try_from(kept).unwrap_or(u64::MAX))
    }

    /// The first part and the last part of what was written. Together they are the whole if nothing is left out.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<u8>) {
        (self.head, self.tail.into())
    }

    fn push(&mut self, chunk: &[u8]) {
        let (head, rest) = chunk.split_at(chunk.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(head);
        let rest = &rest[rest.len().saturating_sub(self.half)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }
}

/// One output of the program.
struct Pipe<R> {
    /// `None` once it has ended.
    reader: Option<R>,
    buffer: Vec<u8>,
    kept: Kept,
}

impl<R: AsyncRead + Unpin> Pipe<R> {
    fn new(reader: R, kept_bytes: usize) -> Self {
        Self { reader: Some(reader), buffer: vec![0; CHUNK_BYTES], kept: Kept::new(kept_bytes) }
    }

    /// How much of the buffer the next chunk fills; never, once the pipe has ended. Dropping it loses nothing.
    async fn read(&mut self) -> usize {
        let Some(reader) = &mut self.reader else { return std::future::pending().await };
        match reader.read(&mut self.buffer).await {
            Ok(read) if read > 0 => read,
            Ok(_) | Err(_) => {
                self.reader = None;
                0
            }
        }
    }
}

struct Streams<H> {
    stdout: Pipe<ChildStdout>,
    stderr: Pipe<ChildStderr>,
    /// How much may still be written.
    room: u64,
    overflowed: bool,
    heard: H,
}

impl<H: FnMut(Source, &[u8]) + Send> Streams<H> {
    /// Takes in the next chunk; never, once both pipes have ended. Dropping it loses nothing.
    async fn take_in(&mut self) {
        let (source, read) = tokio::select! {
            read = self.stdout.read() => (Source::Stdout, read),
            read = self.stderr.read() => (Source::Stderr, read),
        };
        let (buffer, kept) = match source {
            Source::Stdout => (&self.stdout.buffer, &mut self.stdout.kept),
            Source::Stderr => (&self.stderr.buffer, &mut self.stderr.kept),
        };
        let within = usize::try_from(self.room).unwrap_or(usize::MAX).min(read);
        self.overflowed |= within < read;
        self.room -= within as u64;
        kept.written += read as u64;
        if within > 0 {
            kept.push(&buffer[..within]);
            (self.heard)(source, &buffer[..within]);
        }
    }

    /// Takes in all that is left.
    async fn drain(&mut self) {
        while self.stdout.reader.is_some() || self.stderr.reader.is_some() {
            self.take_in().await;
        }
    }
}

/// Why the program is no longer left to run.
enum Stop {
    Ended(Option<ExitStatus>),
    Told(Reason),
}

/// Lets it run until it ends or must be stopped.
async fn supervise<H: FnMut(Source, &[u8]) + Send>(
    child: &mut Child,
    streams: &mut Streams<H>,
    input: impl Future<Output = ()>,
    time: Duration,
    cancel: &CancellationToken,
) -> Stop {
    let (mut input, mut fed) = (pin!(input), false);
    let mut limit = pin!(tokio::time::sleep(time));
    loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Stop::Told(Reason::Cancelled),
            () = &mut limit => return Stop::Told(Reason::TimeLimit),
            status = child.wait() => return Stop::Ended(known(status)),
            () = &mut input, if !fed => fed = true,
            () = streams.take_in() => {
                if streams.overflowed {
                    return Stop::Told(Reason::OutputLimit);
                }
            }
        }
    }
}

/// Ends it: SIGTERM to its process group; after `grace`, SIGKILL.
async fn stop<H: FnMut(Source, &[u8]) + Send>(
    child: &mut Child,
    streams: &mut Streams<H>,
    group: &Group,
    grace: Duration,
) -> Option<ExitStatus> {
    child::signal_group(group.pid, Signal::TERM);
    let (mut grace, mut killed) = (pin!(tokio::time::sleep(grace)), false);
    loop {
        tokio::select! {
            biased;
            status = child.wait() => return known(status),
            () = &mut grace, if !killed => {
                killed = true;
                child::signal_group(group.pid, Signal::KILL);
            }
            () = streams.take_in() => {}
        }
    }
}

fn known(status: std::io::Result<ExitStatus>) -> Option<ExitStatus> {
    status.inspect_err(|error| tracing::warn!(%error, "cannot wait for the child")).ok()
}

/// A program need not read its input.
async fn feed(mut stdin: ChildStdin, input: Vec<u8>) {
    if let Err(error) = stdin.write_all(&input).await {
        tracing::debug!(%error, "a program did not read its whole input");
    }
}

async fn sweep(marker: Marker) {
    let swept = tokio::task::spawn_blocking(move || orphan::sweep(&marker)).await;
    match swept {
        Ok(0) | Err(_) => {}
        Ok(count) => tracing::info!(count, "ended what a program had left behind"),
    }
}

/// The process group, killed with whatever is left in it at the end, also when the run is given up. Its id cannot have
/// been given away while anything is in it.
struct Group {
    pid: u32,
    ended: bool,
}

impl Group {
    fn end(&mut self) {
        if !self.ended {
            self.ended = true;
            child::signal_group(self.pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}
