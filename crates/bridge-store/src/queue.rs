//! The thread that writes: takes what is queued, commits it together, then tells who waits for it.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::Connection;

use crate::loss::{Losses, Subject};
use crate::opening::{Opened, Opening};
use crate::store::{Durability, Status};
use crate::write::Write;
use crate::{Timestamp, WriteError, commit, retention};

/// What the thread is told.
pub(crate) enum Command {
    Write(Vec<Write>, Timestamp),
    /// To be run when everything before it is committed, or is known not to be kept.
    Then(Vec<Subject>, Box<dyn FnOnce(Durability) + Send>),
    Maintain(Timestamp),
    /// To be tried again if it is not open.
    Open(Timestamp),
}

/// Commands that are carried out in one transaction. More would make those who wait for the first wait too long.
const BATCH: usize = 256;
/// How long after it could not be opened for writing a database is tried again, in milliseconds.
const AGAIN_AFTER: i64 = 5_000;

/// The status, shared with who asks for it.
pub(crate) type SharedStatus = Arc<Mutex<Status>>;

/// A database that is open for writing, or why it is not.
pub(crate) struct Writer {
    pub(crate) opening: Opening,
    pub(crate) database: Result<Connection, WriteError>,
    /// When it was last tried to open it.
    pub(crate) tried_at: Timestamp,
    pub(crate) losses: Losses,
    pub(crate) status: SharedStatus,
}

impl Writer {
    /// Runs until every sender is gone and everything queued is written.
    pub(crate) fn run(mut self, commands: &Receiver<Command>) {
        while let Ok(first) = commands.recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH {
                match commands.try_recv() {
                    Ok(command) => batch.push(command),
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                }
            }
            self.carry_out(batch);
        }
        if let Ok(connection) = &self.database {
            // The next start then finds one file. A failure costs nothing: SQLite does it again.
            let _ = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    fn carry_out(&mut self, batch: Vec<Command>) {
        let mut writes = Vec::new();
        let mut waiting = Vec::new();
        let mut maintain = None;
        for command in batch {
            match command {
                Command::Write(records, at) => {
                    self.open_again(at);
                    writes.extend(records.into_iter().map(|record| (record, at)));
                }
                Command::Then(subjects, callback) => {
                    waiting.push((writes.len(), subjects, callback));
                }
                Command::Maintain(now) => {
                    self.open_again(now);
                    maintain = Some(now);
                }
                Command::Open(now) => self.open_again(now),
            }
        }
        let kept = self.commit(&writes);
        let mut fates = writes.iter().zip(&kept);
        let mut noted = 0;
        for (before, subjects, callback) in waiting {
            for ((write, _), kept) in fates.by_ref().take(before - noted) {
                self.losses.note(write, kept);
            }
            noted = before;
            callback(self.losses.of(&subjects));
        }
        for ((write, _), kept) in fates {
            self.losses.note(write, kept);
        }
        if let (Some(now), Ok(connection)) = (maintain, &self.database)
            && let Err(error) = retention::maintain(connection, &self.opening.settings, now)
        {
            self.note(Err(WriteError::from(&error)));
        }
    }

    /// Commits records, and tells of each whether it is kept.
    fn commit(&mut self, writes: &[(Write, Timestamp)]) -> Vec<Result<(), WriteError>> {
        let Some((_, last)) = writes.last() else {
            return Vec::new();
        };
        let settings = &self.opening.settings;
        let kept = match &mut self.database {
            Ok(connection) => commit::all(connection, writes, |connection| {
                // Where no room can be made, the records fail again and say so.
                let _ = retention::maintain(connection, settings, *last);
            }),
            Err(error) => vec![Err(error.clone()); writes.len()],
        };
        self.note(kept.iter().find_map(|kept| kept.clone().err()).map_or(Ok(()), Err));
        kept
    }

    /// Tries again, once in a while, to open a database that could not be opened for writing.
    fn open_again(&mut self, now: Timestamp) {
        if self.database.is_ok() || now.0 - self.tried_at.0 < AGAIN_AFTER {
            return;
        }
        self.tried_at = now;
        // Without patience: there will be a next time, and others wait.
        match self.opening.open(now, Duration::ZERO) {
            Ok(Opened::Writable { connection, .. }) => {
                self.database = Ok(connection);
                let mut status = self.status();
                status.problem = None;
                status.is_readable = true;
            }
            Ok(Opened::ReadOnly) => {
                self.database = Err(WriteError::ReadOnly);
                let mut status = self.status();
                status.problem = Some(WriteError::ReadOnly);
                status.is_readable = true;
            }
            Err(error) if !self.status().is_readable => {
                let error = WriteError::from(&error);
                self.status().problem = Some(error.clone());
                self.database = Err(error);
            }
            // What can be read stays so.
            Err(_) => {}
        }
    }

    fn note(&self, result: Result<(), WriteError>) {
        let mut status = self.status();
        match result {
            Ok(()) => status.problem = None,
            Err(error) => {
                status.failures += 1;
                status.problem = Some(error);
            }
        }
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().expect("nothing panics while it holds the status")
    }
}
