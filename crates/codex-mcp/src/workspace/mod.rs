//! The user's files: where Codex may work.

mod folder;
mod roots;

pub use roots::{InvalidRoot, RootError, Roots, WorkingDirectory};
