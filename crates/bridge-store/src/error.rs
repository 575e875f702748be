//! What can go wrong, by what can be done about it.

use std::path::PathBuf;

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its directory or file cannot be made or opened.
    #[error("the store {} cannot be opened", .path.display())]
    Unusable {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The directory cannot be made or its permissions cannot be set.
    #[error("the directory of the store {} cannot be made private", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is damaged, or is no database at all. It was left as it is.
    #[error("the store {} is damaged", .path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A newer version of the program has written it.
    #[error("the store {} was written by a newer version (schema {found}, this one knows {known})", .path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// An older version of the program has written it, and it cannot be brought to this version's schema.
    #[error("the store {} is read-only and was written by an older version (schema {found}, this one knows {known})", .path.display())]
    Older {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// It would have to be written.
    #[error("the store {} is read-only", .path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },
    /// It could not be brought to this version's schema. It was left as it was.
    #[error("the store {} cannot be migrated", .path.display())]
    Migration {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: rusqlite_migration::Error,
    },
}

impl OpenError {
    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Unusable { path, .. }
            | Self::Directory { path, .. }
            | Self::Older { path, .. }
            | Self::ReadOnly { path } => format!(
                "Check that {} can be written, that its disk has space and that no other program keeps it locked, or name \
                 another place with --state-dir.",
                path.display()
            ),
            Self::Damaged { path, .. } | Self::Migration { path, .. } => format!(
                "Run `codex-mcp store check`; to start anew, move {} (with its -wal and -shm files) away. Codex itself \
                 still has every thread.",
                path.display()
            ),
            Self::Newer { .. } => {
                "Upgrade codex-mcp, or name another place with --state-dir.".to_owned()
            }
        }
    }
}

/// Something was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The disk, or the database's ceiling, is full.
    #[error("the disk of the store is full")]
    Full,
    /// The database is not open at all. It is tried again.
    #[error("{problem}")]
    Closed {
        /// Why, with its cause.
        problem: String,
        /// What a person can do about it.
        remedy: String,
    },
    /// The database may not be written.
    #[error("the store is read-only")]
    ReadOnly,
    /// It is damaged.
    #[error("the store is damaged")]
    Damaged,
    /// Another program keeps it locked.
    #[error("the store is locked by another program")]
    Locked,
    /// The system refuses in another way, or a record does not fit.
    #[error("the store cannot be written: {0}")]
    Other(String),
}

impl WriteError {
    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &str {
        match self {
            Self::Closed { remedy, .. } => remedy,
            Self::Full => {
                "Free space on the disk of the state directory, or raise `store_max_megabytes`."
            }
            Self::ReadOnly => {
                "Make the state directory writable, or name another one with --state-dir."
            }
            Self::Damaged => "Run `codex-mcp store check`.",
            Self::Locked => "End the program that has the database open.",
            Self::Other(_) => "Run `codex-mcp store check`, and look into the log.",
        }
    }
}

impl From<&OpenError> for WriteError {
    fn from(error: &OpenError) -> Self {
        // No deeper: SQLite's errors say the same again in their own source.
        let problem = match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        Self::Closed { problem, remedy: error.remedy() }
    }
}

impl From<&StoreError> for WriteError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Closed(error) => error.clone(),
            StoreError::Sqlite(error) => Self::from(error),
            StoreError::Unreadable(detail) => Self::Other(detail.clone()),
            StoreError::Io(error) => Self::Other(error.to_string()),
        }
    }
}

impl From<&rusqlite::Error> for WriteError {
    fn from(error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// Something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is not open. It is tried again.
    #[error("{0}")]
    Closed(WriteError),
    /// SQLite refuses.
    #[error("the store cannot be read")]
    Sqlite(#[from] rusqlite::Error),
    /// A column holds what no version has written.
    #[error("the store holds a record that cannot be read: {0}")]
    Unreadable(String),
    /// A file beside the database cannot be used.
    #[error("a file of the store cannot be used")]
    Io(#[from] std::io::Error),
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}
