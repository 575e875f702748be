//! The table `patches`: what Codex's patch tool changed, or wanted to change.

use bridge_core::{ChangeKind, FileChange, ItemId, Patch, TurnNumber};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::row::{Status, signed};
use crate::{StoreError, item};

/// zstd's own default.
const LEVEL: i32 = 3;

#[derive(Serialize, Deserialize)]
struct Path {
    path: String,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_to: Option<String>,
    /// Where this file's part of the diff ends, in bytes; it begins where the one before ends.
    end: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Add,
    Delete,
    Update,
}

/// A patch as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchRow {
    /// Its thread.
    pub thread: bridge_core::ThreadId,
    /// Its turn.
    pub number: TurnNumber,
    /// What it changes.
    pub patch: Patch,
}

/// The name of a patch.
pub(crate) fn id(number: TurnNumber, item: &ItemId) -> String {
    format!("{}-{item}", number.0)
}

pub(crate) fn put(
    connection: &Connection,
    number: TurnNumber,
    patch: &Patch,
) -> Result<(), StoreError> {
    let mut diff = String::new();
    let mut paths = Vec::new();
    for change in &patch.changes {
        diff.push_str(&change.diff);
        let (kind, moved_to) = match &change.kind {
            ChangeKind::Add => (Kind::Add, None),
            ChangeKind::Delete => (Kind::Delete, None),
            ChangeKind::Update { moved_to } => (Kind::Update, moved_to.clone()),
        };
        paths.push(Path { path: change.path.clone(), kind, moved_to, end: diff.len() });
    }
    let status = Status::from(patch.status).as_str();
    let (paths, diff) = (serde_json::to_string(&paths)?, compress(&diff)?);
    let changed = connection
        .prepare_cached("UPDATE patches SET status = ?3, paths = ?4, diff = ?5 WHERE turn = ?1 AND item_id = ?2")?
        .execute(params![signed(number.0), patch.item.as_str(), status, paths, diff])?;
    if changed > 0 {
        return Ok(());
    }
    let ordinal = item::next_ordinal(connection, number)?;
    connection
        .prepare_cached(
            "INSERT INTO patches (patch_id, thread_id, turn, item_id, ordinal, status, paths, diff)
             SELECT ?1, thread_id, number, ?3, ?4, ?5, ?6, ?7 FROM turns WHERE number = ?2",
        )?
        .execute(params![
            id(number, &patch.item),
            signed(number.0),
            patch.item.as_str(),
            ordinal,
            status,
            paths,
            diff
        ])?;
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> Result<Patch, StoreError> {
    let (item, status, paths, diff): (String, String, String, Vec<u8>) =
        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let paths: Vec<Path> = serde_json::from_str(&paths)?;
    let diff = expand(&diff)?;
    let mut start = 0;
    let mut changes = Vec::new();
    for path in paths {
        let text = diff.get(start..path.end).unwrap_or_default().to_owned();
        start = path.end;
        let kind = match path.kind {
            Kind::Add => ChangeKind::Add,
            Kind::Delete => ChangeKind::Delete,
            Kind::Update => ChangeKind::Update { moved_to: path.moved_to },
        };
        changes.push(FileChange { path: path.path, kind, diff: text });
    }
    Ok(Patch { item: ItemId(item), changes, status: Status::of_text(&status)?.into() })
}

pub(crate) fn of_turn(
    connection: &Connection,
    number: TurnNumber,
) -> Result<Vec<Patch>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT item_id, status, paths, diff FROM patches WHERE turn = ?1 ORDER BY ordinal",
    )?;
    let mut rows = statement.query([signed(number.0)])?;
    let mut patches = Vec::new();
    while let Some(row) = rows.next()? {
        patches.push(read(row)?);
    }
    Ok(patches)
}

pub(crate) fn one(connection: &Connection, id: &str) -> Result<Option<PatchRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT item_id, status, paths, diff, thread_id, turn FROM patches WHERE patch_id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(PatchRow {
        thread: bridge_core::ThreadId(row.get(4)?),
        number: TurnNumber(crate::row::unsigned(row.get(5)?)),
        patch: read(row)?,
    }))
}

/// A text as it is kept where it may be long.
pub(crate) fn compress(text: &str) -> std::io::Result<Vec<u8>> {
    zstd::encode_all(text.as_bytes(), LEVEL)
}

/// A diff as text.
pub(crate) fn expand(compressed: &[u8]) -> Result<String, StoreError> {
    let bytes = zstd::decode_all(compressed)?;
    String::from_utf8(bytes).map_err(|error| StoreError::Unreadable(error.to_string()))
}
