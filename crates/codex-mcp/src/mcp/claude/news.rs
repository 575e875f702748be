//! Tells a session what others did to the plans of the threads that it works with, each thing once.
//!
//! What a session knows is in the records: what it was told here, what it read in a result, and what it did itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bridge_core::{KeptPlan, KeptStep, LaterVersion, StepChange, StepId, StepStatus, ThreadId};
use bridge_store::{KnownPlan, PlanVersion, TaskRow, Write};
use serde_json::json;

use crate::mcp::call::ToolCall;
use crate::mcp::plans;

/// Threads that one hook tells of; the others wait for the next one.
const MAX_THREADS: usize = 3;
/// Changes of one plan that are told one by one.
const MAX_CHANGES: usize = 20;
/// Characters of a text of Codex's that are told.
const MAX_CHARS: usize = 160;

/// What the session has to be told, if there is anything.
pub(super) async fn tell(call: &ToolCall<'_>, session: &str, list: &str) -> Option<String> {
    // Two hooks at one time would tell the same thing.
    let _alone = call.hook_memory().telling.lock().await;
    // What Codex has just said counts as well.
    let _ = call.ledger().settle(Vec::new()).await;
    let name = session.to_owned();
    let behind = call.ledger().read(move |store| store.plan_news(&name, MAX_THREADS)).await.ok()?;
    if behind.is_empty() {
        return None;
    }
    let name = list.to_owned();
    let tasks = call.ledger().read(move |store| store.tasks(&name)).await.unwrap_or_default();
    let mut told = Vec::new();
    for known in behind {
        let Some(news) = PlanNews::of(call, session, known, &tasks).await else { continue };
        let session = session.to_owned();
        let (thread, version) = (news.thread.clone(), news.newest.plan.version);
        let mut writes = vec![Write::SessionKnows { session, thread, version }];
        writes.extend(news.left_alone(&tasks));
        call.ledger().write(writes);
        told.extend(news.text(&tasks));
    }
    let _ = call.ledger().settle(Vec::new()).await;
    (!told.is_empty()).then(|| told.join("\n\n"))
}

/// What a session does not know of a plan.
struct PlanNews {
    thread: ThreadId,
    /// Whether it knows any version.
    is_first: bool,
    newest: PlanVersion,
    changes: Vec<StepChange>,
}

impl PlanNews {
    async fn of(
        call: &ToolCall<'_>,
        session: &str,
        known: KnownPlan,
        tasks: &[TaskRow],
    ) -> Option<Self> {
        let thread = call.threads().find(&known.thread).await.ok()?.id().clone();
        let base = match known.version {
            0 => KeptPlan::default(),
            version => plans::version(call, &thread, Some(version)).await.ok()??.plan,
        };
        let asked = thread.clone();
        let read = move |store: &bridge_store::Reader| store.plans_since(&asked, known.version);
        let mut later = call.ledger().read(read).await.ok()?;
        let items = tasks.iter().filter_map(|task| {
            let (of, id) = task.step.as_ref()?;
            let item = || KeptStep { id: *id, step: task.subject.clone(), status: task.status };
            (*of == thread).then(item)
        });
        let items: Vec<_> = items.collect();
        let versions = later.iter().map(|version| LaterVersion {
            plan: &version.plan,
            is_own: version.session.as_deref() == Some(session),
        });
        let changes = base.news(versions, &items);
        let newest = later.pop()?;
        Some(Self { thread, is_first: known.version == 0, newest, changes })
    }

    /// In words; `None` if all is the session's own doing.
    fn text(&self, tasks: &[TaskRow]) -> Option<String> {
        if self.changes.is_empty() {
            return None;
        }
        let PlanVersion { plan, unaware_of, .. } = &self.newest;
        let thread = &self.thread;
        let mut text = format!("Codex's plan of thread {thread} is at version {}.", plan.version);
        if let Some(other) = unaware_of {
            let _ =
                write!(text, " Codex made it without knowing version {other}: it may lack that.");
        }
        if let Some(why) = &plan.explanation {
            let _ = write!(text, " Why: {}.", quoted(why));
        }
        let tasks: BTreeMap<_, _> = tasks.iter().filter_map(|task| self.stands_for(task)).collect();
        for change in self.changes.iter().take(MAX_CHANGES) {
            text.push('\n');
            text.push_str(&line(change));
            if let Some(task) = tasks.get(&change.id) {
                let _ = write!(text, " (your task {task})");
            }
        }
        if let Some(more @ 1..) = self.changes.len().checked_sub(MAX_CHANGES) {
            let _ = write!(text, "\n… and {more} more: codex.plan.get shows all.");
        }
        let added = self.changes.iter().find(|change| change.was.is_none()).map(|change| change.id);
        if let Some(step) = added.or_else(|| tasks.keys().next().copied())
            && (self.is_first || !tasks.is_empty())
        {
            let metadata = json!({ "codexThread": thread.as_str(), "codexStep": step.to_string() });
            let _ = write!(
                text,
                "\nIf you keep a list of tasks, let it follow: with TaskUpdate, and for new steps TaskCreate with \
                 `metadata` such as {metadata}, or with these very texts in TodoWrite. Codex knows all this already."
            );
        }
        Some(text)
    }

    /// Tasks whose step is gone stand for none from now on: what is done to them later is something new.
    fn left_alone(&self, tasks: &[TaskRow]) -> Vec<Write> {
        let gone = |task: &&TaskRow| {
            let step = self.stands_for(task).map(|(step, _)| step);
            self.changes.iter().any(|change| change.now.is_none() && Some(change.id) == step)
        };
        let alone = |task: &TaskRow| Write::Task(TaskRow { step: None, ..task.clone() });
        tasks.iter().filter(gone).map(alone).collect()
    }

    fn stands_for<'a>(&self, task: &'a TaskRow) -> Option<(StepId, &'a str)> {
        let (thread, step) = task.step.as_ref()?;
        (*thread == self.thread).then_some((*step, task.task.as_str()))
    }
}

fn line(change: &StepChange) -> String {
    let id = change.id;
    match (&change.was, &change.now) {
        (Some(was), None) => format!("- {id} is gone: {}", quoted(&was.step)),
        (None, Some(now)) => format!("- new {}", step(now)),
        (Some(was), Some(now)) if was == now => {
            format!("- {id} stands elsewhere: {}", quoted(&now.step))
        }
        (Some(was), Some(now)) if was.step == now.step => {
            format!("- {} (was {})", step(now), word(was.status))
        }
        (Some(was), Some(now)) => format!("- {} (was {})", step(now), quoted(&was.step)),
        (None, None) => format!("- {id}"),
    }
}

fn step(step: &KeptStep) -> String {
    format!("{} {}: {}", step.id, word(step.status), quoted(&step.step))
}

fn word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Pending => "pending",
        StepStatus::InProgress => "in progress",
        StepStatus::Completed => "completed",
    }
}

/// A text of Codex's as a string on one line, so that it cannot pass for words of ours.
fn quoted(text: &str) -> String {
    let mut beginning: String = text.chars().take(MAX_CHARS).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    json!(beginning).to_string()
}
