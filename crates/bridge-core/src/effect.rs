//! Everything the bridge can do to the world. The shell carries effects out in order.

use std::sync::Arc;

use crate::{
    Answer, AppServerId, ApprovalId, Ask, CallId, Changes, ExecId, ExecRun, Failure, HealthReport,
    Json, Material, Place, Question, Record, RequestId, ReviewTarget, ServerRequestId, SessionId,
    SessionNews, ThreadId, ThreadList, ThreadOptions, ThreadQuery, TurnId, TurnList, TurnNumber,
    TurnOptions, TurnQuery, TurnReport, Update,
};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start an app-server; answered by `AppServerReady` or `AppServerFailed`.
    StartAppServer {
        /// Its name from now on.
        app_server: AppServerId,
    },
    /// End an app-server gently; answered by `AppServerExited`.
    StopAppServer {
        /// Which.
        app_server: AppServerId,
    },
    /// End an app-server that does not answer, at once; answered by `AppServerExited`.
    KillAppServer {
        /// Which.
        app_server: AppServerId,
    },
    /// Run a turn through a process of its own; answered by `Exec`, whose last one is that it ended.
    RunExec {
        /// Its name from now on.
        exec: ExecId,
        /// What to run.
        run: Box<ExecRun>,
    },
    /// End such a process and everything that it has started, at once.
    StopExec {
        /// Which.
        exec: ExecId,
    },
    /// Make the place of a turn that may change files; answered by `Prepared`.
    Prepare {
        /// The turn.
        turn: TurnNumber,
        /// Its thread.
        thread: ThreadId,
        /// What it may change; never nothing.
        changes: Changes,
        /// The folder that is copied, or of which a snapshot is taken.
        workspace: String,
        /// The folder of the user that it is about.
        working_directory: String,
    },
    /// The turn will not run: stop making its place, or give up the one that was made.
    StopPreparing {
        /// The turn.
        turn: TurnNumber,
    },
    /// Gather what a turn changed; answered by `Collected`. Nothing of the turn runs any more.
    Collect {
        /// The turn.
        turn: TurnNumber,
        /// Its thread.
        thread: ThreadId,
    },
    /// Send a request; answered by `Response`.
    Send {
        /// To which app-server.
        app_server: AppServerId,
        /// The request's name.
        id: RequestId,
        /// What to ask.
        request: Request,
    },
    /// Answer a question of Codex, in the form that the question takes.
    Reply {
        /// To which app-server.
        app_server: AppServerId,
        /// Codex's id for the question.
        id: ServerRequestId,
        /// The question.
        question: Question,
        /// The answer.
        answer: Answer,
    },
    /// Ask the person behind a call; answered by `Answered`, or never.
    Ask {
        /// The call.
        call: CallId,
        /// The question.
        ask: Ask,
    },
    /// The person behind a call need not answer any more.
    StopAsking {
        /// The call.
        call: CallId,
        /// The question.
        approval: ApprovalId,
    },
    /// Keep something. An answer that comes after it is given only once it is safe.
    Record(Record),
    /// Tell a session what none of its calls waits for, once all that was to be kept before is safe.
    TellSession {
        /// The session.
        session: SessionId,
        /// The news.
        news: SessionNews,
    },
    /// Tell a call's client how it goes.
    Report {
        /// The call.
        call: CallId,
        /// The news.
        update: Update,
    },
    /// Answer a call. Nothing follows for it.
    Answer {
        /// The call.
        call: CallId,
        /// The answer.
        outcome: Outcome,
    },
}

/// A request to an app-server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A new thread, read-only.
    StartThread(ThreadOptions),
    /// Load a thread from disk, read-only.
    ResumeThread {
        /// The thread.
        thread: ThreadId,
        /// Further Codex configuration, which Codex does not remember.
        config: Option<Json>,
    },
    /// Give a thread a title.
    NameThread {
        /// The thread.
        thread: ThreadId,
        /// The title.
        name: String,
    },
    /// A new turn on an idle thread. All options are spelled out, for Codex keeps those of the turn before.
    StartTurn {
        /// The thread.
        thread: ThreadId,
        /// What a client did to the plan since the turn before; Codex reads it first.
        plan: Option<String>,
        /// What Codex reads next.
        material: Arc<Material>,
        /// The user's message.
        prompt: String,
        /// The options, completed with the thread's. Its effort is told apart.
        options: TurnOptions,
        /// The reasoning effort.
        effort: Effort,
        /// Where it may write; without it, the sandbox is read-only.
        place: Option<Place>,
        /// Where it works, if Codex has the thread elsewhere now.
        working_directory: Option<String>,
    },
    /// Codex's own review, as a turn on an idle thread. It runs with what the thread was opened with.
    StartReview {
        /// The thread.
        thread: ThreadId,
        /// What is reviewed.
        target: ReviewTarget,
    },
    /// More input for the running turn.
    SteerTurn {
        /// The thread.
        thread: ThreadId,
        /// The turn that must be running.
        turn: TurnId,
        /// The input.
        prompt: String,
    },
    /// Interrupt a turn. Commands that it started go on.
    InterruptTurn {
        /// The thread.
        thread: ThreadId,
        /// The turn.
        turn: TurnId,
    },
    /// Kill the commands that a thread's turns left running.
    CleanTerminals(ThreadId),
    /// List threads, those of the Codex terminal and of `codex exec` included.
    ListThreads(ThreadQuery),
    /// Put a thread away.
    ArchiveThread(ThreadId),
    /// Take a thread back.
    UnarchiveThread(ThreadId),
    /// Delete a thread for good.
    DeleteThread(ThreadId),
    /// Read a turn from disk.
    ReadTurn {
        /// The thread.
        thread: ThreadId,
        /// The turn; without it, the newest.
        turn: Option<TurnId>,
    },
    /// Let a thread go: Codex takes it out of its memory some time later.
    UnsubscribeThread(ThreadId),
    /// Read a part of a thread's turns from disk, oldest first.
    ReadTurns {
        /// The thread.
        thread: ThreadId,
        /// Which part.
        query: TurnQuery,
    },
    /// Read what Codex knows of a thread, without its turns.
    ReadThread(ThreadId),
    /// Read the login state.
    ReadAccount,
    /// Run a harmless command in the read-only sandbox.
    ProbeSandbox,
    /// Read which models there are.
    ListModels,
}

impl Request {
    /// Returns the protocol method, for errors.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::StartThread(_) => "thread/start",
            Self::ResumeThread { .. } => "thread/resume",
            Self::NameThread { .. } => "thread/name/set",
            Self::StartTurn { .. } => "turn/start",
            Self::StartReview { .. } => "review/start",
            Self::SteerTurn { .. } => "turn/steer",
            Self::InterruptTurn { .. } => "turn/interrupt",
            Self::CleanTerminals(_) => "thread/backgroundTerminals/clean",
            Self::ListThreads(_) => "thread/list",
            Self::ArchiveThread(_) => "thread/archive",
            Self::UnarchiveThread(_) => "thread/unarchive",
            Self::DeleteThread(_) => "thread/delete",
            Self::UnsubscribeThread(_) => "thread/unsubscribe",
            Self::ReadTurn { .. } | Self::ReadTurns { .. } => "thread/turns/list",
            Self::ReadThread(_) => "thread/read",
            Self::ReadAccount => "account/read",
            Self::ProbeSandbox => "command/exec",
            Self::ListModels => "model/list",
        }
    }
}

/// The reasoning effort of a turn, which Codex keeps for the turns after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As it is: nobody has changed it.
    Unchanged,
    /// This one.
    Named(String),
    /// The model's default again, after a turn that had another.
    ModelDefault,
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The turn, ended or as it stands.
    Turn(Box<TurnReport>),
    /// The turn waits for a person. The call is to be made again with the answers.
    Asked {
        /// The turn as it stands.
        turn: Box<TurnReport>,
        /// Its number.
        number: TurnNumber,
        /// The questions.
        asks: Vec<Ask>,
    },
    /// The input reached the running turn.
    Steered {
        /// The thread.
        thread: ThreadId,
        /// The turn.
        turn: TurnId,
    },
    /// A plan reached the turn, or waits for the next one.
    PlanTold {
        /// The turn that took it.
        turn: Option<TurnId>,
    },
    /// A cancel was carried out.
    Cancelled {
        /// The turn that was running, as it ended.
        turn: Option<Box<TurnReport>>,
        /// How many waiting turns were dropped.
        dropped: usize,
    },
    /// The turn is not among those that are known here: it ended long ago, or elsewhere.
    NotLive,
    /// A part of a thread's turns.
    Turns(TurnList),
    /// A part of Codex's list of threads, or the one that was looked for.
    Threads(ThreadList),
    /// A thread was put away, taken back or deleted.
    ThreadChanged,
    /// How everything is.
    Health(Box<HealthReport>),
    /// Nothing was done.
    Failed(Failure),
}
