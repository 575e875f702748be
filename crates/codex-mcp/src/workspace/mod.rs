//! The user's files: where Codex may work and what it changes there, and what git knows of them.

pub(crate) mod files;
mod folder;
pub(crate) mod git;
pub(crate) mod patches;
mod places;
mod roots;

pub use git::Repositories;
pub use places::Places;
pub(crate) use places::Wanted;
pub use roots::{InvalidRoot, RootError, Roots, WorkingDirectory};

use std::path::Path;

/// Whether a path leads to the folder that it names, and not through a link to another one. What was resolved when it was
/// checked is looked at like this last thing before it is used: a turn may have waited in between.
pub(crate) fn is_itself(path: &Path) -> bool {
    path.canonicalize().is_ok_and(|found| found == path)
}
