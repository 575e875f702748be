//! What a tree was at one moment: every file with its content. Taking it may copy the tree at the same time, so that both
//! are what was read, whatever happens to the tree meanwhile.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use patch::TreePath;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::files::{self, Pack, Spot};
use crate::root::Root;
use crate::walk::{self, Listing, Rules, WalkError};
use crate::{Entry, text};

/// How many files are read at once.
const THREADS: usize = 4;
/// zstd's fastest.
const LEVEL: i32 = 1;
const MANIFEST: &str = "snapshot";
const LATEST: &str = "latest";

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// More files than allowed.
    #[error("the tree has more than {limit} files")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
    /// More bytes than allowed.
    #[error("the tree has more than {limit} bytes")]
    TooManyBytes {
        /// The limit.
        limit: u64,
    },
    /// The tree cannot be read.
    #[error("the tree cannot be read")]
    Unreadable(#[source] io::Error),
    /// The copy or the contents cannot be written.
    #[error("the snapshot cannot be written")]
    Unwritable(#[source] io::Error),
    /// Somebody does not want it any more.
    #[error("the snapshot was given up")]
    GivenUp,
}

/// What a tree was, in a directory of its own.
#[derive(Debug)]
pub struct Snapshot {
    directory: PathBuf,
    pub(crate) base: Manifest,
    /// What the tree was when it was last looked at.
    pub(crate) latest: Option<Manifest>,
}

/// All files of a tree.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Manifest {
    #[serde(with = "entries")]
    pub(crate) files: BTreeMap<TreePath, Known>,
    /// Links that were put there in place of a directory.
    #[serde(with = "paths")]
    pub(crate) placed: Vec<TreePath>,
    /// What could not be read or is no file.
    #[serde(with = "paths")]
    pub(crate) left_out: Vec<TreePath>,
}

/// What is known of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) entry: Entry,
    /// Its facts, if they prove that it is still the same.
    pub(crate) facts: Option<Facts>,
    /// Its content, where that is in the snapshot.
    pub(crate) spot: Option<Spot>,
}

impl Snapshot {
    /// Takes a snapshot of a tree as it is, and keeps it in a new directory.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn take(
        tree: &Root,
        directory: &Path,
        rules: &Rules,
        give_up: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self, SnapshotError> {
        let listing = list(tree, rules)?;
        fs::create_dir_all(directory).map_err(SnapshotError::Unwritable)?;
        Self::build(tree, directory, &listing, &Task::new(rules, None, give_up))
    }

    /// Takes a snapshot of what is listed, and copies it.
    pub(crate) fn build(
        tree: &Root,
        directory: &Path,
        listing: &Listing,
        task: &Task<'_>,
    ) -> Result<Self, SnapshotError> {
        let share = listing.files.len().div_ceil(THREADS).max(1);
        let parts: Vec<_> = thread::scope(|scope| {
            let read = |(number, paths)| {
                scope.spawn(move || Reader::new(tree, directory, number, task)?.read_all(paths))
            };
            let readers: Vec<_> = listing.files.chunks(share).enumerate().map(read).collect();
            let panicked = || SnapshotError::Unreadable(io::Error::other("a reader has panicked"));
            readers.into_iter().map(|reader| reader.join().map_err(|_| panicked())?).collect()
        });
        let mut base = Manifest { placed: listing.linked.clone(), ..Manifest::default() };
        for part in parts {
            let part: Manifest = part?;
            base.files.extend(part.files);
            base.left_out.extend(part.left_out);
        }
        settle(&mut base, directory).map_err(SnapshotError::Unwritable)?;
        save(&base, &directory.join(MANIFEST)).map_err(SnapshotError::Unwritable)?;
        Ok(Self { directory: directory.to_owned(), base, latest: None })
    }

    /// Reads a snapshot that was taken before.
    ///
    /// # Errors
    /// There is none in the directory, or it is damaged.
    pub fn load(directory: &Path) -> io::Result<Self> {
        let base = load(&directory.join(MANIFEST))?;
        let latest = match load(&directory.join(LATEST)) {
            Ok(latest) => Some(latest),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { directory: directory.to_owned(), base, latest })
    }

    /// How many files it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.base.files.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.base.files.is_empty()
    }

    /// What could not be read, or is neither file nor link, and is therefore not in it.
    #[must_use]
    pub fn left_out(&self) -> &[TreePath] {
        &self.base.left_out
    }

    /// What a file was.
    #[must_use]
    pub fn entry(&self, path: &TreePath) -> Option<&Entry> {
        self.base.files.get(path).map(|known| &known.entry)
    }

    /// Opens what a file was.
    pub(crate) fn open(&self, spot: Spot) -> io::Result<impl Read + use<>> {
        files::open(&self.directory, spot)
    }

    /// Remembers what the tree is now.
    pub(crate) fn remember(&mut self, mut now: Manifest) -> io::Result<()> {
        settle(&mut now, &self.directory)?;
        save(&now, &self.directory.join(LATEST))?;
        self.latest = Some(now);
        Ok(())
    }
}

pub(crate) fn list(tree: &Root, rules: &Rules) -> Result<Listing, SnapshotError> {
    walk::list(tree.path(), rules).map_err(|error| match error {
        WalkError::TooMany => SnapshotError::TooManyFiles { limit: rules.max_files },
        WalkError::Unreadable(source) => SnapshotError::Unreadable(source),
    })
}

/// Forgets facts that prove nothing, because the file changed in the very moment in which it was looked at.
fn settle(manifest: &mut Manifest, directory: &Path) -> io::Result<()> {
    // A new file tells what time it is for the file system.
    let now = Facts::of(&fstat(&File::create(directory.join("moment"))?)?);
    for known in manifest.files.values_mut() {
        known.facts = known.facts.filter(|facts| facts.are_settled(&now));
    }
    Ok(())
}

fn save(manifest: &Manifest, path: &Path) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut encoder = zstd::Encoder::new(File::create(&temporary)?, LEVEL)?;
    serde_json::to_writer(&mut encoder, manifest)?;
    encoder.finish()?.sync_all()?;
    fs::rename(&temporary, path)
}

fn load(path: &Path) -> io::Result<Manifest> {
    let text = zstd::decode_all(File::open(path)?)?;
    Ok(serde_json::from_slice(&text)?)
}

/// How a snapshot is taken.
pub(crate) struct Task<'a> {
    pub(crate) rules: &'a Rules,
    /// Where the tree is copied to.
    pub(crate) copy: Option<&'a Root>,
    pub(crate) give_up: &'a (dyn Fn() -> bool + Sync),
    /// What was read so far, by all.
    pub(crate) bytes: AtomicU64,
}

impl<'a> Task<'a> {
    pub(crate) fn new(
        rules: &'a Rules,
        copy: Option<&'a Root>,
        give_up: &'a (dyn Fn() -> bool + Sync),
    ) -> Self {
        Self { rules, copy, give_up, bytes: AtomicU64::new(0) }
    }
}

/// Reads a part of a tree.
struct Reader<'a> {
    tree: &'a Root,
    pack: Pack,
    task: &'a Task<'a>,
    found: Manifest,
}

impl<'a> Reader<'a> {
    fn new(
        tree: &'a Root,
        directory: &Path,
        number: usize,
        task: &'a Task<'a>,
    ) -> Result<Self, SnapshotError> {
        let pack = Pack::create(directory, number).map_err(SnapshotError::Unwritable)?;
        Ok(Self { tree, pack, task, found: Manifest::default() })
    }

    fn read_all(mut self, paths: &[TreePath]) -> Result<Manifest, SnapshotError> {
        let mut paths = paths.iter().peekable();
        while let Some(first) = paths.peek() {
            let folder = first.parent();
            let parent = self.tree.parent(first).ok();
            let copy = match self.task.copy {
                Some(copy) => Some(copy.parent(first).map_err(SnapshotError::Unwritable)?),
                None => None,
            };
            while let Some(path) = paths.next_if(|path| path.parent() == folder) {
                if (self.task.give_up)() {
                    return Err(SnapshotError::GivenUp);
                }
                let (Some((parent, _)), copy) = (&parent, copy.as_ref().map(|(copy, _)| copy))
                else {
                    self.found.left_out.push(path.clone());
                    continue;
                };
                self.read(path, parent.as_fd(), copy.map(AsFd::as_fd))?;
            }
        }
        self.pack.finish().map_err(SnapshotError::Unwritable)?;
        Ok(self.found)
    }

    fn read(
        &mut self,
        path: &TreePath,
        from: BorrowedFd<'_>,
        to: Option<BorrowedFd<'_>>,
    ) -> Result<(), SnapshotError> {
        let name = path.file_name();
        let kind = statat(from, name, AtFlags::SYMLINK_NOFOLLOW);
        let known = match kind.map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::RegularFile) => self.read_file(name, from, to)?,
            Ok(FileType::Symlink) => self.read_link(name, from, to)?,
            // It went away, or is nothing that can be copied.
            Ok(_) | Err(_) => None,
        };
        match known {
            Some(known) => {
                let size = known.entry.size;
                let limit = self.task.rules.max_bytes;
                if self.task.bytes.fetch_add(size, Ordering::Relaxed).saturating_add(size) > limit {
                    return Err(SnapshotError::TooManyBytes { limit });
                }
                self.found.files.insert(path.clone(), known);
            }
            None => self.found.left_out.push(path.clone()),
        }
        Ok(())
    }

    fn read_file(
        &mut self,
        name: &[u8],
        from: BorrowedFd<'_>,
        to: Option<BorrowedFd<'_>>,
    ) -> Result<Option<Known>, SnapshotError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let Ok(file) = openat(from, name, flags, Mode::empty()) else {
            return Ok(None);
        };
        let stat = fstat(&file).map_err(unreadable)?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let mut copy = match to {
            Some(to) => Some(create(to, name, &stat).map_err(SnapshotError::Unwritable)?),
            None => None,
        };
        // Reading and writing are one, so an error is one of either; a full disk is the likely one.
        let packed = self.pack.add(File::from(file), size, copy.as_mut());
        let packed = packed.map_err(SnapshotError::Unwritable)?;
        let facts = match copy {
            Some(copy) => finish_copy(&copy, &stat).map_err(SnapshotError::Unwritable)?,
            None => Facts::of(&stat),
        };
        let entry = Entry::of_file(&stat, packed.content, packed.size);
        Ok(Some(Known { entry, facts: Some(facts), spot: Some(packed.spot) }))
    }

    fn read_link(
        &mut self,
        name: &[u8],
        from: BorrowedFd<'_>,
        to: Option<BorrowedFd<'_>>,
    ) -> Result<Option<Known>, SnapshotError> {
        let Ok(target) = rustix::fs::readlinkat(from, name, Vec::new()) else {
            return Ok(None);
        };
        if let Some(to) = to {
            let made = rustix::fs::symlinkat(&target, to, name);
            made.map_err(|error| SnapshotError::Unwritable(error.into()))?;
        }
        let target = target.as_bytes();
        let packed = self.pack.add(target, target.len() as u64, None);
        let spot = packed.map_err(SnapshotError::Unwritable)?.spot;
        Ok(Some(Known { entry: Entry::of_link(target), facts: None, spot: Some(spot) }))
    }
}

fn unreadable(error: rustix::io::Errno) -> SnapshotError {
    SnapshotError::Unreadable(error.into())
}

fn create(folder: BorrowedFd<'_>, name: &[u8], like: &Stat) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(like.st_mode & 0o777))?;
    Ok(File::from(file))
}

/// Gives a copy the time of its original, by which builds and git know that nothing has changed.
fn finish_copy(copy: &File, original: &Stat) -> io::Result<Facts> {
    #[expect(clippy::useless_conversion, reason = "the types differ between systems")]
    let modified = rustix::fs::Timespec {
        tv_sec: original.st_mtime.into(),
        tv_nsec: i64::try_from(original.st_mtime_nsec).unwrap_or(0),
    };
    let times = rustix::fs::Timestamps { last_access: modified, last_modification: modified };
    rustix::fs::futimens(copy, &times)?;
    Ok(Facts::of(&fstat(copy)?))
}

mod entries {
    use std::collections::BTreeMap;

    use patch::TreePath;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use super::{Known, text};

    pub(super) fn serialize<S: Serializer>(
        files: &BTreeMap<TreePath, Known>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_map(files.iter().map(|(path, known)| (text::write(path), known)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<TreePath, Known>, D::Error> {
        let files = BTreeMap::<String, Known>::deserialize(from)?;
        let path = |(path, known): (String, Known)| Some((text::read(&path)?, known));
        files
            .into_iter()
            .map(|file| path(file).ok_or_else(|| D::Error::custom("a path is damaged")))
            .collect()
    }
}

mod paths {
    use patch::TreePath;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use super::text;

    pub(super) fn serialize<S: Serializer>(paths: &[TreePath], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(paths.iter().map(text::write))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<TreePath>, D::Error> {
        let paths = Vec::<String>::deserialize(from)?;
        let path = |path: &String| text::read(path);
        paths
            .iter()
            .map(|text| path(text).ok_or_else(|| D::Error::custom("a path is damaged")))
            .collect()
    }
}
