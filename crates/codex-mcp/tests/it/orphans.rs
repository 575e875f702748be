//! What an app-server leaves behind is found and ended, wherever it hides.

use std::time::Duration;

use rustix::process::{Signal, kill_process};
use testkit::model::says;
use testkit::poll;

use crate::bridge::{Setup, TestBridge};

/// One of Codex's own MCP servers, which runs outside the sandbox: it leaves a process behind in a session of its own
/// and ends. Codex gives it an environment of Codex's choice.
const LEAVES: &str = r#"mcp_servers.leaves.command = "/bin/sh"
mcp_servers.leaves.args = ["-c", "x=$(setsid -f sh -c 'echo; exec sleep 613 </dev/null >/dev/null 2>&1'); exit 1"]"#;
/// The same with the variable that shows its origin.
const LEAVES_WITH_ENVIRONMENT: &str = r#"mcp_servers.leaves.command = "/bin/sh"
mcp_servers.leaves.env_vars = ["CODEX_MCP_APP_SERVER"]
mcp_servers.leaves.args = ["-c", "x=$(setsid -f sh -c 'echo; exec sleep 613 </dev/null >/dev/null 2>&1'); exit 1"]"#;

async fn until_sleeping(bridge: &TestBridge, wanted: usize) {
    poll::until(Duration::from_secs(10), || {
        let sleeping = bridge.processes("sleep 613");
        let sleeping =
            sleeping.iter().filter(|process| process.command_line == "sleep 613").count();
        match sleeping {
            sleeping if sleeping == wanted => Ok(()),
            sleeping => Err(sleeping),
        }
    })
    .await;
}

#[tokio::test]
async fn an_orphan_that_hides_its_origin_is_ended_with_its_app_server() {
    let setup = Setup { config: LEAVES, ..Setup::default() };
    let mut bridge = TestBridge::start_with([says("Zero.")], setup).await;
    bridge.thread("zero").await;
    until_sleeping(&bridge, 1).await;
    kill_process(bridge.app_server(), Signal::KILL).unwrap();
    until_sleeping(&bridge, 0).await;
    bridge.finish().await;
}

#[tokio::test]
async fn an_orphan_of_a_killed_engine_is_ended_by_the_next() {
    let setup = Setup { config: LEAVES_WITH_ENVIRONMENT, ..Setup::default() };
    let mut bridge = TestBridge::start_with([says("Zero.")], setup).await;
    bridge.thread("zero").await;
    until_sleeping(&bridge, 1).await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    // The front notices and starts another engine.
    until_sleeping(&bridge, 0).await;
    bridge.finish().await;
}

#[tokio::test]
async fn nothing_is_left_at_the_end() {
    let setup = Setup { config: LEAVES, ..Setup::default() };
    let mut bridge = TestBridge::start_with([says("Zero.")], setup).await;
    bridge.thread("zero").await;
    until_sleeping(&bridge, 1).await;
    bridge.finish().await;
}
