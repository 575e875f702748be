//! What the system says of the processes of a home.

use std::fs;

use anyhow::{Context as _, Result};
use testkit::home::CodexHome;
use testkit::leaks::processes_under;

/// The process ids of a home whose command lines contain `words`.
pub(super) fn named(home: &CodexHome, words: &str) -> Vec<u32> {
    let processes = processes_under(home.root()).into_iter();
    let named = processes.filter(|process| process.command_line.contains(words));
    named.filter_map(|process| u32::try_from(process.pid).ok()).collect()
}

/// The one process of a home whose command line contains `words`.
pub(super) fn only(home: &CodexHome, words: &str) -> Result<u32> {
    match named(home, words).as_slice() {
        [pid] => Ok(*pid),
        others => anyhow::bail!("not one process `{words}` but {others:?}"),
    }
}

/// The engine of a home.
pub(super) fn engine(home: &CodexHome) -> Result<u32> {
    only(home, "daemon run")
}

/// A line of a file about a process, in megabytes.
pub(super) fn megabytes(pid: u32, file: &str, field: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/{file}");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kilobytes.with_context(|| format!("{path} says nothing of {field}"))? / 1024.0)
}

/// How many files and sockets a process has open.
pub(super) fn handles(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/fd");
    let entries = fs::read_dir(&path).with_context(|| format!("cannot read {path}"))?;
    Ok(entries.count() as f64)
}
