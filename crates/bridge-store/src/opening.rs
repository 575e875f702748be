//! How a database comes into use: opened, limited, and rid of what an earlier engine left unfinished.

use std::path::PathBuf;
use std::time::Duration;

use bridge_core::TurnNumber;
use rusqlite::Connection;

use crate::connection::Access;
use crate::store::Settings;
use crate::{CutTurn, OpenError, StoreError, Timestamp, connection, meta, recovery, turn_number};

/// What is needed to open a database, and to open it again if it could not be opened at first.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) directory: PathBuf,
    pub(crate) settings: Settings,
    /// The error of turns that ran when their engine ended, as JSON.
    pub(crate) ran: String,
    /// The error of turns that Codex had not started by then, as JSON.
    pub(crate) waited: String,
}

/// A database that can be used.
#[derive(Debug)]
pub(crate) enum Opened {
    /// For everything.
    Writable {
        connection: Connection,
        /// The first number for a turn.
        next_turn: TurnNumber,
        /// The turns that were marked interrupted.
        cut: Vec<CutTurn>,
    },
    /// For reading.
    ReadOnly,
}

impl Opening {
    /// Opens it. `patience` is for another program that has it locked at this moment.
    pub(crate) fn open(&self, at: Timestamp, patience: Duration) -> Result<Opened, OpenError> {
        let mut connection = match connection::open(&self.directory, patience)? {
            Access::Writable(connection) => connection,
            Access::ReadOnly => return Ok(Opened::ReadOnly),
        };
        connection::limit(&connection, self.settings.max_bytes);
        let prepared = (|| {
            meta::prepare(&connection)?;
            let cut = recovery::interrupt_unfinished(&mut connection, at, &self.ran, &self.waited)?;
            let next_turn = turn_number::reserve(&connection)?;
            connection.busy_timeout(self.settings.patience)?;
            Ok::<_, StoreError>((next_turn, cut))
        })();
        let path = || connection::file_in(&self.directory);
        let (next_turn, cut) = prepared.map_err(|error| match error {
            StoreError::Sqlite(source) => connection::open_error(&path(), source),
            StoreError::Closed(_) | StoreError::Unreadable(_) | StoreError::Io(_) => {
                OpenError::Damaged { path: path(), source: rusqlite::Error::InvalidQuery }
            }
        })?;
        Ok(Opened::Writable { connection, next_turn, cut })
    }
}
