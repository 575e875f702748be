//! Everything that can happen to the bridge. Closed: this list is the whole input surface of the core.

use std::time::Duration;

use crate::{
    Account, AppServerId, AppServerInfo, CallId, CodexError, ConnectionId, Exit, Item, ItemId,
    Json, Plan, RequestFailure, RequestId, SandboxProbe, ServerRequestId, StartFailure, ThreadId,
    Tokens, Transcript, TurnId, TurnNumber, TurnState,
};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A client connected. The app-server is warmed.
    ConnectionOpened {
        /// The new connection.
        connection: ConnectionId,
    },
    /// A client is gone; its calls are cancelled.
    ConnectionClosed {
        /// The connection that ended.
        connection: ConnectionId,
    },
    /// A client asks for something. It gets exactly one answer.
    CallReceived {
        /// The new call.
        call: CallId,
        /// Who asks.
        connection: ConnectionId,
        /// What is asked.
        request: CallRequest,
    },
    /// A client gave up on a call.
    CallCancelled {
        /// The call.
        call: CallId,
    },
    /// An app-server started and shook hands.
    AppServerReady {
        /// Which.
        app_server: AppServerId,
        /// What it said of itself.
        info: AppServerInfo,
    },
    /// An app-server did not start.
    AppServerFailed {
        /// Which.
        app_server: AppServerId,
        /// Why.
        failure: StartFailure,
    },
    /// An app-server that had started is gone. Nothing comes from it after this.
    AppServerExited {
        /// Which.
        app_server: AppServerId,
        /// How it ended.
        exit: Exit,
    },
    /// An app-server answered a request, or will not.
    Response {
        /// Which app-server.
        app_server: AppServerId,
        /// Our request.
        request: RequestId,
        /// Its answer.
        result: Result<Reply, RequestFailure>,
    },
    /// Codex asks us something and waits.
    QuestionAsked {
        /// Which app-server.
        app_server: AppServerId,
        /// Codex's id for the question.
        id: ServerRequestId,
        /// The thread it is about, if it names one.
        thread: Option<ThreadId>,
        /// What is asked.
        question: Question,
    },
    /// Something happened in a turn.
    Turn {
        /// Which app-server.
        app_server: AppServerId,
        /// The thread.
        thread: ThreadId,
        /// The turn.
        turn: TurnId,
        /// What happened.
        event: TurnEvent,
    },
    /// A thread is no longer loaded in the app-server.
    ThreadClosed {
        /// Which app-server.
        app_server: AppServerId,
        /// The thread.
        thread: ThreadId,
    },
    /// Codex warns about a thread, or about everything.
    Warned {
        /// Which app-server.
        app_server: AppServerId,
        /// The thread, if it is about one.
        thread: Option<ThreadId>,
        /// Codex's words.
        message: String,
    },
    /// How much memory an app-server needs for itself.
    AppServerMeasured {
        /// Which app-server.
        app_server: AppServerId,
        /// In bytes.
        resident_bytes: u64,
    },
    /// Another bridge waits for a place among the processes: an app-server that is idle makes room.
    RoomWanted,
    /// The server is about to end.
    ShutdownRequested,
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallRequest {
    /// A new thread and its first turn.
    StartThread {
        /// How the thread is set up.
        options: ThreadOptions,
        /// The turn.
        turn: TurnRequest,
    },
    /// The next turn of a thread.
    ContinueThread {
        /// The thread.
        thread: ThreadId,
        /// The turn.
        turn: TurnRequest,
    },
    /// More input for the running turn.
    Steer {
        /// The thread.
        thread: ThreadId,
        /// The turn that is meant, to be sure.
        turn: Option<TurnId>,
        /// The input.
        prompt: String,
    },
    /// The state or the result of a turn.
    Wait {
        /// The thread.
        thread: ThreadId,
        /// The turn; without it, the newest.
        turn: Option<TurnId>,
        /// How long to wait for its end.
        wait: Duration,
    },
    /// The end of a turn.
    Cancel {
        /// The thread.
        thread: ThreadId,
        /// The turn; without it, the running one and all that wait.
        turn: Option<TurnId>,
        /// Why, in the caller's words.
        reason: Option<String>,
    },
    /// Stop one turn, whether it runs or waits. One that has ended is left as it is.
    StopTurn {
        /// Its thread.
        thread: ThreadId,
        /// The turn.
        turn: TurnNumber,
    },
    /// A turn from Codex's own disk.
    ReadTurn {
        /// The thread.
        thread: ThreadId,
        /// The turn; without it, the newest.
        turn: Option<TurnId>,
    },
    /// The newest turns of a thread from Codex's own disk, oldest first.
    ReadTurns {
        /// The thread.
        thread: ThreadId,
    },
    /// A part of Codex's list of threads.
    ListThreads(ThreadQuery),
    /// Another place for a thread.
    ChangeThread {
        /// The thread.
        thread: ThreadId,
        /// What becomes of it.
        change: ThreadChange,
    },
    /// How everything is.
    Health,
}

impl CallRequest {
    pub(crate) fn starts_turn(&self) -> bool {
        matches!(self, Self::StartThread { .. } | Self::ContinueThread { .. })
    }
}

/// What can become of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadChange {
    /// It is put away.
    Archive,
    /// It is taken back.
    Unarchive,
    /// It is deleted for good.
    Delete,
}

/// Which part of Codex's list of threads is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadQuery {
    /// Archived ones instead of the others.
    pub archived: bool,
    /// Where the part begins, from the part before.
    pub cursor: Option<String>,
    /// How many.
    pub limit: u32,
}

/// A part of Codex's list of threads, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadList {
    /// The threads.
    pub threads: Vec<ThreadSummary>,
    /// Where the next part begins, if there is one.
    pub next: Option<String>,
}

/// A thread in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadSummary {
    /// Its id.
    pub thread: ThreadId,
    /// Its title.
    pub name: Option<String>,
    /// The beginning of its first prompt.
    pub preview: Option<String>,
    /// Where it works.
    pub working_directory: String,
    /// Codex's word for where it was made.
    pub source: String,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When it last changed, in Unix seconds.
    pub updated_at: i64,
}

/// How a thread is set up. Absent values are Codex's own defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadOptions {
    /// An absolute path, checked by the shell.
    pub working_directory: String,
    /// The model's name.
    pub model: Option<String>,
    /// Which questions Codex asks.
    pub approval_policy: Option<ApprovalPolicy>,
    /// Further Codex configuration, a JSON object, checked by the shell.
    pub config: Option<Json>,
    /// Replaces Codex's own instructions.
    pub base_instructions: Option<String>,
    /// Added to Codex's instructions.
    pub developer_instructions: Option<String>,
    /// A title for the thread.
    pub name: Option<String>,
    /// Who has it made, a JSON object. It is kept with the thread and means nothing here.
    pub metadata: Option<Json>,
}

/// A turn that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRequest {
    /// The user's message.
    pub prompt: String,
    /// The turn's own options. They hold for this turn only.
    pub options: TurnOptions,
    /// Whether the call waits for the end.
    pub attachment: Attachment,
    /// A time limit for this turn instead of the common one.
    pub time_limit: Option<Duration>,
}

/// Options of one turn. An absent value is the thread's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnOptions {
    /// The model's name.
    pub model: Option<String>,
    /// The reasoning effort.
    pub effort: Option<String>,
    /// Which questions Codex asks.
    pub approval_policy: Option<ApprovalPolicy>,
    /// A JSON schema for the final answer.
    pub output_schema: Option<Json>,
}

/// Whether a call stays with its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// The call is answered at the turn's end; cancelling it interrupts the turn.
    Foreground,
    /// The call is answered when the turn starts or is queued; the turn goes on alone.
    Background,
}

/// Codex's approval policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalPolicy {
    /// Everything is asked.
    Untrusted,
    /// Codex's model asks where it wants more than the sandbox gives.
    OnRequest,
    /// Nothing is asked.
    Never,
}

/// What an app-server answered. Which one fits depends on the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To a start or a resume of a thread.
    ThreadOpened(ThreadOpened),
    /// To a start of a turn.
    TurnStarted(TurnId),
    /// To a reading of the thread's newest or named turn; `None` if there is none.
    TurnRead(Option<Box<TurnRecord>>),
    /// To a reading of a thread's newest turns, oldest first.
    TurnsRead(Vec<TurnRecord>),
    /// To a listing of threads.
    Threads(ThreadList),
    /// To a reading of the account.
    Account(Account),
    /// To a probe of the sandbox.
    Sandbox(SandboxProbe),
    /// To a list of models: each one's name and default reasoning effort.
    Models(Vec<(String, String)>),
    /// To everything whose answer says no more than that it worked.
    Done,
}

/// A thread that is loaded now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadOpened {
    /// Its id.
    pub thread: ThreadId,
    /// Where it works, where Codex tells it.
    pub working_directory: Option<String>,
    /// The model that its turns use by default, where Codex tells it.
    pub model: Option<String>,
    /// The reasoning effort that its turns use by default; `None` is the model's own.
    pub effort: Option<String>,
    /// The approval policy that its turns use by default, where it is one of the three.
    pub approval_policy: Option<ApprovalPolicy>,
}

/// A turn as Codex has it on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRecord {
    /// Its id.
    pub turn: TurnId,
    /// The user's message, where Codex kept one.
    pub prompt: Option<String>,
    /// Its state.
    pub state: TurnState,
    /// What Codex kept of it.
    pub transcript: Transcript,
    /// Its error, if it failed.
    pub error: Option<CodexError>,
    /// How long it ran.
    pub duration: Duration,
}

/// Something that Codex wants to know before it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// May this command run?
    Command {
        /// The command line.
        command: String,
        /// Codex's reason.
        reason: Option<String>,
    },
    /// May these files change?
    FileChange {
        /// The item that shows the change.
        item: ItemId,
        /// Codex's reason.
        reason: Option<String>,
    },
    /// May the turn have more permissions?
    Permissions {
        /// Codex's reason.
        reason: Option<String>,
    },
    /// A question for the user.
    UserInput {
        /// The questions, joined.
        text: String,
    },
    /// A question of one of Codex's own MCP servers, or whether one of its tools may run.
    Elicitation {
        /// The server.
        server: String,
        /// Its message.
        message: String,
    },
    /// A request that this bridge has no answer for.
    Unknown {
        /// The protocol method.
        method: String,
    },
}

/// Something that happened in a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnEvent {
    /// It runs.
    Started,
    /// It ended.
    Completed {
        /// How: completed, interrupted or failed.
        state: TurnState,
        /// Why it failed.
        error: Option<CodexError>,
    },
    /// An item began.
    ItemStarted(Item),
    /// An item ended.
    ItemCompleted(Item),
    /// More of an agent message.
    MessageDelta {
        /// The message.
        item: ItemId,
        /// What to append.
        text: String,
    },
    /// More of Codex's reasoning.
    ThinkingDelta {
        /// The reasoning item.
        item: ItemId,
        /// What to append.
        text: String,
    },
    /// The plan changed.
    PlanUpdated(Plan),
    /// Tokens were counted.
    TokensCounted {
        /// Of the last request to the model.
        last: Tokens,
        /// Of the whole thread.
        thread: Tokens,
        /// The model's context window.
        context_window: Option<u64>,
    },
    /// Something failed inside the turn.
    ErrorReported {
        /// What.
        error: CodexError,
        /// Whether Codex tries again by itself.
        will_retry: bool,
    },
    /// Codex switched to another model by itself.
    ModelChanged {
        /// The new model.
        model: String,
    },
    /// Something that changes nothing here but shows that the turn is alive.
    Activity,
}

impl TurnEvent {
    /// Whether the model has answered, as opposed to the turn only being set up, waiting or retrying. A command of which
    /// Codex shows nothing, because the sandbox refused it at once, ran in the read-only sandbox and changed nothing.
    pub(crate) fn shows_work(&self) -> bool {
        match self {
            Self::ItemStarted(item) | Self::ItemCompleted(item) => *item != Item::Record,
            Self::MessageDelta { .. }
            | Self::ThinkingDelta { .. }
            | Self::PlanUpdated(_)
            | Self::TokensCounted { .. }
            | Self::ModelChanged { .. }
            | Self::Completed { .. }
            | Self::ErrorReported { will_retry: false, .. } => true,
            Self::Started | Self::ErrorReported { will_retry: true, .. } | Self::Activity => false,
        }
    }
}
