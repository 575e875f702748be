//! Keeps what the bridge knows: threads, turns, messages, plans, patches, usage, long outputs.
//!
//! A [`Store`] is a SQLite database with two threads: one that writes, one that reads. [`Store::write`] returns at
//! once; [`Store::then`] runs a callback when everything written before it is committed, which is how an answer is held
//! back until its record is durable, and tells it whether all is kept that the answer speaks of. The crate reads no clock, knows no wire type, and never deletes a database that it
//! cannot read.
//!
//! A committed record survives the death of any process. After a power cut the last moments can be missing (SQLite's
//! `synchronous = NORMAL` in WAL mode), the database's integrity never.

#![warn(missing_docs)]

mod application;
mod approval;
mod artifact;
mod change_set;
mod commit;
mod connection;
mod entry;
mod error;
mod export;
mod item;
mod key;
mod loss;
mod maintenance;
mod meta;
mod opening;
mod output;
mod page;
mod patch;
mod plan;
mod queue;
mod reader;
mod recovery;
mod retention;
mod row;
mod schema;
mod session;
mod store;
mod thread;
mod turn;
mod turn_number;
mod usage;
mod write;

pub use application::{ApplicationRow, ApplicationState};
pub use approval::ApprovalRow;
pub use change_set::{ChangeSetKind, ChangeSetRow};
pub use connection::exists;
pub use entry::{Entry, EntryKind, EntryPage};
pub use error::{OpenError, StoreError, WriteError};
pub use export::export;
pub use key::KeyRow;
pub use loss::Subject;
pub use maintenance::{CheckReport, Statistics, VacuumError, check, vacuum};
pub use output::OutputMeta;
pub use page::Cursor;
pub use patch::PatchRow;
pub use plan::{PlanAuthor, PlanVersion};
pub use reader::Reader;
pub use recovery::CutTurn;
pub use schema::text as schema_text;
pub use session::{KnownPlan, TaskRow};
pub use store::{Durability, Settings, Status, Store};
pub use thread::{SeenThread, ThreadFilter, ThreadPage, ThreadPlace, ThreadRow};
pub use turn::{TurnName, TurnPage, TurnRow};
pub use usage::UsageSum;
pub use write::{EndedTurn, NewOutput, QueuedTurn, ThreadOfOurs, Write};

/// Unix time in milliseconds. Given by the caller: this crate reads no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);
