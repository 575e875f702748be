//! The rules of the repository that no compiler or lint holds, as ordinary tests.
//!
//! Each rule is a function from what it reads to the problems it found, and has a test that it can fail. A rule never
//! changes a file; its message says what to do instead.

#![expect(clippy::disallowed_methods, reason = "asks git for the files and cargo for the crates")]

mod documents;
mod layers;
mod repository;
mod size;
mod source;
mod text;
mod tools;

/// Fails with every problem at once and with what to do about them.
#[track_caller]
fn assert_none(problems: &[String], remedy: &str) {
    assert!(problems.is_empty(), "\n{}\n\nWhat to do: {remedy}\n", problems.join("\n"));
}
