//! The tasks extension: a background turn as a task of a client that declares it.
//!
//! Nothing is kept here. A task is a turn under another name, its state is the turn's record, and so any later client can
//! ask for it that may see the thread. A turn that Codex failed is a completed task whose result is an error, as the
//! extension says of tools.

use bridge_core::{CallRequest, TurnNumber, TurnState};
use bridge_store::TurnRow;
use rmcp::model::{DetailedTask, ErrorData, JsonObject, Task, TaskPayload, TaskStatus};
use serde_json::{Value, json};

use super::artifacts;
use super::paging::ClientLimits;
use super::render::{Answer, TurnResult};
use super::server::Server;
use super::threads::{ThreadRef, Threads};
use crate::clock;

/// How often a client should look.
const POLL_INTERVAL_MS: u64 = 2_000;
/// What a task's id begins with; the turn's number follows.
const PREFIX: &str = "turn-";

/// The task of a turn that was just asked for.
pub(super) fn of_new_turn(number: TurnNumber) -> Task {
    let now = clock::timestamp();
    Task::new(format!("{PREFIX}{}", number.0), TaskStatus::Working, now.clone(), now)
        .with_poll_interval_ms(POLL_INTERVAL_MS)
}

/// `tasks/get`.
///
/// # Errors
/// The client has no such task.
pub(super) async fn get(
    server: &Server,
    limits: ClientLimits,
    id: &str,
) -> Result<DetailedTask, ErrorData> {
    let (row, _thread) = find(server, id).await?;
    let changed = row.ended_at.or(row.started_at).unwrap_or(row.queued_at);
    let task = Task::new(id, TaskStatus::Working, clock::show(row.queued_at), clock::show(changed))
        .with_poll_interval_ms(POLL_INTERVAL_MS);
    let payload = match row.report.state {
        TurnState::Queued { .. } | TurnState::InProgress => TaskPayload::Working,
        TurnState::Interrupted if row.error.is_none() => TaskPayload::Cancelled,
        TurnState::Interrupted | TurnState::Completed | TurnState::Failed => {
            let result = artifacts::shown(server, limits, TurnResult::from(row)).await;
            TaskPayload::Completed { result: Answer::of_turn(&result).into_object() }
        }
    };
    Ok(DetailedTask::new(task, payload))
}

/// `tasks/update`: no turn asks its client anything.
///
/// # Errors
/// The client has no such task, or it wants no input.
pub(super) async fn update(server: &Server, id: &str) -> Result<(), ErrorData> {
    find(server, id).await?;
    Err(ErrorData::invalid_params(format!("task {id:?} wants no input"), None))
}

/// `tasks/cancel`: stops the turn if it has not ended.
///
/// # Errors
/// The client has no such task.
pub(super) async fn cancel(server: &Server, id: &str) -> Result<(), ErrorData> {
    let (row, thread) = find(server, id).await?;
    let request = CallRequest::StopTurn { thread: thread.id().clone(), turn: row.number };
    // Whatever comes of it shows in the task.
    let _ = Threads::of(server).run(request).await;
    Ok(())
}

/// A turn of a thread that the client may see.
async fn find(server: &Server, id: &str) -> Result<(TurnRow, ThreadRef), ErrorData> {
    let missing = || {
        let message = format!("there is no task {id:?}");
        ErrorData::invalid_params(message, Some(json!({ "taskId": id })))
    };
    let number = id.strip_prefix(PREFIX).and_then(|number| number.parse().ok());
    let number = TurnNumber(number.ok_or_else(missing)?);
    let ledger = server.engine().ledger();
    let row = ledger.read(move |store| store.turn_by_number(number)).await;
    let row = row.map_err(|problem| ErrorData::internal_error(problem.to_string(), None))?;
    let row = row.filter(|row| row.background).ok_or_else(missing)?;
    let thread = row.report.thread.clone().ok_or_else(missing)?;
    let thread = Threads::of(server).find(&thread).await.map_err(|_not_theirs| missing())?;
    Ok((row, thread))
}

impl Answer {
    /// The answer as a JSON object, in the form of `tools/call`.
    fn into_object(self) -> JsonObject {
        match serde_json::to_value(self.into_result()) {
            Ok(Value::Object(object)) => object,
            Ok(_) | Err(_) => JsonObject::new(),
        }
    }
}
