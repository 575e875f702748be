//! Builds the server, and says where the build put it.
//!
//! It never runs the server.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::command;
use crate::workspace::Workspace;

/// How well the server is optimised.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Dev,
    /// What `cargo install` builds.
    Release,
}

/// Builds `codex-mcp`, and returns the program.
pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let mut build = workspace.cargo(&["build", "--package", "codex-mcp"]);
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            build.arg("--release");
            "release"
        }
    };
    command::run(&mut build)?;
    // This program lies in the same target directory, whatever that is set to.
    let this = std::env::current_exe().context("cannot find out where this program lies")?;
    let target =
        this.ancestors().nth(2).context("this program does not lie in a target directory")?;
    Ok(target.join(folder).join("codex-mcp"))
}
