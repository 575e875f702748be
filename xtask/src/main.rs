//! Developer commands: `cargo xtask tools`, `test`, `lint`, `check`, `bless`, `fuzz`.
//!
//! They exist so that a contributor and the CI type the same few words. They never hold a rule of their own: what
//! must be true of the code is a lint or a test, and `cargo test` alone finds it broken.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "these commands speak to a person")]
#![expect(
    clippy::disallowed_methods,
    reason = "these commands start cargo, node and npm and read cargo's variables"
)]

mod bench;
mod bless;
mod check;
mod command;
mod demo;
mod fuzz;
mod server;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::workspace::Workspace;

/// Developer commands of codex-mcp.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Xtask {
    /// Install the pinned Codex, Claude Code, Inspector and conformance suite into .tools/.
    Tools,
    /// Install the tools, then run every test.
    Test {
        /// Run only the tests whose name contains one of these.
        filters: Vec<String>,
    },
    /// Check format and lints only.
    Lint,
    /// Everything that must hold before a commit: format, lints, tests, documentation.
    Check,
    /// Rewrite snapshots and generated documents from what the code does now.
    Bless,
    /// Show the server at work with the real Codex and a scripted model.
    Demo(demo::Options),
    /// Look for inputs that break a promise, with cargo-fuzz.
    Fuzz(fuzz::Options),
    /// Measure the server against what it replaces, side by side.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match run(Xtask::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Printed here because a returned error would add a backtrace, which says nothing about npm or cargo.
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command: Xtask) -> Result<()> {
    let workspace = Workspace::locate();
    match command {
        Xtask::Tools => tools::run(&workspace),
        Xtask::Test { filters } => test::run(&workspace, &filters),
        Xtask::Lint => check::lint(&workspace),
        Xtask::Check => check::run(&workspace),
        Xtask::Bless => bless::run(&workspace),
        Xtask::Demo(options) => demo::run(&workspace, &options),
        Xtask::Fuzz(options) => fuzz::run(&workspace, &options),
        Xtask::Bench(options) => bench::run(&workspace, &options),
    }
}
