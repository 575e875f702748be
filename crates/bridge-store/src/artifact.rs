//! The table `artifacts`: which long logs and images belong to a turn. The contents are outputs.

use bridge_core::{Artifact, ArtifactKind, FailingLine, ItemId, TurnNumber};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::row::{signed, unsigned};
use crate::{StoreError, item};

#[derive(Serialize, Deserialize)]
struct FailingData {
    line: u64,
    offset: u64,
    text: String,
}

/// Keeps an artifact once: it does not change.
pub(crate) fn put(
    connection: &Connection,
    number: TurnNumber,
    artifact: &Artifact,
) -> Result<(), StoreError> {
    let known = connection
        .prepare_cached("SELECT 1 FROM artifacts WHERE output_id = ?1")?
        .exists([&artifact.output])?;
    if known {
        return Ok(());
    }
    let failing = artifact.failing.iter().map(|failing| FailingData {
        line: failing.line,
        offset: failing.offset,
        text: failing.text.clone(),
    });
    let failing = serde_json::to_string(&failing.collect::<Vec<_>>())?;
    let ordinal = item::next_ordinal(connection, number)?;
    connection
        .prepare_cached(
            "INSERT INTO artifacts (output_id, turn, ordinal, item_id, kind, name, mime, bytes, failing)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            artifact.output,
            signed(number.0),
            ordinal,
            artifact.item.as_str(),
            artifact.kind.as_str(),
            artifact.name,
            artifact.mime,
            signed(artifact.bytes),
            failing
        ])?;
    Ok(())
}

/// The artifacts of a turn, in order.
pub(crate) fn of_turn(
    connection: &Connection,
    number: TurnNumber,
) -> Result<Vec<Artifact>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT item_id, output_id, kind, name, mime, bytes, failing FROM artifacts WHERE turn = ?1 ORDER BY ordinal",
    )?;
    let mut rows = statement.query([signed(number.0)])?;
    let mut artifacts = Vec::new();
    while let Some(row) = rows.next()? {
        artifacts.push(read(row)?);
    }
    Ok(artifacts)
}

fn read(row: &Row<'_>) -> Result<Artifact, StoreError> {
    let (kind, failing): (String, String) = (row.get(2)?, row.get(6)?);
    let kind = ArtifactKind::parse(&kind)
        .ok_or_else(|| StoreError::Unreadable(format!("an artifact of kind {kind:?}")))?;
    let failing: Vec<FailingData> = serde_json::from_str(&failing)?;
    let line =
        |data: FailingData| FailingLine { line: data.line, offset: data.offset, text: data.text };
    Ok(Artifact {
        item: ItemId(row.get(0)?),
        output: row.get(1)?,
        kind,
        name: row.get(3)?,
        mime: row.get(4)?,
        bytes: unsigned(row.get(5)?),
        failing: failing.into_iter().map(line).collect(),
    })
}
