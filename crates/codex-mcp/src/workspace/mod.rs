//! The user's files: where Codex may work.

mod roots;

pub use roots::{InvalidRoot, RootError, Roots};
