//! `codex.thread.archive`: puts a thread away, takes it back, or deletes it.

use bridge_core::{CallRequest, Failure, Outcome, ThreadChange, ThreadId};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility, unexpected};
use crate::error::{Code, Problem};
use crate::mcp::arguments::{parse, thread_id};
use crate::mcp::call::ToolCall;
use crate::mcp::render::Answer;
use crate::mcp::threads::{ThreadRef, Whereabouts};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    /// The thread.
    thread_id: String,
    /// `archive` puts it away (the default), `unarchive` takes it back, `delete` removes it with all its messages, for
    /// good.
    action: Option<Action>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Action {
    #[default]
    Archive,
    Unarchive,
    Delete,
}

/// What became of the thread.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Changed {
    thread_id: String,
    state: Place,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Place {
    Archived,
    Active,
    Deleted,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.thread.archive",
        title: "Put a Codex thread away",
        description: "Archive a thread that is done with, bring it back (`action: unarchive`), or delete it for good \
            (`action: delete`, if the user agrees; not while another thread was forked from it). Not while a turn runs or waits on it.",
        search_hint: "close end remove clean up delete unarchive restore session conversation",
        annotations: ToolAnnotations::new()
            .read_only(false)
            .destructive(true)
            .idempotent(true)
            .open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Changed>()
}

/// Reads the arguments: which thread, and what becomes of it.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<(ThreadId, Action), Problem> {
    let arguments: Arguments = parse(arguments)?;
    Ok((thread_id(&arguments.thread_id)?, arguments.action.unwrap_or_default()))
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let (thread, action) = read(arguments)?;
    let thread = call.threads().find(&thread).await?;
    let (change, state, word) = match action {
        Action::Archive => (ThreadChange::Archive, Place::Archived, "archived"),
        Action::Unarchive => (ThreadChange::Unarchive, Place::Active, "brought back"),
        Action::Delete => (ThreadChange::Delete, Place::Deleted, "deleted"),
    };
    match state {
        Place::Deleted => {
            let what = format!("delete thread {} with all its messages", thread.id());
            if let Some(asks) = call.consent(&what).await? {
                return Ok(asks);
            }
        }
        Place::Archived | Place::Active => {}
    }
    let changed = Changed { thread_id: thread.id().0.clone(), state };
    let request = CallRequest::ChangeThread { thread: thread.id().clone(), change };
    match call.run(request).await {
        Outcome::ThreadChanged => {}
        Outcome::Failed(failure) => is_so_already(&call, &thread, state, &failure).await?,
        Outcome::Turn(_)
        | Outcome::NotLive
        | Outcome::Asked { .. }
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::Steered { .. }
        | Outcome::PlanTold { .. }
        | Outcome::Cancelled { .. }
        | Outcome::Health(_) => return Err(unexpected("codex.thread.archive")),
    }
    Ok(Answer::success(format!("Thread {} is {word}.", changed.thread_id), &changed))
}

/// Codex refuses what is done already, here or in another program, like a thread that it does not know. What it then says
/// of the thread decides.
async fn is_so_already(
    call: &ToolCall<'_>,
    thread: &ThreadRef,
    wanted: Place,
    failure: &Failure,
) -> Result<(), Problem> {
    let problem = Problem::from(failure);
    if !matches!(problem.code, Code::ThreadNotFound | Code::ThreadArchived) {
        return Err(problem);
    }
    match (wanted, call.threads().locate(thread).await?) {
        (Place::Archived, Whereabouts::Archived) | (Place::Active, Whereabouts::Active) => Ok(()),
        (Place::Deleted, Whereabouts::Gone) => {
            call.threads().forget(thread).await;
            Ok(())
        }
        (Place::Archived | Place::Active | Place::Deleted, _) => Err(problem),
    }
}
