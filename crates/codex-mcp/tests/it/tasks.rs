//! The tasks extension: a background turn is a task for who declares it, and only for them.

use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::{reply, says};

use crate::bridge::{Setup, TestBridge, content, result_of, text};

/// A client of the newest revision that knows tasks.
async fn start(script: impl Into<testkit::model::Script>) -> TestBridge {
    let mut bridge = TestBridge::spawn(script, Setup::default());
    let extensions = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    bridge.client = bridge.client.with_capabilities(extensions);
    let discovered = bridge.client.discover().await;
    let offered = &discovered["result"]["capabilities"]["extensions"];
    assert!(offered["io.modelcontextprotocol/tasks"].is_object(), "{discovered}");
    bridge
}

async fn task(bridge: &mut TestBridge, id: &Value) -> Value {
    result_of(bridge.client.request("tasks/get", json!({ "taskId": id })).await)
}

/// Starts a background turn and gives the id of its task.
async fn begin(bridge: &mut TestBridge, tool: &str, mut arguments: Value) -> Value {
    arguments["background"] = json!(true);
    let task = bridge.call(tool, arguments).await;
    assert_eq!(task["resultType"], "task", "{task}");
    assert_eq!(task["status"], "working", "{task}");
    assert!(task["pollIntervalMs"].is_u64(), "{task}");
    task["taskId"].clone()
}

#[tokio::test]
async fn a_background_turn_is_a_task_until_its_result_is_there() {
    let gate = Gate::new("held");
    let mut bridge = start([reply().holds(&gate).says("Done.")]).await;
    let id = begin(&mut bridge, "codex", json!({ "prompt": "Think." })).await;
    gate.reached().await;
    assert_eq!(task(&mut bridge, &id).await["status"], "working");
    gate.open();
    let ended = loop {
        let task = task(&mut bridge, &id).await;
        if task["status"] != "working" {
            break task;
        }
    };
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(content(&ended["result"]), "Done.");
    // It is the turn under another name, for any later client too.
    let thread = &ended["result"]["structuredContent"]["threadId"];
    let waited = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    assert_eq!(waited["structuredContent"], ended["result"]["structuredContent"]);
    bridge.finish().await;
}

#[tokio::test]
async fn a_task_is_cancelled_whether_it_runs_or_waits() {
    let gate = Gate::new("held");
    let mut bridge = start([says("Zero."), reply().holds(&gate).says("One.")]).await;
    let thread = bridge.thread("zero").await;
    let arguments = json!({ "prompt": "one", "threadId": thread });
    let running = begin(&mut bridge, "codex-reply", arguments).await;
    gate.reached().await;
    let arguments = json!({ "prompt": "two", "threadId": thread });
    let waiting = begin(&mut bridge, "codex-reply", arguments).await;
    for id in [&waiting, &running] {
        result_of(bridge.client.request("tasks/cancel", json!({ "taskId": id })).await);
        assert_eq!(task(&mut bridge, id).await["status"], "cancelled");
        // Twice is once.
        result_of(bridge.client.request("tasks/cancel", json!({ "taskId": id })).await);
    }
    gate.abandoned().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_failed_turn_is_a_completed_task_with_an_error() {
    let mut bridge = start([testkit::model::fails("invalid_prompt")]).await;
    let id = begin(&mut bridge, "codex", json!({ "prompt": "x" })).await;
    let ended = loop {
        let task = task(&mut bridge, &id).await;
        if task["status"] != "working" {
            break task;
        }
    };
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(ended["result"]["isError"], true, "{ended}");
    assert!(ended["result"]["structuredContent"]["error"]["code"].is_string(), "{ended}");
    bridge.finish().await;
}

#[tokio::test]
async fn who_does_not_declare_tasks_gets_none() {
    let gates = [Gate::new("first"), Gate::new("second")];
    let script = [reply().holds(&gates[0]).says("One."), reply().holds(&gates[1]).says("Two.")];
    let mut bridge = TestBridge::spawn(script, Setup::default());
    bridge.client.discover().await;
    for gate in &gates {
        let arguments = json!({ "prompt": "Think.", "background": true });
        let answer = bridge.call("codex", arguments).await;
        assert_eq!(answer["structuredContent"]["status"], "inProgress", "{answer}");
        gate.reached().await;
        gate.open();
        let thread = text(&answer["structuredContent"]["threadId"]);
        bridge.call("codex.wait", json!({ "threadId": thread })).await;
    }
    bridge.finish().await;
}

#[tokio::test]
async fn what_is_no_task_of_the_client_is_refused() {
    let mut bridge = start([says("Well.")]).await;
    // A foreground turn is nobody's task.
    bridge.thread("x").await;
    for id in ["turn-0", "turn-1", "turn-2", "turn-99999", "turn--1", "x", "", "../turn-1"] {
        for method in ["tasks/get", "tasks/cancel"] {
            let refused = bridge.client.request(method, json!({ "taskId": id })).await;
            assert_eq!(refused["error"]["code"], -32602, "{method} {id}: {refused}");
        }
    }
    let update = json!({ "taskId": "turn-1", "inputResponses": {} });
    let refused = bridge.client.request("tasks/update", update).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    bridge.finish().await;
}
