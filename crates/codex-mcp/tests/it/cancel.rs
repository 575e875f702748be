//! `codex.cancel`, and calls that their client gives up: nothing of a turn stays behind.

use std::time::Duration;

use serde_json::json;
use testkit::gate::Gate;
use testkit::model::{reply, runs, says};
use testkit::poll;

use crate::bridge::{TestBridge, content, error_code, text};

/// How long a command may take to show up, or to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until the command of a turn runs.
async fn sleep_runs(bridge: &TestBridge) {
    poll::until(PATIENCE, || match sleeps(bridge) {
        0 => Err("no sleep runs"),
        _ => Ok(()),
    })
    .await;
}

fn sleeps(bridge: &TestBridge) -> usize {
    bridge.processes("sleep 600").len()
}

#[tokio::test]
async fn a_running_command_is_gone_when_the_answer_comes() {
    let mut bridge = TestBridge::start([says("Ready."), runs("sleep 600")]).await;
    let thread = bridge.thread("Are you ready?").await;
    let turn = bridge.begin("codex-reply", json!({ "prompt": "Sleep.", "threadId": thread })).await;
    sleep_runs(&bridge).await;
    let cancelled =
        bridge.call("codex.cancel", json!({ "threadId": thread, "reason": "enough" })).await;
    assert_eq!(sleeps(&bridge), 0, "a command still runs");
    assert_eq!(cancelled["structuredContent"]["turn"]["status"], "interrupted", "{cancelled}");
    let answer = bridge.result(turn).await;
    assert_eq!(answer["structuredContent"]["status"], "interrupted", "{answer}");
    assert_eq!(answer["structuredContent"]["stoppedBy"], "codex.cancel: enough", "{answer}");
    assert_eq!(bridge.home.git(&["status", "--porcelain"]), "");
    bridge.model.add([says("I am back.")]);
    let next = bridge.call("codex-reply", json!({ "prompt": "Hello?", "threadId": thread })).await;
    assert_eq!(content(&next), "I am back.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_call_that_is_given_up_ends_its_command_too() {
    let mut bridge = TestBridge::start([runs("sleep 600")]).await;
    let call = bridge.begin("codex", json!({ "prompt": "Sleep." })).await;
    sleep_runs(&bridge).await;
    bridge.client.cancel(call, "user").await;
    poll::until(PATIENCE, || match sleeps(&bridge) {
        0 => Ok(()),
        running => Err(format!("{running} still run")),
    })
    .await;
    bridge.call("codex.health", json!({})).await;
    assert!(!bridge.was_answered(call), "a cancelled call was answered");
    bridge.finish().await;
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_nothing() {
    let mut bridge = TestBridge::start([runs("sleep 600")]).await;
    bridge.begin("codex", json!({ "prompt": "Sleep." })).await;
    sleep_runs(&bridge).await;
    bridge.finish().await;
}

#[tokio::test]
async fn what_waits_in_the_queue_is_dropped_or_left_as_asked() {
    let gate = Gate::new("held");
    let script = [says("Zero."), reply().holds(&gate).says("One."), says("Three.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("zero").await;
    let one = bridge.begin("codex-reply", json!({ "prompt": "one", "threadId": thread })).await;
    gate.reached().await;
    let two = bridge.begin("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    bridge.client.progress(two).await;
    bridge.client.cancel(two, "user").await;
    let three = bridge.begin("codex-reply", json!({ "prompt": "three", "threadId": thread })).await;
    assert_eq!(
        text(&bridge.client.progress(three).await["message"]),
        "waiting: place 1 in the thread's queue"
    );
    let look = bridge.call("codex.wait", json!({ "threadId": thread, "waitSeconds": 0 })).await;
    assert_eq!(look["structuredContent"]["status"], "queued", "{look}");
    let turn = bridge.turn_of(one).await;
    let arguments = json!({ "threadId": thread, "turnId": turn });
    bridge.call("codex.cancel", arguments).await;
    assert_eq!(bridge.result(one).await["structuredContent"]["status"], "interrupted");
    assert_eq!(content(&bridge.result(three).await), "Three.");
    assert_eq!(
        error_code(&bridge.call("codex.cancel", json!({ "threadId": thread })).await),
        "nothing_to_cancel"
    );
    bridge.finish().await;
}
