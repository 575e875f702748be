//! The far end of a connection, and what its owner receives written as text.

use std::time::Duration;

use codex_client::{Connection, Inbox, Incoming, Limits, RequestError};
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines, ReadHalf, SimplexStream,
    WriteHalf, simplex,
};
use tokio_util::task::TaskTracker;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A connection and its far end.
pub(crate) struct Rig {
    pub(crate) connection: Connection,
    pub(crate) inbox: Inbox,
    /// What the app-server writes.
    pub(crate) output: WriteHalf<SimplexStream>,
    /// What the app-server reads.
    pub(crate) input: Lines<BufReader<ReadHalf<SimplexStream>>>,
    pub(crate) tasks: TaskTracker,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default(), 64 * 1024)
    }

    /// With these limits, and pipes that hold this many bytes.
    pub(crate) fn with(limits: Limits, pipe_bytes: usize) -> Self {
        let (their_output, output) = simplex(pipe_bytes);
        let (input, our_input) = simplex(pipe_bytes);
        let tasks = TaskTracker::new();
        let (connection, inbox) = Connection::open(their_output, our_input, limits, &tasks);
        tasks.close();
        Self { connection, inbox, output, input: BufReader::new(input).lines(), tasks }
    }

    pub(crate) fn submit(&self, tag: u64) {
        self.submit_with_deadline(tag, SECOND);
    }

    pub(crate) fn submit_with_deadline(&self, tag: u64, deadline: Duration) {
        let params = json!({ "tag": tag });
        self.connection.submit(tag, "test/method", &params, deadline).expect("there is room");
    }

    /// The next line that the app-server reads.
    pub(crate) async fn read(&mut self) -> Value {
        let line = self.input.next_line().await.expect("readable").expect("not at its end");
        serde_json::from_str(&line).expect("what we write is JSON")
    }

    /// The id of the next request that the app-server reads.
    pub(crate) async fn read_id(&mut self) -> u64 {
        self.read().await["id"].as_u64().expect("our ids are numbers")
    }

    pub(crate) async fn write(&mut self, line: &str) {
        self.output.write_all(format!("{line}\n").as_bytes()).await.expect("the pipe is open");
    }

    pub(crate) async fn recv(&mut self) -> String {
        describe(self.inbox.recv().await)
    }

    /// Everything up to the end of the app-server's output, which it closes now.
    pub(crate) async fn rest(mut self) -> String {
        self.output.shutdown().await.expect("can be closed");
        drop(self.output);
        drop(self.connection);
        let text = all(&mut self.inbox).await;
        drop(self.input);
        self.tasks.wait().await;
        text
    }
}

/// What the owner gets from an app-server that writes this and closes its output.
pub(crate) async fn received<R>(output: R, limits: Limits) -> String
where
    R: AsyncRead + Unpin + Send + 'static,
{
    let tasks = TaskTracker::new();
    let (_connection, mut inbox) = Connection::open(output, tokio::io::sink(), limits, &tasks);
    let text = all(&mut inbox).await;
    tasks.close();
    tasks.wait().await;
    text
}

pub(crate) async fn all(inbox: &mut Inbox) -> String {
    let mut text = String::new();
    while let Some(message) = inbox.recv().await {
        text += &describe(Some(message));
        text.push('\n');
    }
    text
}

pub(crate) fn describe(message: Option<Incoming>) -> String {
    match message {
        None => "nothing more".to_owned(),
        Some(Incoming::Notification { method, params, .. }) => {
            format!("{method} {}", short(&params))
        }
        Some(Incoming::Request { id, method, params }) => {
            format!("request {id} {method} {}", short(&params))
        }
        Some(Incoming::Response { tag, result: Ok(result) }) => {
            format!("{tag}: {}", short(&result))
        }
        Some(Incoming::Response { tag, result: Err(error) }) => format!("{tag}: {}", name(&error)),
        Some(Incoming::Malformed(malformed)) => format!("malformed: {malformed}"),
        Some(Incoming::Closed { reason }) => format!("closed: {reason}"),
        Some(Incoming::Exited(exit)) => format!("exited: {exit}"),
    }
}

fn short(raw: &serde_json::value::RawValue) -> String {
    match raw.get() {
        text if text.len() <= 80 => text.to_owned(),
        text => format!("{} bytes", text.len()),
    }
}

fn name(error: &RequestError) -> String {
    let variant = match error {
        RequestError::Rejected { .. } => "Rejected",
        RequestError::DeadlineExceeded { .. } => "DeadlineExceeded",
        RequestError::Overloaded { .. } => "Overloaded",
        RequestError::Closed { .. } => "Closed",
        RequestError::Unreadable { .. } => "Unreadable",
    };
    format!("{variant}: {error}")
}
