//! `cargo xtask fuzz`: lets the fuzzer look for inputs that break a promise.
//!
//! What it grows stays out of git. What it finds is mended, made small with `cargo fuzz tmin`, and goes into the kept corpus
//! by hand, where an ordinary test replays it. It installs nothing.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::command;
use crate::workspace::Workspace;

/// What is fuzzed, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these targets; all if none is named.
    targets: Vec<String>,
    /// How long each target is fuzzed.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Fuzzes one target after the other, and stops at the first that finds something.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if command::read(&mut workspace.cargo(&["fuzz", "--version"])).is_err() {
        bail!(
            "cargo-fuzz is not on PATH: `cargo install cargo-fuzz`; it also takes a C++ compiler"
        );
    }
    let known = targets(workspace)?;
    if let Some(unknown) = options.targets.iter().find(|target| !known.contains(target)) {
        bail!("there is no target `{unknown}`; the targets are {}", known.join(", "));
    }
    let wanted = if options.targets.is_empty() { &known } else { &options.targets };
    wanted.iter().try_for_each(|target| fuzz(workspace, target, options.seconds))
}

fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.fuzz().join("corpus");
    let entries = fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))?;
    let mut names: Vec<String> = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

fn fuzz(workspace: &Workspace, target: &str, seconds: u32) -> Result<()> {
    let grown = workspace.fuzz().join("grown").join(target);
    fs::create_dir_all(&grown).with_context(|| format!("{}", grown.display()))?;
    // Without a sanitizer: there is no unsafe code of ours, and it is three times as fast.
    let mut run = workspace.cargo(&["fuzz", "run", "--fuzz-dir", "fuzz", "--sanitizer", "none"]);
    run.args([target, &format!("fuzz/grown/{target}"), &format!("fuzz/corpus/{target}"), "--"]);
    run.args([&format!("-max_total_time={seconds}"), "-timeout=2", "-rss_limit_mb=2048"]);
    run.args(["-max_len=4096", "-dict=fuzz/words.dict"]);
    // The instrumentation is for nightly compilers, and the pinned one has it too.
    command::run(run.env("RUSTC_BOOTSTRAP", "1"))
}
