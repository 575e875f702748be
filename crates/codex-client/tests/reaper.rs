//! Alone in its program: the reaper looks at every child of its process.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use codex_client::orphan::Reaper;
use testkit::poll;

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    clippy::zombie_processes,
    reason = "a child that nobody waits for is what is tested"
)]
async fn a_child_that_nobody_waits_for_is_waited_for_at_the_second_look() {
    let mut child = Command::new("true");
    let child = child.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
    let stat = format!("/proc/{}/stat", child.id());
    poll::until(Duration::from_secs(10), || match std::fs::read_to_string(&stat) {
        Ok(stat) if stat.contains(") Z ") => Ok(()),
        other => Err(other.map_err(|error| error.to_string())),
    })
    .await;
    let mut reaper = Reaper::default();
    assert_eq!(reaper.reap(), 0, "whoever started it may be about to wait for it");
    assert_eq!(reaper.reap(), 1);
    assert!(!Path::new(&stat).exists());
    assert_eq!(reaper.reap(), 0);
}
