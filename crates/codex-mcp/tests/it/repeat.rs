//! The same `idempotencyKey` is the same turn and the same answer, at once, later, after a restart and after a crash.

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::{reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, text};

fn keyed(prompt: &str) -> Value {
    json!({ "prompt": prompt, "idempotencyKey": "a key" })
}

fn turn(answer: &Value) -> String {
    text(&answer["structuredContent"]["turnId"])
}

#[tokio::test]
async fn a_repeated_call_gets_the_answer_of_the_first() {
    let mut bridge = TestBridge::start([says("Once."), says("Twice.")]).await;
    let first = bridge.call("codex", keyed("Count.")).await;
    let second = bridge.call("codex", keyed("Count.")).await;
    assert_eq!(content(&first), "Once.");
    assert_eq!((content(&second), turn(&second)), ("Once.".to_owned(), turn(&first)));
    bridge.restart(Setup::default()).await;
    let third = bridge.call("codex", keyed("Count.")).await;
    assert_eq!((content(&third), turn(&third)), ("Once.".to_owned(), turn(&first)));
    let thread = &first["structuredContent"]["threadId"];
    let mut reply = keyed("Again.");
    reply["threadId"] = thread.clone();
    reply["idempotencyKey"] = json!("another key");
    let next = bridge.call("codex-reply", reply.clone()).await;
    let again = bridge.call("codex-reply", reply).await;
    assert_eq!((content(&next), turn(&again)), ("Twice.".to_owned(), turn(&next)));
    bridge.finish().await;
}

#[tokio::test]
async fn two_calls_at_once_are_one_turn() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate).says("Once.")]).await;
    let first = bridge.begin("codex", keyed("Count.")).await;
    gate.reached().await;
    let mut other = bridge.beside(Setup::default()).await;
    let second = other.start_call("codex", keyed("Count.")).await;
    other.progress(second).await;
    gate.open();
    let first = bridge.result(first).await;
    let second = other.peer.reply(second).await;
    assert_eq!(content(&second["result"]), "Once.");
    assert_eq!(turn(&second["result"]), turn(&first));
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_background_turn_is_joined() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate).says("Once.")]).await;
    let mut background = keyed("Count.");
    background["background"] = json!(true);
    let first = bridge.call("codex", background.clone()).await;
    let again = bridge.call("codex", background).await;
    assert_eq!(again["structuredContent"]["status"], "inProgress", "{again}");
    assert_eq!(turn(&again), turn(&first));
    gate.open();
    let thread = &first["structuredContent"]["threadId"];
    let waited = bridge.call("codex.wait", json!({ "threadId": thread, "waitSeconds": 20 })).await;
    assert_eq!(content(&waited), "Once.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_key_for_something_else_is_a_conflict() {
    let mut bridge = TestBridge::start([says("Once.")]).await;
    bridge.call("codex", keyed("Count.")).await;
    let other = bridge.call("codex", keyed("Count again.")).await;
    assert_eq!(error_code(&other), "idempotency_conflict");
    for bad in ["", " ", "two\nlines", &"k".repeat(201)] {
        let refused = bridge.call("codex", json!({ "prompt": "x", "idempotencyKey": bad })).await;
        assert_eq!(error_code(&refused), "invalid_arguments", "{refused}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn a_cut_turn_is_not_run_again_behind_the_clients_back() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate)]).await;
    let call = bridge.begin("codex", keyed("Count.")).await;
    let cut = bridge.turn_of(call).await;
    gate.reached().await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    assert_eq!(error_code(&bridge.result(call).await), "engine_lost");
    let again = bridge.call("codex", keyed("Count.")).await;
    assert_eq!((error_code(&again), turn(&again)), ("turn_cut".to_owned(), cut));
    bridge.finish().await;
}
