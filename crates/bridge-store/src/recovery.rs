//! What an engine that was killed left behind: turns without an end.

use bridge_core::{SessionId, ThreadId, TurnId, TurnNumber};
use rusqlite::{Connection, params};

use crate::row::unsigned;
use crate::{StoreError, Timestamp};

/// A turn that was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutTurn {
    /// Our number for it.
    pub number: TurnNumber,
    /// Its thread.
    pub thread: ThreadId,
    /// Codex's id, if it had started.
    pub turn: Option<TurnId>,
    /// What it was asked.
    pub prompt: String,
    /// Whether it went on without its client.
    pub background: bool,
    /// The session that asked for it.
    pub session: Option<SessionId>,
}

/// Marks every turn without an end as interrupted; what is known of it stays. It lasted until its last record. The errors are JSON: for those that ran,
/// and for those that Codex had never started.
pub(crate) fn interrupt_unfinished(
    connection: &mut Connection,
    at: Timestamp,
    ran: &str,
    waited: &str,
) -> Result<Vec<CutTurn>, StoreError> {
    let transaction = connection.transaction()?;
    let cut = {
        let mut statement = transaction.prepare(
            "UPDATE turns SET state = 'interrupted', ended_at = ?1,
                 error = CASE WHEN started_at IS NULL THEN ?3 ELSE ?2 END,
                 duration_ms = coalesce(max(changed_at - started_at, 0), 0)
             WHERE ended_at IS NULL
             RETURNING number, thread_id, turn_id, prompt, background, session",
        )?;
        let rows = statement.query_map(params![at.0, ran, waited], |row| {
            Ok(CutTurn {
                number: TurnNumber(unsigned(row.get(0)?)),
                thread: ThreadId(row.get(1)?),
                turn: row.get::<_, Option<String>>(2)?.map(TurnId),
                prompt: row.get(3)?,
                background: row.get(4)?,
                session: row.get::<_, Option<String>>(5)?.map(SessionId),
            })
        })?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    transaction.commit()?;
    Ok(cut)
}
