//! Opens the database file: private, in WAL mode, at this version's schema.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};

use crate::{OpenError, StoreError, schema};

/// The database's name in its directory.
const FILE: &str = "store.sqlite3";
/// How long one who reads, or rewrites it all, waits for another process.
const BUSY: Duration = Duration::from_secs(5);
/// How large the log beside the database stays when it is not needed.
const LOG_BYTES: i64 = 4 << 20;

pub(crate) fn file_in(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Whether a directory holds a database.
#[must_use]
pub fn exists(directory: &Path) -> bool {
    file_in(directory).exists()
}

/// What may be done with a database.
#[derive(Debug)]
pub(crate) enum Access {
    /// Everything.
    Writable(Connection),
    /// Reading; it has this version's schema.
    ReadOnly,
}

/// Opens the database for writing if that is allowed, and makes it if it is not there.
pub(crate) fn open(directory: &Path, patience: Duration) -> Result<Access, OpenError> {
    let path = file_in(directory);
    make_private(directory, &path)
        .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
    let unusable = |source| open_error(&path, source);
    let mut connection = Connection::open(&path).map_err(unusable)?;
    connection.busy_timeout(patience).map_err(unusable)?;
    let (found, known) = (schema::found(&connection).map_err(unusable)?, schema::version());
    if found > known {
        return Err(OpenError::Newer { path, found, known });
    }
    match connection.is_readonly(MAIN_DB).map_err(unusable)? {
        true if found < known => Err(OpenError::Older { path, found, known }),
        true => Ok(Access::ReadOnly),
        false => {
            configure(&connection).map_err(unusable)?;
            schema::migrate(&mut connection, &path)?;
            Ok(Access::Writable(connection))
        }
    }
}

/// Opens the database to rewrite it.
pub(crate) fn open_writable(directory: &Path) -> Result<Connection, OpenError> {
    match open(directory, BUSY)? {
        Access::Writable(connection) => Ok(connection),
        Access::ReadOnly => Err(OpenError::ReadOnly { path: file_in(directory) }),
    }
}

pub(crate) fn open_error(path: &Path, source: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged { path, source }
        }
        _ => OpenError::Unusable { path, source },
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Has to come before the first table; lets `maintain` give space back to the disk in steps.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // One large transaction does not leave a large log behind for good.
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Keeps the file from growing far beyond what is kept: a quarter more, at least a megabyte.
pub(crate) fn limit(connection: &Connection, max_bytes: u64) {
    let bytes = max_bytes.saturating_add((max_bytes / 4).max(1 << 20));
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
/// its -wal and -shm files the mode of the database. Files that are there already and open to others are closed to them.
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
        Ok(_) => {}
        // A database that may only be read is looked at all the same.
        Err(error) if file.exists() && may_not(&error) => {}
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    for ending in ["", "-wal", "-shm"] {
        close_to_others(&directory.join(format!("{FILE}{ending}")))?;
    }
    Ok(())
}

fn may_not(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(unix)]
fn close_to_others(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match fs::metadata(file) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if mode & 0o077 == 0 {
        return Ok(());
    }
    match fs::set_permissions(file, Permissions::from_mode(mode & 0o700)) {
        // Somebody else's file, or one on a medium that nobody can write.
        Err(error) if may_not(&error) => Ok(()),
        result => result,
    }
}
