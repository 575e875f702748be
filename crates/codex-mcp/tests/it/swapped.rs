//! Folders that are swapped while a turn waits for its place: it does not begin in what is there instead.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::{reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, text};

/// Puts a link out of the workspace in the place of its folder `sub`.
fn swap(bridge: &TestBridge) {
    let sub = bridge.home.workspace().join("sub");
    fs::rename(&sub, sub.with_extension("away")).unwrap();
    symlink("/etc", &sub).unwrap();
}

#[track_caller]
fn assert_moved(answer: &Value) {
    assert_eq!(error_code(answer), "directory_not_found", "{answer}");
    let told = text(&answer["content"][0]["text"]);
    assert!(told.contains("/sub was moved, deleted or replaced meanwhile"), "{told}");
}

async fn start(gate: &Gate) -> TestBridge {
    let setup = Setup { arguments: vec!["--max-running-turns=1".into()], ..Setup::default() };
    let script = [says("Hello."), reply().holds(gate).says("Done."), says("Still there.")];
    let bridge = TestBridge::start_with(script, setup).await;
    fs::create_dir(bridge.home.workspace().join("sub")).unwrap();
    bridge
}

#[tokio::test]
async fn a_new_thread_does_not_begin_in_another_folder() {
    let gate = Gate::new("the turn before");
    let mut bridge = start(&gate).await;
    let other = bridge.thread("Hello?").await;
    let before = bridge.begin("codex-reply", json!({ "prompt": "Wait.", "threadId": other })).await;
    gate.reached().await;
    let waiting = bridge.begin("codex", json!({ "prompt": "x", "cwd": "sub" })).await;
    bridge.news(waiting, "progress").await;
    swap(&bridge);
    gate.open();
    assert_eq!(content(&bridge.result(before).await), "Done.");
    assert_moved(&bridge.result(waiting).await);
    let next = bridge.call("codex-reply", json!({ "prompt": "And?", "threadId": other })).await;
    assert_eq!(content(&next), "Still there.");
    bridge.finish().await;
}

#[tokio::test]
async fn the_next_turn_of_a_thread_does_not_begin_in_another_folder() {
    let gate = Gate::new("the turn before");
    let mut bridge = start(&gate).await;
    let first = bridge.call("codex", json!({ "prompt": "Hello?", "cwd": "sub" })).await;
    let thread = text(&first["structuredContent"]["threadId"]);
    let before =
        bridge.begin("codex-reply", json!({ "prompt": "Wait.", "threadId": thread })).await;
    gate.reached().await;
    let waiting = bridge.begin("codex-reply", json!({ "prompt": "x", "threadId": thread })).await;
    bridge.news(waiting, "progress").await;
    swap(&bridge);
    gate.open();
    assert_eq!(content(&bridge.result(before).await), "Done.");
    assert_moved(&bridge.result(waiting).await);
    // With its own folder back it goes on.
    let sub = bridge.home.workspace().join("sub");
    fs::remove_file(&sub).unwrap();
    fs::rename(sub.with_extension("away"), &sub).unwrap();
    let next = bridge.call("codex-reply", json!({ "prompt": "And?", "threadId": thread })).await;
    assert_eq!(content(&next), "Still there.");
    bridge.finish().await;
}
