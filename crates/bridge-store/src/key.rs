//! The table `keys`: which turn a client's own key for a call stands for.

use bridge_core::TurnNumber;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::row::{signed, unsigned};
use crate::{StoreError, Timestamp};

/// A key of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The home of Codex for which it was given.
    pub codex_home: String,
    /// The key.
    pub key: String,
    /// The turn that it stands for. It may not be there, if it was cut before it was kept.
    pub number: TurnNumber,
    /// A digest of what was asked.
    pub asked: String,
}

/// Keeps a key; a later turn takes the place of an earlier one.
pub(crate) fn put(connection: &Connection, row: &KeyRow, at: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO keys (codex_home, key, number, asked, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![row.codex_home, row.key, signed(row.number.0), row.asked, at.0])?;
    Ok(())
}

pub(crate) fn one(
    connection: &Connection,
    codex_home: &str,
    key: &str,
) -> Result<Option<KeyRow>, StoreError> {
    let row = connection
        .prepare_cached("SELECT number, asked FROM keys WHERE codex_home = ?1 AND key = ?2")?
        .query_row([codex_home, key], |row| {
            Ok(KeyRow {
                codex_home: codex_home.to_owned(),
                key: key.to_owned(),
                number: TurnNumber(unsigned(row.get(0)?)),
                asked: row.get(1)?,
            })
        });
    Ok(row.optional()?)
}
