//! The directories in which Codex may work, and the check that a path lies in one of them.
//!
//! Paths are compared after the file system has resolved every link and `..`, component by component. What is
//! returned is that resolved path. The check does not hold the directory open, and it never creates anything.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The longest path that a caller may give, in bytes, as Linux has it.
const MAX_PATH: usize = 4095;

/// The resolved workspace roots: at least one, each an existing directory, none twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots(Vec<PathBuf>);

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
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        if roots.is_empty() { Err(InvalidRoot::None) } else { Ok(Self(roots)) }
    }

    /// Returns the first root: the default, and what relative paths join.
    pub fn first(&self) -> &Path {
        &self.0[0]
    }

    /// Returns all roots; the first is the default.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(PathBuf::as_path)
    }

    /// Returns the directory that a caller means, resolved; the first root where the caller named none.
    ///
    /// # Errors
    /// The path is not an existing directory in one of the roots.
    pub fn resolve(&self, path: Option<&str>) -> Result<PathBuf, RootError> {
        let Some(given) = path else {
            return Ok(self.first().to_owned());
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

    fn resolve_existing(&self, given: &str) -> Result<PathBuf, RootError> {
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
        // `Path::starts_with` compares whole components, so `/a/root-evil` is not in `/a/root`.
        if !self.0.iter().any(|root| resolved.starts_with(root)) {
            return Err(RootError::Outside { given, resolved, roots });
        }
        if !resolved.is_dir() {
            return Err(RootError::NotDirectory { given, path: resolved, roots });
        }
        Ok(resolved)
    }
}

impl fmt::Display for Roots {
    /// The roots, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots: Vec<_> = self.0.iter().map(|root| root.display().to_string()).collect();
        f.write_str(&roots.join(", "))
    }
}
