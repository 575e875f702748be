//! `cargo xtask lint` and `cargo xtask check`: what a contributor runs before a commit.
//!
//! Cheapest first, so that a formatting slip shows in a second. The tidy rules are ordinary tests
//! (`xtask/tests/tidy`) and run with the others.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{command, test};

/// Checks format and lints.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    command::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    command::run(&mut workspace.cargo(&clippy))
}

/// Checks format, lints, tests and documentation, and stops at the first that fails.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    lint(workspace)?;
    test::run(workspace, &[])?;
    let mut doc = workspace.cargo(&["doc", "--workspace", "--no-deps"]);
    // Links to what is private are for those who read the source.
    let flags = "-D warnings -A rustdoc::private_intra_doc_links";
    command::run(doc.env("RUSTDOCFLAGS", flags))
}
