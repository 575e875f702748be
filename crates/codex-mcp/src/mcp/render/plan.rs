//! A plan, as a client sees it.

use std::fmt;

use bridge_core::{KeptPlan, KeptStep, Plan, PlanStep, StepChange, StepStatus, WantedStep};
use bridge_store::PlanVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock;

/// A plan.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) struct PlanResult {
    /// Its version, for codex.plan.get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) version: Option<u64>,
    /// Why it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) explanation: Option<String>,
    pub(in crate::mcp) steps: Vec<StepResult>,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(in crate::mcp) struct StepResult {
    /// Its name, which it keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) id: Option<String>,
    pub(in crate::mcp) step: String,
    pub(in crate::mcp) status: StatusWord,
}

// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::mcp) enum StatusWord {
    Pending,
    InProgress,
    Completed,
}

/// A version of a thread's plan, and who knows it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) struct PlanVersionResult {
    pub(in crate::mcp) thread_id: String,
    /// 0: the thread has no plan.
    pub(in crate::mcp) version: u64,
    /// Why it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    pub(in crate::mcp) steps: Vec<StepResult>,
    /// `codex`, or `client` for codex.plan.update.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// Of a client's version: when Codex read it. Absent: not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_at: Option<String>,
    /// The turn that Codex read it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_in: Option<String>,
    /// The client's version that Codex did not know when it made this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflicts_with: Option<u64>,
}

/// What became of a step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct ChangeResult {
    pub(in crate::mcp) id: String,
    pub(in crate::mcp) change: ChangeWord,
    /// Whether it stands elsewhere.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::mcp) moved: bool,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) was: Option<StepResult>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) now: Option<StepResult>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::mcp) enum ChangeWord {
    Added,
    Changed,
    Moved,
    Removed,
}

impl PlanVersionResult {
    /// A version of a thread's plan; without one, what stands for a thread that has none.
    pub(in crate::mcp) fn new(thread: &str, version: Option<&PlanVersion>) -> Self {
        let (told_at, told_in) = version.and_then(|version| version.told.clone()).unzip();
        Self {
            thread_id: thread.to_owned(),
            version: version.map_or(0, |version| version.plan.version),
            explanation: version.and_then(|version| version.plan.explanation.clone()),
            steps: version
                .map(|version| version.plan.steps.iter().map(StepResult::from).collect())
                .unwrap_or_default(),
            author: version.map(|version| version.author.as_str()),
            at: version.map(|version| clock::show(version.at)),
            told_at: told_at.map(clock::show),
            told_in: told_in.map(|turn| turn.0),
            conflicts_with: version.and_then(|version| version.unaware_of),
        }
    }
}

impl From<StepStatus> for StatusWord {
    fn from(status: StepStatus) -> Self {
        match status {
            StepStatus::Pending => Self::Pending,
            StepStatus::InProgress => Self::InProgress,
            StepStatus::Completed => Self::Completed,
        }
    }
}

impl From<StatusWord> for StepStatus {
    fn from(status: StatusWord) -> Self {
        match status {
            StatusWord::Pending => Self::Pending,
            StatusWord::InProgress => Self::InProgress,
            StatusWord::Completed => Self::Completed,
        }
    }
}

impl From<&PlanStep> for StepResult {
    fn from(step: &PlanStep) -> Self {
        Self { id: None, step: step.step.clone(), status: step.status.into() }
    }
}

impl From<&KeptStep> for StepResult {
    fn from(step: &KeptStep) -> Self {
        let id = Some(step.id.to_string());
        Self { id, step: step.step.clone(), status: step.status.into() }
    }
}

impl From<&WantedStep> for StepResult {
    fn from(step: &WantedStep) -> Self {
        let status = step.status.map_or(StatusWord::Pending, StatusWord::from);
        Self { id: step.id.map(|id| id.to_string()), step: step.step.clone(), status }
    }
}

impl From<&Plan> for PlanResult {
    fn from(plan: &Plan) -> Self {
        Self {
            version: None,
            explanation: plan.explanation.clone(),
            steps: plan.steps.iter().map(StepResult::from).collect(),
        }
    }
}

impl From<&KeptPlan> for PlanResult {
    fn from(plan: &KeptPlan) -> Self {
        Self {
            version: Some(plan.version),
            explanation: plan.explanation.clone(),
            steps: plan.steps.iter().map(StepResult::from).collect(),
        }
    }
}

impl From<&StepChange> for ChangeResult {
    fn from(change: &StepChange) -> Self {
        let StepChange { id, was, now, moved } = change;
        let word = match (was, now) {
            (None, _) => ChangeWord::Added,
            (Some(_), None) => ChangeWord::Removed,
            (Some(was), Some(now)) if was == now => ChangeWord::Moved,
            (Some(_), Some(_)) => ChangeWord::Changed,
        };
        Self {
            id: id.to_string(),
            change: word,
            moved: *moved,
            was: was.as_ref().map(StepResult::from),
            now: now.as_ref().map(StepResult::from),
        }
    }
}

impl fmt::Display for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.status {
            StatusWord::Pending => "[ ] ",
            StatusWord::InProgress => "[>] ",
            StatusWord::Completed => "[x] ",
        })?;
        match &self.id {
            Some(id) => write!(f, "{id}: {}", self.step),
            None => f.write_str(&self.step),
        }
    }
}

impl fmt::Display for PlanVersionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(author), Some(at)) = (self.author, &self.at) else {
            return write!(f, "Thread {} has no plan.", self.thread_id);
        };
        write!(f, "Version {} of the plan of thread {}", self.version, self.thread_id)?;
        write!(f, ", by {author} at {at}.")?;
        match (author, &self.told_in) {
            ("client", Some(turn)) => write!(f, " Codex read it in turn {turn}.")?,
            ("client", None) => write!(f, " Codex has not read it yet.")?,
            (_, _) => {}
        }
        if let Some(other) = self.conflicts_with {
            write!(f, " Codex made it without knowing version {other}: it may lack that.")?;
        }
        if let Some(explanation) = &self.explanation {
            write!(f, "\nWhy: {explanation}")?;
        }
        self.steps.iter().try_for_each(|step| write!(f, "\n{step}"))
    }
}

impl fmt::Display for ChangeResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.was, &self.now, self.change) {
            (_, Some(now), ChangeWord::Added) => write!(f, "added {now}"),
            (Some(was), _, ChangeWord::Removed) => write!(f, "removed {was}"),
            (_, Some(now), ChangeWord::Moved) => write!(f, "moved {now}"),
            (Some(was), Some(now), _) => {
                let moved = if self.moved { ", moved" } else { "" };
                write!(f, "changed {was} => {now}{moved}")
            }
            (
                _,
                _,
                ChangeWord::Added | ChangeWord::Changed | ChangeWord::Moved | ChangeWord::Removed,
            ) => Ok(()),
        }
    }
}
