//! What changed in a tree of files, and how to carry it to another.
//!
//! A [`Snapshot`] remembers a tree: what every file was, and its content. A [`Scratch`] is a copy of a tree that begins
//! as a snapshot of it. [`Snapshot::collect`] tells what has changed since, whoever did it; [`plan`] tells whether a change
//! still fits a tree; [`apply()`] carries it there, all or nothing, so that it can be taken back.
//!
//! Everything is reached from a [`Root`], a directory that is held open, and no link is ever followed on the way: what is
//! swapped meanwhile leads nowhere. The crate starts no process and reads no clock.

#![warn(missing_docs)]

mod apply;
mod collect;
mod contents;
mod entry;
mod facts;
mod files;
mod git_dir;
mod journal;
mod plan;
mod root;
mod scratch;
mod snapshot;
mod text;
mod walk;

pub use apply::{ApplyError, Step, apply, recover};
pub use collect::{Change, Collected};
pub use contents::{ContentId, Contents};
pub use entry::Entry;
pub use git_dir::Repository;
pub use journal::Ending;
pub use plan::{Fit, Obstacle, Planned, fit};
pub use root::{Found, Root};
pub use scratch::{Scratch, ScratchError, Scratches, Source};
pub use snapshot::{Snapshot, SnapshotError};
pub use walk::Rules;
