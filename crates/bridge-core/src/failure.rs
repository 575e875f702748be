//! Everything that can go wrong with a call, as a closed list. The shell gives each its code and remedy.

use std::time::Duration;

use crate::{Exit, Json, Reply, StartFailure, ThreadId, TurnId, WorkspaceFailure};

/// What processes use together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Memory, in megabytes.
    Memory,
    /// Time on processors, in seconds.
    Processor,
}

/// Why a call or a turn did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No app-server could be started.
    Start(StartFailure),
    /// The app-server ended while the turn or the request depended on it.
    AppServerExited(Exit),
    /// The app-server did not answer and was killed. Nothing is known of what it did last.
    AppServerHung {
        /// The protocol method that got no answer.
        method: &'static str,
    },
    /// `codex exec`, which ran the turn, ended without saying how the turn ended.
    ExecExited(Exit),
    /// What `codex exec` started for the turn used too much, so it was stopped with all of it.
    ExecLimit {
        /// Of what.
        resource: Resource,
        /// The limit: megabytes, or seconds.
        limit: u64,
    },
    /// The turn runs through `codex exec`, which takes no input while it runs.
    ExecTakesNoInput,
    /// The turn is Codex's own review, which takes no input.
    ReviewTakesNoInput,
    /// The app-server failed so often that nothing is started for a while.
    Quarantined {
        /// How often in a row.
        failures: u32,
        /// How much longer.
        rest: Duration,
        /// The newest of the failures.
        last: Box<Failure>,
    },
    /// A request to the app-server failed.
    Request {
        /// The protocol method.
        method: &'static str,
        /// What came back.
        failure: RequestFailure,
    },
    /// Codex ended the turn with an error of its own.
    Codex(CodexError),
    /// Codex kept retrying its provider without progress.
    ProviderUnreachable {
        /// How long it was let.
        after: Duration,
        /// The newest error that Codex reported.
        last: CodexError,
    },
    /// Nothing came from Codex.
    Silent {
        /// How long it was let.
        after: Duration,
    },
    /// The turn ran into its time limit.
    TimeLimit {
        /// That limit.
        limit: Duration,
    },
    /// The thread was archived, deleted or unloaded under a running turn.
    ThreadClosed,
    /// The place of a turn that may change files could not be made.
    Workspace {
        /// The kind, which decides on the remedy and on a retry.
        kind: WorkspaceFailure,
        /// The particulars, for a person.
        detail: String,
    },
    /// A turn runs or waits on the thread.
    ThreadBusy {
        /// The thread.
        thread: ThreadId,
    },
    /// Too many turns wait on the thread.
    QueueFull {
        /// The limit.
        limit: usize,
    },
    /// Too many turns were asked for within a minute.
    TooManyTurns {
        /// By whom or where.
        scope: Scope,
        /// The limit.
        limit: usize,
        /// How long until there may be another one.
        wait: Duration,
    },
    /// Nothing runs on the thread.
    NoRunningTurn {
        /// The thread.
        thread: ThreadId,
    },
    /// The named turn is not the one that runs, and is not known here.
    WrongTurn {
        /// The turn that was named.
        given: TurnId,
        /// The turn that runs, if one does.
        running: Option<TurnId>,
    },
    /// The turn is being interrupted and takes no more input.
    TurnStopping,
    /// Codex has no such turn on the thread.
    NoSuchTurn {
        /// The thread.
        thread: ThreadId,
        /// The turn, where one was named.
        turn: Option<TurnId>,
    },
    /// The client gave the call up before it did anything.
    CallCancelled,
    /// The server is about to end.
    ShuttingDown,
}

/// What a limit on the pace of turns counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The turns of one thread.
    Thread,
    /// The turns of one client.
    Client,
}

/// Why a request to an app-server has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestFailure {
    /// Codex answered with an error.
    Rejected {
        /// The JSON-RPC code. Nearly always -32600, so the message decides.
        code: i64,
        /// Codex's message.
        message: String,
        /// Codex's data, as JSON text.
        data: Option<Json>,
    },
    /// No answer came in time.
    DeadlineExceeded {
        /// How long it was let.
        after: Duration,
    },
    /// Too many requests were under way.
    Overloaded,
    /// It was not sent, because the folder that it is about is another one by now.
    Misplaced {
        /// The folder.
        folder: String,
    },
    /// The app-server's pipe closed first. An exit event follows.
    Closed,
    /// The answer could not be read.
    Unreadable {
        /// What was wrong with it.
        detail: String,
    },
}

/// An error that Codex reported for a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodexError {
    /// Codex's `codexErrorInfo`, by its name (`usageLimitExceeded`, `httpConnectionFailed`, …); the list is open.
    pub kind: String,
    /// The HTTP status that belongs to the kind.
    pub http_status: Option<u16>,
    /// Codex's message for a person.
    pub message: String,
    /// Codex's further details.
    pub details: Option<String>,
    /// When what was used up is there again, in seconds since 1970, if Codex has told it.
    pub resets_at: Option<i64>,
}

/// The failure of a request whose answer is not the one that belongs to it.
pub(crate) fn unexpected(method: &'static str, result: Result<Reply, RequestFailure>) -> Failure {
    let failure = match result {
        Ok(_) => RequestFailure::Unreadable {
            detail: "the answer belongs to another request".to_owned(),
        },
        Err(failure) => failure,
    };
    Failure::Request { method, failure }
}
