//! The table `turns`, and a turn with everything in it.

use std::time::Duration;

use bridge_core::{SessionId, ThreadId, TurnId, TurnNumber, TurnReport};
use rusqlite::{Connection, Row, params};

use crate::row::{millis, signed, state, to_state, unsigned};
use crate::write::{EndedTurn, QueuedTurn};
use crate::{
    PlanVersion, StoreError, Timestamp, change_set, item, patch, plan, thread, turn_number, usage,
};

/// A turn as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// Our number for it.
    pub number: TurnNumber,
    /// What was kept of it, without its failure and its stop, which stand below in words.
    pub report: TurnReport,
    /// The last version of the plan that Codex made in it.
    pub plan: Option<PlanVersion>,
    /// The user's message.
    pub prompt: String,
    /// Whether it went on without its client.
    pub background: bool,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// When Codex started it.
    pub started_at: Option<Timestamp>,
    /// When it was over; `None` while it is not.
    pub ended_at: Option<Timestamp>,
    /// Why it failed, as JSON.
    pub error: Option<String>,
    /// Who stopped it, in words.
    pub stopped_by: Option<String>,
}

/// What a turn is called, without what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnName {
    /// Our number for it.
    pub number: TurnNumber,
    /// Codex's id, if Codex has started it.
    pub turn: Option<TurnId>,
    /// When it was over; `None` while it is not.
    pub ended_at: Option<Timestamp>,
}

/// A part of a thread's turns.
#[derive(Clone, Debug)]
pub struct TurnPage {
    /// The turns, newest first.
    pub turns: Vec<TurnRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<TurnNumber>,
}

pub(crate) fn queued(
    connection: &Connection,
    queued: &QueuedTurn,
    at: Timestamp,
) -> Result<(), StoreError> {
    // The thread's own record can be missing if the disk was full when it came.
    connection
        .prepare_cached(
            "INSERT INTO threads (thread_id, codex_home, cwd, source, created_at, updated_at)
             VALUES (?1, '', '', 'bridge', ?2, ?2) ON CONFLICT (thread_id) DO NOTHING",
        )?
        .execute(params![queued.thread.as_str(), at.0])?;
    connection
        .prepare_cached(
            "UPDATE threads SET updated_at = max(updated_at, ?2), topic = coalesce(topic, ?3) WHERE thread_id = ?1",
        )?
        .execute(params![queued.thread.as_str(), at.0, thread::topic(&queued.prompt)])?;
    connection
        .prepare_cached(
            "INSERT INTO turns (number, thread_id, prompt, options, background, session, state, queued_at,
                 changed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7, ?7)",
        )?
        .execute(params![
            signed(queued.number.0),
            queued.thread.as_str(),
            queued.prompt,
            queued.options,
            queued.background,
            queued.session.as_ref().map(SessionId::as_str),
            at.0
        ])?;
    turn_number::used(connection, queued.number)?;
    item::put_prompt(connection, queued.number, &queued.prompt)
}

pub(crate) fn started(
    connection: &Connection,
    number: TurnNumber,
    turn: &TurnId,
    model: Option<&str>,
    effort: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE turns SET state = 'inProgress', turn_id = ?2, model = ?3, effort = ?4, started_at = ?5,
                 changed_at = ?5
             WHERE number = ?1",
        )?
        .execute(params![signed(number.0), turn.as_str(), model, effort, at.0])?;
    known(changed, number)
}

/// Something new is known of a turn.
pub(crate) fn changed(
    connection: &Connection,
    number: TurnNumber,
    at: Timestamp,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached("UPDATE turns SET changed_at = ?2 WHERE number = ?1")?
        .execute(params![signed(number.0), at.0])?;
    known(changed, number)
}

pub(crate) fn ended(
    connection: &Connection,
    ended: &EndedTurn,
    at: Timestamp,
) -> Result<(), StoreError> {
    let report = &ended.report;
    let number = ended.number;
    let transcript = &report.transcript;
    let warnings = serde_json::to_string(&transcript.warnings)?;
    let changed = connection
        .prepare_cached(
            "UPDATE turns SET state = ?2, turn_id = coalesce(?3, turn_id), model = coalesce(?4, model),
                 effort = coalesce(?5, effort), ended_at = ?6, changed_at = ?6, duration_ms = ?7, stopped_by = ?8, error = ?9,
                 warnings = ?10
             WHERE number = ?1",
        )?
        .execute(params![
            signed(number.0),
            state(report.state),
            report.turn.as_ref().map(TurnId::as_str),
            report.model,
            report.effort,
            at.0,
            millis(report.duration),
            ended.stopped_by,
            ended.error,
            warnings,
        ])?;
    known(changed, number)?;
    item::put_transcript(connection, number, transcript)?;
    if let Some(usage) = &transcript.usage {
        usage::put(connection, number, report.model.as_deref(), usage, at)?;
    }
    connection
        .prepare_cached(
            "UPDATE threads SET updated_at = max(updated_at, ?2)
             WHERE thread_id = (SELECT thread_id FROM turns WHERE number = ?1)",
        )?
        .execute(params![signed(number.0), at.0])?;
    Ok(())
}

/// A record of a turn that is not there: its first one was not kept.
pub(crate) fn known(changed: usize, number: TurnNumber) -> Result<(), StoreError> {
    match changed {
        0 => Err(StoreError::Unreadable(format!("turn {} is not there", number.0))),
        _ => Ok(()),
    }
}

const COLUMNS: &str = "number, thread_id, turn_id, prompt, background, state, model, effort, queued_at, started_at, \
     ended_at, duration_ms, stopped_by, error, warnings";

fn read(connection: &Connection, row: &Row<'_>) -> Result<TurnRow, StoreError> {
    let number = TurnNumber(unsigned(row.get(0)?));
    let thread = ThreadId(row.get(1)?);
    let state = to_state(&row.get::<_, String>(5)?)?;
    let warnings: String = row.get(14)?;
    let mut transcript = item::transcript(connection, number)?;
    transcript.patches = patch::of_turn(connection, number)?;
    let plan = plan::of_turn(connection, number)?;
    transcript.plan = plan.clone().map(|version| plan::without_names(version.plan));
    transcript.usage = usage::of_turn(connection, number)?;
    transcript.warnings = serde_json::from_str(&warnings)?;
    Ok(TurnRow {
        number,
        report: TurnReport {
            number: Some(number),
            thread: Some(thread),
            turn: row.get::<_, Option<String>>(2)?.map(TurnId),
            state,
            model: row.get(6)?,
            effort: row.get(7)?,
            duration: Duration::from_millis(unsigned(row.get(11)?)),
            transcript,
            failure: None,
            asking: Vec::new(),
            stopped: None,
            change_set: change_set::of_turn(connection, number)?,
        },
        plan,
        prompt: row.get(3)?,
        background: row.get(4)?,
        queued_at: Timestamp(row.get(8)?),
        started_at: row.get::<_, Option<i64>>(9)?.map(Timestamp),
        ended_at: row.get::<_, Option<i64>>(10)?.map(Timestamp),
        error: row.get(13)?,
        stopped_by: row.get(12)?,
    })
}

/// The named turn of a thread, or its newest.
pub(crate) fn one(
    connection: &Connection,
    thread: &ThreadId,
    turn: Option<&TurnId>,
) -> Result<Option<TurnRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM turns WHERE thread_id = ?1 AND (?2 IS NULL OR turn_id = ?2) ORDER BY number DESC LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![thread.as_str(), turn.map(TurnId::as_str)])?;
    rows.next()?.map(|row| read(connection, row)).transpose()
}

/// A turn by our number.
pub(crate) fn by_number(
    connection: &Connection,
    number: TurnNumber,
) -> Result<Option<TurnRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM turns WHERE number = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([signed(number.0)])?;
    rows.next()?.map(|row| read(connection, row)).transpose()
}

/// The turns of a thread by their names, oldest first.
pub(crate) fn names(
    connection: &Connection,
    thread: &ThreadId,
) -> Result<Vec<TurnName>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, turn_id, ended_at FROM turns WHERE thread_id = ?1 ORDER BY number",
    )?;
    let mut rows = statement.query([thread.as_str()])?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        names.push(TurnName {
            number: TurnNumber(unsigned(row.get(0)?)),
            turn: row.get::<_, Option<String>>(1)?.map(TurnId),
            ended_at: row.get::<_, Option<i64>>(2)?.map(Timestamp),
        });
    }
    Ok(names)
}

pub(crate) fn page(
    connection: &Connection,
    thread: &ThreadId,
    limit: usize,
    before: Option<TurnNumber>,
) -> Result<TurnPage, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM turns WHERE thread_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let before = before.map_or(i64::MAX, |before| signed(before.0));
    let more = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![thread.as_str(), before, more])?;
    let mut turns = Vec::new();
    while let Some(row) = rows.next()? {
        if turns.len() == limit {
            let next = turns.last().map(|last: &TurnRow| last.number);
            return Ok(TurnPage { turns, next });
        }
        turns.push(read(connection, row)?);
    }
    Ok(TurnPage { turns, next: None })
}
