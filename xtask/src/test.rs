//! `cargo xtask test`: the one test command of the README.
//!
//! It never changes what is asserted: with cargo-nextest on PATH each test gets its own process, a time limit and a
//! leak check; without it the same tests run under plain `cargo test`.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{command, tools};

/// Installs the pinned tools and runs the tests whose name contains one of `filters`; all when there are none.
///
/// The whole workspace is always built, also for a filter: the tests start binaries of other packages.
pub(crate) fn run(workspace: &Workspace, filters: &[String]) -> Result<()> {
    tools::run(workspace)?;
    // Documentation tests come first, because nextest cannot run them and its summary should be what a reader sees
    // last.
    let doc = ["test", "--workspace", "--doc", "--no-fail-fast", "--"];
    command::run(workspace.cargo(&doc).args(filters))?;
    if has_nextest(workspace) {
        let all = ["nextest", "run", "--workspace", "--no-fail-fast", "--"];
        command::run(workspace.cargo(&all).args(filters))
    } else {
        println!(
            "cargo-nextest is not on PATH: plain `cargo test` runs the same tests, without a limit of time"
        );
        let all = ["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast", "--"];
        command::run(workspace.cargo(&all).args(filters))
    }
}

fn has_nextest(workspace: &Workspace) -> bool {
    command::read(&mut workspace.cargo(&["nextest", "--version"])).is_ok()
}
