//! What is forgotten, and when: by age, and when the database has grown too large.

use rusqlite::{Connection, params};

use crate::store::Settings;
use crate::{StoreError, Timestamp};

/// Records that one step removes at most, so that writes do not wait for long.
const STEP: i64 = 50;
/// Steps of one run.
const STEPS: usize = 200;

/// What a run has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Long texts.
    pub outputs: usize,
    /// Threads, with everything that belongs to them. Codex still has them.
    pub threads: usize,
}

/// Forgets what is too old, and then the oldest while there is too much: outputs, archived threads, threads. A thread
/// with a turn that is not over stays.
pub(crate) fn maintain(
    connection: &Connection,
    settings: &Settings,
    now: Timestamp,
) -> Result<Removed, StoreError> {
    let mut removed = Removed::default();
    let before = |days: u32| now.0.saturating_sub(i64::from(days).saturating_mul(86_400_000));
    for _ in 0..STEPS {
        let outputs = delete_outputs(connection, before(settings.output_days))?;
        let threads = delete_threads(connection, before(settings.thread_days), Which::All)?;
        removed.outputs += outputs;
        removed.threads += threads;
        if outputs + threads == 0 {
            break;
        }
    }
    for _ in 0..STEPS {
        connection.execute_batch("PRAGMA incremental_vacuum")?;
        if size(connection)? <= settings.max_bytes {
            break;
        }
        let outputs = delete_outputs(connection, i64::MAX)?;
        removed.outputs += outputs;
        if outputs > 0 {
            continue;
        }
        let mut threads = delete_threads(connection, i64::MAX, Which::Archived)?;
        if threads == 0 {
            threads = delete_threads(connection, i64::MAX, Which::All)?;
        }
        removed.threads += threads;
        if threads == 0 {
            break;
        }
    }
    Ok(removed)
}

/// How much of the file is in use, in bytes.
fn size(connection: &Connection) -> Result<u64, StoreError> {
    let pragma = |name: &str| -> rusqlite::Result<i64> {
        connection.query_row(&format!("SELECT {name} FROM pragma_{name}"), [], |row| row.get(0))
    };
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(crate::row::unsigned(pages.saturating_mul(pragma("page_size")?)))
}

fn delete_outputs(connection: &Connection, before: i64) -> Result<usize, StoreError> {
    let sql = "DELETE FROM outputs WHERE output_id IN (
                   SELECT output_id FROM outputs WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";
    Ok(connection.prepare_cached(sql)?.execute(params![before, STEP])?)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Archived,
}

fn delete_threads(connection: &Connection, before: i64, which: Which) -> Result<usize, StoreError> {
    let sql = "DELETE FROM threads WHERE thread_id IN (
                   SELECT thread_id FROM threads t
                   WHERE updated_at < ?1 AND (?3 OR archived_at IS NOT NULL)
                     AND NOT EXISTS (SELECT 1 FROM turns WHERE thread_id = t.thread_id AND ended_at IS NULL)
                   ORDER BY updated_at LIMIT ?2)";
    Ok(connection.prepare_cached(sql)?.execute(params![before, STEP, which == Which::All])?)
}
