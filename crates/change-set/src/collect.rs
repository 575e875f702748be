//! What has changed in a tree since its snapshot, whoever changed it: by tool, by shell or by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use patch::{Kind, TreePath};
use rustix::fs::{AtFlags, FileType, Stat, statat};
use serde::{Deserialize, Serialize};

use crate::contents::Contents;
use crate::facts::Facts;
use crate::root::{Found, Root, leads_nowhere};
use crate::snapshot::{Known, Manifest, list};
use crate::walk::Rules;
use crate::{Entry, Snapshot, SnapshotError, text};

/// What happened to one file. A file that was moved is one that went away and one that came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The file.
    #[serde(with = "text")]
    pub path: TreePath,
    /// What it was; nothing if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Entry>,
    /// What it is; nothing if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Entry>,
}

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Since the snapshot, by path.
    pub changes: Vec<Change>,
    /// Since the last time, by path.
    pub latest: Vec<Change>,
}

impl Snapshot {
    /// Tells what has changed in a tree, and keeps both sides of it in `contents`.
    ///
    /// # Errors
    /// See [`SnapshotError`]. What could be kept is kept.
    pub fn collect(
        &mut self,
        tree: &Root,
        rules: &Rules,
        contents: &Contents,
    ) -> Result<Collected, SnapshotError> {
        let now = self.survey(tree, rules, contents)?;
        let changes = differences(&self.base.files, &now.files);
        let latest = match &self.latest {
            Some(latest) => differences(&latest.files, &now.files),
            None => changes.clone(),
        };
        for change in &changes {
            self.keep_base(change, contents).map_err(SnapshotError::Unwritable)?;
        }
        self.remember(now).map_err(SnapshotError::Unwritable)?;
        Ok(Collected { changes, latest })
    }

    /// Keeps what a changed file was, which nobody else may have any more.
    fn keep_base(&self, change: &Change, contents: &Contents) -> io::Result<()> {
        let known = self.base.files.get(&change.path);
        match known.and_then(|known| Some((known.entry.content, known.spot?))) {
            Some((content, _)) if contents.has(content) => Ok(()),
            Some((content, spot)) => contents.put_as(content, self.open(spot)?),
            None => Ok(()),
        }
    }

    /// Looks at every file of the tree. Only those whose facts have changed are read.
    fn survey(
        &self,
        tree: &Root,
        rules: &Rules,
        contents: &Contents,
    ) -> Result<Manifest, SnapshotError> {
        let known = &self.latest.as_ref().unwrap_or(&self.base).files;
        let rules = Rules {
            // What was there belongs to the tree even if it is ignored from now on.
            tracked: self.base.files.keys().chain(known.keys()).cloned().collect(),
            ..rules.clone()
        };
        let listing = list(tree, &rules)?;
        let placed: BTreeSet<&TreePath> = self.base.placed.iter().collect();
        let mut now = Manifest { placed: self.base.placed.clone(), ..Manifest::default() };
        let mut paths = listing.files.iter().filter(|path| !placed.contains(path)).peekable();
        while let Some(first) = paths.peek() {
            let folder = first.parent();
            let parent = tree.parent(first).ok();
            while let Some(path) = paths.next_if(|path| path.parent() == folder) {
                let stat = parent.as_ref().and_then(|(parent, _)| {
                    statat(parent, path.file_name(), AtFlags::SYMLINK_NOFOLLOW).ok()
                });
                let Some(stat) = stat else { continue };
                let before = known.get(path);
                match unchanged(before, &stat) {
                    Some(same) => drop(now.files.insert(path.clone(), same)),
                    None => match read(tree, path, &stat, before, contents) {
                        Ok(Some(read)) => drop(now.files.insert(path.clone(), read)),
                        Ok(None) => now.left_out.push(path.clone()),
                        Err(error) => return Err(SnapshotError::Unwritable(error)),
                    },
                }
            }
        }
        Ok(now)
    }
}

/// A file that its facts prove to be what it was.
fn unchanged(before: Option<&Known>, stat: &Stat) -> Option<Known> {
    let before = before?;
    (before.facts? == Facts::of(stat)).then(|| before.clone())
}

/// Reads a file, and keeps it if it is not what it was.
fn read(
    tree: &Root,
    path: &TreePath,
    stat: &Stat,
    before: Option<&Known>,
    contents: &Contents,
) -> io::Result<Option<Known>> {
    let entry = match tree.look(path) {
        Ok(Found::Entry(entry)) => entry,
        Ok(Found::Nothing | Found::Folder | Found::Special | Found::NoWay) => return Ok(None),
        // One that may not be read is as good as not there; the snapshot did not have it either.
        Err(error) if leads_nowhere(&error) || is_refused(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let same = before.filter(|before| before.entry.content == entry.content);
    if same.is_none() && !contents.has(entry.content) {
        match entry.mode.kind() {
            Kind::Symlink => drop(contents.put(&tree.link(path)?)?),
            Kind::Regular => contents.put_as(entry.content, tree.open(path)?.0)?,
        }
    }
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let facts = is_file.then(|| Facts::of(stat));
    Ok(Some(Known { entry, facts, spot: same.and_then(|before| before.spot) }))
}

fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound)
}

fn differences(
    before: &BTreeMap<TreePath, Known>,
    after: &BTreeMap<TreePath, Known>,
) -> Vec<Change> {
    let entry = |files: &BTreeMap<TreePath, Known>, path| {
        files.get(path).map(|known: &Known| known.entry.clone())
    };
    let paths: BTreeSet<&TreePath> = before.keys().chain(after.keys()).collect();
    paths
        .into_iter()
        .map(|path| Change {
            path: path.clone(),
            before: entry(before, path),
            after: entry(after, path),
        })
        .filter(|change| change.before != change.after)
        .collect()
}
