//! The text of a change, against itself and against git.

mod git;
mod roundtrip;
mod texts;
