//! Whether a change still fits a tree, which may have moved on since.

use std::io;

use patch::{Kind, Labels, Mode, TreePath, is_binary};

use crate::apply::Step;
use crate::contents::Contents;
use crate::root::{Found, Root};
use crate::{Change, Entry};

/// How a change fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The tree has what the change began from.
    Clean,
    /// The tree has what the change leads to.
    Applied,
    /// The tree has something else, and both changes can be joined line by line.
    Merged,
    /// The tree has something else, and both changes touch the same lines.
    Conflicts {
        /// How often they do.
        count: usize,
        /// The file with all sides of each conflict between markers.
        marked: Vec<u8>,
    },
    /// Something stands in the way that cannot be joined.
    Blocked(Obstacle),
}

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The file is not there any more.
    Missing,
    /// A new file is there already.
    Exists,
    /// A file that is to be deleted has another content now.
    Changed,
    /// Another content that is no text, or a link that leads elsewhere.
    NotText,
    /// A directory, a pipe or the like is there.
    NoFile,
    /// The way there leads through a link or a file.
    NoWay,
}

/// A change, looked at in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// How it fits.
    pub fit: Fit,
    /// What would be done, where it fits. What would be written is kept in the contents.
    pub step: Option<Step>,
}

/// Looks at one change in a tree. What a merge gives is kept in `contents`.
///
/// # Errors
/// The tree or the contents cannot be read or written.
pub fn fit(root: &Root, contents: &Contents, change: &Change) -> io::Result<Planned> {
    let current = match root.look(&change.path)? {
        Found::Nothing => None,
        Found::Entry(entry) => Some(entry),
        Found::Folder | Found::NoWay if change.before.is_none() => {
            return Ok(maybe_gives_way(change));
        }
        // It is gone, and something else has come.
        Found::Folder | Found::NoWay if change.after.is_none() => return Ok(applied()),
        Found::Folder | Found::Special => return Ok(blocked(Obstacle::NoFile)),
        Found::NoWay => return Ok(blocked(Obstacle::NoWay)),
    };
    Ok(match (&change.before, &change.after, current) {
        (None, None, _) | (Some(_), None, None) => applied(),
        (Some(before), None, Some(current)) if is_same(before, &current) => {
            clean(change, Some(current), None)
        }
        (Some(_), None, Some(_)) => blocked(Obstacle::Changed),
        (None, Some(after), None) => clean(change, None, Some(after.clone())),
        (None, Some(after), Some(current)) => match is_same(after, &current) {
            true => applied(),
            false => blocked(Obstacle::Exists),
        },
        (Some(_), Some(_), None) => blocked(Obstacle::Missing),
        (Some(before), Some(after), Some(current)) => {
            modified(root, contents, change, (before, after), current)?
        }
    })
}

fn modified(
    root: &Root,
    contents: &Contents,
    change: &Change,
    (before, after): (&Entry, &Entry),
    current: Entry,
) -> io::Result<Planned> {
    // Whoever takes the change back needs what was there.
    if current.content != before.content {
        keep(root, contents, &change.path, &current)?;
    }
    let mode = mode(before, after, &current);
    if current.content == after.content && current.mode == mode {
        return Ok(applied());
    }
    if is_same(before, &current) || current.content == after.content {
        let wanted = Entry { mode, ..after.clone() };
        return Ok(clean(change, Some(current), Some(wanted)));
    }
    let kinds = [before, after, &current].map(|entry| entry.mode.kind());
    if before.content == after.content && kinds == [Kind::Regular; 3] {
        // Only the mode changes, whatever the content has become.
        let wanted = Entry { mode, ..current.clone() };
        return Ok(clean(change, Some(current), Some(wanted)));
    }
    if kinds != [Kind::Regular; 3] {
        return Ok(blocked(Obstacle::NotText));
    }
    let ours = root.read(&change.path, Kind::Regular)?;
    let (base, theirs) = (contents.get(before.content)?, contents.get(after.content)?);
    if [&base, &ours, &theirs].iter().any(|text| is_binary(text)) {
        return Ok(blocked(Obstacle::NotText));
    }
    let labels = Labels { base: "base", ours: "current", theirs: "patch" };
    let merge = patch::merge(&base, &ours, &theirs, labels);
    if !merge.conflicts.is_empty() {
        let fit = Fit::Conflicts { count: merge.conflicts.len(), marked: merge.content };
        return Ok(Planned { fit, step: None });
    }
    let content = contents.put(&merge.content)?;
    let wanted = Entry { mode, size: merge.content.len() as u64, content };
    Ok(Planned { fit: Fit::Merged, ..clean(change, Some(current), Some(wanted)) })
}

/// Keeps what is in the tree now.
fn keep(root: &Root, contents: &Contents, path: &TreePath, current: &Entry) -> io::Result<()> {
    match current.mode.kind() {
        Kind::Symlink => contents.put(&root.link(path)?).map(drop),
        Kind::Regular => contents.put_as(current.content, root.open(path)?.0),
    }
}

/// Whether both are the same but for their permissions, which are carried over apart.
fn is_same(one: &Entry, other: &Entry) -> bool {
    one.content == other.content && one.mode.kind() == other.mode.kind()
}

/// The mode that a file gets: its own, unless the change is about it.
fn mode(before: &Entry, after: &Entry, current: &Entry) -> Mode {
    match before.mode == after.mode {
        true => current.mode,
        false => after.mode,
    }
}

/// A new file where a directory or a file is on the way: whether that goes away with the same patch shows when it is
/// applied, before anything is touched.
fn maybe_gives_way(change: &Change) -> Planned {
    clean(change, None, change.after.clone())
}

fn clean(change: &Change, before: Option<Entry>, after: Option<Entry>) -> Planned {
    let step = Step { path: change.path.clone(), before, after };
    Planned { fit: Fit::Clean, step: Some(step) }
}

fn applied() -> Planned {
    Planned { fit: Fit::Applied, step: None }
}

fn blocked(obstacle: Obstacle) -> Planned {
    Planned { fit: Fit::Blocked(obstacle), step: None }
}
