//! `cargo xtask bless`: accepts what the code does now.
//!
//! Snapshots and generated documents are rewritten by the very tests that compare them, so there is no second
//! generator that could disagree. Read the diff before you commit it.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{command, tools};

/// Runs every test with `UPDATE_EXPECT=1`, which makes each rewrite what it would otherwise compare.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    tools::run(workspace)?;
    // One failing test must not keep the others from rewriting their files.
    let arguments = ["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"];
    command::run(workspace.cargo(&arguments).env("UPDATE_EXPECT", "1"))
}
