//! Makes versions of a plan out of what a session does to its own list: the tasks of Claude Code, or its to-do list.
//!
//! A list is the session's own until it works with a thread; from then on, what it does to the list it does to the plan
//! of that thread, and each task keeps the step that it stands for. Who only follows the plan changes nothing.

use std::collections::BTreeSet;

use bridge_core::{
    ItemChange, ItemEdit, KeptPlan, MAX_PLAN_TEXT_CHARS, PlanEdit, PlanStep, StepEdit, StepId,
    StepStatus, ThreadId,
};
use bridge_store::{PlanVersion, TaskRow, Write};
use serde::Deserialize;
use serde_json::Value;

use super::Hook;
use crate::error::Problem;
use crate::mcp::call::ToolCall;
use crate::mcp::plans::{self, Change, Changed};
use crate::redact;

/// Items of a to-do list that are looked at.
const MAX_ITEMS: usize = 300;

/// The arguments of `TaskCreate` and `TaskUpdate`, as far as they matter.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TaskInput {
    task_id: Option<String>,
    subject: Option<String>,
    status: Option<String>,
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    codex_thread: Option<String>,
    codex_step: Option<String>,
}

/// An item of `TodoWrite`.
#[derive(Deserialize)]
struct Todo {
    content: String,
    status: String,
}

/// Lets the plan follow a change of the list. Says what the model has to know: only what could not be done.
pub(super) async fn mirror(
    call: &ToolCall<'_>,
    session: &str,
    list: &str,
    hook: &Hook,
) -> Option<String> {
    let response: Value = serde_json::from_str(&hook.response).ok()?;
    let list = List { call, session, name: list };
    // What was recorded in this moment can be read once it is safe.
    let _ = call.ledger().settle(Vec::new()).await;
    match hook.tool.as_str() {
        "TaskCreate" => {
            let input: TaskInput = serde_json::from_str(&hook.input).ok()?;
            let task = name_of(&response["task"]["id"])?;
            list.task(task, input).await
        }
        "TaskUpdate" if response["success"] == true => {
            let input: TaskInput = serde_json::from_str(&hook.input).ok()?;
            let task = name_of(&response["taskId"]).or_else(|| input.task_id.clone())?;
            list.task(task, input).await
        }
        "TodoWrite" => {
            let old = todos(&response["oldTodos"]);
            let new = todos(&response["newTodos"]);
            list.todos(&old, &new).await
        }
        _ => None,
    }
}

/// The list of a session.
struct List<'a> {
    call: &'a ToolCall<'a>,
    session: &'a str,
    name: &'a str,
}

impl List<'_> {
    /// A task was made or changed.
    async fn task(&self, task: String, input: TaskInput) -> Option<String> {
        let tasks = self.tasks().await;
        let known = tasks.iter().find(|known| known.task == task);
        let thread = self.thread(known, &input.metadata).await;
        let plan = match &thread {
            Some(thread) => self.plan(thread).await?,
            None => KeptPlan::default(),
        };
        let linked = known.and_then(|known| known.step.as_ref()).map(|(_, step)| *step);
        let named = input.metadata.codex_step.as_deref().and_then(|id| id.parse().ok());
        let named = named.filter(|id| plan.steps.iter().any(|step| step.id == *id));
        let step = linked.or(named);
        let kept = step.and_then(|id| plan.steps.iter().find(|step| step.id == id));
        let subject = input.subject.map(clean).filter(|subject| !subject.is_empty());
        let is_new = known.is_none() && input.task_id.is_none();
        let row = TaskRow {
            session: self.name.to_owned(),
            task,
            subject: subject
                .or_else(|| known.map(|known| known.subject.clone()))
                .or_else(|| kept.map(|kept| kept.step.clone()))?,
            status: input
                .status
                .as_deref()
                .and_then(status)
                .or_else(|| known.map(|known| known.status))
                .or_else(|| kept.map(|kept| kept.status))
                .unwrap_or(StepStatus::Pending),
            step: thread.clone().zip(step),
        };
        let is_removed = input.status.as_deref() == Some("deleted");
        let Some(thread) = thread else {
            self.keep(row, is_removed);
            return None;
        };
        // A task that is made for a step says what the step says, in whatever words.
        if is_new && named.is_some() {
            self.keep(row, is_removed);
            return None;
        }
        let taken = tasks.iter().filter(|other| other.task != row.task);
        let taken = taken.filter_map(|other| other.step.as_ref());
        let taken = taken.filter(|(other, _)| *other == thread).map(|(_, step)| *step).collect();
        self.follow(&thread, &plan, &taken, row, is_removed).await
    }

    /// Changes the plan as a task was changed, and keeps what the task stands for.
    async fn follow(
        &self,
        thread: &ThreadId,
        plan: &KeptPlan,
        taken: &BTreeSet<StepId>,
        mut row: TaskRow,
        is_removed: bool,
    ) -> Option<String> {
        let change = match is_removed {
            true => ItemChange::Removed,
            false => ItemChange::Says { text: row.subject.clone(), status: row.status },
        };
        let step = row.step.take().map(|(_, step)| step);
        let mut said = None;
        match plan.item_edit(step, taken, &change) {
            ItemEdit::Nothing => row.step = step.map(|step| (thread.clone(), step)),
            ItemEdit::Follows(step) => row.step = Some((thread.clone(), step)),
            ItemEdit::Gone(step) => said = Some(gone(&row.task, step, thread)),
            ItemEdit::Edit(edit) => {
                let adds = matches!(edit, StepEdit::Add { .. });
                match self.edit(thread, vec![edit]).await {
                    Ok(made) => {
                        let new = made.filter(|_| adds).map(|made| StepId(made.plan.last_step));
                        row.step = new.or(step).map(|step| (thread.clone(), step));
                    }
                    Err(problem) => {
                        row.step = step.map(|step| (thread.clone(), step));
                        said = Some(not_changed(thread, &problem));
                    }
                }
            }
        }
        self.keep(row, is_removed);
        said
    }

    /// The to-do list was written anew.
    async fn todos(&self, old: &[PlanStep], new: &[PlanStep]) -> Option<String> {
        let thread = self.thread(None, &Metadata::default()).await?;
        let edits = self.plan(&thread).await?.list_edit(old, new);
        if edits.is_empty() {
            return None;
        }
        let problem = self.edit(&thread, edits).await.err()?;
        Some(not_changed(&thread, &problem))
    }

    /// Makes the next version of the plan, if these edits change it, and tells Codex.
    async fn edit(
        &self,
        thread: &ThreadId,
        edits: Vec<StepEdit>,
    ) -> Result<Option<PlanVersion>, Problem> {
        let edit = PlanEdit::Parts(edits);
        let change = Change { edit, explanation: None, expected: None };
        match plans::change(self.call, thread, &change).await? {
            Changed::Made(made) => {
                plans::tell(self.call, thread, &made).await;
                Ok(Some(made))
            }
            Changed::Already(_) | Changed::Conflict { .. } => Ok(None),
        }
    }

    /// The thread of whose plan a task is a step: the one that it is linked with, the one that it names, or the one that
    /// the session works with.
    async fn thread(&self, known: Option<&TaskRow>, metadata: &Metadata) -> Option<ThreadId> {
        let linked = known.and_then(|known| known.step.clone()).map(|(thread, _)| thread);
        let thread = match linked.or_else(|| metadata.codex_thread.clone().map(ThreadId)) {
            Some(thread) => thread,
            None => {
                let session = self.session.to_owned();
                let read = move |store: &bridge_store::Reader| store.session_thread(&session);
                self.call.ledger().read(read).await.ok()??
            }
        };
        let found = self.call.threads().find(&thread).await.ok()?;
        Some(found.id().clone())
    }

    async fn plan(&self, thread: &ThreadId) -> Option<KeptPlan> {
        let newest = plans::version(self.call, thread, None).await.ok()?;
        Some(newest.map(|newest| newest.plan).unwrap_or_default())
    }

    async fn tasks(&self) -> Vec<TaskRow> {
        let name = self.name.to_owned();
        self.call.ledger().read(move |store| store.tasks(&name)).await.unwrap_or_default()
    }

    fn keep(&self, row: TaskRow, is_removed: bool) {
        let TaskRow { session, task, .. } = &row;
        let write = match is_removed {
            true => Write::TaskRemoved { session: session.clone(), task: task.clone() },
            false => Write::Task(row),
        };
        self.call.ledger().write(vec![write]);
    }
}

fn gone(task: &str, step: StepId, thread: &ThreadId) -> String {
    format!(
        "Codex has removed step {step} from the plan of thread {thread}, so your change of task {task} is not in that \
         plan. If the step is needed, change the task once more: that adds it anew. Else delete the task."
    )
}

fn not_changed(thread: &ThreadId, problem: &Problem) -> String {
    format!("The plan of Codex's thread {thread} did not follow your list: {}", problem.message)
}

/// A task's name, however it is written.
fn name_of(id: &Value) -> Option<String> {
    match id {
        Value::String(id) if !id.is_empty() && id.len() <= 200 => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

fn todos(list: &Value) -> Vec<PlanStep> {
    let list = list.as_array().into_iter().flatten().take(MAX_ITEMS);
    let items = list.filter_map(|item| Todo::deserialize(item).ok());
    let step = |todo: Todo| {
        let status = status(&todo.status).unwrap_or(StepStatus::Pending);
        PlanStep { step: clean(todo.content), status }
    };
    items.map(step).collect()
}

fn status(word: &str) -> Option<StepStatus> {
    match word {
        "pending" => Some(StepStatus::Pending),
        "in_progress" => Some(StepStatus::InProgress),
        "completed" => Some(StepStatus::Completed),
        _ => None,
    }
}

/// What is kept of a text, and no more of it than a step may have.
fn clean(text: String) -> String {
    redact::certain(text.trim()).chars().take(MAX_PLAN_TEXT_CHARS).collect()
}
