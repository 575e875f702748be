//! Processor time, as the kernel counts it: in hundredths of a second, so it is read over blocks of turns.

use std::fs;

use anyhow::{Context as _, Result};

/// The milliseconds that a living process has spent, in user and kernel mode.
pub(super) fn of_process(pid: u32) -> Result<f64> {
    let [user, kernel, _, _] = times(&pid.to_string())?;
    Ok(milliseconds(user + kernel))
}

/// The milliseconds that the children which this process has waited for have spent, with those that they waited for.
pub(super) fn of_ended_children() -> Result<f64> {
    let [_, _, user, kernel] = times("self")?;
    Ok(milliseconds(user + kernel))
}

/// User and kernel time of a process, and of its ended children, in ticks.
fn times(process: &str) -> Result<[u64; 4]> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // The name of the program may contain anything, but ends with the last parenthesis.
    let (_, fields) = stat.rsplit_once(')').context("a stat file has a name in it")?;
    let mut fields = fields.split_whitespace().skip(11).map(str::parse);
    let mut next =
        || fields.next().context("a stat file has 52 fields")?.context("ticks are a number");
    Ok([next()?, next()?, next()?, next()?])
}

fn milliseconds(ticks: u64) -> f64 {
    let per_second = rustix::param::clock_ticks_per_second();
    ticks as f64 * 1000.0 / per_second as f64
}
