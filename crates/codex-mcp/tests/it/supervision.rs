//! How many app-servers there are, what they may need, and what becomes of those that nobody uses.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::{Script, reply, says};
use testkit::poll;

use crate::bridge::{Setup, TestBridge, content, error_code, text};

/// How long something may take that nobody waits for.
const LIMIT: Duration = Duration::from_secs(20);

fn with(arguments: &[&str]) -> Setup {
    Setup { arguments: arguments.iter().map(Into::into).collect(), ..Setup::default() }
}

async fn health(bridge: &mut TestBridge) -> Value {
    bridge.call("codex.health", json!({})).await["structuredContent"].clone()
}

#[tokio::test]
async fn isolated_threads_have_a_process_each_and_die_alone() {
    let gates = [Gate::new("first"), Gate::new("second")];
    let script = [
        reply().when("first").holds(&gates[0]).says("one"),
        reply().when("second").streams("tw").holds(&gates[1]),
        says("again").when("third"),
    ];
    let mut bridge = TestBridge::start_with(script, with(&["--isolation", "thread"])).await;
    let first = bridge.begin("codex", json!({ "prompt": "first" })).await;
    gates[0].reached().await;
    let before: Vec<_> =
        bridge.processes("app-server").into_iter().map(|process| process.pid).collect();
    let second = bridge.begin("codex", json!({ "prompt": "second" })).await;
    bridge.news(second, "result").await;
    let mut servers = bridge.processes("app-server");
    // One that was warmed for the client may be there too.
    assert!(servers.len() > before.len(), "{servers:#?}");
    servers.retain(|process| !before.contains(&process.pid));
    let pid = rustix::process::Pid::from_raw(servers[0].pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let cut = bridge.result(second).await;
    assert_eq!(error_code(&cut), "codex_exited");
    gates[0].open();
    assert_eq!(content(&bridge.result(first).await), "one");
    let thread = text(&cut["structuredContent"]["threadId"]);
    let third = bridge.call("codex-reply", json!({ "prompt": "third", "threadId": thread })).await;
    assert_eq!(content(&third), "again");
    bridge.finish().await;
}

#[tokio::test]
async fn one_process_too_many_takes_the_place_of_an_idle_one() {
    let setup = with(&["--isolation", "thread", "--max-codex-processes", "1"]);
    let mut bridge = TestBridge::start_with(Script::always(says("Well.")), setup).await;
    for number in 0..3 {
        bridge.thread(&format!("Question {number}.")).await;
        assert_eq!(bridge.processes("app-server").len(), 1);
    }
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_that_nobody_uses_is_let_go_and_comes_back() {
    let setup = with(&["--thread-idle-seconds", "1"]);
    let mut bridge = TestBridge::start_with(Script::always(says("Well.")), setup).await;
    let thread = bridge.thread("One.").await;
    while health(&mut bridge).await["work"]["threadsLoaded"] != 0 {}
    let arguments = json!({ "prompt": "Two.", "threadId": thread });
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "Well.");
    assert_eq!(bridge.model.captured()[1].texts("user").last().unwrap(), "Two.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_ceiling_on_loaded_threads_holds() {
    let setup = with(&["--max-loaded-threads", "2"]);
    let mut bridge = TestBridge::start_with(Script::always(says("Well.")), setup).await;
    let first = bridge.thread("Question 0.").await;
    for number in 1..4 {
        bridge.thread(&format!("Question {number}.")).await;
        let loaded = &health(&mut bridge).await["work"]["threadsLoaded"];
        assert!(loaded.as_u64().unwrap() <= 2, "{loaded}");
    }
    let arguments = json!({ "prompt": "Back.", "threadId": first });
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "Well.");
    bridge.finish().await;
}

#[tokio::test]
async fn an_app_server_that_has_grown_is_replaced() {
    let setup = with(&["--max-codex-megabytes", "1"]);
    let mut bridge = TestBridge::start_with(Script::always(says("Well.")), setup).await;
    let thread = bridge.thread("One.").await;
    let gone = || match bridge.processes("app-server") {
        servers if servers.is_empty() => Ok(()),
        servers => Err(servers),
    };
    poll::until(LIMIT, gone).await;
    let arguments = json!({ "prompt": "Two.", "threadId": thread });
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "Well.");
    bridge.finish().await;
}
