//! The user's files: where Codex may work, and what git knows of them.

mod folder;
pub(crate) mod git;
mod roots;

pub use git::Repositories;
pub use roots::{InvalidRoot, RootError, Roots, WorkingDirectory};
