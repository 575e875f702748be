//! The migrations. A released one is never changed: a new one is added.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::{OpenError, StoreError, WriteError};

const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("../sql/0001_init.sql")),
    M::up(include_str!("../sql/0002_search.sql")),
    M::up(include_str!("../sql/0003_turn_numbers.sql")),
    M::up(include_str!("../sql/0004_keys.sql")),
    M::up(include_str!("../sql/0005_changes.sql")),
    M::up(include_str!("../sql/0006_plan_steps.sql")),
    M::up(include_str!("../sql/0007_sessions.sql")),
    M::up(include_str!("../sql/0008_artifacts.sql")),
    M::up(include_str!("../sql/0009_turn_sessions.sql")),
];

/// Brings a database to this version's schema; one transaction a step, so that a killed migration is as if never begun.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of another crate's errors only one is of interest"
)]
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    use rusqlite_migration::Error;
    let path = path.to_owned();
    Migrations::from_slice(MIGRATIONS).to_latest(connection).map_err(|error| match error {
        Error::RusqliteError { err: source, .. } if is_passing(&source) => {
            OpenError::Unusable { path, source }
        }
        source => OpenError::Migration { path, source },
    })
}

/// Whether the records are as they should be, and it will do another time.
fn is_passing(error: &rusqlite::Error) -> bool {
    match WriteError::from(error) {
        WriteError::Full | WriteError::ReadOnly | WriteError::Locked => true,
        WriteError::Damaged | WriteError::Closed { .. } | WriteError::Other(_) => false,
    }
}

/// The version of a database.
pub(crate) fn found(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("SELECT user_version FROM pragma_user_version", [], |row| row.get(0))
}

/// The newest version.
pub(crate) fn version() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("the list above is short")
}

/// The schema after all migrations, as SQL: what `docs/schema.sql` shows.
///
/// # Errors
/// SQLite has no memory.
pub fn text() -> Result<String, StoreError> {
    let mut connection = Connection::open_in_memory()?;
    Migrations::from_slice(MIGRATIONS)
        .to_latest(&mut connection)
        .map_err(|error| StoreError::Unreadable(error.to_string()))?;
    let mut statement = connection.prepare(
        // The tables in which the search keeps its index belong to SQLite.
        "SELECT sql FROM sqlite_schema
         WHERE sql IS NOT NULL AND (name NOT LIKE 'messages_search_%' OR type = 'trigger')
         ORDER BY rowid",
    )?;
    let parts = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut text = String::from(
        "-- Generated from the migrations by the tests; run them with UPDATE_EXPECT=1 to write this file anew.\n",
    );
    for part in parts {
        text.push('\n');
        text.push_str(&part?);
        text.push_str(";\n");
    }
    Ok(text)
}
