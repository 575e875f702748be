//! Which files a tree has: all but git's own and those that its ignore rules name.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ignore::{DirEntry, WalkBuilder, WalkState};
use patch::TreePath;

/// How many directories are read at once.
const THREADS: usize = 4;

/// What belongs to a tree besides what the ignore rules say.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Files that belong to it although rules may ignore them: those that git tracks.
    pub tracked: BTreeSet<TreePath>,
    /// Names of directories that are not copied but linked, where nothing in them is tracked: what dependencies are
    /// installed into.
    pub linked: Vec<String>,
    /// How many files there may be.
    pub max_files: usize,
    /// How many bytes they may have.
    pub max_bytes: u64,
}

/// What a tree has.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Files, links and whatever else is no directory, in order.
    pub(crate) files: Vec<TreePath>,
    /// Directories, those above first.
    pub(crate) folders: Vec<TreePath>,
    /// Directories to be linked.
    pub(crate) linked: Vec<TreePath>,
}

/// Why a tree cannot be listed.
#[derive(Debug)]
pub(crate) enum WalkError {
    TooMany,
    Unreadable(io::Error),
}

/// Lists a tree. Directories that cannot be read are left out; the files in them cannot be read either.
pub(crate) fn list(root: &Path, rules: &Rules) -> Result<Listing, WalkError> {
    std::fs::read_dir(root).map_err(WalkError::Unreadable)?;
    let listing = Mutex::new(Listing::default());
    let too_many = AtomicBool::new(false);
    let linked = |entry: &DirEntry| is_linked(root, entry, rules);
    walker(root, rules).build_parallel().run(|| {
        Box::new(|entry| {
            let Ok(entry) = entry else { return WalkState::Continue };
            let Some(path) = below(root, entry.path()) else { return WalkState::Continue };
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let is_linked = is_folder && linked(&entry);
            let mut listing = listing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            match (is_folder, is_linked) {
                (true, true) => {
                    listing.linked.push(path);
                    return WalkState::Skip;
                }
                (true, false) => listing.folders.push(path),
                (false, _) => listing.files.push(path),
            }
            if listing.files.len() > rules.max_files {
                too_many.store(true, Ordering::Relaxed);
                return WalkState::Quit;
            }
            WalkState::Continue
        })
    });
    if too_many.into_inner() {
        return Err(WalkError::TooMany);
    }
    let listing = listing.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    Ok(complete(root, listing, rules))
}

fn walker(root: &Path, rules: &Rules) -> WalkBuilder {
    let mut walker = WalkBuilder::new(root);
    walker
        .hidden(false)
        .ignore(false)
        .require_git(false)
        .follow_links(false)
        .threads(THREADS)
        .filter_entry(|entry| !is_git(entry.file_name()));
    let _ = rules;
    walker
}

/// Adds what the walk has left out and what belongs to the tree all the same, and puts everything into order.
fn complete(root: &Path, mut listing: Listing, rules: &Rules) -> Listing {
    let mut files: BTreeSet<TreePath> = std::mem::take(&mut listing.files).into_iter().collect();
    let mut folders: BTreeSet<TreePath> =
        std::mem::take(&mut listing.folders).into_iter().collect();
    for path in &rules.tracked {
        if !files.contains(path) && is_file(&root.join(path.to_path())) {
            let mut above = path.parent();
            while let Some(folder) = above {
                above = folder.parent();
                folders.insert(folder);
            }
            files.insert(path.clone());
        }
    }
    // What is ignored was not visited, so directories to be linked are looked for in those that were.
    let mut linked: BTreeSet<TreePath> = std::mem::take(&mut listing.linked).into_iter().collect();
    for name in &rules.linked {
        let at_top = std::iter::once(None).chain(folders.iter().map(Some));
        for folder in at_top {
            let path = match folder {
                Some(folder) => [folder.as_bytes(), b"/", name.as_bytes()].concat(),
                None => name.clone().into_bytes(),
            };
            if let Ok(path) = TreePath::new(path)
                && !folders.contains(&path)
                && std::fs::symlink_metadata(root.join(path.to_path())).is_ok_and(|at| at.is_dir())
            {
                linked.insert(path);
            }
        }
    }
    Listing {
        files: files.into_iter().collect(),
        folders: folders.into_iter().collect(),
        linked: linked.into_iter().collect(),
    }
}

/// Whether a directory is one that is linked: by its name, and because nothing in it is tracked.
fn is_linked(root: &Path, entry: &DirEntry, rules: &Rules) -> bool {
    let name = entry.file_name();
    if !rules.linked.iter().any(|linked| OsStr::new(linked) == name) {
        return false;
    }
    let Some(path) = below(root, entry.path()) else {
        return false;
    };
    let first = rules.tracked.range(path.clone()..).next();
    !first.is_some_and(|tracked| is_below(tracked, &path))
}

fn is_below(path: &TreePath, folder: &TreePath) -> bool {
    let rest = path.as_bytes().strip_prefix(folder.as_bytes());
    rest.is_some_and(|rest| rest.first() == Some(&b'/'))
}

fn is_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|at| !at.is_dir())
}

/// Git's own directory or file, by a name that some file system takes for it.
fn is_git(name: &OsStr) -> bool {
    name.as_bytes().eq_ignore_ascii_case(b".git")
}

fn below(root: &Path, path: &Path) -> Option<TreePath> {
    let rest = path.strip_prefix(root).ok()?;
    TreePath::new(rest.as_os_str().as_bytes()).ok()
}
