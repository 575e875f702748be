//! The MCP side: everything that speaks to a client, and the only place that knows rmcp.
//!
//! A connection is any pair of byte streams. [`connection::serve`] reads lines ([`line`]), turns them into
//! messages ([`decode`], [`method`]), keeps the promises that the SDK leaves to the transport
//! ([`transport`]) and to the service ([`hardened`]), and writes answers in the order in which they were
//! made ([`outbox`]). [`Server`] answers: it lists [`tools`], which ask the engine and [`render`] what it says.

mod arguments;
mod artifacts;
mod asker;
mod attachments;
mod call;
mod claude;
pub mod connection;
mod consent;
mod cursor;
mod decode;
mod elicit;
pub(crate) mod fuzzing;
mod hardened;
mod input_limits;
mod line;
mod method;
mod outbox;
pub mod outputs;
pub mod paging;
mod patches;
mod plans;
pub mod progress;
mod render;
mod repeat;
pub mod resources;
mod retry;
mod salvage;
mod schema;
mod server;
pub mod stdio;
pub mod subscriptions;
mod tasks;
mod threads;
mod timeline;
mod tools;
mod trace;
mod transport;

pub use hardened::is_modern;
pub(crate) use line::{Line, Lines};
pub(crate) use render::stopped_by;
pub use server::{Server, Shared};

/// The names of the tools that only read, for a test of who knows them by name.
#[cfg(test)]
pub(crate) fn reading_tools() -> Vec<String> {
    let reads = |tool: &rmcp::model::Tool| {
        tool.annotations.as_ref().is_some_and(|hints| hints.read_only_hint == Some(true))
    };
    let tools = tools::definitions().into_iter().filter(reads);
    let mut names: Vec<_> = tools.map(|tool| tool.name.into_owned()).collect();
    names.sort();
    names
}

/// The answer to a line that is too long to be read, as a line.
pub(crate) fn refuse_long_line(head: &[u8], tail: &[u8], max_bytes: usize) -> Vec<u8> {
    let refusal = decode::too_long(head, tail, max_bytes);
    let mut line = serde_json::to_vec(&refusal).expect("a refusal has string keys");
    line.push(b'\n');
    line
}
