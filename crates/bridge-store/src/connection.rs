//! Opens the database file: private, in WAL mode, at this version's schema.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::{OpenError, StoreError, schema};

/// The database's name in its directory.
const FILE: &str = "store.sqlite3";
/// How long a statement waits for another process, such as `codex-mcp store vacuum`.
const BUSY: Duration = Duration::from_secs(5);

pub(crate) fn file_in(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Whether a directory holds a database.
#[must_use]
pub fn exists(directory: &Path) -> bool {
    file_in(directory).exists()
}

/// Opens the database for writing, and makes it if it is not there.
pub(crate) fn open(directory: &Path) -> Result<Connection, OpenError> {
    let path = file_in(directory);
    make_private(directory, &path)
        .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
    let unusable = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged { path: path.clone(), source }
        }
        _ => OpenError::Unusable { path: path.clone(), source },
    };
    let mut connection = Connection::open(&path).map_err(unusable)?;
    configure(&connection).map_err(unusable)?;
    schema::migrate(&mut connection, &path)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    // Has to come before the first table; lets `maintain` give space back to the disk in steps.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Keeps the file from growing far beyond what is kept: a quarter more, at least a megabyte.
pub(crate) fn limit(connection: &Connection, max_bytes: u64) {
    let bytes = max_bytes.saturating_add(max_bytes / 4).max(1 << 20);
    let pages = connection
        .query_row("SELECT page_size FROM pragma_page_size", [], |row| row.get::<_, i64>(0))
        .map_or(i64::MAX, |size| crate::row::signed(bytes) / size.max(1));
    // Without the ceiling only the disk is one.
    let _ = connection.pragma_update(None, "max_page_count", pages);
}

/// Opens an existing database for reading only.
pub(crate) fn open_read_only(directory: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file_in(directory), flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Makes the directory and the empty file for their owner alone, before SQLite makes them for everybody. SQLite gives
/// its -wal and -shm files the mode of the database.
fn make_private(directory: &Path, file: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.create(directory)?;
    match options.open(file) {
        Ok(_) => Ok(()),
        // A database that may only be read is looked at all the same.
        Err(error) if file.exists() && error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}
