//! The table `plans`: every version of a thread's plan, who made it, and whether Codex knows it.
//!
//! Versions are made here, one after another, because only the thread that writes sees all who make them: what they say
//! is decided by the core.

use bridge_core::{
    KeptPlan, KeptStep, Plan, PlanStep, StepId, StepStatus, ThreadId, TurnId, TurnNumber,
};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::row::{signed, unsigned};
use crate::{StoreError, Timestamp};

/// Versions of which is told what changed in them; what comes after is told the next time.
const MAX_SINCE: u32 = 500;

/// Who made a version of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanAuthor {
    /// Codex.
    Codex,
    /// An MCP client.
    Client,
}

impl PlanAuthor {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Client => "client",
        }
    }

    fn of_text(text: &str) -> Result<Self, StoreError> {
        match text {
            "codex" => Ok(Self::Codex),
            "client" => Ok(Self::Client),
            other => Err(StoreError::Unreadable(format!("a plan by {other:?}"))),
        }
    }
}

/// A version of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanVersion {
    /// What it says, with its number.
    pub plan: KeptPlan,
    /// The turn in which Codex made it.
    pub number: Option<TurnNumber>,
    /// Who made it.
    pub author: PlanAuthor,
    /// When.
    pub at: Timestamp,
    /// When Codex was told of a client's version, and the turn that took it.
    pub told: Option<(Timestamp, TurnId)>,
    /// The client's version that Codex did not know when it made this one, which says something else.
    pub unaware_of: Option<u64>,
    /// Of a client's version: the Claude Code session that made it.
    pub session: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Step {
    id: u64,
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

impl From<&KeptStep> for Step {
    fn from(step: &KeptStep) -> Self {
        let status = match step.status {
            StepStatus::Pending => Status::Pending,
            StepStatus::InProgress => Status::InProgress,
            StepStatus::Completed => Status::Completed,
        };
        Self { id: step.id.0, step: step.step.clone(), status }
    }
}

impl From<Step> for KeptStep {
    fn from(step: Step) -> Self {
        let status = match step.status {
            Status::Pending => StepStatus::Pending,
            Status::InProgress => StepStatus::InProgress,
            Status::Completed => StepStatus::Completed,
        };
        Self { id: StepId(step.id), step: step.step, status }
    }
}

/// Keeps what Codex says; if it is nothing new, it is no version.
pub(crate) fn follow(
    connection: &Connection,
    thread: &ThreadId,
    number: TurnNumber,
    plan: &Plan,
    at: Timestamp,
) -> Result<(), StoreError> {
    let newest = newest(connection, thread)?;
    let Some(plan) = newest.follow(plan) else {
        return Ok(());
    };
    let untold = untold(connection, thread)?.filter(|untold| untold.plan.steps != plan.steps);
    let unaware_of = untold.map(|untold| untold.plan.version);
    let (author, number) = (PlanAuthor::Codex, Some(number));
    let version = PlanVersion { plan, number, author, at, told: None, unaware_of, session: None };
    insert(connection, thread, &version)
}

/// Keeps a client's version, if it is the next one: who comes too late has to look again.
pub(crate) fn edited(
    connection: &Connection,
    thread: &ThreadId,
    plan: &KeptPlan,
    session: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    if newest(connection, thread)?.version + 1 != plan.version {
        return Ok(());
    }
    let (author, plan) = (PlanAuthor::Client, plan.clone());
    let session = session.map(str::to_owned);
    let version =
        PlanVersion { plan, number: None, author, at, told: None, unaware_of: None, session };
    insert(connection, thread, &version)
}

fn insert(
    connection: &Connection,
    thread: &ThreadId,
    version: &PlanVersion,
) -> Result<(), StoreError> {
    let PlanVersion { plan, number, author, at, told: _, unaware_of, session } = version;
    connection
        .prepare_cached(
            "INSERT INTO plans (thread_id, version, turn, author, at, explanation, steps, last_step, unaware_of, session)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            thread.as_str(),
            signed(plan.version),
            number.map(|number| signed(number.0)),
            author.as_str(),
            at.0,
            plan.explanation,
            serde_json::to_string(&plan.steps.iter().map(Step::from).collect::<Vec<_>>())?,
            signed(plan.last_step),
            unaware_of.map(signed),
            session,
        ])?;
    Ok(())
}

/// Codex was told of a version, and with it of all that clients made before.
pub(crate) fn told(
    connection: &Connection,
    thread: &ThreadId,
    version: u64,
    turn: &TurnId,
    at: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE plans SET told_at = ?3, told_in = ?4
             WHERE thread_id = ?1 AND version <= ?2 AND author = 'client' AND told_at IS NULL",
        )?
        .execute(params![thread.as_str(), signed(version), at.0, turn.as_str()])?;
    Ok(())
}

const COLUMNS: &str = "version, turn, author, at, explanation, steps, last_step, told_at, told_in, unaware_of, session";

fn read(row: &Row<'_>) -> Result<PlanVersion, StoreError> {
    let told_at = row.get::<_, Option<i64>>(7)?.map(Timestamp);
    let told_in = row.get::<_, Option<String>>(8)?.map(TurnId);
    Ok(PlanVersion {
        plan: KeptPlan {
            version: unsigned(row.get(0)?),
            explanation: row.get(4)?,
            steps: steps(&row.get::<_, String>(5)?)?,
            last_step: unsigned(row.get(6)?),
        },
        number: row.get::<_, Option<i64>>(1)?.map(|number| TurnNumber(unsigned(number))),
        author: PlanAuthor::of_text(&row.get::<_, String>(2)?)?,
        at: Timestamp(row.get(3)?),
        told: told_at.zip(told_in),
        unaware_of: row.get::<_, Option<i64>>(9)?.map(unsigned),
        session: row.get(10)?,
    })
}

/// The newest plan of a thread; one that has none has an empty one.
fn newest(connection: &Connection, thread: &ThreadId) -> Result<KeptPlan, StoreError> {
    Ok(one(connection, thread, None)?.map(|newest| newest.plan).unwrap_or_default())
}

/// A version of a thread's plan, or the newest.
pub(crate) fn one(
    connection: &Connection,
    thread: &ThreadId,
    version: Option<u64>,
) -> Result<Option<PlanVersion>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM plans WHERE thread_id = ?1 AND (?2 IS NULL OR version = ?2)
         ORDER BY version DESC LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![thread.as_str(), version.map(signed)])?;
    rows.next()?.map(read).transpose()
}

/// The newest versions, newest first.
pub(crate) fn of_thread(
    connection: &Connection,
    thread: &ThreadId,
    limit: usize,
) -> Result<Vec<PlanVersion>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM plans WHERE thread_id = ?1 ORDER BY version DESC LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![thread.as_str(), signed(limit as u64)])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(read(row)?);
    }
    Ok(versions)
}

/// The versions after one, oldest first.
pub(crate) fn since(
    connection: &Connection,
    thread: &ThreadId,
    version: u64,
) -> Result<Vec<PlanVersion>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM plans WHERE thread_id = ?1 AND version > ?2 ORDER BY version LIMIT {MAX_SINCE}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![thread.as_str(), signed(version)])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(read(row)?);
    }
    Ok(versions)
}

/// The newest version of a client that Codex was not told of.
pub(crate) fn untold(
    connection: &Connection,
    thread: &ThreadId,
) -> Result<Option<PlanVersion>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM plans
         WHERE thread_id = ?1 AND author = 'client' AND told_at IS NULL ORDER BY version DESC LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([thread.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// The last plan that Codex made in a turn.
pub(crate) fn of_turn(
    connection: &Connection,
    number: TurnNumber,
) -> Result<Option<PlanVersion>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM plans
         WHERE thread_id = (SELECT thread_id FROM turns WHERE number = ?1) AND turn = ?1
         ORDER BY version DESC LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([signed(number.0)])?;
    rows.next()?.map(read).transpose()
}

/// A plan as Codex tells one.
pub(crate) fn without_names(plan: KeptPlan) -> Plan {
    let step = |step: KeptStep| PlanStep { step: step.step, status: step.status };
    Plan { explanation: plan.explanation, steps: plan.steps.into_iter().map(step).collect() }
}

/// The steps of a plan as they are kept.
pub(crate) fn steps(json: &str) -> Result<Vec<KeptStep>, StoreError> {
    let steps: Vec<Step> = serde_json::from_str(json)?;
    Ok(steps.into_iter().map(KeptStep::from).collect())
}
