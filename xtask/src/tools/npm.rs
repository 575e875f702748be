//! Node and npm: are they there and new enough, and the one call of `npm ci`.
//!
//! The user's npm configuration decides where packages come from, and nothing else: whatever there could change
//! *what* is installed is overruled on the command line. It never installs node or npm itself.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};

use crate::command;
use crate::workspace::Workspace;

/// The oldest major versions that are tried: npm 10 comes with Node.js 20.
const OLDEST: [(&str, u32); 2] = [("node", 20), ("npm", 10)];

/// How to get both, for every error about them.
const REMEDY: &str =
    "install Node.js 20 or later, which brings npm 10 or later, and run `cargo xtask tools` again";

/// What a user's or a machine's npm configuration may say otherwise, and must not here.
const OPTIONS: [&str; 12] = [
    "--ignore-scripts",
    "--include=optional",
    "--install-strategy=hoisted",
    "--package-lock=true",
    "--global=false",
    "--workspaces=false",
    "--dry-run=false",
    // The Inspector asks for a newer node than this one may be; it is run with the node of the lock file.
    "--engine-strict=false",
    "--audit=false",
    "--fund=false",
    "--progress=false",
    "--loglevel=error",
];

/// Fails with a remedy when node or npm is missing or too old.
pub(super) fn require_node_and_npm(workspace: &Workspace) -> Result<()> {
    for (program, oldest) in OLDEST {
        let version = command::read(workspace.command(program).arg("--version"))
            .with_context(|| format!("{program} does not run: {REMEDY}"))?;
        let major =
            major(&version).with_context(|| format!("{program} --version answered {version:?}"))?;
        if major < oldest {
            bail!("{program} {version} is too old, {oldest} or later is needed: {REMEDY}");
        }
    }
    Ok(())
}

/// Installs exactly what the lock file in `folder` says into `folder/node_modules`.
pub(super) fn clean_install(workspace: &Workspace, folder: &Path) -> Result<()> {
    println!(
        "installing the pinned tools (about 1 GB on disk, once per version of tools/package-lock.json)"
    );
    command::run(workspace.command("npm").arg("ci").args(OPTIONS).current_dir(folder)).context(
        "npm could not install the pinned tools: check that it reaches its registry (`npm ping`) and that \
         tools/package-lock.json matches tools/package.json",
    )
}

/// `20` of `v20.20.2` and of `20.20.2`.
fn major(version: &str) -> Result<u32> {
    let number = version.trim_start_matches('v').split('.').next().unwrap_or_default();
    number.parse().map_err(|_| anyhow!("cannot read a version number from {version:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_with_and_without_its_letter() {
        assert_eq!(major("v20.20.2").unwrap(), 20);
        assert_eq!(major("11.19.1").unwrap(), 11);
        assert!(major("").is_err());
        assert!(major("unknown").is_err());
    }
}
