//! `codex.plan.get`: a version of a thread's plan, what changed, and who made which.

use std::fmt;

use bridge_core::ThreadId;
use bridge_store::PlanVersion;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility};
use crate::clock;
use crate::error::Problem;
use crate::mcp::arguments::{parse, thread_id};
use crate::mcp::call::ToolCall;
use crate::mcp::outputs::NewOutput;
use crate::mcp::paging::{Kind, cost};
use crate::mcp::plans::{self, no_version};
use crate::mcp::render::{Answer, ChangeResult, MoreResult, PlanVersionResult, fmt_more};

/// Versions in a history.
const HISTORY: usize = 50;
/// Characters of the reason for a version in a history.
const REASON_CHARS: usize = 200;
/// What the fields around the steps and the history may cost.
const FRAME_UNITS: usize = 1_500;
/// What the fields of a step around its text cost, with its counterpart in a difference.
const STEP_UNITS: usize = 60;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Arguments {
    /// The thread.
    thread_id: String,
    /// Default: the newest.
    version: Option<u32>,
    /// Also list who made which version.
    history: Option<bool>,
    /// Also tell what changed since this version.
    since: Option<u32>,
}

/// A plan.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    plan: PlanVersionResult,
    /// What changed since the version that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<ChangeResult>>,
    /// The newest versions, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<VersionLine>>,
    /// Where a field was too long and goes on. Read on with codex.read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<MoreResult>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VersionLine {
    version: u64,
    /// `codex` or `client`.
    author: &'static str,
    at: String,
    /// The beginning of why it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    /// How many steps it has.
    steps: usize,
    /// Of a client's version: the turn that Codex read it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_in: Option<String>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.plan.get",
        title: "Show a thread's plan",
        description: "Show the plan of a Codex thread: its steps with their ids and states, the version, who made it and \
            when; with `since` also what changed, with `history` also the versions. Costs no Codex turn.",
        search_hint: "todo list steps progress tasks version history difference",
        annotations: ToolAnnotations::new().read_only(true).idempotent(true).open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Shown>()
}

/// Reads the arguments.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<Arguments, Problem> {
    parse(arguments)
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let arguments = read(arguments)?;
    let thread = call.threads().find(&thread_id(&arguments.thread_id)?).await?;
    let id = thread.id();
    // What was recorded in this moment can be read once it is safe.
    let _ = call.ledger().settle(Vec::new()).await;
    let shown = version(&call, id, "version", arguments.version).await?;
    let changes = match arguments.since {
        Some(since) => {
            let before = version(&call, id, "since", Some(since)).await?;
            let plan = |version: Option<&PlanVersion>| {
                version.map(|version| version.plan.clone()).unwrap_or_default()
            };
            let changes = plan(shown.as_ref()).changes_since(&plan(before.as_ref()));
            Some(changes.iter().map(ChangeResult::from).collect())
        }
        None => None,
    };
    let history = match arguments.history {
        Some(true) => Some(history(&call, id).await?),
        Some(false) | None => None,
    };
    if let (None, Some(newest)) = (arguments.version, &shown) {
        call.session_knows(id, newest.plan.version);
    }
    let plan = PlanVersionResult::new(&id.0, shown.as_ref());
    let mut shown = Shown { plan, changes, history, more: Vec::new(), warnings: Vec::new() };
    shown.fit(&call).await;
    Ok(Answer::success(shown.to_string(), &shown))
}

/// The version that an argument names; version 0 is that there is none.
async fn version(
    call: &ToolCall<'_>,
    thread: &ThreadId,
    argument: &str,
    given: Option<u32>,
) -> Result<Option<PlanVersion>, Problem> {
    let given = given.map(u64::from);
    let found = plans::version(call, thread, given).await?;
    match (given, found) {
        (Some(given @ 1..), None) => {
            let newest = plans::version(call, thread, None).await?;
            let newest = newest.map_or(0, |newest| newest.plan.version);
            Err(no_version(argument, given, newest))
        }
        (_, found) => Ok(found),
    }
}

async fn history(call: &ToolCall<'_>, thread: &ThreadId) -> Result<Vec<VersionLine>, Problem> {
    let thread = thread.clone();
    let versions = call.ledger().read(move |store| store.plans(&thread, HISTORY)).await?;
    let line = |version: PlanVersion| VersionLine {
        version: version.plan.version,
        author: version.author.as_str(),
        at: clock::show(version.at),
        explanation: version
            .plan
            .explanation
            .map(|explanation| explanation.chars().take(REASON_CHARS).collect()),
        steps: version.plan.steps.len(),
        told_in: version.told.map(|(_, turn)| turn.0),
    };
    Ok(versions.into_iter().map(line).collect())
}

impl Shown {
    /// Leaves out what does not fit. The steps are kept whole first, so that they can be read on.
    async fn fit(&mut self, call: &ToolCall<'_>) {
        let history = self.history.as_ref().map_or(0, |lines| lines.len() * 2 * REASON_CHARS);
        let room = call.limits().result().units().saturating_sub(FRAME_UNITS);
        let room = room.saturating_sub(history).max(room / 2);
        let whole: Vec<_> = self.plan.steps.iter().map(ToString::to_string).collect();
        let fits = fitting(whole.iter().map(|step| cost(step) + STEP_UNITS), room / 2);
        if fits < whole.len() {
            self.plan.steps.truncate(fits);
            let shown = whole[..fits].iter().map(|step| step.len() + 1).sum();
            self.keep(call, whole.join("\n"), shown).await;
        }
        if let Some(changes) = &mut self.changes {
            let costs = changes.iter().map(|change| cost(&change.to_string()) + 2 * STEP_UNITS);
            let fits = fitting(costs, room / 2);
            if let Some(left_out @ 1..) = changes.len().checked_sub(fits) {
                changes.truncate(fits);
                self.warnings.push(format!("{left_out} more steps have changed"));
            }
        }
    }

    async fn keep(&mut self, call: &ToolCall<'_>, text: String, shown: usize) {
        let total_chars = text.chars().count();
        let thread = Some(self.plan.thread_id.clone());
        let output = NewOutput { text, kind: Kind::Markdown, thread, turn: None };
        match call.outputs().keep(output).await {
            Ok(id) => {
                self.more.push(MoreResult::new("steps", total_chars, id, shown, call.outputs()));
            }
            Err(error) => self.warnings.push(format!("some steps are left out: {error}")),
        }
    }
}

/// How many of these fit.
fn fitting(costs: impl Iterator<Item = usize>, mut room: usize) -> usize {
    let fits = |cost: &usize| {
        let left = room.checked_sub(*cost);
        room = left.unwrap_or_default();
        left.is_some()
    };
    costs.take_while(fits).count()
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.plan)?;
        if let Some(changes) = &self.changes {
            f.write_str(if changes.is_empty() {
                "\n\nNo step has changed."
            } else {
                "\n\nChanges:"
            })?;
            changes.iter().try_for_each(|change| write!(f, "\n{change}"))?;
        }
        if let Some(history) = &self.history {
            f.write_str("\n\nVersions:")?;
            for VersionLine { version, author, at, explanation, steps, told_in } in history {
                write!(f, "\n{version}: by {author} at {at}, {steps} steps")?;
                if let Some(turn) = told_in {
                    write!(f, ", read in turn {turn}")?;
                }
                if let Some(explanation) = explanation {
                    write!(f, ": {explanation}")?;
                }
            }
        }
        for warning in &self.warnings {
            write!(f, "\nWarning: {warning}.")?;
        }
        fmt_more(&self.more, f)
    }
}
