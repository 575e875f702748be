//! `codex.steer`: more input for the running turn, and never a new one.

use serde_json::json;
use testkit::gate::Gate;
use testkit::model::{reply, says};

use crate::bridge::{TestBridge, content, error_code, text};

#[tokio::test]
async fn the_running_turn_takes_the_message() {
    let gate = Gate::new("before the answer");
    let script = [
        says("Ready."),
        reply().streams("I will ").holds(&gate).streams("go left."),
        says("I go right."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Are you ready?").await;
    let turn =
        bridge.begin("codex-reply", json!({ "prompt": "Which way?", "threadId": thread })).await;
    gate.reached().await;
    let steered =
        bridge.call("codex.steer", json!({ "threadId": thread, "prompt": "Go right!" })).await;
    assert_eq!(steered["structuredContent"]["status"], "inProgress", "{steered}");
    gate.open();
    let answer = bridge.result(turn).await;
    assert_eq!(content(&answer), "I go right.");
    assert_eq!(answer["structuredContent"]["turnId"], steered["structuredContent"]["turnId"]);
    assert_eq!(bridge.model.captured()[2].prompt(), "Go right!");
    bridge.finish().await;
}

#[tokio::test]
async fn without_a_running_turn_nothing_starts() {
    let mut bridge = TestBridge::start([says("Ready.")]).await;
    let thread = bridge.thread("Are you ready?").await;
    let answer = bridge.call("codex.steer", json!({ "threadId": thread, "prompt": "Go!" })).await;
    assert_eq!(error_code(&answer), "no_running_turn");
    assert!(text(&answer["content"][0]["text"]).contains("codex-reply"), "{answer}");
    assert_eq!(bridge.model.captured().len(), 1);
    bridge.finish().await;
}

#[tokio::test]
async fn another_turn_than_the_one_that_is_meant_is_left_alone() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([says("Ready."), reply().holds(&gate).says("Done.")]).await;
    let thread = bridge.thread("Are you ready?").await;
    let turn = bridge.begin("codex-reply", json!({ "prompt": "Go on.", "threadId": thread })).await;
    gate.reached().await;
    let arguments = json!({ "threadId": thread, "prompt": "Stop!", "turnId": "another" });
    assert_eq!(error_code(&bridge.call("codex.steer", arguments).await), "wrong_turn");
    gate.open();
    assert_eq!(content(&bridge.result(turn).await), "Done.");
    bridge.finish().await;
}
