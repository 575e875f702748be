//! Real parts for tests, demos and benches: a scripted model behind the real Codex, a throw-away
//! Codex home, drivers for the pipes, and guards that notice what a test leaves behind.
//!
//! Nothing here imitates Codex: the scripted model speaks OpenAI's Responses API to the real
//! binary, and the fake app-server plays a file line by line. Helpers panic with a message that
//! names what was awaited, because every caller is a test, a demo or a bench. No other crate of the
//! workspace is used here.
#![warn(missing_docs)]

pub mod claude;
pub mod fake_app_server;
pub mod faulty_pipe;
pub mod gate;
pub mod home;
mod http;
pub mod http_bridge;
pub mod inspector;
pub mod leaks;
pub mod mcp;
pub mod messages;
pub mod model;
pub mod normalise;
pub mod peer;
pub mod poll;
pub mod process;
pub mod terminal;
pub mod tools;
