//! The real Codex behind a scripted model, and programs that are not Codex, as child processes.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the messages that it waits for")]

mod rig;
mod start;
mod stop;
mod turns;
