//! The text of a change, against itself and against git.

mod apply;
mod git;
mod hostile;
mod large;
mod merging;
mod parsing;
mod paths;
mod placing;
mod renaming;
mod rendering;
mod roundtrip;
mod texts;
mod warning;
