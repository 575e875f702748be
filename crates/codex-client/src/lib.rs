//! Talks to one Codex app-server: framing, requests, wire types and the child process.
//!
//! [`AppServer`] is a running child, [`Connection`] sends to it, [`Inbox`] is everything that it
//! sends, in the order it was sent. [`Exec`] is a child that runs a single turn instead, and [`program`] runs a program that is
//! not Codex. This crate never decides what a message means for a turn, never
//! retries, never restarts a process and knows nothing of MCP: its owner does that.

pub mod ancestry;
mod connection;
mod error;
mod framing;
#[doc(hidden)]
pub mod fuzzing;
pub mod orphan;
mod process;
pub mod protocol;
mod rpc;

pub use connection::{CloseReason, Connection, Inbox, Incoming, Limits};
pub use error::RequestError;
pub use framing::{Line, LineReader};
pub use process::program;
pub use process::{
    AppServer, Exec, Exit, Greeting, Launch, MINIMUM_VERSION, ProcessLimits, ServerInfo,
    StartError, Version, become_program,
};
pub use rpc::{Malformed, RequestId, RpcError, beginning};
