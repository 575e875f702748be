//! Decides what the bridge does next.
//!
//! One [`Bridge`] owns all state of all threads, turns and calls. It is driven by four verbs: [`Bridge::handle`]
//! takes an [`Event`], [`Bridge::poll_effect`] gives the [`Effect`]s to carry out in order,
//! [`Bridge::poll_timeout`] tells when to come back, and [`Bridge::handle_timeout`] is that coming back.
//!
//! The crate never reads a clock, a file, a socket or the environment, has no runtime and no wire types: time and
//! identifiers come in as arguments. The shell (`codex-mcp`) translates both protocols into these words.

#![warn(missing_docs)]

mod app_server;
mod approval;
mod artifact;
mod bridge;
mod call;
mod change;
mod decision;
mod effect;
mod event;
mod exec;
mod failure;
mod health;
mod idle;
mod ids;
mod limits;
mod listing;
mod pace;
mod patch;
mod plan;
mod policy;
mod progress;
mod question;
mod record;
mod report;
mod request;
mod review;
mod run;
mod session;
mod shell;
mod stop;
mod thread;
mod transcript;
mod turn;
mod turn_event;
mod turn_request;
mod usage;
mod workspace;

pub use app_server::{AppServerInfo, Exit, StartFailure, StartFailureKind};
pub use artifact::{Artifact, ArtifactKind, FailingLine};
pub use bridge::Bridge;
pub use call::Caller;
pub use decision::{Answer, Ask, Decider, Decision, Person};
pub use effect::{Effect, Effort, Outcome, Request};
pub use event::{
    ApprovalPolicy, Attachment, CallRequest, Event, Reply, ThreadChange, ThreadOpened,
    ThreadOptions, TurnEvent,
};
pub use exec::{ExecEvent, ExecRun, ExecThread};
pub use failure::{CodexError, Failure, RequestFailure, Resource, Scope};
pub use health::{Account, HealthReport, ProcessState, SandboxProbe};
pub use ids::{
    AppServerId, ApprovalId, CallId, ConnectionId, ExecId, ItemId, Json, RequestId,
    ServerRequestId, SessionId, ThreadId, TurnId, TurnNumber,
};
pub use limits::Limits;
pub use listing::{
    ThreadList, ThreadQuery, ThreadSummary, TurnDetail, TurnList, TurnQuery, TurnRecord,
};
pub use patch::{ChangeKind, FileChange, Patch};
pub use plan::{
    ItemChange, ItemEdit, KeptPlan, KeptStep, LaterVersion, MAX_PLAN_STEPS, MAX_PLAN_TEXT_CHARS,
    NotAStepId, Plan, PlanEdit, PlanEditError, PlanMerge, PlanNote, PlanStep, StepChange,
    StepConflict, StepEdit, StepId, StepStatus, WantedStep,
};
pub use policy::{Policy, Rule, Subject, Verdict};
pub use progress::{ItemState, Update};
pub use question::{Choice, Field, Question};
pub use record::Record;
pub use report::{StopCause, TurnReport, TurnState};
pub use review::ReviewTarget;
pub use session::SessionNews;
pub use transcript::{
    Command, CommandStatus, Decided, Item, Message, Phase, Thinking, Tokens, Tool, Transcript,
    Usage,
};
pub use turn_request::{Material, TurnOptions, TurnRequest};
pub use usage::UsageWindow;
pub use workspace::{ChangeSet, Changes, Place, WorkspaceFailure};
