//! `codex.plan.update`: the next version of a thread's plan, made by the client, of which Codex is told.

use std::fmt;

use bridge_core::{PlanEdit, PlanMerge, StepEdit, StepId, StepStatus, WantedStep};
use bridge_store::PlanVersion;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility};
use crate::error::{Code, Problem};
use crate::mcp::arguments::{parse, thread_id};
use crate::mcp::call::ToolCall;
use crate::mcp::plans::{self, Change, Changed};
use crate::mcp::render::{Answer, PlanVersionResult, StatusWord, StepResult};
use crate::redact;

/// Changes that one call may make.
const MAX_CHANGES: usize = 500;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Arguments {
    /// The thread.
    thread_id: String,
    /// The whole plan, in order. Steps without `id` keep it by their text.
    steps: Option<Vec<StepArgument>>,
    /// Instead: single steps. Without `id`: a new one at the end.
    changes: Option<Vec<ChangeArgument>>,
    /// Why.
    explanation: Option<String>,
    /// The version that you saw, 0 for none. If there is a newer one, nothing changes and you get a merged proposal.
    expected_version: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StepArgument {
    id: Option<String>,
    step: String,
    status: Option<StatusWord>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangeArgument {
    id: Option<String>,
    step: Option<String>,
    status: Option<StatusWord>,
    remove: Option<bool>,
}

/// The plan as it is now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Updated {
    #[serde(flatten)]
    plan: PlanVersionResult,
    /// Whether there is a new version. The same plan again makes none.
    changed: bool,
    /// The running turn that was sent it; Codex reads it at its next step. Absent: with the next turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_to: Option<String>,
}

/// Why nothing was changed, and what to do instead.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Conflict {
    /// What was asked for.
    yours: Vec<StepResult>,
    /// The newest version.
    theirs: PlanVersionResult,
    /// Both brought together, to be given as `steps` with the newest version as `expectedVersion`.
    proposal: Vec<StepResult>,
    /// Steps to which both did different things.
    conflicts: Vec<StepConflict>,
}

#[derive(Debug, Serialize)]
struct StepConflict {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<StepResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theirs: Option<StepResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yours: Option<StepResult>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.plan.update",
        title: "Change a thread's plan",
        description: "Change the plan of a Codex thread: all `steps`, or some with `changes`. Codex is told: at once if a \
            turn runs, else with the next one. Steps keep their ids. Give `expectedVersion` so that nothing that Codex \
            did meanwhile is lost.",
        search_hint: "todo list steps edit reorder tasks mark done",
        annotations: ToolAnnotations::new()
            .read_only(false)
            .destructive(false)
            .idempotent(true)
            .open_world(true),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Updated>()
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
    let change = Change {
        edit: edit(arguments.steps, arguments.changes)?,
        explanation: arguments.explanation.map(clean).filter(|text| !text.is_empty()),
        expected: arguments.expected_version.map(u64::from),
    };
    match plans::change(&call, id, &change).await? {
        Changed::Made(made) => {
            call.session_uses(id);
            call.session_knows(id, made.plan.version);
            let sent_to = plans::tell(&call, id, &made).await.map(|turn| turn.0);
            let plan = PlanVersionResult::new(&id.0, Some(&made));
            Ok(Updated { plan, changed: true, sent_to }.into())
        }
        Changed::Already(newest) => {
            let plan = PlanVersionResult::new(&id.0, newest.as_ref());
            Ok(Updated { plan, changed: false, sent_to: None }.into())
        }
        Changed::Conflict { newest, merge } => {
            call.session_knows(id, newest.plan.version);
            Ok(conflict(&id.0, change.expected, &newest, &merge))
        }
    }
}

impl From<Updated> for Answer {
    fn from(updated: Updated) -> Self {
        Self::success(updated.to_string(), &updated)
    }
}

fn edit(
    steps: Option<Vec<StepArgument>>,
    changes: Option<Vec<ChangeArgument>>,
) -> Result<PlanEdit, Problem> {
    match (steps, changes) {
        (Some(steps), None) => {
            let wanted = |argument: StepArgument| {
                Ok(WantedStep {
                    id: argument.id.as_deref().map(step_id).transpose()?,
                    step: clean(argument.step),
                    status: argument.status.map(StepStatus::from),
                })
            };
            Ok(PlanEdit::Whole(steps.into_iter().map(wanted).collect::<Result<_, Problem>>()?))
        }
        (None, Some(changes)) if changes.len() > MAX_CHANGES => {
            let given = format!("there are {}", changes.len());
            Err(Problem::argument("changes", &given, &format!("at most {MAX_CHANGES}")))
        }
        (None, Some(changes)) => {
            Ok(PlanEdit::Parts(changes.into_iter().map(part).collect::<Result<_, _>>()?))
        }
        (Some(_), Some(_)) | (None, None) => {
            let given = "both or neither of `steps` and `changes` are given";
            Err(Problem::argument("steps", given, "one of them"))
        }
    }
}

fn part(argument: ChangeArgument) -> Result<StepEdit, Problem> {
    let ChangeArgument { id, step, status, remove } = argument;
    let (step, status) = (step.map(clean), status.map(StepStatus::from));
    let allowed = "`id` with `step` or `status` or `remove: true`, or `step` alone for a new one";
    let bad = |given: &str| Err(Problem::argument("changes", given, allowed));
    match (id.as_deref().map(step_id).transpose()?, step, remove.unwrap_or_default()) {
        (Some(id), None, true) if status.is_none() => Ok(StepEdit::Remove { id }),
        (_, _, true) => bad("what is removed has something else to say, or no `id`"),
        (Some(_), None, false) if status.is_none() => bad("a change changes nothing"),
        (Some(id), step, false) => Ok(StepEdit::Change { id, step, status }),
        (None, Some(step), false) => {
            Ok(StepEdit::Add { step, status: status.unwrap_or(StepStatus::Pending) })
        }
        (None, None, false) => bad("a new step has no `step`"),
    }
}

fn step_id(id: &str) -> Result<StepId, Problem> {
    let allowed = "a step's `id` as codex.plan.get gives it, such as `s3`";
    id.parse().map_err(|_not_one| Problem::argument_text("id", id, allowed))
}

/// What is kept of a text: what would not be kept is not compared either.
fn clean(text: String) -> String {
    redact::certain(text.trim()).into_owned()
}

fn conflict(
    thread: &str,
    expected: Option<u64>,
    newest: &PlanVersion,
    merge: &PlanMerge,
) -> Answer {
    let step = StepResult::from;
    let data = Conflict {
        yours: merge.yours.iter().map(step).collect(),
        theirs: PlanVersionResult::new(thread, Some(newest)),
        proposal: merge.steps.iter().map(StepResult::from).collect(),
        conflicts: merge
            .conflicts
            .iter()
            .map(|conflict| StepConflict {
                id: conflict.id.to_string(),
                base: conflict.base.as_ref().map(step),
                theirs: conflict.theirs.as_ref().map(step),
                yours: conflict.yours.as_ref().map(step),
            })
            .collect(),
    };
    let (version, author) = (newest.plan.version, newest.author.as_str());
    let message = format!(
        "version {version}, by {author}, is newer than version {}, so nothing was changed",
        expected.unwrap_or_default()
    );
    let hint =
        format!("The proposal has both; give it as `steps` with `expectedVersion: {version}`.");
    let problem = Problem::new(Code::PlanConflict, message).with_hint(hint);
    Answer::of_problem(problem, "conflict", &data, &data.to_string())
}

impl fmt::Display for Updated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.changed {
            f.write_str("Nothing has changed: the plan says this already.\n")?;
        }
        write!(f, "{}", self.plan)?;
        match &self.sent_to {
            Some(turn) => {
                write!(f, "\nSent to the running turn {turn}, which reads it at its next step.")
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = |steps: &[StepResult]| serde_json::to_string(steps).unwrap_or_default();
        write!(f, "Proposal: {}", json(&self.proposal))?;
        if !self.conflicts.is_empty() {
            let ids: Vec<_> = self.conflicts.iter().map(|step| step.id.as_str()).collect();
            write!(f, "\nBoth changed: {}", ids.join(", "))?;
        }
        write!(f, "\nYours: {}\nTheirs: {}", json(&self.yours), json(&self.theirs.steps))
    }
}
