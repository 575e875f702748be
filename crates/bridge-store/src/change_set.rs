//! The table `change_sets`: what a turn has changed, or would change.

use bridge_core::{ChangeSet, Changes, ThreadId, TurnNumber};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::row::{signed, unsigned};
use crate::{StoreError, Timestamp, patch};

/// What a change set comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeSetKind {
    /// A turn made it in a copy.
    Proposed,
    /// A turn made it in place.
    Direct,
    /// A turn made it in place, without Codex's sandbox.
    Unconfined,
    /// A client brought it as a diff.
    Given,
}

/// A change set as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSetRow {
    /// Its name.
    pub id: String,
    /// The thread that made it.
    pub thread: Option<ThreadId>,
    /// The turn that made it.
    pub number: Option<TurnNumber>,
    /// What it comes from.
    pub kind: ChangeSetKind,
    /// The directory that it is about.
    pub root: String,
    /// How many files it changes.
    pub files: usize,
    /// How many lines it adds.
    pub added: u64,
    /// How many lines it removes.
    pub removed: u64,
    /// The first of the files.
    pub paths: Vec<String>,
    /// How many ignored files changed besides.
    pub ignored: usize,
    /// What else is worth knowing of it.
    pub notes: Vec<String>,
    /// Each file with both of its sides, as JSON.
    pub changes: String,
}

impl ChangeSetKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "propose",
            Self::Direct => "direct",
            Self::Unconfined => "unconfined",
            Self::Given => "given",
        }
    }

    fn of_text(text: &str) -> Result<Self, StoreError> {
        match text {
            "propose" => Ok(Self::Proposed),
            "direct" => Ok(Self::Direct),
            "unconfined" => Ok(Self::Unconfined),
            "given" => Ok(Self::Given),
            other => Err(StoreError::Unreadable(format!("a change set of kind {other:?}"))),
        }
    }
}

pub(crate) fn put(
    connection: &Connection,
    row: &ChangeSetRow,
    at: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            // A thread or turn whose own record was not kept must not take the change set along.
            "INSERT INTO change_sets (change_set_id, thread_id, turn, kind, root, created_at, files, added, removed,
                 paths, ignored, notes, changes)
             VALUES (?1, (SELECT thread_id FROM threads WHERE thread_id = ?2),
                 (SELECT number FROM turns WHERE number = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT (change_set_id) DO NOTHING",
        )?
        .execute(params![
            row.id,
            row.thread.as_ref().map(ThreadId::as_str),
            row.number.map(|number| signed(number.0)),
            row.kind.as_str(),
            row.root,
            at.0,
            signed(row.files as u64),
            signed(row.added),
            signed(row.removed),
            serde_json::to_string(&row.paths)?,
            signed(row.ignored as u64),
            serde_json::to_string(&row.notes)?,
            patch::compress(&row.changes)?,
        ])?;
    Ok(())
}

const COLUMNS: &str = "change_set_id, thread_id, turn, kind, root, files, added, removed, paths, ignored, notes, changes";

fn read(row: &Row<'_>) -> Result<ChangeSetRow, StoreError> {
    Ok(ChangeSetRow {
        id: row.get(0)?,
        thread: row.get::<_, Option<String>>(1)?.map(ThreadId),
        number: row.get::<_, Option<i64>>(2)?.map(|number| TurnNumber(unsigned(number))),
        kind: ChangeSetKind::of_text(&row.get::<_, String>(3)?)?,
        root: row.get(4)?,
        files: count(row.get(5)?),
        added: unsigned(row.get(6)?),
        removed: unsigned(row.get(7)?),
        paths: serde_json::from_str(&row.get::<_, String>(8)?)?,
        ignored: count(row.get(9)?),
        notes: serde_json::from_str(&row.get::<_, String>(10)?)?,
        changes: patch::expand(&row.get::<_, Vec<u8>>(11)?)?,
    })
}

fn count(number: i64) -> usize {
    usize::try_from(unsigned(number)).unwrap_or(usize::MAX)
}

pub(crate) fn one(connection: &Connection, id: &str) -> Result<Option<ChangeSetRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM change_sets WHERE change_set_id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(read).transpose()
}

/// What a turn is told of its change set.
pub(crate) fn of_turn(
    connection: &Connection,
    number: TurnNumber,
) -> Result<Option<ChangeSet>, StoreError> {
    // Without the changes themselves, which may be large.
    let mut statement = connection.prepare_cached(
        "SELECT change_set_id, kind, files, added, removed, paths, ignored, notes
         FROM change_sets WHERE turn = ?1 ORDER BY created_at DESC, rowid DESC LIMIT 1",
    )?;
    let mut rows = statement.query([signed(number.0)])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let kind = match ChangeSetKind::of_text(&row.get::<_, String>(1)?)? {
        ChangeSetKind::Proposed | ChangeSetKind::Given => Changes::Propose,
        ChangeSetKind::Direct => Changes::Direct,
        ChangeSetKind::Unconfined => Changes::Unconfined,
    };
    Ok(Some(ChangeSet {
        id: row.get(0)?,
        kind,
        files: count(row.get(2)?),
        added: unsigned(row.get(3)?),
        removed: unsigned(row.get(4)?),
        paths: serde_json::from_str(&row.get::<_, String>(5)?)?,
        ignored: count(row.get(6)?),
        notes: serde_json::from_str(&row.get::<_, String>(7)?)?,
    }))
}

/// The newest change set of a thread that was proposed.
pub(crate) fn newest_proposal(
    connection: &Connection,
    thread: &ThreadId,
) -> Result<Option<String>, StoreError> {
    let newest = connection
        .prepare_cached(
            "SELECT change_set_id FROM change_sets WHERE thread_id = ?1 AND kind = 'propose'
             ORDER BY created_at DESC, rowid DESC LIMIT 1",
        )?
        .query_row([thread.as_str()], |row| row.get(0))
        .optional()?;
    Ok(newest)
}

/// Which thread's a change set is.
pub(crate) fn thread(connection: &Connection, id: &str) -> Result<Option<ThreadId>, StoreError> {
    let thread = connection
        .prepare_cached("SELECT thread_id FROM change_sets WHERE change_set_id = ?1")?
        .query_row([id], |row| row.get::<_, Option<String>>(0))
        .optional()?;
    Ok(thread.flatten().map(ThreadId))
}
