//! The text of a change: diffs, hunks, patches, merges, renames, and what to be warned of.
//!
//! Everything here is a pure function over bytes. The crate opens no file, reads no clock and knows no runtime: the
//! caller brings both sides of a file and gets text, or brings text and both sides of nothing, and gets files back.
//!
//! - [`hunks`] and [`render`] turn two sides of a file ([`Change`]) into a diff that `git apply` takes.
//! - [`parse`] reads such a diff from anybody, refuses what is not safe or not whole, and says in which line.
//! - [`FilePatch::place`] puts it on a file whose base is unknown, exactly or not at all.
//! - [`select`] applies some hunks of a change, [`merge`] joins two changes of one base.
//! - [`renames`] finds what moved, [`stat`] counts, [`warnings()`] names what a person should look at first.
//!
//! Content is bytes, names are bytes ([`TreePath`]): neither has to be UTF-8. A line is what ends in a line feed; a
//! carriage return before it is content.

#![warn(missing_docs)]

mod change;
mod diff;
mod hunk;
mod merge;
mod mode;
mod parse;
mod path;
mod place;
mod quote;
mod rename;
mod render;
mod select;
mod text;
mod warnings;

pub use change::Change;
pub use hunk::{Hunk, HunkId, InvalidHunkId, Line, LineKind, Stat, hunks, stat};
pub use merge::{Conflict, Labels, Merge, merge};
pub use mode::{Kind, Mode, Side};
pub use parse::{Action, FilePatch, Limits, ParseError, ParseProblem, parse};
pub use path::{InvalidPath, TreePath};
pub use place::{HunkConflict, HunkPlace, HunkState, Obstacle, Outcome, Placed};
pub use rename::{Rename, renames};
pub use render::{Identities, RenderOptions, render};
pub use select::{UnknownHunk, select};
pub use text::{Lines, is_binary, lines};
pub use warnings::{SecretKind, Severity, Target, Warning, warnings};
