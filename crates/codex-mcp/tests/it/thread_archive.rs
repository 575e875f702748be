//! `codex.thread.archive`: a thread is put away, taken back, deleted.

use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::{Script, reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, result_of, text};

async fn change(bridge: &mut TestBridge, thread: &str, action: &str) -> Value {
    let arguments = json!({ "threadId": thread, "action": action });
    let answer = bridge.call("codex.thread.archive", arguments).await;
    assert_eq!(answer["isError"], false, "{answer}");
    answer["structuredContent"]["state"].clone()
}

async fn listed(bridge: &mut TestBridge, archived: bool) -> usize {
    let answer = bridge.call("codex.thread.list", json!({ "archived": archived })).await;
    answer["structuredContent"]["threads"].as_array().expect("a list").len()
}

#[tokio::test]
async fn a_thread_is_put_away_and_taken_back() {
    let mut bridge = TestBridge::start(Script::always(says("Well."))).await;
    let thread = bridge.thread("x").await;
    assert_eq!(change(&mut bridge, &thread, "archive").await, "archived");
    assert_eq!(change(&mut bridge, &thread, "archive").await, "archived", "twice is once");
    assert_eq!((listed(&mut bridge, false).await, listed(&mut bridge, true).await), (0, 1));
    let reply = json!({ "prompt": "y", "threadId": thread });
    let refused = bridge.call("codex-reply", reply.clone()).await;
    assert_eq!(error_code(&refused), "thread_archived");
    bridge.restart(Setup::default()).await;
    assert_eq!((listed(&mut bridge, false).await, listed(&mut bridge, true).await), (0, 1));
    assert_eq!(change(&mut bridge, &thread, "unarchive").await, "active");
    assert_eq!(listed(&mut bridge, false).await, 1);
    assert_eq!(content(&bridge.call("codex-reply", reply).await), "Well.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_deleted_thread_is_gone_for_good() {
    let mut bridge = TestBridge::start_with(Script::always(says("Well.")), allowed()).await;
    let (ours, exec) = (bridge.thread("x").await, bridge.thread_of_exec("y"));
    for thread in [&ours, &exec] {
        assert_eq!(change(&mut bridge, thread, "delete").await, "deleted");
        for tool in ["codex.thread.read", "codex.thread.archive"] {
            let answer = bridge.call(tool, json!({ "threadId": thread })).await;
            assert_eq!(error_code(&answer), "thread_not_found");
        }
        let arguments = json!({ "prompt": "z", "threadId": thread });
        assert_eq!(error_code(&bridge.call("codex-reply", arguments).await), "thread_not_found");
    }
    assert_eq!((listed(&mut bridge, false).await, listed(&mut bridge, true).await), (0, 0));
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_at_work_is_left_alone() {
    let gate = Gate::new("held");
    let mut bridge =
        TestBridge::start_with([says("Zero."), reply().holds(&gate).says("One.")], allowed()).await;
    let thread = bridge.thread("zero").await;
    let turn = bridge.begin("codex-reply", json!({ "prompt": "one", "threadId": thread })).await;
    gate.reached().await;
    for action in ["archive", "delete"] {
        let arguments = json!({ "threadId": thread, "action": action });
        let refused = bridge.call("codex.thread.archive", arguments).await;
        assert_eq!(error_code(&refused), "thread_busy");
    }
    gate.open();
    assert_eq!(content(&bridge.result(turn).await), "One.");
    assert_eq!(change(&mut bridge, &thread, "archive").await, "archived");
    bridge.finish().await;
}

const LIST_CHANGED: &str = "notifications/resources/list_changed";

#[tokio::test]
async fn who_watches_hears_that_the_list_changed() {
    let mut bridge = TestBridge::start_with(Script::always(says("Well.")), allowed()).await;
    let mut other = bridge.beside(Setup::default()).await;
    let thread = bridge.thread("x").await;
    other.peer.incoming(LIST_CHANGED).await;
    for action in ["archive", "unarchive", "delete"] {
        change(&mut bridge, &thread, action).await;
        other.peer.incoming(LIST_CHANGED).await;
    }
    // A thread of another program comes into the list when somebody looks.
    bridge.thread_of_exec("y");
    assert_eq!(listed(&mut bridge, false).await, 1);
    other.peer.incoming(LIST_CHANGED).await;
    // Another look finds nothing new.
    assert_eq!(listed(&mut bridge, false).await, 1);
    result_of(other.request("resources/list", json!({})).await);
    assert_eq!(other.peer.received(LIST_CHANGED).len(), 5);
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn what_another_program_did_to_a_thread_is_learnt_when_it_is_touched() {
    let mut bridge = TestBridge::start_with(Script::always(says("Well.")), allowed()).await;
    let thread = bridge.thread("x").await;
    let elsewhere = bridge.home.root().join("another-state").into_os_string();
    let other =
        || Setup { variables: vec![("CODEX_MCP_STATE_DIR", elsewhere.clone())], ..allowed() };
    let reply = json!({ "prompt": "y", "threadId": thread });
    bridge.restart(other()).await;
    change(&mut bridge, &thread, "archive").await;
    bridge.restart(allowed()).await;
    let refused = bridge.call("codex-reply", reply.clone()).await;
    assert_eq!(error_code(&refused), "thread_archived");
    assert_eq!((listed(&mut bridge, false).await, listed(&mut bridge, true).await), (0, 1));

    bridge.restart(other()).await;
    change(&mut bridge, &thread, "unarchive").await;
    bridge.restart(allowed()).await;
    assert_eq!(change(&mut bridge, &thread, "unarchive").await, "active", "it is so already");
    assert_eq!((listed(&mut bridge, false).await, listed(&mut bridge, true).await), (1, 0));

    bridge.restart(other()).await;
    change(&mut bridge, &thread, "delete").await;
    bridge.restart(allowed()).await;
    let refused = bridge.call("codex-reply", reply).await;
    assert_eq!(error_code(&refused), "thread_not_found");
    // Our records stay until somebody deletes them here.
    assert_eq!((listed(&mut bridge, false).await, listed(&mut bridge, true).await), (0, 1));
    assert_eq!(change(&mut bridge, &thread, "delete").await, "deleted");
    assert_eq!((listed(&mut bridge, false).await, listed(&mut bridge, true).await), (0, 0));
    bridge.finish().await;
}

/// A server that destroys without asking.
fn allowed() -> Setup {
    Setup { arguments: vec!["--destructive-operations".into()], ..Setup::default() }
}

/// Whether a thread is deleted, given what the person behind the client says; `None` is a client that cannot ask.
async fn check_consent(says_so: Option<Value>, code: Option<&str>) {
    let setup = Setup {
        elicits: says_so.is_some(),
        arguments: vec!["--approval-deadline-seconds=1".into()],
        ..Setup::default()
    };
    let mut bridge = TestBridge::start_with([says("Well.")], setup).await;
    let thread = bridge.thread("x").await;
    let arguments = json!({ "threadId": thread, "action": "delete" });
    let call = bridge.begin("codex.thread.archive", arguments).await;
    if let Some(answer) = says_so {
        let asked = bridge.client.peer.incoming("elicitation/create").await;
        assert!(text(&asked["params"]["message"]).contains(&thread), "{asked}");
        // Silence is no answer at all.
        if !answer.is_null() {
            bridge.client.peer.respond(&asked["id"], answer).await;
        }
    }
    let answer = bridge.result(call).await;
    match code {
        Some(code) => assert_eq!(error_code(&answer), code),
        None => assert_eq!(answer["structuredContent"]["state"], "deleted", "{answer}"),
    }
    assert_eq!(listed(&mut bridge, false).await, usize::from(code.is_some()));
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_is_deleted_only_if_somebody_says_so() {
    let refused = Some("consent_required");
    check_consent(Some(json!({ "action": "accept", "content": {} })), None).await;
    check_consent(Some(json!({ "action": "decline" })), refused).await;
    check_consent(Some(json!({ "action": "cancel" })), refused).await;
    check_consent(Some(json!({ "action": "maybe" })), refused).await;
    check_consent(Some(json!({ "colour": "blue" })), refused).await;
    check_consent(Some(Value::Null), refused).await;
    check_consent(None, refused).await;
}

/// Asks a client of 2026-07-28, which makes the call again with what the person says, and gives what that was answered.
async fn consent_between_calls(bridge: &mut TestBridge, thread: &str, said: Value) -> Value {
    let arguments = json!({ "threadId": thread, "action": "delete" });
    let asked = bridge.client.call_tool("codex.thread.archive", arguments.clone()).await;
    let asked = &asked["result"];
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let question = &asked["inputRequests"]["consent"];
    assert!(text(&question["params"]["message"]).contains(thread), "{asked}");
    again(bridge, &arguments, &asked["requestState"], said).await
}

async fn again(bridge: &mut TestBridge, arguments: &Value, state: &Value, said: Value) -> Value {
    let params = json!({
        "name": "codex.thread.archive", "arguments": arguments,
        "inputResponses": { "consent": said }, "requestState": state,
    });
    bridge.client.request("tools/call", params).await["result"].clone()
}

#[tokio::test]
async fn a_person_who_is_asked_between_two_calls_decides_too() {
    let setup = Setup { elicits: true, ..Setup::default() };
    let mut bridge = TestBridge::spawn([says("Well."), says("Well.")], setup);
    bridge.client.use_modern();
    let (thread, other) = (bridge.thread("x").await, bridge.thread("y").await);
    for action in ["decline", "cancel"] {
        let said = json!({ "action": action });
        let answer = consent_between_calls(&mut bridge, &thread, said).await;
        assert_eq!(error_code(&answer), "consent_required");
    }
    // What is no answer is asked again, and a yes to something else is none.
    let asked = consent_between_calls(&mut bridge, &thread, json!({ "colour": "blue" })).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let yes = json!({ "action": "accept", "content": {} });
    let arguments = json!({ "threadId": other, "action": "delete" });
    let asked = again(&mut bridge, &arguments, &asked["requestState"], yes.clone()).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    assert_eq!(listed(&mut bridge, false).await, 2);
    let answer = consent_between_calls(&mut bridge, &thread, yes).await;
    assert_eq!(answer["structuredContent"]["state"], "deleted", "{answer}");
    assert_eq!(listed(&mut bridge, false).await, 1);
    bridge.finish().await;
}
