//! A directory that is held open, and the way to what lies below it: no link is followed, so nothing leads out.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use patch::{Kind, TreePath};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, open, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::Entry;
use crate::contents::ContentId;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A directory that is held open.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    handle: OwnedFd,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A file or a link.
    Entry(Entry),
    /// A directory.
    Folder,
    /// A pipe, a socket or a device.
    Special,
    /// The way there leads through a link or a file.
    NoWay,
}

impl Root {
    /// Holds a directory.
    ///
    /// # Errors
    /// There is none, or it may not be read.
    pub fn hold(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let handle = open(&path, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Self { path, handle })
    }

    /// Its path, as it was when it was held.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to this very directory.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        let identity = |stat: &Stat| (stat.st_dev, stat.st_ino);
        match (fstat(&self.handle), rustix::fs::stat(&self.path)) {
            (Ok(held), Ok(found)) => identity(&held) == identity(&found),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }

    /// What is at a path, read whole.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn look(&self, path: &TreePath) -> io::Result<Found> {
        let stat = match self.stat(path) {
            Ok(Some(stat)) => stat,
            Ok(None) => return Ok(Found::Nothing),
            Err(error) if leads_nowhere(&error) => return Ok(Found::NoWay),
            Err(error) => return Err(error),
        };
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                let (file, stat) = self.open(path)?;
                let mut hasher = blake3::Hasher::new();
                hasher.update_reader(file)?;
                Found::Entry(Entry::of_file(&stat, ContentId::of_hasher(&hasher), hasher.count()))
            }
            FileType::Symlink => Found::Entry(Entry::of_link(&self.link(path)?)),
            FileType::Directory => Found::Folder,
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Found::Special,
        })
    }

    /// Reads a file, or where a link leads.
    ///
    /// # Errors
    /// It is neither, or cannot be read.
    pub fn read(&self, path: &TreePath, kind: Kind) -> io::Result<Vec<u8>> {
        match kind {
            Kind::Symlink => self.link(path),
            Kind::Regular => {
                let mut bytes = Vec::new();
                io::Read::read_to_end(&mut self.open(path)?.0, &mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// What the system says of a path; nothing if nothing is there.
    pub(crate) fn stat(&self, path: &TreePath) -> io::Result<Option<Stat>> {
        let (folder, name) = match self.parent(path) {
            Ok(parent) => parent,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match statat(folder.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a regular file for reading.
    pub(crate) fn open(&self, path: &TreePath) -> io::Result<(File, Stat)> {
        // A pipe that was put there meanwhile must not make this wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let (folder, name) = self.parent(path)?;
        let file = openat(folder.as_fd(), name, flags, Mode::empty())?;
        let stat = fstat(&file)?;
        match FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            true => Ok((File::from(file), stat)),
            false => Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file")),
        }
    }

    /// Where a link leads.
    pub(crate) fn link(&self, path: &TreePath) -> io::Result<Vec<u8>> {
        let (folder, name) = self.parent(path)?;
        Ok(readlinkat(folder.as_fd(), name, Vec::new())?.into_bytes())
    }

    /// The directory that a path lies in, and the path's last name.
    pub(crate) fn parent<'a>(&self, path: &'a TreePath) -> io::Result<(Parent<'_>, &'a [u8])> {
        let bytes = path.as_bytes();
        match bytes.iter().rposition(|byte| *byte == b'/') {
            None => Ok((Parent::Root(self.handle.as_fd()), bytes)),
            Some(end) => {
                let folder = self.folder(&bytes[..end])?;
                Ok((Parent::Below(folder), &bytes[end + 1..]))
            }
        }
    }

    /// A directory below, by its path.
    pub(crate) fn folder(&self, path: &[u8]) -> io::Result<OwnedFd> {
        let mut steps = path.split(|byte| *byte == b'/').filter(|step| !step.is_empty());
        let Some(first) = steps.next() else {
            return self.handle.try_clone();
        };
        let down = |from: BorrowedFd<'_>, step: &[u8]| {
            openat(from, step, FOLDER | OFlags::NOFOLLOW, Mode::empty())
        };
        let mut handle = down(self.handle.as_fd(), first)?;
        for step in steps {
            handle = down(handle.as_fd(), step)?;
        }
        Ok(handle)
    }

    /// The directory itself.
    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// The directory that something lies in.
pub(crate) enum Parent<'a> {
    Root(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl AsFd for Parent<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(handle) => *handle,
            Self::Below(handle) => handle.as_fd(),
        }
    }
}

/// Whether there is no way: a link or a file stands where a directory should.
pub(crate) fn leads_nowhere(error: &io::Error) -> bool {
    let error = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(error, Some(Errno::LOOP | Errno::NOTDIR))
}
