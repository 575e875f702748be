//! The user's files: where Codex may work and what it changes there, and what git knows of them.

mod folder;
pub(crate) mod git;
pub(crate) mod patches;
mod places;
mod roots;

pub use git::Repositories;
pub use places::Places;
pub(crate) use places::Wanted;
pub use roots::{InvalidRoot, RootError, Roots, WorkingDirectory};
