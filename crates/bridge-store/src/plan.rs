//! The table `plans`: every version of a thread's plan.

use bridge_core::{Plan, PlanStep, StepStatus, ThreadId, TurnNumber};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::row::{signed, unsigned};
use crate::{StoreError, Timestamp};

/// Who made a version of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanAuthor {
    /// Codex.
    Codex,
    /// An MCP client.
    Client,
}

impl PlanAuthor {
    fn as_str(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Client => "client",
        }
    }
}

/// A version of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanVersion {
    /// Counted from 1.
    pub version: u64,
    /// The turn in which it was made.
    pub number: Option<TurnNumber>,
    /// Who made it: `codex` or `client`.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// The plan.
    pub plan: Plan,
}

#[derive(Serialize, Deserialize)]
struct Step {
    step: String,
    status: Status,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    InProgress,
    Completed,
}

impl From<&PlanStep> for Step {
    fn from(step: &PlanStep) -> Self {
        let status = match step.status {
            StepStatus::Pending => Status::Pending,
            StepStatus::InProgress => Status::InProgress,
            StepStatus::Completed => Status::Completed,
        };
        Self { step: step.step.clone(), status }
    }
}

impl From<Step> for PlanStep {
    fn from(step: Step) -> Self {
        let status = match step.status {
            Status::Pending => StepStatus::Pending,
            Status::InProgress => StepStatus::InProgress,
            Status::Completed => StepStatus::Completed,
        };
        Self { step: step.step, status }
    }
}

/// Keeps a new version; one that says the same as the newest is none.
pub(crate) fn put(
    connection: &Connection,
    thread: &ThreadId,
    number: Option<TurnNumber>,
    author: PlanAuthor,
    plan: &Plan,
    at: Timestamp,
) -> Result<(), StoreError> {
    let steps = serde_json::to_string(&plan.steps.iter().map(Step::from).collect::<Vec<_>>())?;
    let newest: Option<(i64, Option<String>, String)> = connection
        .prepare_cached(
            "SELECT version, explanation, steps FROM plans WHERE thread_id = ?1 ORDER BY version DESC LIMIT 1",
        )?
        .query_row([thread.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    if newest.as_ref().is_some_and(|(_, why, known)| *why == plan.explanation && *known == steps) {
        return Ok(());
    }
    let version = newest.map_or(1, |(version, ..)| version + 1);
    connection
        .prepare_cached(
            "INSERT INTO plans (thread_id, version, turn, author, at, explanation, steps)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            thread.as_str(),
            version,
            number.map(|number| signed(number.0)),
            author.as_str(),
            at.0,
            plan.explanation,
            steps
        ])?;
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> Result<PlanVersion, StoreError> {
    let text: String = row.get(5)?;
    Ok(PlanVersion {
        version: unsigned(row.get(0)?),
        number: row.get::<_, Option<i64>>(1)?.map(|number| TurnNumber(unsigned(number))),
        author: row.get(2)?,
        at: Timestamp(row.get(3)?),
        plan: Plan { explanation: row.get(4)?, steps: steps(&text)? },
    })
}

/// Every version, oldest first.
pub(crate) fn of_thread(
    connection: &Connection,
    thread: &ThreadId,
) -> Result<Vec<PlanVersion>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT version, turn, author, at, explanation, steps FROM plans WHERE thread_id = ?1 ORDER BY version",
    )?;
    let mut rows = statement.query([thread.as_str()])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(read(row)?);
    }
    Ok(versions)
}

/// The last plan that was made in a turn.
pub(crate) fn of_turn(
    connection: &Connection,
    number: TurnNumber,
) -> Result<Option<Plan>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT version, turn, author, at, explanation, steps FROM plans
         WHERE thread_id = (SELECT thread_id FROM turns WHERE number = ?1) AND turn = ?1
         ORDER BY version DESC LIMIT 1",
    )?;
    let mut rows = statement.query([signed(number.0)])?;
    Ok(rows.next()?.map(read).transpose()?.map(|version| version.plan))
}

/// The steps of a plan as they are kept.
pub(crate) fn steps(json: &str) -> Result<Vec<PlanStep>, StoreError> {
    let steps: Vec<Step> = serde_json::from_str(json)?;
    Ok(steps.into_iter().map(PlanStep::from).collect())
}
