//! The life of the server and of its app-server: warm before the first call, gone with the client.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use testkit::model::{runs, says};
use testkit::poll;

use crate::bridge::{Setup, TestBridge, content};

const PATIENCE: Duration = Duration::from_secs(10);

fn app_servers(bridge: &TestBridge) -> usize {
    bridge.processes("app-server").len()
}

async fn until_app_servers(bridge: &TestBridge, wanted: usize) {
    poll::until(PATIENCE, || match app_servers(bridge) {
        running if running == wanted => Ok(()),
        running => Err(format!("{running} app-servers run")),
    })
    .await;
}

#[tokio::test]
async fn the_app_server_is_started_when_a_client_connects() {
    let bridge = TestBridge::spawn([], Setup::default());
    until_app_servers(&bridge, 1).await;
    bridge.finish().await;
}

#[tokio::test]
async fn an_unused_app_server_is_stopped_and_the_next_call_starts_one() {
    let setup = Setup { arguments: vec!["--idle-stop-seconds=1".into()], ..Setup::default() };
    let mut bridge = TestBridge::start_with([says("One."), says("Two.")], setup).await;
    let thread = bridge.thread("one").await;
    until_app_servers(&bridge, 0).await;
    let next = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(content(&next), "Two.");
    bridge.finish().await;
}

#[tokio::test]
async fn signals_end_the_server_and_everything_it_started() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut bridge = TestBridge::start([runs("sleep 600")]).await;
        bridge.begin("codex", json!({ "prompt": "Sleep." })).await;
        let sleeps = |bridge: &TestBridge| !bridge.processes("sleep 600").is_empty();
        poll::until(PATIENCE, || if sleeps(&bridge) { Ok(()) } else { Err("no sleep runs") }).await;
        bridge.client.peer.signal(signal);
        bridge.finish().await;
    }
}

#[tokio::test]
async fn a_killed_server_takes_its_app_server_along() {
    let mut bridge = TestBridge::start([runs("sleep 600")]).await;
    bridge.begin("codex", json!({ "prompt": "Sleep." })).await;
    until_app_servers(&bridge, 1).await;
    bridge.model.wait_for_requests(1).await;
    bridge.client.peer.signal(Signal::KILL);
    bridge.client.peer.wait_exit().await;
    bridge.home.check_leaks();
}

#[tokio::test]
async fn every_protocol_version_is_served() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut bridge = TestBridge::spawn([says("Hello.")], Setup::default());
        let reply = bridge.client.initialize_legacy(version).await;
        assert_eq!(reply["result"]["protocolVersion"], version);
        assert_eq!(content(&bridge.call("codex", json!({ "prompt": "Hi." })).await), "Hello.");
        bridge.finish().await;
    }
    let mut bridge = TestBridge::spawn([says("Hello.")], Setup::default());
    let discovered = bridge.client.discover().await;
    assert_eq!(
        discovered["result"]["supportedVersions"].as_array().map(Vec::len),
        Some(5),
        "{discovered}"
    );
    assert_eq!(content(&bridge.call("codex", json!({ "prompt": "Hi." })).await), "Hello.");
    bridge.finish().await;
}
