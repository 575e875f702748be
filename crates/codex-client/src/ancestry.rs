//! How many app-servers of ours this process runs below: a Codex that has this very program among its MCP servers would
//! otherwise call itself in a circle.
//!
//! Each app-server carries its depth in its environment. Codex does not pass that on to its MCP servers, so the
//! environments of those above are looked at too, the nearest first. Only Linux shows them; elsewhere this finds nothing.

use std::ffi::OsString;
use std::fs;

use crate::orphan;

/// The variable that holds an app-server's depth: 1 for one that no other stands above.
pub const VARIABLE: &str = "CODEX_MCP_DEPTH";

/// How far up is looked.
const MAX_ANCESTORS: usize = 64;

/// The variable for the environment of an app-server.
#[must_use]
pub fn variable(depth: u32) -> (OsString, OsString) {
    (VARIABLE.into(), depth.to_string().into())
}

/// The depth of the nearest app-server above this process; 0 if there is none. Takes well under a millisecond.
#[must_use]
pub fn depth_above() -> u32 {
    let first = std::os::unix::process::parent_id();
    let ancestors = std::iter::successors(Some(first), |pid| parent(*pid));
    ancestors.take(MAX_ANCESTORS).find_map(depth_of).unwrap_or(0)
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name, which may hold anything, stand the state and the parent.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok().filter(|parent| *parent > 0)
}

fn depth_of(pid: u32) -> Option<u32> {
    depth_in(&fs::read(format!("/proc/{pid}/environ")).ok()?)
}

fn depth_in(environment: &[u8]) -> Option<u32> {
    let value = |name: &str| {
        let mut variables = environment.split(|byte| *byte == 0);
        variables.find_map(|variable| {
            std::str::from_utf8(variable).ok()?.strip_prefix(name)?.strip_prefix('=')
        })
    };
    // One of a version that did not count is one all the same.
    let uncounted = || value(orphan::VARIABLE).map(|_| 1);
    value(VARIABLE).and_then(|depth| depth.parse().ok()).or_else(uncounted)
}

#[cfg(test)]
mod tests {
    use super::depth_in;

    #[test]
    fn the_depth_stands_in_the_environment() {
        let cases: [(&[u8], Option<u32>); 6] = [
            (b"", None),
            (b"PATH=/bin\0HOME=/\0", None),
            (b"PATH=/bin\0CODEX_MCP_DEPTH=2\0", Some(2)),
            (b"CODEX_MCP_DEPTH=many\0", None),
            (b"CODEX_MCP_APP_SERVER=1.2.3\0", Some(1)),
            (b"CODEX_MCP_APP_SERVER=1.2.3\0CODEX_MCP_DEPTH=3\0", Some(3)),
        ];
        for (environment, depth) in cases {
            assert_eq!(depth_in(environment), depth, "{}", String::from_utf8_lossy(environment));
        }
    }
}
