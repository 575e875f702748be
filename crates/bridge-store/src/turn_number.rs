//! The table `turn_numbers`: a number that a turn once had is never given to another, also when the turn is forgotten.

use bridge_core::TurnNumber;
use rusqlite::Connection;

use crate::StoreError;
use crate::row::{signed, unsigned};

/// Numbers that are taken ahead of what is kept, so that one whose record was lost is not given again either.
const AHEAD: i64 = 1000;

/// Gives an engine its first number.
pub(crate) fn reserve(connection: &Connection) -> Result<TurnNumber, StoreError> {
    let sql = "UPDATE turn_numbers SET next = next + ?1 RETURNING next - ?1";
    let first = connection.query_row(sql, [AHEAD], |row| row.get(0))?;
    Ok(TurnNumber(unsigned(first)))
}

/// A turn has this number: the next engine begins behind it.
pub(crate) fn used(connection: &Connection, number: TurnNumber) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE turn_numbers SET next = ?1 WHERE next < ?1")?
        .execute([signed(number.0).saturating_add(AHEAD)])?;
    Ok(())
}
