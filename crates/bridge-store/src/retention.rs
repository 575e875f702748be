//! What is forgotten, and when: by age, and when the database has grown too large.

use rusqlite::{Connection, params};

use crate::store::Settings;
use crate::{StoreError, Timestamp, connection};

/// Records that one statement removes at most.
const STEP: i64 = 50;

/// A thread with a turn that is not over stays.
const IS_AT_REST: &str =
    "NOT EXISTS (SELECT 1 FROM turns WHERE thread_id = threads.thread_id AND ended_at IS NULL)";

/// Forgets what is too old, and then, while there is too much, one by one the oldest: outputs, archived threads, threads.
/// What that frees goes back to the disk. Codex still has all threads.
pub(crate) fn maintain(
    connection: &Connection,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), StoreError> {
    // To forget takes room for a moment, in the index of the search for one.
    connection::limit(connection, u64::MAX);
    let done = forget_old(connection, settings, now)
        .and_then(|()| forget_too_much(connection, settings.max_bytes))
        .and_then(|()| give_back(connection));
    connection::limit(connection, settings.max_bytes);
    done
}

fn forget_old(
    connection: &Connection,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = |days: u32| now.0.saturating_sub(i64::from(days).saturating_mul(86_400_000));
    forget_before(connection, "outputs", "created_at", "TRUE", before(settings.output_days))?;
    forget_before(
        connection,
        "threads",
        "archived_at",
        IS_AT_REST,
        before(settings.archived_days),
    )?;
    forget_before(connection, "threads", "updated_at", IS_AT_REST, before(settings.thread_days))
}

fn forget_before(
    connection: &Connection,
    table: &str,
    time: &str,
    condition: &str,
    before: i64,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "DELETE FROM {table} WHERE rowid IN (
             SELECT rowid FROM {table} WHERE {time} < ?1 AND {condition} ORDER BY {time} LIMIT ?2)"
    ))?;
    while statement.execute(params![before, STEP])? > 0 {}
    Ok(())
}

fn forget_too_much(connection: &Connection, max_bytes: u64) -> Result<(), StoreError> {
    let outputs = "SELECT rowid FROM outputs ORDER BY created_at".to_owned();
    let threads = format!(
        "SELECT rowid FROM threads WHERE {IS_AT_REST} ORDER BY archived_at IS NULL, updated_at"
    );
    for (table, oldest_first) in [("outputs", outputs), ("threads", threads)] {
        if size(connection)? <= max_bytes {
            return Ok(());
        }
        let rows: Vec<i64> = connection
            .prepare(&oldest_first)?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut delete =
            connection.prepare_cached(&format!("DELETE FROM {table} WHERE rowid = ?1"))?;
        for row in rows {
            if size(connection)? <= max_bytes {
                return Ok(());
            }
            delete.execute([row])?;
        }
    }
    Ok(())
}

/// How much of the file is in use, in bytes.
fn size(connection: &Connection) -> Result<u64, StoreError> {
    let pragma = |name: &str| -> rusqlite::Result<i64> {
        connection
            .prepare_cached(&format!("SELECT {name} FROM pragma_{name}"))?
            .query_row([], |row| row.get(0))
    };
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(crate::row::unsigned(pages.saturating_mul(pragma("page_size")?)))
}

/// Shortens the file by what is free in it.
fn give_back(connection: &Connection) -> Result<(), StoreError> {
    // It frees a page a step.
    let mut pages = connection.prepare_cached("PRAGMA incremental_vacuum")?;
    let mut rows = pages.query([])?;
    while rows.next()?.is_some() {}
    // Passive: it waits for nobody. What a reader holds up goes with the next one.
    connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |_| Ok(()))?;
    Ok(())
}
