//! Holds the wire types against the schema that the pinned Codex generates of itself.
//!
//! What we send is valid and has no field that Codex does not know. What we read is read from samples
//! made of the schema, with and without everything optional, and loses no field that we name. The part
//! of the schema that we depend on is stored, so that an upgrade shows as a difference.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the messages that it waits for")]

mod closure;
mod codex;
mod read;
mod sample;
mod send;
mod tolerance;
