//! The state directory as a meeting place: the lock that says who is the engine, and the engine's socket.
//!
//! The lock is the system's: it ends with the process that holds it, so a stale one cannot be. A socket that nobody
//! listens on is removed by the next engine, which holds the lock. An engine that makes room for a newer one leaves a
//! note of whom it makes room for, so that no older one is faster.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::Pid;
use tokio::net::{UnixListener, UnixStream};

use super::Version;

const LOCK: &str = "engine.lock";
pub(super) const SOCKET: &str = "engine.sock";
const SUCCESSOR: &str = "engine.next";
/// How long a newer engine is waited for that was made room for: the older one has to end first.
const SUCCESSION: Duration = Duration::from_secs(5);
/// What the address of a socket holds: 108 bytes on Linux with the NUL at its end, 104 elsewhere.
const MAX_SOCKET_PATH: usize = 103;

/// The state directory cannot be used to meet.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It cannot be made, or is not ours.
    #[error("the state directory {} cannot be used; name another one with --state-dir", .directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The lock cannot be tried.
    #[error("the lock {} cannot be used; name another directory with --state-dir", .path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The socket cannot be made.
    #[error("the socket {} cannot be made; name another directory with --state-dir", .path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A state directory.
#[derive(Clone, Debug)]
pub struct Place {
    directory: PathBuf,
}

/// The right to be the engine of a place, until it is dropped.
#[derive(Debug)]
pub struct Claim {
    place: Place,
    /// Keeps the lock.
    _lock: File,
}

impl Place {
    /// The meeting place of a state directory. Nothing is touched yet.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn socket(&self) -> PathBuf {
        self.directory.join(SOCKET)
    }

    /// Takes the lock; `None` if another process has it.
    ///
    /// # Errors
    /// The directory or the lock cannot be used.
    pub fn claim(&self) -> Result<Option<Claim>, PlaceError> {
        self.prepare()?;
        let path = self.directory.join(LOCK);
        let failed = |source| PlaceError::Lock { path: path.clone(), source };
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(failed(error.into())),
        }
        // For who has to end a process that does not answer.
        let words = format!("{} {}\n", std::process::id(), env!("CARGO_PKG_VERSION"));
        let _ = lock.set_len(0).and_then(|()| lock.write_all(words.as_bytes()));
        Ok(Some(Claim { place: self.clone(), _lock: lock }))
    }

    /// The process that holds the lock, as it wrote itself down; `None` if nobody holds it.
    ///
    /// # Errors
    /// The lock cannot be tried or read.
    pub fn holder(&self) -> io::Result<Option<Pid>> {
        let mut lock = match File::open(self.directory.join(LOCK)) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match flock(&lock, FlockOperation::NonBlockingLockShared) {
            Ok(()) => return Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(error) => return Err(error.into()),
        }
        let mut words = String::new();
        lock.read_to_string(&mut words)?;
        let pid = words.split(' ').next().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
        let unknown = || io::Error::new(io::ErrorKind::InvalidData, "the lock names no process");
        pid.map(Some).ok_or_else(unknown)
    }

    /// The newer version for which an engine has just made room, and which an engine of this version must not forestall.
    pub(super) fn successor_of(&self, version: Version) -> Option<Version> {
        let path = self.directory.join(SUCCESSOR);
        let age = fs::metadata(&path).ok()?.modified().ok()?.elapsed().ok()?;
        let successor = Version::parse(fs::read_to_string(&path).ok()?.trim())?;
        (age < SUCCESSION && successor > version).then_some(successor)
    }

    /// Makes the directory for its owner alone, and refuses one that others could have prepared.
    pub(super) fn prepare(&self) -> Result<(), PlaceError> {
        self.make()
            .map_err(|source| PlaceError::Directory { directory: self.directory.clone(), source })
    }

    fn make(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let metadata = fs::metadata(&self.directory)?;
        let own = rustix::process::geteuid().as_raw();
        if std::os::unix::fs::MetadataExt::uid(&metadata) != own {
            let message = "it belongs to another user";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&self.directory, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    /// Connects to the engine.
    ///
    /// # Errors
    /// Nobody listens, or the socket belongs to another user.
    pub async fn connect(&self) -> io::Result<UnixStream> {
        let (_directory, path) = self.address()?;
        let stream = UnixStream::connect(path).await?;
        check_peer(&stream)?;
        Ok(stream)
    }

    /// The socket's address. One that is too long for the system goes by way of an open directory, which has to stay
    /// open meanwhile.
    fn address(&self) -> io::Result<(Option<File>, PathBuf)> {
        let path = self.socket();
        if path.as_os_str().len() <= MAX_SOCKET_PATH {
            return Ok((None, path));
        }
        if !cfg!(target_os = "linux") {
            let message = format!("{} is too long for a socket", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let directory = File::open(&self.directory)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd()));
        Ok((Some(directory), path))
    }
}

/// Refuses another user's process. The socket's mode does already; this holds also where file systems ignore modes.
pub(super) fn check_peer(stream: &UnixStream) -> io::Result<()> {
    let (peer, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    check_user(peer, own)
}

fn check_user(peer: u32, own: u32) -> io::Result<()> {
    if peer == own {
        return Ok(());
    }
    let message = format!("the other end belongs to user {peer}, this one to user {own}");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

impl Claim {
    /// The place that is claimed.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Listens on the socket, in the place of one that a dead engine left.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn listen(&self) -> Result<UnixListener, PlaceError> {
        let path = self.place.socket();
        let listen = || {
            match fs::symlink_metadata(&path) {
                Ok(found) if found.file_type().is_socket() => fs::remove_file(&path)?,
                Ok(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::AlreadyExists,
                        "something else is there",
                    ));
                }
                Err(_) => {}
            }
            let (_directory, address) = self.place.address()?;
            let listener = UnixListener::bind(address)?;
            // Nobody else can enter the directory, so nobody was faster.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            // Whoever was waited for has come, or did not in time.
            let _ = fs::remove_file(self.place.directory.join(SUCCESSOR));
            Ok(listener)
        };
        listen().map_err(|source| PlaceError::Socket { path: path.clone(), source })
    }

    /// Leaves word that an engine of this version is about to come. Without it, older ones may be faster.
    pub(super) fn yield_to(&self, successor: Version) {
        let path = self.place.directory.join(SUCCESSOR);
        if let Err(error) = fs::write(&path, format!("{successor}\n")) {
            tracing::warn!(%error, "the note for older clients cannot be written");
        }
    }

    /// Takes the socket away, so that nobody waits on it in vain.
    pub fn close(&self) {
        let _ = fs::remove_file(self.place.socket());
    }
}

#[cfg(test)]
mod tests {
    use super::check_user;

    #[test]
    fn another_user_is_refused() {
        assert!(check_user(1000, 1000).is_ok());
        let refusal = check_user(1001, 1000).expect_err("it is another user").to_string();
        assert_eq!(refusal, "the other end belongs to user 1001, this one to user 1000");
    }
}
