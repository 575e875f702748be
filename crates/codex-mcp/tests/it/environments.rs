//! Clients whose Codex is started in different ways: each has an app-server of its own, and a thread is reached from all.

use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::mcp::McpDriver;
use testkit::model::{Script, reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, launch, result_of, text};

/// A terminal with another virtual environment.
fn elsewhere() -> Setup {
    Setup { variables: vec![("VIRTUAL_ENV", "/nowhere".into())], ..Setup::default() }
}

async fn leave(mut client: McpDriver) {
    client.peer.close_input();
    assert!(client.peer.wait_exit().await.success(), "{}", client.peer.stderr());
}

async fn call(client: &mut McpDriver, tool: &str, arguments: Value) -> Value {
    result_of(client.call_tool(tool, arguments).await)
}

/// A thread with a background turn that runs, and the turn.
async fn running(bridge: &mut TestBridge, gate: &Gate) -> String {
    let started = bridge.call("codex", json!({ "prompt": "Think.", "background": true })).await;
    gate.reached().await;
    text(&started["structuredContent"]["threadId"])
}

#[tokio::test]
async fn a_running_turn_is_waited_for_and_steered_from_another_environment() {
    let gate = Gate::new("held");
    let script = [reply().streams("I will ").holds(&gate).streams("go left."), says("Right.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = running(&mut bridge, &gate).await;
    let mut other = bridge.beside(elsewhere()).await;
    let look = json!({ "threadId": thread, "waitSeconds": 0 });
    let look = call(&mut other, "codex.wait", look).await;
    assert_eq!(look["structuredContent"]["status"], "inProgress", "{look}");
    let wait = other.start_call("codex.wait", json!({ "threadId": thread })).await;
    let steered = json!({ "threadId": thread, "prompt": "Go right!" });
    let steered = call(&mut other, "codex.steer", steered).await;
    assert_eq!(steered["structuredContent"]["status"], "inProgress", "{steered}");
    gate.open();
    assert_eq!(content(&result_of(other.peer.reply(wait).await)), "Right.");
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_running_turn_is_cancelled_from_another_environment() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate).says("Never.")]).await;
    let thread = running(&mut bridge, &gate).await;
    let mut other = bridge.beside(elsewhere()).await;
    let cancelled = call(&mut other, "codex.cancel", json!({ "threadId": thread })).await;
    assert_eq!(cancelled["structuredContent"]["turn"]["status"], "interrupted", "{cancelled}");
    gate.abandoned().await;
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_task_is_cancelled_from_another_environment() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::spawn([reply().holds(&gate).says("Never.")], Setup::default());
    let extensions = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    bridge.client = bridge.client.with_capabilities(extensions.clone());
    bridge.client.discover().await;
    let task = bridge.call("codex", json!({ "prompt": "Think.", "background": true })).await;
    let task = json!({ "taskId": task["taskId"] });
    gate.reached().await;
    let mut other = McpDriver::spawn(&launch(&bridge.home, elsewhere()));
    other = other.with_capabilities(extensions);
    other.discover().await;
    let seen = result_of(other.request("tasks/get", task.clone()).await);
    assert_eq!(seen["status"], "working", "{seen}");
    result_of(other.request("tasks/cancel", task.clone()).await);
    gate.abandoned().await;
    let seen = result_of(other.request("tasks/get", task).await);
    assert_eq!(seen["status"], "cancelled", "{seen}");
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_reply_from_another_environment_waits_in_the_same_queue() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate).says("One."), says("Two.")]).await;
    let thread = running(&mut bridge, &gate).await;
    let mut other = bridge.beside(elsewhere()).await;
    let second = json!({ "prompt": "two", "threadId": thread });
    let second = other.start_call("codex-reply", second).await;
    let waiting = other.progress(second).await;
    assert_eq!(text(&waiting["message"]), "waiting: place 1 in the thread's queue");
    gate.open();
    assert_eq!(content(&result_of(other.peer.reply(second).await)), "Two.");
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_turn_in_another_environment_ends_with_the_client_that_asked_for_it() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([says("One."), reply().holds(&gate).says("Never.")]).await;
    let thread = bridge.thread("one").await;
    let mut other = bridge.beside(elsewhere()).await;
    other.start_call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    gate.reached().await;
    leave(other).await;
    gate.abandoned().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_that_was_put_away_goes_on_in_any_environment() {
    let mut bridge = TestBridge::start(Script::always(says("Well."))).await;
    let thread = bridge.thread("one").await;
    let mut other = bridge.beside(elsewhere()).await;
    let reply = json!({ "prompt": "two", "threadId": thread });
    // As long as it is loaded, its own app-server has it.
    assert_eq!(content(&call(&mut other, "codex-reply", reply.clone()).await), "Well.");
    for action in ["archive", "unarchive"] {
        let change = json!({ "threadId": thread, "action": action });
        let changed = call(&mut other, "codex.thread.archive", change).await;
        assert_eq!(changed["isError"], false, "{changed}");
    }
    assert_eq!(content(&call(&mut other, "codex-reply", reply.clone()).await), "Well.");
    assert_eq!(content(&bridge.call("codex-reply", reply).await), "Well.");
    leave(other).await;
    bridge.finish().await;
}

/// A client without Codex, so that its engine has no process, that allows so many turns at once.
fn without_codex(turns: &'static str) -> Setup {
    let variables = vec![("CODEX_MCP_MAX_RUNNING_TURNS", turns.into())];
    Setup { codex: Some("/nowhere/codex".into()), variables, ..Setup::default() }
}

#[tokio::test]
async fn health_tells_the_limits_in_force_and_an_unused_engine_makes_room_for_new_ones() {
    let bridge = TestBridge::start([]).await;
    let mut first = bridge.beside(without_codex("2")).await;
    let mut second = bridge.beside(without_codex("3")).await;
    let findings = |health: &Value| {
        let findings = health["structuredContent"]["findings"].as_array().expect("findings");
        findings.iter().map(|finding| text(&finding["problem"])).collect::<Vec<_>>().join("\n")
    };
    let other = "this client shares an engine that was started with other settings: \
                 `max_running_turns` is 2 and not 3";
    let health = call(&mut first, "codex.health", json!({})).await;
    assert_eq!(health["structuredContent"]["limits"]["max_running_turns"]["value"], 2, "{health}");
    assert!(!findings(&health).contains("other settings"), "{health}");
    let health = call(&mut second, "codex.health", json!({})).await;
    assert_eq!(health["structuredContent"]["limits"]["max_running_turns"]["value"], 2, "{health}");
    assert!(findings(&health).contains(other), "{health}");
    leave(first).await;
    leave(second).await;
    // The engine notices a moment after they have ended.
    while bridge.command(&["daemon", "status"]).await.stdout.matches("Client ").count() > 1 {}

    let mut third = bridge.beside(without_codex("3")).await;
    let health = call(&mut third, "codex.health", json!({})).await;
    assert_eq!(health["structuredContent"]["limits"]["max_running_turns"]["value"], 3, "{health}");
    assert!(!findings(&health).contains("other settings"), "{health}");
    let refused = call(&mut third, "codex", json!({ "prompt": "x" })).await;
    assert_eq!(error_code(&refused), "codex_not_found");
    leave(third).await;
    bridge.finish().await;
}
