//! Drives a peer that speaks JSON-RPC in lines: a child's pipes, or any pair of async streams.
//!
//! It reads only when asked to, so a test can be a slow client. Messages that nobody has asked for
//! yet wait in an inbox, in order; every line of both directions stays in the transcript. It knows
//! no protocol above JSON-RPC.

mod child;

use std::collections::VecDeque;
use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use crate::process::Launch;
use child::PeerChild;

/// One line as it went over the pipe, without its line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Written by the driver.
    Sent(String),
    /// Read from the peer.
    Received(String),
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(line) => write!(formatter, "--> {line}"),
            Self::Received(line) => write!(formatter, "<-- {line}"),
        }
    }
}

/// The other end of a line protocol. A wait that takes too long fails the test with the end of the
/// transcript.
pub struct Peer {
    input: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    output: BufReader<Box<dyn AsyncRead + Send + Unpin>>,
    /// The start of a line whose end has not arrived; kept here so that a timed-out read loses
    /// nothing.
    partial: Vec<u8>,
    inbox: VecDeque<Value>,
    transcript: Vec<Line>,
    last_id: u64,
    patience: Duration,
    child: Option<PeerChild>,
}

impl Peer {
    /// Drives any pair of streams, such as the ends of `tokio::io::duplex`.
    pub fn over(
        output: impl AsyncRead + Send + Unpin + 'static,
        input: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self {
            input: Some(Box::new(input)),
            output: BufReader::new(Box::new(output)),
            partial: Vec::new(),
            inbox: VecDeque::new(),
            transcript: Vec::new(),
            last_id: 0,
            patience: Duration::from_secs(20),
            child: None,
        }
    }

    /// Starts a child and drives its pipes. Its stderr is read all the time. Dropping the peer
    /// kills the child.
    pub fn spawn(launch: &Launch) -> Self {
        let mut child = launch.spawn();
        let output = child.stdout.take().expect("stdout is a pipe");
        let input = child.stdin.take().expect("stdin is a pipe");
        let mut peer = Self::over(output, input);
        peer.child = Some(PeerChild::new(child));
        peer
    }

    /// Sets how long each wait may take; 20 seconds otherwise.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Writes a message as one line.
    pub async fn send(&mut self, message: &Value) {
        let line = message.to_string();
        self.send_raw(format!("{line}\n").as_bytes()).await;
    }

    /// Writes bytes as they are, line feeds included.
    ///
    /// # Panics
    /// When the pipe is closed or stays full.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.transcript.push(Line::Sent(String::from_utf8_lossy(bytes).trim_end().to_owned()));
        let input = self.input.as_mut().expect("the input is still open");
        let written = tokio::time::timeout(self.patience, async {
            input.write_all(bytes).await?;
            input.flush().await
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(&format!("cannot write: {error}")),
            Err(_) => self.fail("the peer does not read"),
        }
    }

    /// Reads the next line from the pipe, past the inbox; `None` at its end.
    ///
    /// # Panics
    /// When no line comes in time.
    pub async fn next_line(&mut self) -> Option<String> {
        let read = self.output.read_until(b'\n', &mut self.partial);
        match tokio::time::timeout(self.patience, read).await {
            Err(_) => self.fail("no line in time"),
            // Nothing more can come after a failed read, so it is an end like any other.
            Ok(Err(_)) => return None,
            Ok(Ok(_)) => {}
        }
        if self.partial.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.partial);
        let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
        self.transcript.push(Line::Received(line.clone()));
        Some(line)
    }

    /// The oldest message that nobody has asked for yet, read from the pipe if there is none;
    /// `None` at its end.
    pub async fn next(&mut self) -> Option<Value> {
        match self.inbox.pop_front() {
            Some(message) => Some(message),
            None => self.read().await,
        }
    }

    /// Sends a request with a fresh id and returns the id.
    pub async fn start(&mut self, method: &str, params: Value) -> u64 {
        self.last_id = self.next_id();
        self.send(
            &json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}),
        )
        .await;
        self.last_id
    }

    /// The id that the next [`Self::start`] will use.
    pub fn next_id(&self) -> u64 {
        self.last_id + 1
    }

    /// Waits for the reply to a request: the whole message, with `result` or `error`.
    pub async fn reply(&mut self, id: u64) -> Value {
        self.find(&format!("a reply to {id}"), |message| {
            message["id"] == id && message.get("method").is_none()
        })
        .await
    }

    /// Sends a request and waits for its whole reply. What arrives before it goes to the inbox.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.start(method, params).await;
        self.reply(id).await
    }

    /// Sends a notification.
    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    /// Takes the oldest unclaimed notification or request of this method, or waits for one.
    pub async fn incoming(&mut self, method: &str) -> Value {
        self.find(method, |message| message["method"] == method).await
    }

    /// Takes the oldest unclaimed message that fits, or waits for one. `what` names it in the
    /// failure.
    pub async fn find(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(message) =
            self.inbox.iter().position(&fits).and_then(|index| self.inbox.remove(index))
        {
            return message;
        }
        loop {
            match self.read().await {
                Some(message) if fits(&message) => return message,
                Some(message) => self.inbox.push_back(message),
                None => self.fail(&format!("the peer closed its output before {what}")),
            }
        }
    }

    /// Answers a request of the peer.
    pub async fn respond(&mut self, id: &Value, result: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
    }

    /// Every message of this method received so far, claimed or not.
    pub fn received(&self, method: &str) -> Vec<Value> {
        let lines = self.transcript.iter().filter_map(|line| match line {
            Line::Received(text) => serde_json::from_str::<Value>(text).ok(),
            Line::Sent(_) => None,
        });
        lines.filter(|message| message["method"] == method).collect()
    }

    /// Every line so far, in both directions.
    pub fn transcript(&self) -> &[Line] {
        &self.transcript
    }

    /// Drops the transcript and the inbox, so that a long bench does not grow.
    pub fn forget(&mut self) {
        self.transcript.clear();
        self.inbox.clear();
    }

    /// Closes the peer's input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// What the child has written to stderr, up to 1 MiB; empty if there is no child.
    pub fn stderr(&self) -> String {
        self.child.as_ref().map(PeerChild::stderr).unwrap_or_default()
    }

    /// The child's process id.
    ///
    /// # Panics
    /// When there is no child or it has been waited for.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("a peer with a child").pid()
    }

    /// Sends a signal to the child, such as `Signal::KILL`.
    ///
    /// # Panics
    /// When there is no child or it has been waited for.
    pub fn signal(&self, signal: Signal) {
        self.child.as_ref().expect("a peer with a child").signal(signal);
    }

    /// Reads what is left of the output into the inbox, then waits until the child has ended.
    ///
    /// # Panics
    /// When there is no child, or it does not end in time.
    pub async fn wait_exit(&mut self) -> ExitStatus {
        while let Some(line) = self.next_line().await {
            self.inbox.extend(serde_json::from_str::<Value>(&line));
        }
        let child = self.child.as_mut().expect("a peer with a child");
        match tokio::time::timeout(self.patience, child.wait()).await {
            Ok(status) => status,
            Err(_) => self.fail("the child does not end"),
        }
    }

    async fn read(&mut self) -> Option<Value> {
        let line = self.next_line().await?;
        match serde_json::from_str(&line) {
            Ok(message) => Some(message),
            Err(error) => self.fail(&format!("not JSON ({error}): {line}")),
        }
    }

    fn fail(&self, problem: &str) -> ! {
        let tail: Vec<_> =
            self.transcript.iter().rev().take(20).map(|line| shorten(&line.to_string())).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        panic!("{problem}\nlast lines:\n{tail}\nstderr:\n{}", self.stderr());
    }
}

fn shorten(line: &str) -> String {
    let start: String = line.chars().take(300).collect();
    if start.len() < line.len() { format!("{start}… ({} bytes)", line.len()) } else { start }
}
