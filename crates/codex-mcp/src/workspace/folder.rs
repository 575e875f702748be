//! A directory that is held open, so that another one put in its place is noticed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, Stat, fstat, open, openat};

/// How a directory is held: Linux needs no permission to read it.
#[cfg(target_os = "linux")]
const HOLD: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const HOLD: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A directory by its resolved path and by a handle.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    handle: Arc<OwnedFd>,
}

impl Folder {
    /// Holds a directory whose path has no links in it.
    pub(super) fn hold(path: PathBuf) -> io::Result<Self> {
        let handle = Arc::new(open(&path, HOLD | OFlags::NOFOLLOW, Mode::empty())?);
        Ok(Self { path, handle })
    }

    /// Holds a directory below this one, given its resolved path. Each step is taken from the handle of the last one and
    /// follows no link, so nothing that is swapped meanwhile leads out.
    pub(super) fn below(&self, path: PathBuf) -> io::Result<Self> {
        let outside = || io::Error::from(io::ErrorKind::InvalidInput);
        let steps = path.strip_prefix(&self.path).map_err(|_prefix| outside())?;
        let mut handle = self.handle.clone();
        for step in steps.components() {
            let Component::Normal(name) = step else { return Err(outside()) };
            handle =
                Arc::new(openat(handle.as_fd(), name, HOLD | OFlags::NOFOLLOW, Mode::empty())?);
        }
        Ok(Self { path, handle })
    }

    pub(super) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to this very directory, without any link.
    pub(super) fn is_in_place(&self) -> bool {
        let leads_here = || -> io::Result<bool> {
            let (held, found) = (fstat(&self.handle)?, rustix::fs::stat(&self.path)?);
            Ok(identity(&held) == identity(&found) && self.path.canonicalize()? == self.path)
        };
        leads_here().unwrap_or(false)
    }
}

/// What tells a directory from every other one for as long as it is held.
fn identity(stat: &Stat) -> (u64, u64) {
    #[expect(clippy::useless_conversion, reason = "their types differ between systems")]
    (u64::try_from(stat.st_dev).unwrap_or(0), u64::from(stat.st_ino))
}
