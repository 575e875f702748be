//! The wire types of the app-server protocol that a bridge uses, written by hand to outlive upgrades.
//!
//! What is decided on is typed, the rest is left out or raw. Every enum has an arm for what is not
//! known yet, and everything that can be done without is optional. `tests/schema.rs` holds these types
//! against the schema of the pinned Codex. Nothing here sends, and nothing here is a domain type.

mod account;
mod approval;
mod command;
mod initialize;
mod item;
mod method;
mod model;
mod notification;
mod policy;
mod review;
mod server_request;
mod terminal;
mod thread;
mod tolerant;
mod turn;

pub use account::*;
pub use approval::*;
pub use command::*;
pub use initialize::*;
pub use item::*;
pub use method::*;
pub use model::*;
pub use notification::*;
pub use policy::*;
pub use review::*;
pub use server_request::*;
pub use terminal::*;
pub use thread::*;
pub use tolerant::{Unrecognised, decode};
pub use turn::*;

use serde::{Deserialize, Serialize};

/// The result of a method that only succeeds or fails.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Empty {}
