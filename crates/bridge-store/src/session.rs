//! The tables `session_threads` and `session_tasks`: what a Claude Code session works with and knows, and its own tasks.

use bridge_core::{StepId, StepStatus, ThreadId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::row::{signed, unsigned};
use crate::{StoreError, Timestamp};

/// Tasks of a session that are kept; what it makes beyond them stands for no step.
const MAX_TASKS: u32 = 1_000;

/// What a session knows of a thread's plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPlan {
    /// The thread.
    pub thread: ThreadId,
    /// The newest version that it knows; 0: none.
    pub version: u64,
}

/// A task in the list of a Claude Code session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// The session.
    pub session: String,
    /// Its name there.
    pub task: String,
    /// What is to do.
    pub subject: String,
    /// How far it is.
    pub status: StepStatus,
    /// The step of a plan that it stands for.
    pub step: Option<(ThreadId, StepId)>,
}

pub(crate) fn uses(
    connection: &Connection,
    session: &str,
    thread: &ThreadId,
    at: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO session_threads (session, thread_id, used_at)
             SELECT ?1, thread_id, ?3 FROM threads WHERE thread_id = ?2
             ON CONFLICT (session, thread_id) DO UPDATE SET used_at = max(used_at, excluded.used_at)",
        )?
        .execute(params![session, thread.as_str(), at.0])?;
    Ok(())
}

/// What a session does not work with, it need not know.
pub(crate) fn knows(
    connection: &Connection,
    session: &str,
    thread: &ThreadId,
    version: u64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE session_threads SET known_plan = max(known_plan, ?3) WHERE session = ?1 AND thread_id = ?2",
        )?
        .execute(params![session, thread.as_str(), signed(version)])?;
    Ok(())
}

pub(crate) fn put_task(
    connection: &Connection,
    task: &TaskRow,
    at: Timestamp,
) -> Result<(), StoreError> {
    let TaskRow { session, task, subject, status, step } = task;
    let (thread, step) = step.as_ref().map(|(thread, step)| (thread.as_str(), step.0)).unzip();
    connection
        .prepare_cached(&format!(
            "INSERT INTO session_tasks (session, task, subject, status, thread_id, step, at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
             WHERE (SELECT count(*) FROM session_tasks WHERE session = ?1) < {MAX_TASKS}
                OR EXISTS (SELECT 1 FROM session_tasks WHERE session = ?1 AND task = ?2)
             ON CONFLICT (session, task) DO UPDATE SET subject = excluded.subject, status = excluded.status,
                 thread_id = excluded.thread_id, step = excluded.step, at = excluded.at"
        ))?
        .execute(params![session, task, subject, word(*status), thread, step.map(signed), at.0])?;
    Ok(())
}

pub(crate) fn remove_task(
    connection: &Connection,
    session: &str,
    task: &str,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM session_tasks WHERE session = ?1 AND task = ?2")?
        .execute([session, task])?;
    Ok(())
}

/// The thread that a session worked with last and that is not put away.
pub(crate) fn thread(
    connection: &Connection,
    session: &str,
) -> Result<Option<ThreadId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT thread_id FROM session_threads JOIN threads USING (thread_id)
         WHERE session = ?1 AND archived_at IS NULL ORDER BY used_at DESC, thread_id DESC LIMIT 1",
    )?;
    let thread = statement.query_row([session], |row| row.get(0)).optional()?;
    Ok(thread.map(ThreadId))
}

pub(crate) fn behind(
    connection: &Connection,
    session: &str,
    limit: usize,
) -> Result<Vec<KnownPlan>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT thread_id, known_plan FROM session_threads AS known
         WHERE session = ?1
             AND known_plan < (SELECT max(version) FROM plans WHERE plans.thread_id = known.thread_id)
         ORDER BY used_at DESC, thread_id DESC LIMIT ?2",
    )?;
    let read = |row: &Row<'_>| {
        Ok(KnownPlan { thread: ThreadId(row.get(0)?), version: unsigned(row.get(1)?) })
    };
    let rows = statement.query_map(params![session, signed(limit as u64)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn tasks(connection: &Connection, session: &str) -> Result<Vec<TaskRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT session, task, subject, status, thread_id, step FROM session_tasks
         WHERE session = ?1 ORDER BY rowid",
    )?;
    let mut rows = statement.query([session])?;
    let mut tasks = Vec::new();
    while let Some(row) = rows.next()? {
        let thread = row.get::<_, Option<String>>(4)?.map(ThreadId);
        let step = row.get::<_, Option<i64>>(5)?.map(|step| StepId(unsigned(step)));
        tasks.push(TaskRow {
            session: row.get(0)?,
            task: row.get(1)?,
            subject: row.get(2)?,
            status: status(&row.get::<_, String>(3)?)?,
            step: thread.zip(step),
        });
    }
    Ok(tasks)
}

fn word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Pending => "pending",
        StepStatus::InProgress => "in_progress",
        StepStatus::Completed => "completed",
    }
}

fn status(word: &str) -> Result<StepStatus, StoreError> {
    match word {
        "pending" => Ok(StepStatus::Pending),
        "in_progress" => Ok(StepStatus::InProgress),
        "completed" => Ok(StepStatus::Completed),
        other => Err(StoreError::Unreadable(format!("a task that is {other:?}"))),
    }
}
