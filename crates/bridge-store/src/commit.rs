//! Many records in one transaction, each kept or not by itself.

use rusqlite::{Connection, TransactionBehavior};

use crate::write::{Write, apply};
use crate::{Timestamp, WriteError};

/// What ended a pass before its time.
struct Broken {
    /// The record at which it broke; `None`: the transaction as a whole.
    at: Option<usize>,
    error: WriteError,
}

/// Commits records, and tells of each whether it is kept. One that cannot be written does not take its neighbours along.
/// The first time that there is no room, `make_room` is called, and everything is tried again.
pub(crate) fn all(
    connection: &mut Connection,
    writes: &[(Write, Timestamp)],
    mut make_room: impl FnMut(&Connection),
) -> Vec<Result<(), WriteError>> {
    let mut kept = vec![Ok(()); writes.len()];
    let mut made_room = false;
    loop {
        let Err(Broken { at, error }) = pass(connection, writes, &mut kept) else {
            return kept;
        };
        if error == WriteError::Full && !made_room {
            made_room = true;
            make_room(connection);
            continue;
        }
        match at {
            Some(at) => kept[at] = Err(error),
            None => return vec![Err(error); writes.len()],
        }
    }
}

/// Writes what has not failed yet. Where SQLite gave up the whole transaction, it has to be begun anew without the record
/// that broke it.
fn pass(
    connection: &mut Connection,
    writes: &[(Write, Timestamp)],
    kept: &mut [Result<(), WriteError>],
) -> Result<(), Broken> {
    let whole = |error: rusqlite::Error| Broken { at: None, error: WriteError::from(&error) };
    // Immediate, because a transaction that has read cannot wait for another writer: what it has read is out of date then.
    let mut transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(whole)?;
    for (index, (write, at)) in writes.iter().enumerate() {
        if kept[index].is_err() {
            continue;
        }
        let savepoint = transaction.savepoint().map_err(whole)?;
        match apply(&savepoint, write, *at) {
            Ok(()) => savepoint.commit().map_err(whole)?,
            Err(error) => {
                let error = WriteError::from(&error);
                if error == WriteError::Full || savepoint.is_autocommit() {
                    return Err(Broken { at: Some(index), error });
                }
                savepoint.finish().map_err(whole)?;
                kept[index] = Err(error);
            }
        }
    }
    transaction.commit().map_err(whole)
}
