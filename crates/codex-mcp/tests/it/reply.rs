//! `codex-reply`: the next turn of a thread, wherever the thread comes from.

use serde_json::json;
use testkit::gate::Gate;
use testkit::model::{reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, text};

#[tokio::test]
async fn a_thread_remembers() {
    let mut bridge = TestBridge::start([says("Blue."), says("I said blue.")]).await;
    let thread = bridge.thread("Name a colour.").await;
    let arguments = json!({ "prompt": "What did you say?", "conversationId": thread });
    let answer = bridge.call("codex-reply", arguments).await;
    assert_eq!(content(&answer), "I said blue.");
    assert_eq!(answer["structuredContent"]["threadId"], thread);
    let said = bridge.model.captured()[1].texts("assistant");
    assert_eq!(said, ["Blue."]);
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_outlives_the_server() {
    let mut bridge = TestBridge::start([says("Blue."), says("I said blue.")]).await;
    let thread = bridge.thread("Name a colour.").await;
    bridge.restart(Setup::default()).await;
    let arguments = json!({ "prompt": "What did you say?", "threadId": thread });
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "I said blue.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_of_codex_itself_goes_on() {
    let mut bridge = TestBridge::start([says("Blue."), says("I said blue.")]).await;
    let thread = bridge.thread_of_exec("Name a colour.");
    let arguments = json!({ "prompt": "What did you say?", "threadId": thread });
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "I said blue.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_second_message_waits_its_turn_and_its_options_are_its_own() {
    let gate = Gate::new("first");
    let script = [says("Zero."), reply().holds(&gate).says("One."), says("Two."), says("Three.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("zero").await;
    let first = bridge.begin("codex-reply", json!({ "prompt": "one", "threadId": thread })).await;
    gate.reached().await;
    let options = json!({ "prompt": "two", "threadId": thread, "effort": "high" });
    let second = bridge.begin("codex-reply", options).await;
    let waiting = bridge.client.progress(second).await;
    assert_eq!(text(&waiting["message"]), "waiting: place 1 in the thread's queue");
    assert_eq!(bridge.model.captured().len(), 2, "the second turn did not wait");
    gate.open();
    assert_eq!(content(&bridge.result(first).await), "One.");
    let second = bridge.result(second).await;
    assert_eq!(content(&second), "Two.");
    assert_eq!(second["structuredContent"]["effort"], "high");
    bridge.call("codex-reply", json!({ "prompt": "three", "threadId": thread })).await;
    let efforts: Vec<_> = bridge
        .model
        .captured()
        .iter()
        .map(|request| request.body["reasoning"]["effort"].clone())
        .collect();
    assert_eq!(efforts, ["medium", "medium", "high", "medium"]);
    bridge.finish().await;
}

/// Codex summarises a thread's history when its model changes.
#[tokio::test]
async fn another_model_holds_for_one_turn_and_is_warned_about() {
    let summary = || says("A summary.").when("CONTEXT CHECKPOINT COMPACTION");
    let script = [
        says("Zero.").when("zero"),
        summary(),
        says("One.").when("one"),
        summary(),
        says("Two.").when("two"),
    ];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("zero").await;
    let other = json!({ "prompt": "one", "threadId": thread, "model": "gpt-6-sol" });
    let other = bridge.call("codex-reply", other).await;
    assert_eq!(content(&other), "One.");
    assert_eq!(other["structuredContent"]["model"], "gpt-6-sol");
    assert!(text(&other["structuredContent"]["warnings"][0]).contains("gpt-5.5"), "{other}");
    let back = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(content(&back), "Two.");
    assert_eq!(back["structuredContent"]["model"], "gpt-5.5");
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_that_is_not_there_is_named() {
    let mut bridge = TestBridge::start([]).await;
    let unknown = "01a205a5-c192-74e0-9472-ab51cb27f43e";
    let answer = bridge.call("codex-reply", json!({ "prompt": "x", "threadId": unknown })).await;
    assert_eq!(error_code(&answer), "thread_not_found");
    assert!(text(&answer["content"][0]["text"]).contains(unknown), "{answer}");
    bridge.finish().await;
}
