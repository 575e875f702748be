//! A turn, as a client sees it.

mod artifact;
mod fit;
mod patch;
mod warning;

use std::fmt;

use bridge_core::{Command, CommandStatus, Decided, StopCause, Tool, TurnReport, TurnState, Usage};
use bridge_store::{PlanVersion, TurnRow};
use schemars::JsonSchema;
use serde::Serialize;

use super::AttachmentResult;
use super::plan::PlanResult;
use crate::error::{ErrorResult, Problem};
use crate::ledger;

pub(in crate::mcp) use artifact::{Link, ShownImage};
pub(in crate::mcp) use fit::{MoreResult, fmt_more};

/// Where a turn stands, and all that came of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) struct TurnResult {
    /// The thread; continue it with codex-reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) thread_id: Option<String>,
    /// Where the turn stands.
    pub(in crate::mcp) status: Status,
    /// Codex's final answer, or as much of it as there is.
    pub(in crate::mcp) content: String,
    /// Where a field was too long and goes on. Read on with codex.read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<fit::MoreResult>,
    /// How much of what this call has attached Codex was shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<AttachmentResult>,
    /// Why the turn failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) error: Option<ErrorResult>,
    /// Its place in the thread's queue; 1 is next.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_position: Option<usize>,
    /// The turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn_id: Option<String>,
    /// Codex's newest plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanResult>,
    /// The commands that Codex ran. Not an audit log: Codex does not show those that its sandbox stopped at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<CommandResult>,
    /// Other tools that Codex called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolResult>,
    /// What the turn changed. See it with codex.patch.preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<patch::PatchResult>,
    /// The patch, long logs and images: each is a resource.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    artifacts: Vec<artifact::ArtifactResult>,
    /// What Codex asks for and waits to be told. A client that can ask its user is asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    asking: Vec<String>,
    /// What Codex asked for and got.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    approved: Vec<DecidedResult>,
    /// What Codex asked for and did not get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    declined: Vec<DecidedResult>,
    /// What else is worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// Who stopped the turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_by: Option<String>,
    /// What Codex said on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commentary: Vec<String>,
    /// What Codex thought, apart from the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thinking: Vec<String>,
    /// The model that Codex resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The reasoning effort; absent: the default of a model that Codex does not list.
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<String>,
    /// How long the turn ran, without its time in the queue.
    duration_ms: u64,
    /// Tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageResult>,
    #[serde(skip)]
    problem: Option<Problem>,
    #[serde(skip)]
    images: Vec<ShownImage>,
}

/// Where a turn stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) enum Status {
    Queued,
    InProgress,
    Completed,
    Interrupted,
    Failed,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CommandResult {
    command: String,
    cwd: String,
    status: ItemStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i64>,
    /// The end of its output.
    output: String,
    /// How much of the beginning of the output was left out, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_omitted_chars: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ItemStatus {
    InProgress,
    Completed,
    Failed,
    Declined,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ToolResult {
    name: String,
    status: ItemStatus,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DecidedResult {
    what: String,
    /// Why Codex asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// accept, acceptForSession, decline or cancel.
    decision: &'static str,
    /// `policy` and the number of the rule, `person`, `deadline` (nobody answered in time), `nobody` (nobody could be asked)
    /// or `withdrawn` (the turn ended first).
    decided_by: String,
}

impl From<Decided> for DecidedResult {
    fn from(decided: Decided) -> Self {
        Self {
            what: decided.what,
            reason: decided.reason,
            decision: decided.decision.as_str(),
            decided_by: decided.decider.to_string(),
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UsageResult {
    input_tokens: u64,
    cached_input_tokens: u64,
    output_tokens: u64,
    reasoning_output_tokens: u64,
    /// All tokens of the thread so far.
    thread_total_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_window: Option<u64>,
}

impl From<TurnReport> for TurnResult {
    fn from(report: TurnReport) -> Self {
        let problem = report.failure.as_ref().map(Problem::from);
        let stopped_by = report.stopped.as_ref().map(stopped_by);
        Self::build(report, problem, stopped_by)
    }
}

impl From<TurnRow> for TurnResult {
    fn from(row: TurnRow) -> Self {
        let problem = row.error.as_deref().map(ledger::from_json);
        Self::build(row.report, problem, row.stopped_by).with_plan(row.plan)
    }
}

impl TurnResult {
    /// The same with the plan as it is kept, if it is: with its version and the names of its steps.
    pub(in crate::mcp) fn with_plan(self, kept: Option<PlanVersion>) -> Self {
        match kept {
            Some(kept) => Self { plan: Some(PlanResult::from(&kept.plan)), ..self },
            None => self,
        }
    }

    /// The same with what became of the attachments of the call that started the turn.
    pub(in crate::mcp) fn with_attachments(self, attachments: Vec<AttachmentResult>) -> Self {
        Self { attachments, ..self }
    }

    fn build(report: TurnReport, problem: Option<Problem>, stopped_by: Option<String>) -> Self {
        let TurnReport {
            number: _,
            thread,
            turn,
            state,
            model,
            effort,
            duration,
            transcript,
            failure: _,
            asking,
            stopped: _,
            change_set,
        } = report;
        let decisions = transcript.decisions.iter().cloned();
        let (approved, declined): (Vec<_>, Vec<_>) =
            decisions.partition(|decided| decided.decision.is_yes());
        let content = transcript.answer().map(|answer| answer.text.clone()).unwrap_or_default();
        let commentary = transcript.commentary().map(|message| message.text.clone()).collect();
        let mut warnings = transcript.warnings.clone();
        warnings.extend(warning::of_end(state, &transcript));
        warnings.extend(warning::of_sandbox(&transcript));
        let (status, queue_position) = Status::of(state);
        let patch = change_set.map(patch::PatchResult::from);
        Self {
            artifacts: artifact::all(patch.as_ref(), transcript.artifacts),
            thread_id: thread.map(|thread| thread.0),
            content,
            more: Vec::new(),
            attachments: Vec::new(),
            turn_id: turn.map(|turn| turn.0),
            status,
            queue_position,
            model,
            effort,
            thinking: transcript
                .thinking
                .into_iter()
                .map(|thinking| thinking.text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .collect(),
            commentary,
            commands: transcript.commands.into_iter().map(CommandResult::from).collect(),
            tools: transcript.tools.into_iter().map(ToolResult::from).collect(),
            plan: transcript.plan.as_ref().map(PlanResult::from),
            patch,
            asking,
            approved: approved.into_iter().map(DecidedResult::from).collect(),
            declined: declined.into_iter().map(DecidedResult::from).collect(),
            usage: transcript.usage.map(UsageResult::from),
            duration_ms: millis(duration),
            stopped_by,
            warnings,
            error: problem.as_ref().map(ErrorResult::from),
            problem,
            images: Vec::new(),
        }
    }
}

/// Who stopped a turn, in words.
pub(crate) fn stopped_by(cause: &StopCause) -> String {
    match cause {
        StopCause::CallCancelled => "the client cancelled the call".to_owned(),
        StopCause::ClientGone => "the client went away".to_owned(),
        StopCause::Requested { reason: None } => "codex.cancel".to_owned(),
        StopCause::Requested { reason: Some(reason) } => format!("codex.cancel: {reason}"),
        StopCause::Declined => "the answer to a question of Codex".to_owned(),
        StopCause::Limit => "a limit of this server".to_owned(),
        StopCause::Shutdown => "the end of the server".to_owned(),
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Status {
    /// The word for a state, and the place in the queue.
    pub(super) fn of(state: TurnState) -> (Self, Option<usize>) {
        match state {
            TurnState::Queued { position } => (Self::Queued, Some(position)),
            TurnState::InProgress => (Self::InProgress, None),
            TurnState::Completed => (Self::Completed, None),
            TurnState::Interrupted => (Self::Interrupted, None),
            TurnState::Failed => (Self::Failed, None),
        }
    }

    /// The word for it.
    pub(in crate::mcp) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "inProgress",
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

impl From<CommandStatus> for ItemStatus {
    fn from(status: CommandStatus) -> Self {
        match status {
            CommandStatus::InProgress => Self::InProgress,
            CommandStatus::Completed => Self::Completed,
            CommandStatus::Failed => Self::Failed,
            CommandStatus::Declined => Self::Declined,
        }
    }
}

impl From<Command> for CommandResult {
    fn from(command: Command) -> Self {
        let omitted = command.output_chars.saturating_sub(command.output.chars().count());
        Self {
            command: super::progress::shell_words(&command.command).to_owned(),
            cwd: command.working_directory,
            status: command.status.into(),
            exit_code: command.exit_code,
            output: command.output,
            output_omitted_chars: (omitted > 0).then_some(omitted),
            duration_ms: command.duration.map(millis),
        }
    }
}

impl CommandResult {
    /// The command and how it ended, for a reader.
    fn headline(&self) -> String {
        let mut line = format!("$ {}", self.command);
        if let Some(code) = self.exit_code {
            line += &format!(" (exit {code})");
        }
        if let Some(omitted) = self.output_omitted_chars {
            line += &format!("\n[{omitted} characters left out]");
        }
        line
    }
}

impl From<Tool> for ToolResult {
    fn from(tool: Tool) -> Self {
        Self { name: tool.name, status: tool.status.into() }
    }
}

impl From<Usage> for UsageResult {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.turn.input,
            cached_input_tokens: usage.turn.cached_input,
            output_tokens: usage.turn.output,
            reasoning_output_tokens: usage.turn.reasoning_output,
            thread_total_tokens: usage.thread_total,
            context_window: usage.context_window,
        }
    }
}

/// For a reader: the error or the answer first, then what led to it.
impl fmt::Display for TurnResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(problem) = &self.problem {
            write!(f, "{problem}")?;
            if self.turn_id.is_none() {
                // Nothing has happened that could be told of.
                return fit::fmt_more(&self.more, f);
            }
            write!(f, "\n\n")?;
        }
        if !self.content.is_empty() {
            writeln!(f, "{}\n", self.content)?;
        }
        write!(f, "[thread {}", self.thread_id.as_deref().unwrap_or("not started"))?;
        if let Some(turn) = &self.turn_id {
            write!(f, ", turn {turn}")?;
        }
        write!(f, ": {}", self.status.as_str())?;
        if let Some(position) = self.queue_position {
            write!(f, " at place {position}")?;
        }
        if let Some(model) = &self.model {
            write!(f, ", {model}")?;
        }
        if let Some(effort) = &self.effort {
            write!(f, " {effort}")?;
        }
        write!(f, ", {:.1} s", self.duration_ms as f64 / 1000.0)?;
        if let Some(usage) = &self.usage {
            write!(f, ", {} tokens in and {} out", usage.input_tokens, usage.output_tokens)?;
        }
        write!(f, "]")?;
        if let Some(stopped_by) = &self.stopped_by {
            write!(f, "\nStopped by {stopped_by}.")?;
        }
        if let Some(patch) = &self.patch {
            write!(f, "\n{patch}")?;
        }
        self.artifacts.iter().try_for_each(|artifact| artifact.fmt(f))?;
        for attachment in &self.attachments {
            write!(f, "\nAttached: {attachment}.")?;
        }
        for warning in &self.warnings {
            write!(f, "\nWarning: {warning}.")?;
        }
        self.fmt_details(f)
    }
}

impl TurnResult {
    fn fmt_details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(plan) = &self.plan {
            match plan.version {
                Some(version) => write!(f, "\n\nPlan, version {version}:")?,
                None => write!(f, "\n\nPlan:")?,
            }
            plan.steps.iter().try_for_each(|step| write!(f, "\n{step}"))?;
        }
        for what in &self.asking {
            write!(f, "\n\nCodex asks {what}, and waits for an answer.")?;
        }
        for approved in &self.approved {
            write!(f, "\n\nCodex asked {}. Yes, by {}.", approved.what, approved.decided_by)?;
        }
        for declined in &self.declined {
            write!(f, "\n\nCodex asked {}. No, by {}.", declined.what, declined.decided_by)?;
        }
        if !self.commands.is_empty() {
            write!(f, "\n\nCommands:")?;
        }
        for command in &self.commands {
            write!(f, "\n{}", command.headline())?;
            if !command.output.is_empty() {
                write!(f, "\n{}", command.output.trim_end())?;
            }
        }
        for tool in &self.tools {
            write!(f, "\nTool: {}", tool.name)?;
        }
        for text in &self.commentary {
            write!(f, "\n\nOn the way Codex said: {text}")?;
        }
        for text in &self.thinking {
            write!(f, "\n\nCodex thought: {text}")?;
        }
        fit::fmt_more(&self.more, f)
    }
}
