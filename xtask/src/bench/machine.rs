//! What the numbers were measured on.

use std::fs;
use std::thread;

/// One line: processors, load, memory.
pub(super) fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = memory.split_whitespace().nth(1).and_then(|total| total.parse::<u64>().ok());
    let gigabytes = kilobytes.unwrap_or_default() >> 20;
    let os = std::env::consts::OS;
    let arch = std::env::consts::ARCH;
    format!("{os} {arch}, {cores} cores, {gigabytes} GB, load {load}")
}
