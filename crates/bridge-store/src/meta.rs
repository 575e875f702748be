//! Single values: the key under which resume tokens are sealed.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::StoreError;

const TOKEN_KEY: &str = "token_key";

/// Makes what every database has once.
pub(crate) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    let mut key = [0_u8; 32];
    if getrandom::fill(&mut key).is_err() {
        // Without random numbers there are no tokens; everything else works.
        return Ok(());
    }
    connection.execute(
        "INSERT OR IGNORE INTO meta (key, value) VALUES (?1, ?2)",
        params![TOKEN_KEY, key.as_slice()],
    )?;
    Ok(())
}

pub(crate) fn token_key(connection: &Connection) -> Result<Option<[u8; 32]>, StoreError> {
    let key: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [TOKEN_KEY], |row| row.get(0))
        .optional()?;
    Ok(key.and_then(|key| key.try_into().ok()))
}
