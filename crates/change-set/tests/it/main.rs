//! Tests of the crate as its users see it, on real directories.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod apply;
mod crash;
mod git;
mod hostile;
mod round_trip;
mod scratch;
mod tree;
