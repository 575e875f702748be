//! `codex`: a new thread and its first turn.

use serde_json::json;
use testkit::model::{StepStatus, reply, says};

use crate::bridge::TestBridge;

#[tokio::test]
async fn a_turn_comes_back_with_all_that_belongs_to_it() {
    let script = [
        reply().thinks("Look first.").plans("why", &[("look", StepStatus::InProgress), ("answer", StepStatus::Pending)]),
        reply().comments("I look around.").runs("printf hello"),
        says("It says hello."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let result = bridge.call("codex", json!({ "prompt": "What does it say?" })).await;
    println!("{result:#}");
    println!("{}", result["content"][0]["text"].as_str().unwrap());
    bridge.finish().await;
}
