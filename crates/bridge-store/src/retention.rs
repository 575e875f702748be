//! What is forgotten, and when: by age, and when the database has grown too large.

use rusqlite::{Connection, params};

use crate::store::Settings;
use crate::{StoreError, Timestamp, connection};

/// Records that one statement removes at most.
const STEP: i64 = 50;

/// Parts in which all threads together would be forgotten.
const PARTS: usize = 20;

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
    forget_before(connection, "threads", "updated_at", IS_AT_REST, before(settings.thread_days))?;
    forget_before(connection, "keys", "at", "TRUE", before(settings.thread_days))?;
    forget_before(connection, "session_tasks", "at", "TRUE", before(settings.thread_days))
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
    if size(connection)? <= max_bytes {
        return Ok(());
    }
    // What was forgotten before may still lie in the index of the search.
    tidy_search(connection)?;
    let outputs = rows(connection, "SELECT rowid FROM outputs ORDER BY created_at")?;
    for output in outputs {
        if size(connection)? <= max_bytes {
            return Ok(());
        }
        connection.prepare_cached("DELETE FROM outputs WHERE rowid = ?1")?.execute([output])?;
    }
    let oldest_first = format!(
        "SELECT rowid FROM threads WHERE {IS_AT_REST} ORDER BY archived_at IS NULL, updated_at"
    );
    let threads = rows(connection, &oldest_first)?;
    // What a thread takes shows only when the index is tidied, which is too much work to do for each of many.
    for part in threads.chunks((threads.len() / PARTS).max(1)) {
        if size(connection)? <= max_bytes {
            return Ok(());
        }
        for thread in part {
            connection.prepare_cached("DELETE FROM threads WHERE rowid = ?1")?.execute([thread])?;
        }
        tidy_search(connection)?;
    }
    Ok(())
}

fn rows(connection: &Connection, query: &str) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Rewrites the index of the search without what is gone: until then a text that was forgotten takes as much room there as
/// before, and more.
fn tidy_search(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO messages_search (messages_search) VALUES ('optimize')")?
        .execute([])?;
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
