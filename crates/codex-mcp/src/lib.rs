//! The library behind the binary.

pub mod cli;
mod clock;
mod codex;
pub mod config;
pub mod daemon;
mod diagnosis;
pub mod engine;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod image;
pub mod ledger;
pub mod logging;
pub mod mcp;
mod monitors;
pub mod redact;
pub mod test_run;
mod text_file;
pub mod workspace;
