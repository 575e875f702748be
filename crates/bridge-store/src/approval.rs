//! The table `approvals`: what Codex asked, and what it was told.

use bridge_core::{ThreadId, TurnNumber};
use rusqlite::{Connection, params};

use crate::row::{signed, unsigned};
use crate::{StoreError, Timestamp};

/// A question of Codex, and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRow {
    /// The thread.
    pub thread: ThreadId,
    /// The turn, if one ran.
    pub number: Option<TurnNumber>,
    /// What kind of question: `command`, `network`, `fileChange`, `permissions`, `userInput`, `elicitation`, `unknown`.
    pub kind: String,
    /// What was asked for.
    pub what: String,
    /// Codex's reason.
    pub reason: Option<String>,
    /// The answer: Codex's own words for it.
    pub decision: String,
    /// `policy` and the number of the rule, `person`, `deadline`, `nobody` or `withdrawn`.
    pub decided_by: String,
}

pub(crate) fn put(
    connection: &Connection,
    approval: &ApprovalRow,
    at: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO approvals (thread_id, turn, asked_at, kind, what, reason, decision, decided_by, answered_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?3)",
        )?
        .execute(params![
            approval.thread.as_str(),
            approval.number.map(|number| signed(number.0)),
            at.0,
            approval.kind,
            approval.what,
            approval.reason,
            approval.decision,
            approval.decided_by
        ])?;
    Ok(())
}

/// All of a thread, oldest first.
pub(crate) fn of_thread(
    connection: &Connection,
    thread: &ThreadId,
) -> Result<Vec<ApprovalRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT turn, kind, what, reason, decision, decided_by FROM approvals WHERE thread_id = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([thread.as_str()], |row| {
        Ok(ApprovalRow {
            thread: thread.clone(),
            number: row.get::<_, Option<i64>>(0)?.map(|number| TurnNumber(unsigned(number))),
            kind: row.get(1)?,
            what: row.get(2)?,
            reason: row.get(3)?,
            decision: row.get(4)?,
            decided_by: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
