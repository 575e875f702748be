//! `codex.wait`: the way back to a turn.

use serde_json::json;
use testkit::gate::Gate;
use testkit::model::{reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, text};

#[tokio::test]
async fn a_background_turn_is_collected() {
    let gate = Gate::new("held");
    let mut bridge =
        TestBridge::start([reply().streams("Half ").holds(&gate).streams("and half.")]).await;
    let started = bridge.call("codex", json!({ "prompt": "Think.", "background": true })).await;
    assert_eq!(started["structuredContent"]["status"], "inProgress", "{started}");
    let turn = &started["structuredContent"]["turnId"];
    let thread = text(&started["structuredContent"]["threadId"]);
    gate.reached().await;
    let look = bridge.call("codex.wait", json!({ "threadId": thread, "waitSeconds": 0 })).await;
    assert_eq!(look["structuredContent"]["status"], "inProgress", "{look}");
    let wait = bridge.begin("codex.wait", json!({ "threadId": thread, "turnId": turn })).await;
    gate.open();
    assert_eq!(content(&bridge.result(wait).await), "Half and half.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_background_turn_in_the_queue_has_a_place() {
    let gate = Gate::new("held");
    let script = [says("Zero."), reply().holds(&gate).says("One."), says("Two.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("zero").await;
    let first = bridge.begin("codex-reply", json!({ "prompt": "one", "threadId": thread })).await;
    gate.reached().await;
    let arguments = json!({ "prompt": "two", "threadId": thread, "background": true });
    let queued = bridge.call("codex-reply", arguments).await;
    assert_eq!(queued["structuredContent"]["status"], "queued", "{queued}");
    assert_eq!(queued["structuredContent"]["queuePosition"], 1, "{queued}");
    let wait = bridge.begin("codex.wait", json!({ "threadId": thread })).await;
    gate.open();
    assert_eq!(content(&bridge.result(first).await), "One.");
    assert_eq!(content(&bridge.result(wait).await), "Two.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_turn_from_before_a_restart_is_read_from_disk() {
    let mut bridge =
        TestBridge::start([reply().thinks("Colours.").runs("printf blue"), says("Blue.")]).await;
    let thread = bridge.thread("Name a colour.").await;
    bridge.restart(Setup::default()).await;
    let answer = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    assert_eq!(content(&answer), "Blue.");
    assert_eq!(answer["structuredContent"]["commands"][0]["output"], "blue", "{answer}");
    let unknown = json!({ "threadId": thread, "turnId": "01a205a5-c192-74e0-9472-ab51cb27f43e" });
    assert_eq!(error_code(&bridge.call("codex.wait", unknown).await), "turn_not_found");
    bridge.finish().await;
}
