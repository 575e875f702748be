//! Everything that can happen to the bridge. Closed: this list is the whole input surface of the core.

use std::time::Duration;

use crate::{
    Account, Answer, AppServerId, AppServerInfo, ApprovalId, CallId, Caller, ChangeSet, CodexError,
    ConnectionId, ExecEvent, ExecId, Exit, Failure, Item, ItemId, Json, Place, Plan, PlanNote,
    Question, RequestFailure, RequestId, ReviewTarget, SandboxProbe, ServerRequestId, StartFailure,
    ThreadId, ThreadList, ThreadQuery, Tokens, TurnId, TurnList, TurnNumber, TurnQuery, TurnRecord,
    TurnRequest, TurnState, UsageWindow,
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
        caller: Caller,
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
    /// A person answered a question. Late and double answers change nothing.
    Answered {
        /// The question.
        approval: ApprovalId,
        /// The answer; `None` if the client could not ask.
        answer: Option<Answer>,
    },
    /// Codex does not wait for an answer any more.
    QuestionWithdrawn {
        /// Which app-server.
        app_server: AppServerId,
        /// Codex's id for the question.
        id: ServerRequestId,
    },
    /// A run of `codex exec` tells something.
    Exec {
        /// Which.
        exec: ExecId,
        /// What.
        event: ExecEvent,
    },
    /// The place of a turn that may change files is made, or cannot be. Comes exactly once for each `Prepare`, also after
    /// a `StopPreparing`: it changes nothing then.
    Prepared {
        /// The turn.
        turn: TurnNumber,
        /// Where it may write.
        result: Result<Place, Failure>,
    },
    /// What a turn changed is gathered. Comes exactly once for each `Collect`.
    Collected {
        /// The turn.
        turn: TurnNumber,
        /// What it changed, if it changed anything; or why that is not known, in words for a warning.
        result: Result<Option<ChangeSet>, String>,
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
    /// Codex tells how much of the account's limits is used.
    UsageTold {
        /// Which app-server.
        app_server: AppServerId,
        /// The windows that it knows.
        windows: Vec<UsageWindow>,
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
    /// A new thread whose first turn is Codex's own review, with all that the thread is set up with: read-only.
    StartReview {
        /// How the thread is set up.
        options: ThreadOptions,
        /// What is reviewed.
        target: ReviewTarget,
        /// A time limit for this turn instead of the common one.
        time_limit: Option<Duration>,
    },
    /// The next turn of a thread.
    ContinueThread {
        /// The thread.
        thread: ThreadId,
        /// Codex configuration for the case that the thread has to be loaded: a JSON object, checked by the shell.
        config: Option<Json>,
        /// The folder in which the user's thread works, as the records know it: Codex knows only where its last turn did.
        working_directory: Option<String>,
        /// What a client did to the plan of which the records say that Codex does not know it.
        plan: Option<PlanNote>,
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
    /// A plan that Codex shall know of: at once if a turn runs, else with the next one. Starts no turn.
    TellPlan {
        /// The thread.
        thread: ThreadId,
        /// What it is told.
        note: PlanNote,
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
    /// A call that was answered with questions, made again with their answers: it waits for the turn again.
    Resume {
        /// The thread.
        thread: ThreadId,
        /// The turn.
        turn: TurnNumber,
        /// The turn's name.
        id: Option<TurnId>,
        /// The answers.
        answers: Vec<(ApprovalId, Answer)>,
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
    /// A part of a thread's turns from Codex's own disk.
    ReadTurns {
        /// The thread.
        thread: ThreadId,
        /// Which part.
        query: TurnQuery,
    },
    /// A thread from Codex's own disk, wherever it was made: a list of one.
    FindThread {
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
        matches!(
            self,
            Self::StartThread { .. } | Self::StartReview { .. } | Self::ContinueThread { .. }
        )
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
    /// To a reading of a thread's turns.
    TurnsRead(TurnList),
    /// To a listing of threads, or to a search for one.
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
    /// A plan that a client made is among what the turn's model reads.
    PlanTaken {
        /// Its version.
        version: u64,
    },
    /// Something that changes nothing here but shows that the turn is alive.
    Activity,
}

impl TurnEvent {
    /// Whether the model has answered, as opposed to the turn only being set up, waiting or retrying. A command of which
    /// Codex shows nothing was refused by the sandbox at once.
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
            Self::Started
            | Self::PlanTaken { .. }
            | Self::ErrorReported { will_retry: true, .. }
            | Self::Activity => false,
        }
    }
}
