//! The thread that writes: takes what is queued, commits it together, then tells who waits for it.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use crate::store::{Durability, Settings, Status};
use crate::write::{Write, apply};
use crate::{Timestamp, WriteError, retention};

/// What the thread is told.
pub(crate) enum Command {
    Write(Vec<Write>, Timestamp),
    /// To be run when everything before it is committed, or was not to be kept.
    Then(Box<dyn FnOnce(Durability) + Send>),
    Maintain(Timestamp),
}

/// Commands that are carried out in one transaction. More would make those who wait for the first wait too long.
const BATCH: usize = 256;

/// Runs until every sender is gone and everything queued is written.
pub(crate) fn run(
    mut connection: Connection,
    commands: &Receiver<Command>,
    settings: &Settings,
    status: &Mutex<Status>,
) {
    while let Ok(first) = commands.recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match commands.try_recv() {
                Ok(command) => batch.push(command),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        carry_out(&mut connection, batch, settings, status);
    }
    // The next start then finds one file. A failure costs nothing: SQLite does it again.
    let _ = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
}

fn carry_out(
    connection: &mut Connection,
    batch: Vec<Command>,
    settings: &Settings,
    status: &Mutex<Status>,
) {
    let mut writes = Vec::new();
    let mut callbacks = Vec::new();
    let mut maintain = None;
    for command in batch {
        match command {
            Command::Write(records, at) => {
                writes.extend(records.into_iter().map(|record| (record, at)));
            }
            Command::Then(callback) => callbacks.push((writes.len(), callback)),
            Command::Maintain(now) => maintain = Some(now),
        }
    }
    let kept = match writes.is_empty() {
        true => Vec::new(),
        false => commit(connection, &writes, status),
    };
    if kept.contains(&Err(WriteError::Full)) {
        // The next record shall find room.
        maintain = maintain.or_else(|| writes.last().map(|(_, at)| *at));
    }
    for (before, callback) in callbacks {
        let failed = kept[..before].iter().rev().find_map(|kept| kept.as_ref().err());
        callback(failed.map_or(Durability::Kept, |error| Durability::NotKept(error.clone())));
    }
    if let Some(now) = maintain
        && let Err(error) = retention::maintain(connection, settings, now)
    {
        note(status, Err(WriteError::Other(error.to_string())));
    }
}

/// Writes all records in one transaction, and tells of each whether it is kept. One that cannot be written does not
/// take its neighbours along.
fn commit(
    connection: &mut Connection,
    writes: &[(Write, Timestamp)],
    status: &Mutex<Status>,
) -> Vec<Result<(), WriteError>> {
    let result = (|| {
        let mut transaction = connection.transaction()?;
        let mut kept = Vec::with_capacity(writes.len());
        for (write, at) in writes {
            let savepoint = transaction.savepoint()?;
            match apply(&savepoint, write, *at) {
                Ok(()) => {
                    savepoint.commit()?;
                    kept.push(Ok(()));
                }
                Err(error) => {
                    savepoint.finish()?;
                    kept.push(Err(write_error(&error)));
                }
            }
        }
        transaction.commit()?;
        Ok::<_, rusqlite::Error>(kept)
    })();
    let kept = result.unwrap_or_else(|error| vec![Err(WriteError::from(&error)); writes.len()]);
    let failed = kept.iter().find_map(|kept| kept.clone().err());
    note(status, failed.map_or(Ok(()), Err));
    kept
}

fn write_error(error: &crate::StoreError) -> WriteError {
    match error {
        crate::StoreError::Sqlite(error) => WriteError::from(error),
        crate::StoreError::Unreadable(detail) => WriteError::Other(detail.clone()),
        crate::StoreError::Io(error) => WriteError::Other(error.to_string()),
    }
}

fn note(status: &Mutex<Status>, result: Result<(), WriteError>) {
    let mut status = status.lock().expect("nothing panics while it holds the status");
    match result {
        Ok(()) => status.problem = None,
        Err(error) => {
            status.failures += 1;
            status.problem = Some(error);
        }
    }
}

/// The status, shared with who asks for it.
pub(crate) type SharedStatus = Arc<Mutex<Status>>;
