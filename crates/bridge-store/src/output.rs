//! The tables `outputs` and `output_chunks`: long texts, compressed in pieces.

use bridge_core::ThreadId;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::row::{signed, unsigned};
use crate::write::NewOutput;
use crate::{StoreError, Timestamp};

/// How much text a piece has at most, in bytes.
const CHUNK: usize = 128 << 10;
/// zstd's own default.
const LEVEL: i32 = 3;

/// A long text, without the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputMeta {
    /// The thread that it belongs to.
    pub thread: Option<ThreadId>,
    /// What it is.
    pub kind: String,
    /// How long it is.
    pub bytes: u64,
    /// When it was kept.
    pub created_at: Timestamp,
}

pub(crate) fn put(
    connection: &Connection,
    output: &NewOutput,
    at: Timestamp,
) -> Result<(), StoreError> {
    let known = connection
        .prepare_cached("UPDATE outputs SET created_at = ?2 WHERE output_id = ?1")?
        .execute(params![output.output, at.0])?;
    if known > 0 {
        // The name stands for the text.
        return Ok(());
    }
    connection
        .prepare_cached(
            // A thread whose own record was not kept must not take its output along.
            "INSERT INTO outputs (output_id, thread_id, kind, bytes, created_at)
             VALUES (?1, (SELECT thread_id FROM threads WHERE thread_id = ?2), ?3, ?4, ?5)",
        )?
        .execute(params![
            output.output,
            output.thread.as_ref().map(ThreadId::as_str),
            output.kind,
            signed(output.text.len() as u64),
            at.0
        ])?;
    let mut insert = connection
        .prepare_cached("INSERT INTO output_chunks (output_id, start, data) VALUES (?1, ?2, ?3)")?;
    let mut start = 0;
    while start < output.text.len() {
        let end = output.text.floor_char_boundary(start + CHUNK);
        let data = zstd::encode_all(&output.text.as_bytes()[start..end], LEVEL)?;
        insert.execute(params![output.output, signed(start as u64), data])?;
        start = end;
    }
    Ok(())
}

pub(crate) fn meta(connection: &Connection, id: &str) -> Result<Option<OutputMeta>, StoreError> {
    let sql = "SELECT thread_id, kind, bytes, created_at FROM outputs WHERE output_id = ?1";
    let meta = connection
        .prepare_cached(sql)?
        .query_row([id], |row| {
            Ok(OutputMeta {
                thread: row.get::<_, Option<String>>(0)?.map(ThreadId),
                kind: row.get(1)?,
                bytes: unsigned(row.get(2)?),
                created_at: Timestamp(row.get(3)?),
            })
        })
        .optional()?;
    Ok(meta)
}

/// At most `max` bytes from `offset` on, cut between characters; empty at and beyond the end. `None` if there is no
/// such output, or `offset` lies inside a character.
pub(crate) fn slice(
    connection: &Connection,
    id: &str,
    offset: u64,
    max: usize,
) -> Result<Option<String>, StoreError> {
    if meta(connection, id)?.is_none() {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT start, data FROM output_chunks WHERE output_id = ?1
             AND start >= coalesce((SELECT max(start) FROM output_chunks WHERE output_id = ?1 AND start <= ?2), 0)
             AND start < ?3
         ORDER BY start",
    )?;
    let end = offset.saturating_add(max as u64);
    let mut rows = statement.query(params![id, signed(offset), signed(end)])?;
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        let start = unsigned(row.get(0)?);
        let data: Vec<u8> = row.get(1)?;
        let piece = zstd::decode_all(data.as_slice())?;
        let skip = usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
        bytes.extend_from_slice(piece.get(skip.min(piece.len())..).unwrap_or_default());
    }
    bytes.truncate(max);
    // In UTF-8 only the bytes after a character's first begin like this.
    if bytes.first().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {
        return Ok(None);
    }
    let end = match std::str::from_utf8(&bytes) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    };
    bytes.truncate(end);
    Ok(String::from_utf8(bytes).ok())
}
