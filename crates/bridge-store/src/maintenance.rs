//! What a person can ask of a database: whether it is sound, how full it is, and to give space back.

use std::path::Path;

use rusqlite::Connection;

use crate::{OpenError, StoreError, connection, schema};

/// The tables, in the order in which they are shown and exported.
pub(crate) const TABLES: &[&str] = &[
    "threads",
    "turns",
    "messages",
    "items",
    "artifacts",
    "plans",
    "patches",
    "approvals",
    "usage",
    "outputs",
    "checkpoints",
    "change_sets",
    "applications",
    "keys",
];

/// How sound a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// What is wrong, in SQLite's words; empty if nothing is.
    pub problems: Vec<String>,
    /// The version of its schema.
    pub schema_version: u32,
    /// How full it is.
    pub statistics: Statistics,
}

/// How full a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// The file's size, in bytes, without what is still in the log beside it.
    pub bytes: u64,
    /// Records by table.
    pub records: Vec<(&'static str, u64)>,
}

/// Looks a database over. It changes nothing.
///
/// # Errors
/// It cannot be opened or read at all.
pub fn check(directory: &Path) -> Result<CheckReport, StoreError> {
    let connection = connection::open_read_only(directory)?;
    let mut problems = lines(&connection, "PRAGMA integrity_check(20)")?;
    problems.retain(|line| line != "ok");
    let mut dangling = connection
        .prepare("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 20")?;
    let mut rows = dangling.query([])?;
    while let Some(row) = rows.next()? {
        let (table, id, parent): (String, Option<i64>, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let id = id.map_or_else(|| "?".to_owned(), |id| id.to_string());
        problems
            .push(format!("row {id} of {table} belongs to a row of {parent} that is not there"));
    }
    let schema_version = schema::found(&connection)?;
    if schema_version != schema::version() {
        problems.push(format!(
            "its schema has version {schema_version}; this program knows {}",
            schema::version()
        ));
    }
    let statistics = of_connection(&connection)?;
    Ok(CheckReport { problems, schema_version, statistics })
}

fn lines(connection: &Connection, sql: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    let lines = statement.query_map([], |row| row.get(0))?;
    Ok(lines.collect::<Result<_, _>>()?)
}

pub(crate) fn of_connection(connection: &Connection) -> Result<Statistics, StoreError> {
    let pragma = |name: &str| -> rusqlite::Result<i64> {
        connection.query_row(&format!("SELECT {name} FROM pragma_{name}"), [], |row| row.get(0))
    };
    let bytes = crate::row::unsigned(pragma("page_count")?.saturating_mul(pragma("page_size")?));
    let mut records = Vec::new();
    for table in TABLES {
        let count: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        records.push((*table, crate::row::unsigned(count)));
    }
    Ok(Statistics { bytes, records })
}

/// Rewrites a database without its holes, and gives its size before and after, in bytes.
///
/// # Errors
/// It cannot be opened, or there is no space for the second copy that this needs for a while.
pub fn vacuum(directory: &Path) -> Result<(u64, u64), VacuumError> {
    let connection = connection::open_writable(directory)?;
    let before = of_connection(&connection)?.bytes;
    connection
        .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
        .map_err(StoreError::from)?;
    Ok((before, of_connection(&connection)?.bytes))
}

/// A database could not be rewritten.
#[derive(Debug, thiserror::Error)]
pub enum VacuumError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}
