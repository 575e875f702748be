//! The directories in which Codex may work, and the check that a path lies in one of them.
//!
//! Paths are compared after the file system has resolved every link and `..`, component by component, and what is found
//! is then reached once more from the root's own handle, without links. Roots and what is resolved are held open, so that
//! another directory put in their place is noticed; [`WorkingDirectory::confirm`] looks last thing before the path is
//! used. What is mounted below a root belongs to it: only who owns the system mounts. Nothing is ever created.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::folder::Folder;

/// The longest path that a caller may give, in bytes, as Linux has it.
pub(super) const MAX_PATH: usize = 4095;

/// The resolved workspace roots: at least one, each an existing directory, none twice.
#[derive(Debug, Clone)]
pub struct Roots(Vec<Folder>);

/// A directory in a root, held open.
#[derive(Debug)]
pub struct WorkingDirectory(Folder);

impl WorkingDirectory {
    /// Its resolved path, as it was found.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Its path, if that still leads to it.
    ///
    /// # Errors
    /// It was moved, deleted, or replaced by a link or by another directory.
    pub fn confirm(&self) -> Result<PathBuf, RootError> {
        match self.0.is_in_place() {
            true => Ok(self.path().to_owned()),
            false => Err(RootError::Moved { path: self.path().to_owned() }),
        }
    }
}

/// The configured roots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRoot {
    /// The list is empty.
    #[error("there is no workspace root; name one with --workspace-root")]
    None,
    /// Nothing is there.
    #[error("the workspace root {0:?} does not exist")]
    Missing(PathBuf),
    /// It is something else.
    #[error("the workspace root {0:?} is not a directory")]
    NotDirectory(PathBuf),
    /// It cannot be looked at, for example for want of permission.
    #[error("the workspace root {path:?} cannot be resolved")]
    Unreadable {
        /// The root as configured.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A caller's path cannot be worked in. The text names what was given, what it is, and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// An empty text.
    #[error("the path is empty; leave it out to work in {}", .default.display())]
    Empty {
        /// The first root.
        default: PathBuf,
    },
    /// A NUL byte, which no path can hold.
    #[error("the path {given:?} has a NUL byte in it")]
    Nul {
        /// As given.
        given: String,
    },
    /// Longer than any path that the system takes.
    #[error("the path has {bytes} bytes; at most {MAX_PATH} can be looked up")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// `~` or `~/…`, which only a shell expands.
    #[error("`~` is not expanded in {given:?}; give an absolute path, or one relative to {}", .default.display())]
    Tilde {
        /// As given.
        given: String,
        /// The first root.
        default: PathBuf,
    },
    /// Nothing is there.
    #[error("{given:?} does not exist (looked for {}); give an existing directory in one of {roots}", .path.display())]
    Missing {
        /// As given.
        given: String,
        /// The absolute path that was looked for.
        path: PathBuf,
        /// Where it may lie.
        roots: Roots,
    },
    /// A file, for example.
    #[error("{given:?} is not a directory ({}); give an existing directory in one of {roots}", .path.display())]
    NotDirectory {
        /// As given.
        given: String,
        /// The absolute path that is none.
        path: PathBuf,
        /// Where it may lie.
        roots: Roots,
    },
    /// Outside every root.
    #[error(
        "{given:?} is {}, outside the workspace roots {roots}; \
         give a directory in one of them, or start the server with --workspace-root for it",
        .resolved.display()
    )]
    Outside {
        /// As given.
        given: String,
        /// What it resolves to.
        resolved: PathBuf,
        /// Where it may lie.
        roots: Roots,
    },
    /// Something else was put in its place since it was looked at.
    #[error("{} was moved, deleted or replaced meanwhile", .path.display())]
    Moved {
        /// Where it was.
        path: PathBuf,
    },
    /// A root is another directory than the one that the server was started with.
    #[error(
        "the workspace root {} was moved, deleted or replaced since the server started; start the server anew",
        .root.display()
    )]
    RootMoved {
        /// The root.
        root: PathBuf,
    },
    /// It cannot be looked at, for example for want of permission or because of a loop of links.
    #[error("{given:?} cannot be resolved ({}); give an existing directory in one of {roots}", .path.display())]
    Unreadable {
        /// As given.
        given: String,
        /// The absolute path that was looked at.
        path: PathBuf,
        /// Where it may lie.
        roots: Roots,
        /// Why.
        source: io::Error,
    },
}

impl Roots {
    /// Resolves the configured roots; the first is the default.
    ///
    /// # Errors
    /// There is none, or one of them is not an existing directory.
    pub fn new(paths: &[PathBuf]) -> Result<Self, InvalidRoot> {
        let mut roots = Vec::new();
        for path in paths {
            let root = path.canonicalize().map_err(|source| {
                let path = path.clone();
                if source.kind() == ErrorKind::NotFound {
                    InvalidRoot::Missing(path)
                } else {
                    InvalidRoot::Unreadable { path, source }
                }
            })?;
            if !root.is_dir() {
                return Err(InvalidRoot::NotDirectory(path.clone()));
            }
            if roots.iter().all(|known: &Folder| known.path() != root) {
                let held = Folder::hold(root);
                roots.push(held.map_err(|source| {
                    let path = path.clone();
                    InvalidRoot::Unreadable { path, source }
                })?);
            }
        }
        if roots.is_empty() { Err(InvalidRoot::None) } else { Ok(Self(roots)) }
    }

    /// Returns the first root: the default, and what relative paths join.
    pub fn first(&self) -> &Path {
        self.0[0].path()
    }

    /// Returns all roots; the first is the default.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(Folder::path)
    }

    /// Returns the directory that a caller means, resolved; the first root where the caller named none.
    ///
    /// # Errors
    /// The path is not an existing directory in one of the roots.
    pub fn resolve(&self, path: Option<&str>) -> Result<WorkingDirectory, RootError> {
        let Some(given) = path else {
            return in_place(&self.0[0]).cloned().map(WorkingDirectory);
        };
        if given.is_empty() {
            return Err(RootError::Empty { default: self.first().to_owned() });
        }
        if given.len() > MAX_PATH {
            return Err(RootError::TooLong { bytes: given.len() });
        }
        if given.contains('\0') {
            return Err(RootError::Nul { given: given.to_owned() });
        }
        if Path::new(given).starts_with("~") {
            let (given, default) = (given.to_owned(), self.first().to_owned());
            return Err(RootError::Tilde { given, default });
        }
        self.resolve_existing(given)
    }

    /// The root around a resolved path that lies in no other one.
    pub(crate) fn outermost(&self, resolved: &Path) -> Option<&Path> {
        let around = self.iter().filter(|root| resolved.starts_with(root));
        around.min_by_key(|root| root.components().count())
    }

    /// The root that a resolved path lies in. Whole components are compared, so `/a/root-evil` is not in `/a/root`.
    pub(super) fn holding(&self, resolved: &Path) -> Option<&Folder> {
        self.0.iter().find(|root| resolved.starts_with(root.path()))
    }

    fn resolve_existing(&self, given: &str) -> Result<WorkingDirectory, RootError> {
        let path = self.first().join(given);
        let (given, roots) = (given.to_owned(), self.clone());
        let resolved = match path.canonicalize() {
            Ok(resolved) => resolved,
            Err(source) if source.kind() == ErrorKind::NotFound => {
                return Err(RootError::Missing { given, path, roots });
            }
            Err(source) if source.kind() == ErrorKind::NotADirectory => {
                return Err(RootError::NotDirectory { given, path, roots });
            }
            Err(source) => {
                return Err(RootError::Unreadable { given, path, roots, source });
            }
        };
        let Some(root) = self.holding(&resolved) else {
            return Err(RootError::Outside { given, resolved, roots });
        };
        if !resolved.is_dir() {
            return Err(RootError::NotDirectory { given, path: resolved, roots });
        }
        let found = in_place(root)?.below(resolved.clone());
        found.map(WorkingDirectory).map_err(|_swapped| RootError::Moved { path: resolved })
    }
}

fn in_place(root: &Folder) -> Result<&Folder, RootError> {
    match root.is_in_place() {
        true => Ok(root),
        false => Err(RootError::RootMoved { root: root.path().to_owned() }),
    }
}

impl fmt::Display for Roots {
    /// The roots, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots: Vec<_> = self.iter().map(|root| root.display().to_string()).collect();
        f.write_str(&roots.join(", "))
    }
}
