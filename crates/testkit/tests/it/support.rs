//! How these tests start the real Codex.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::model::FakeModel;
use testkit::peer::Peer;
use testkit::process::Launch;
use testkit::tools;

/// Runs `codex exec --json` once, with free access to its workspace, and returns the events it
/// prints.
pub(crate) async fn exec(home: &CodexHome, options: &[&str], prompt: &str) -> Vec<Value> {
    let fixed = ["exec", "--json", "--skip-git-repo-check", "--sandbox", "workspace-write"];
    let launch = Launch::new(tools::codex(), home.workspace()).environment(home.environment());
    let ended = launch
        .arguments(fixed)
        .arguments(options)
        .arguments([prompt])
        .run(Duration::from_secs(20))
        .await;
    ended.stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON event")).collect()
}

/// The completed items of one type.
pub(crate) fn items<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let completed =
        events.iter().filter(|event| event["type"] == "item.completed").map(|event| &event["item"]);
    completed.filter(|item| item["type"] == kind).collect()
}

/// The message of `turn.failed`.
pub(crate) fn failure(events: &[Value]) -> &str {
    let failed = events.iter().find(|event| event["type"] == "turn.failed").expect("a failed turn");
    failed["error"]["message"].as_str().expect("a message")
}

/// A home for the model. The model must be declared first, so that it outlives Codex.
pub(crate) fn home_for(model: &FakeModel) -> CodexHome {
    CodexHome::new(&model.base_url())
}

/// Starts an app-server and one thread in it; returns the thread's id.
pub(crate) async fn app_server(home: &CodexHome) -> (Peer, String) {
    let launch = Launch::new(tools::codex(), home.workspace()).environment(home.environment());
    let mut codex = Peer::spawn(&launch.arguments(["app-server"]));
    let client = json!({"clientInfo": {"name": "testkit", "version": "0"}, "capabilities": {"experimentalApi": true}});
    codex.request("initialize", client).await;
    codex.notify("initialized", json!({})).await;
    let started = codex
        .request("thread/start", json!({"cwd": home.workspace(), "approvalPolicy": "never"}))
        .await;
    let thread = started["result"]["thread"]["id"].as_str().expect("a thread id").to_owned();
    (codex, thread)
}

/// Starts a turn and returns its id.
pub(crate) async fn start_turn(codex: &mut Peer, thread: &str, prompt: &str) -> String {
    let input = json!([{"type": "text", "text": prompt}]);
    let reply = codex.request("turn/start", json!({"threadId": thread, "input": input})).await;
    reply["result"]["turn"]["id"].as_str().expect("a turn id").to_owned()
}

/// Closes the app-server in good order.
pub(crate) async fn stop(mut codex: Peer) {
    codex.close_input();
    assert!(codex.wait_exit().await.success());
}
