//! Carries changes into a tree, all or nothing.
//!
//! New files are written into a directory of our own in the tree, then each is exchanged with the old one in a single step
//! of the file system. Only then does it show whether the old one was what everybody believed: if not, all is exchanged
//! back. What was replaced is removed when everything is in place. A journal says how far it is, so that after a crash
//! [`recover`] leaves the old tree or the new one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use patch::{Kind, TreePath};
use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, mkdirat, openat, renameat_with, symlinkat, unlinkat,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::contents::Contents;
use crate::journal::{Ending, Journal, JournalFile, Stage};
use crate::root::{Found, Root};
use crate::{Entry, text};

/// What an application does to one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The file.
    #[serde(with = "text")]
    pub path: TreePath,
    /// What is there, and must be there when it is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Entry>,
    /// What will be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Entry>,
}

impl Step {
    /// The step that takes this one back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { path: self.path.clone(), before: self.after.clone(), after: self.before.clone() }
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It was changed after it had been looked at.
    #[error("{path} was changed meanwhile")]
    Changed {
        /// The file.
        path: TreePath,
    },
    /// A file cannot be written.
    #[error("{path} cannot be written")]
    Unwritable {
        /// The file.
        path: TreePath,
        /// Why.
        source: io::Error,
    },
    /// What is to be written is not kept any more, or the journal cannot be written.
    #[error("the change cannot be prepared")]
    Unprepared(#[source] io::Error),
    /// What had been changed could not be changed back.
    #[error("it could not be taken back everywhere")]
    Stuck(Vec<TreePath>),
}

/// Applies steps to a tree: all of them, or none. `journals` is a directory for all applications; `id` names this one and
/// must be a plain name. The contents of what is replaced must be kept by whoever wants to take it back. `watch` is called
/// before each thing that is done.
///
/// # Errors
/// See [`ApplyError`].
pub fn apply(
    root: &Root,
    journals: &Path,
    id: &str,
    steps: &[Step],
    contents: &Contents,
    watch: &mut dyn FnMut(),
) -> Result<(), ApplyError> {
    let file = JournalFile::new(journals, id);
    let mut work = Work { root, id, contents, watch };
    work.check(steps)?;
    let mut journal = Journal {
        root: root.path().to_owned(),
        stage: Stage::Staging,
        steps: steps.to_vec(),
        folders: work.missing_folders(steps),
    };
    file.write(&journal).map_err(ApplyError::Unprepared)?;
    let placed = work.stage(&journal).and_then(|()| {
        journal.stage = Stage::Placing;
        file.write(&journal).map_err(ApplyError::Unprepared)?;
        work.place(&journal)
    });
    if let Err(error) = placed {
        let stuck = work.take_back(&journal);
        if !stuck.is_empty() {
            return Err(ApplyError::Stuck(stuck));
        }
        // A journal that stays says what is done already.
        let _ = file.remove();
        return Err(error);
    }
    journal.stage = Stage::Done;
    // From here on everything is as it should become, whether this is told or not.
    if file.write(&journal).is_ok() {
        work.clean_up(&journal);
        let _ = file.remove();
    }
    Ok(())
}

/// Ends what was cut by a crash: one ending for each application that a journal tells of. It can be cut itself. `watch` is
/// called as by [`apply()`].
///
/// # Errors
/// The directory of the journals cannot be read.
pub fn recover(
    journals: &Path,
    contents: &Contents,
    watch: &mut dyn FnMut(),
) -> io::Result<Vec<(String, Ending)>> {
    let mut endings = Vec::new();
    for (id, file) in JournalFile::all(journals)? {
        let Ok(journal) = file.read() else {
            // It was never safe, so nothing was done for it.
            let _ = file.remove();
            continue;
        };
        let Ok(root) = Root::hold(&journal.root) else {
            let paths = journal.steps.iter().map(|step| step.path.clone()).collect();
            endings.push((id, Ending::Stuck(paths)));
            continue;
        };
        let mut work = Work { root: &root, id: &id, contents, watch };
        let ending = match journal.stage {
            Stage::Done => {
                work.clean_up(&journal);
                Ending::Applied
            }
            Stage::Staging | Stage::Placing => match work.take_back(&journal) {
                stuck if stuck.is_empty() => Ending::TakenBack,
                stuck => Ending::Stuck(stuck),
            },
        };
        // What is stuck stays in files of ours beside the others; trying again would not free it.
        file.remove()?;
        endings.push((id, ending));
    }
    Ok(endings)
}

struct Work<'a> {
    root: &'a Root,
    id: &'a str,
    contents: &'a Contents,
    watch: &'a mut dyn FnMut(),
}

impl Work<'_> {
    /// Looks at every file before anything is touched.
    fn check(&self, steps: &[Step]) -> Result<(), ApplyError> {
        for step in steps {
            let gives_way =
                |other: &Step| other.after.is_none() && are_nested(&other.path, &step.path);
            let found = self.root.look(&step.path);
            let fits = match (found, &step.before) {
                (Ok(Found::Nothing), None) => true,
                (Ok(Found::Entry(found)), Some(before)) => found == *before,
                // A directory gives way to a file, or the other way round, if what is there goes away.
                (Ok(Found::Folder | Found::NoWay), None) => steps.iter().any(gives_way),
                (Ok(_) | Err(_), _) => false,
            };
            if !fits {
                return Err(ApplyError::Changed { path: step.path.clone() });
            }
        }
        Ok(())
    }

    /// Whether this is at a path.
    fn has(&self, path: &TreePath, entry: Option<&Entry>) -> bool {
        match (self.root.look(path), entry) {
            (Ok(Found::Nothing | Found::NoWay), None) => true,
            (Ok(Found::Entry(found)), Some(entry)) => found == *entry,
            (Ok(_) | Err(_), _) => false,
        }
    }

    fn is_nothing(&self, path: &TreePath) -> bool {
        self.has(path, None)
    }

    /// The directories that new files need and that are not there.
    fn missing_folders(&self, steps: &[Step]) -> Vec<TreePath> {
        let mut missing = BTreeSet::new();
        for step in steps.iter().filter(|step| step.after.is_some()) {
            for folder in above(&step.path) {
                if !matches!(self.root.look(&folder), Ok(Found::Folder)) {
                    missing.insert(folder);
                }
            }
        }
        missing.into_iter().collect()
    }

    /// Writes the new files into a directory of our own.
    fn stage(&mut self, journal: &Journal) -> Result<(), ApplyError> {
        (self.watch)();
        let made = mkdirat(self.root.handle(), self.folder(), Mode::RWXU);
        made.map_err(|error| ApplyError::Unprepared(error.into()))?;
        for (number, step) in journal.steps.iter().enumerate() {
            if let Some(after) = &step.after {
                (self.watch)();
                self.write(number, after).map_err(unwritable(&step.path))?;
            }
        }
        Ok(())
    }

    fn write(&self, number: usize, entry: &Entry) -> io::Result<()> {
        let (staged, root) = (self.staged(number), self.root.handle());
        match entry.mode.kind() {
            Kind::Symlink => {
                let target = self.contents.get(entry.content)?;
                Ok(symlinkat(&target[..], root, staged.as_bytes())?)
            }
            Kind::Regular => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let file = openat(root, staged.as_bytes(), flags, Mode::RUSR | Mode::WUSR)?;
                let mut file = File::from(file);
                self.contents.copy(entry.content, &mut file)?;
                rustix::fs::fchmod(&file, Mode::from_raw_mode(entry.mode.permissions()))?;
                file.sync_all()
            }
        }
    }

    /// Puts everything into place: what goes away first, for a directory may have to give way to a file.
    fn place(&mut self, journal: &Journal) -> Result<(), ApplyError> {
        let numbered = || journal.steps.iter().enumerate();
        for (number, step) in numbered().filter(|(_, step)| step.after.is_none()) {
            self.place_one(number, step)?;
        }
        for folder in giving_way(&journal.steps) {
            (self.watch)();
            self.remove_empty(&folder).map_err(unwritable(&folder))?;
        }
        for folder in &journal.folders {
            (self.watch)();
            self.make_folder(folder).map_err(unwritable(folder))?;
        }
        for (number, step) in numbered().filter(|(_, step)| step.after.is_some()) {
            self.place_one(number, step)?;
        }
        for step in &journal.steps {
            // A file system that cannot do this is asked for no more than it has.
            let _ = self.at(&step.path, |parent, _| Ok(rustix::fs::fsync(parent)?));
        }
        Ok(())
    }

    /// Moves one file, and looks at what was there only when it is out of everybody's reach.
    fn place_one(&mut self, number: usize, step: &Step) -> Result<(), ApplyError> {
        (self.watch)();
        let staged = self.staged(number);
        let moved = match (&step.before, &step.after) {
            (None, None) => return Ok(()),
            (None, Some(_)) => self.rename_in(&staged, step, RenameFlags::NOREPLACE),
            (Some(_), Some(_)) => self.rename_in(&staged, step, RenameFlags::EXCHANGE),
            (Some(_), None) => self.rename_out(&staged, step),
        };
        (self.watch)();
        match moved {
            Ok(()) if step.before.is_none() || self.has(&staged, step.before.as_ref()) => Ok(()),
            Err(source) if !is_changed(&source) => Err(unwritable(&step.path)(source)),
            Ok(()) | Err(_) => Err(ApplyError::Changed { path: step.path.clone() }),
        }
    }

    /// Puts everything back that was put into place, and gives what somebody else holds now.
    fn take_back(&mut self, journal: &Journal) -> Vec<TreePath> {
        let mut stuck = Vec::new();
        let placed = match journal.stage {
            Stage::Staging => &[][..],
            Stage::Placing | Stage::Done => &journal.steps[..],
        };
        let numbered = || placed.iter().enumerate();
        for (number, step) in numbered().filter(|(_, step)| step.after.is_some()) {
            (self.watch)();
            if !self.take_back_new(number, step) {
                stuck.push(step.path.clone());
            }
        }
        for folder in journal.folders.iter().rev() {
            let _ = self.remove_empty(folder);
        }
        for (number, step) in numbered().filter(|(_, step)| step.after.is_none()) {
            (self.watch)();
            if !self.take_back_gone(number, step) {
                stuck.push(step.path.clone());
            }
        }
        self.remove_staged(journal);
        stuck
    }

    /// Takes a new file away again. Staged lies the new file before it was placed, and after it the old one, if there
    /// was one.
    fn take_back_new(&self, number: usize, step: &Step) -> bool {
        let staged = self.staged(number);
        let ours_is_there = || self.has(&step.path, step.after.as_ref());
        match (&step.before, self.is_nothing(&staged)) {
            (None, true) if ours_is_there() => {
                let remove = |parent: BorrowedFd<'_>, name: &[u8]| {
                    Ok(unlinkat(parent, name, AtFlags::empty())?)
                };
                self.at(&step.path, remove).is_ok()
            }
            // It was taken back before, never was in place, or somebody has put another file there.
            (None, _) | (Some(_), true) => true,
            (Some(_), false) if self.has(&staged, step.after.as_ref()) => true,
            (Some(_), false) => {
                ours_is_there() && self.rename_in(&staged, step, RenameFlags::EXCHANGE).is_ok()
            }
        }
    }

    /// Brings a file back that was moved away.
    fn take_back_gone(&self, number: usize, step: &Step) -> bool {
        let staged = self.staged(number);
        if self.is_nothing(&staged) {
            return true;
        }
        // The directory that gave way to a file is made again.
        let folders: Vec<TreePath> = above(&step.path).collect();
        for folder in folders.iter().rev().filter(|folder| self.is_nothing(folder)) {
            let _ = self.make_folder(folder);
        }
        self.rename_in(&staged, step, RenameFlags::NOREPLACE).is_ok()
    }

    /// Removes what was replaced, and directories that have nothing in them any more.
    fn clean_up(&mut self, journal: &Journal) {
        self.remove_staged(journal);
        for folder in emptied(&journal.steps) {
            (self.watch)();
            // One that is not empty stays.
            let _ = self.remove_empty(&folder);
        }
    }

    /// Removes our own directory. What somebody else wrote meanwhile, and was moved into it, stays.
    fn remove_staged(&mut self, journal: &Journal) {
        for (number, step) in journal.steps.iter().enumerate() {
            (self.watch)();
            let staged = self.staged(number);
            let is_known = match journal.stage {
                // Nothing but our own is in it yet, finished or not.
                Stage::Staging => true,
                Stage::Placing | Stage::Done => [&step.before, &step.after]
                    .into_iter()
                    .flatten()
                    .any(|entry| self.has(&staged, Some(entry))),
            };
            if is_known {
                let _ = unlinkat(self.root.handle(), staged.as_bytes(), AtFlags::empty());
            }
        }
        let _ = unlinkat(self.root.handle(), self.folder(), AtFlags::REMOVEDIR);
    }

    fn make_folder(&self, folder: &TreePath) -> io::Result<()> {
        self.at(folder, |parent, name| Ok(mkdirat(parent, name, Mode::from_raw_mode(0o777))?))
    }

    fn remove_empty(&self, folder: &TreePath) -> io::Result<()> {
        self.at(folder, |parent, name| Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?))
    }

    fn rename_in(&self, staged: &TreePath, step: &Step, flags: RenameFlags) -> io::Result<()> {
        let root = self.root.handle();
        self.at(&step.path, |parent, name| {
            Ok(renameat_with(root, staged.as_bytes(), parent, name, flags)?)
        })
    }

    fn rename_out(&self, staged: &TreePath, step: &Step) -> io::Result<()> {
        let root = self.root.handle();
        self.at(&step.path, |parent, name| {
            Ok(renameat_with(parent, name, root, staged.as_bytes(), RenameFlags::NOREPLACE)?)
        })
    }

    /// Our own directory in the tree. Only there a file can be exchanged with one of the tree in a single step.
    fn folder(&self) -> String {
        format!(".codex-mcp-{}", self.id)
    }

    /// Where the file of a step lies that is not in its place.
    fn staged(&self, number: usize) -> TreePath {
        let path = format!("{}/{number}", self.folder());
        TreePath::new(path).expect("a plain name in a folder of ours is a path")
    }

    /// Does something in the directory of a path.
    fn at<T>(
        &self,
        path: &TreePath,
        act: impl FnOnce(BorrowedFd<'_>, &[u8]) -> io::Result<T>,
    ) -> io::Result<T> {
        let (parent, name) = self.root.parent(path)?;
        act(parent.as_fd(), name)
    }
}

/// The directories above a path, the nearest first.
fn above(path: &TreePath) -> impl Iterator<Item = TreePath> {
    std::iter::successors(path.parent(), TreePath::parent)
}

/// The directories that steps may leave empty, those below first.
fn emptied(steps: &[Step]) -> impl Iterator<Item = TreePath> {
    let gone = steps.iter().filter(|step| step.after.is_none());
    gone.flat_map(|step| above(&step.path)).collect::<BTreeSet<_>>().into_iter().rev()
}

/// Those of them that have to give way to a file.
fn giving_way(steps: &[Step]) -> impl Iterator<Item = TreePath> {
    let coming: Vec<&TreePath> =
        steps.iter().filter(|step| step.after.is_some()).map(|step| &step.path).collect();
    emptied(steps).filter(move |folder| {
        let is_or_holds =
            |path: &&TreePath| *path == folder || above(folder).any(|up| up == **path);
        coming.iter().any(is_or_holds)
    })
}

/// Whether one of both paths lies in the other.
fn are_nested(one: &TreePath, other: &TreePath) -> bool {
    above(one).any(|folder| folder == *other) || above(other).any(|folder| folder == *one)
}

fn unwritable(path: &TreePath) -> impl FnOnce(io::Error) -> ApplyError + use<> {
    let path = path.clone();
    move |source| ApplyError::Unwritable { path, source }
}

/// Whether something else is there than what was.
fn is_changed(error: &io::Error) -> bool {
    let number = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists)
        || matches!(number, Some(Errno::LOOP | Errno::NOTDIR | Errno::ISDIR))
}
