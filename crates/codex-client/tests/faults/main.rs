//! What a connection does when the other side, or the owner, misbehaves. No process is started: the
//! other side is the test, at the far end of two in-memory pipes, and time stands still.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the messages that it waits for")]

mod framing;
mod load;
mod requests;
mod rig;
