//! Copies of a tree in which somebody may work freely: each begins as the exact state of the original, which is only read.
//!
//! A scratch lies in a directory of its own with its snapshot. It comes into being under another name, so that one that was
//! cut is never taken for a whole one.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use patch::TreePath;
use serde::{Deserialize, Serialize};

use crate::snapshot::{Task, list};
use crate::walk::{Listing, Rules};
use crate::{Repository, Root, Snapshot, SnapshotError};

const ABOUT: &str = "scratch.json";
/// What is being made, and what is only to be removed any more.
const MAKING: &str = "making";
const GONE: &str = "gone";

/// Why there is no scratch.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// The tree cannot be taken.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The directory of scratches cannot be written.
    #[error("the copy cannot be written")]
    Unwritable(#[source] io::Error),
}

/// What a scratch is made of.
pub struct Source<'a> {
    /// The tree.
    pub tree: &'a Root,
    /// What belongs to it.
    pub rules: &'a Rules,
    /// For whom it is made, in words of the caller.
    pub owner: &'a str,
    /// Whether nobody wants it any more.
    pub give_up: &'a (dyn Fn() -> bool + Sync),
}

/// A copy of a tree.
#[derive(Debug)]
pub struct Scratch {
    directory: PathBuf,
    about: About,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    owner: String,
    original: PathBuf,
    /// The name of the directory that is the copy.
    name: String,
    /// What could not be done, in words.
    notes: Vec<String>,
}

/// All scratches of one directory.
#[derive(Clone, Debug)]
pub struct Scratches(PathBuf);

impl Scratches {
    /// Uses a directory, which is made with the first scratch.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// Makes a scratch. One of the same name is replaced, and removed with the next [`Scratches::sweep`].
    ///
    /// # Errors
    /// See [`ScratchError`]. Nothing is left of it then.
    pub fn create(&self, name: &str, source: &Source<'_>) -> Result<Scratch, ScratchError> {
        let making = self.0.join(format!("{name}.{MAKING}"));
        let whole = self.0.join(name);
        let made = remove(&making)
            .map_err(ScratchError::Unwritable)
            .and_then(|()| make(&making, source))
            .and_then(|()| self.put_away(name).map_err(ScratchError::Unwritable))
            .and_then(|()| fs::rename(&making, &whole).map_err(ScratchError::Unwritable));
        if let Err(error) = made {
            // What stays is removed with the next sweep.
            let _ = remove(&making);
            return Err(error);
        }
        self.find(name)
            .ok_or_else(|| ScratchError::Unwritable(io::Error::other("the copy is gone")))
    }

    /// A scratch by its name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Scratch> {
        Scratch::at(self.0.join(name))
    }

    /// All scratches, the one that was used last first.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(&self) -> io::Result<Vec<Scratch>> {
        let is_whole = |at: &PathBuf| at.extension().is_none_or(|end| end != MAKING && end != GONE);
        let folders = folders(&self.0)?.into_iter().filter(is_whole);
        let mut scratches: Vec<Scratch> = folders.filter_map(Scratch::at).collect();
        scratches.sort_by_key(|scratch| std::cmp::Reverse(scratch.used_at()));
        Ok(scratches)
    }

    /// Removes a scratch, if there is one.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        self.put_away(name)?;
        self.sweep()
    }

    /// Removes what was replaced or put away: of a large tree that takes a while.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn sweep(&self) -> io::Result<()> {
        for folder in folders(&self.0)? {
            if folder.extension().is_some_and(|extension| extension == GONE) {
                remove(&folder)?;
            }
        }
        Ok(())
    }

    /// Puts away what a crash has left of scratches that were being made. None must be under way.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn recover(&self) -> io::Result<()> {
        for folder in folders(&self.0)? {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(MAKING) {
                self.put_away(name)?;
            }
        }
        Ok(())
    }

    /// Takes a scratch out of sight at once, so that half of one is never taken for a whole one.
    fn put_away(&self, name: &str) -> io::Result<()> {
        let whole = self.0.join(name);
        for number in 0.. {
            let gone = self.0.join(format!("{name}.{number}.{GONE}"));
            if gone.exists() {
                continue;
            }
            return match fs::rename(&whole, gone) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        Ok(())
    }
}

impl Scratch {
    fn at(directory: PathBuf) -> Option<Self> {
        let about = serde_json::from_slice(&fs::read(directory.join(ABOUT)).ok()?).ok()?;
        Some(Self { directory, about })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.directory.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// For whom it was made.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.about.owner
    }

    /// The tree that it is a copy of.
    #[must_use]
    pub fn original(&self) -> &Path {
        &self.about.original
    }

    /// The copy.
    #[must_use]
    pub fn tree(&self) -> PathBuf {
        self.directory.join("work").join(&self.about.name)
    }

    /// What the copy lacks, in words.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.about.notes
    }

    /// What it began as.
    ///
    /// # Errors
    /// The snapshot cannot be read.
    pub fn snapshot(&self) -> io::Result<Snapshot> {
        Snapshot::load(&self.directory)
    }

    /// When somebody last worked in it.
    #[must_use]
    pub fn used_at(&self) -> SystemTime {
        let changed = |name| fs::metadata(self.directory.join(name)).and_then(|at| at.modified());
        changed("latest").or_else(|_| changed(ABOUT)).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

fn make(directory: &Path, source: &Source<'_>) -> Result<(), ScratchError> {
    let Source { tree, rules, owner, give_up } = source;
    let listing = list(tree, rules)?;
    let name = tree.path().file_name().map_or("workspace".into(), |name| name.to_string_lossy());
    let copy = directory.join("work").join(&*name);
    let folders = || -> io::Result<Root> {
        fs::create_dir_all(&copy)?;
        make_folders(tree.path(), &copy, &listing)?;
        Root::hold(&copy)
    };
    let root = folders().map_err(ScratchError::Unwritable)?;
    let task = Task::new(rules, Some(&root), *give_up);
    let snapshot = Snapshot::build(tree, directory, &listing, &task)?;
    let about = About {
        owner: (*owner).to_owned(),
        original: tree.path().to_owned(),
        name: name.into_owned(),
        notes: notes(&snapshot, copy_repositories(tree.path(), &copy, &listing)),
    };
    let text = serde_json::to_vec(&about).map_err(io::Error::from);
    text.and_then(|text| fs::write(directory.join(ABOUT), text)).map_err(ScratchError::Unwritable)
}

fn make_folders(from: &Path, to: &Path, listing: &Listing) -> io::Result<()> {
    for folder in &listing.folders {
        let path = to.join(folder.to_path());
        fs::create_dir_all(&path)?;
        let mode = fs::symlink_metadata(from.join(folder.to_path()))
            .map_or(0o755, |found| found.permissions().mode() & 0o777);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode | 0o700))?;
    }
    for folder in &listing.linked {
        symlink(from.join(folder.to_path()), to.join(folder.to_path()))?;
    }
    Ok(())
}

/// Makes the repositories of the tree anew, and gives what did not work.
fn copy_repositories(from: &Path, to: &Path, listing: &Listing) -> Vec<String> {
    let places = std::iter::once(None).chain(listing.folders.iter().map(Some));
    let repositories = places.filter_map(|folder| Repository::of(from, folder));
    repositories
        .filter_map(|repository| {
            let error = repository.copy_to(to, &listing.linked).err()?;
            let place = repository.folder.map_or(".".to_owned(), |folder| folder.to_string());
            Some(format!("the repository of {place} could not be copied: {error}"))
        })
        .collect()
}

fn notes(snapshot: &Snapshot, mut notes: Vec<String>) -> Vec<String> {
    /// How many names a note has.
    const NAMED: usize = 5;
    let left_out = snapshot.left_out();
    if !left_out.is_empty() {
        let named: Vec<String> = left_out.iter().take(NAMED).map(TreePath::to_string).collect();
        let more = if left_out.len() > NAMED { ", …" } else { "" };
        notes.push(format!(
            "{} could not be copied (unreadable, or no regular file): {}{more}",
            left_out.len(),
            named.join(", ")
        ));
    }
    notes
}

fn folders(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Removes a directory with all below, also where somebody has forbidden it in there.
fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            open_up(directory)?;
            fs::remove_dir_all(directory)
        }
        other => other,
    }
}

fn open_up(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}
