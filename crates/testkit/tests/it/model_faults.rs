//! How the real Codex sees each fault of the model, and how the model reports its own.

use serde_json::json;
use testkit::model::{
    CapturedRequest, FakeModel, Reply, fails, html, http, rate_limited, reply, says, server_error,
    silent, unauthorized, usage_limit_reached,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{app_server, exec, failure, home_for, items, start_turn, stop};

/// Runs one turn on one reply and checks the message that it fails with.
async fn check(answer: Reply, expected: &str) {
    let model = FakeModel::start([answer]);
    let home = home_for(&model);
    let events = exec(&home, &[], "ping").await;
    assert!(failure(&events).contains(expected), "{}", failure(&events));
    assert_eq!(model.captured().len(), 1);
    model.finish();
}

#[tokio::test]
async fn too_many_requests() {
    check(rate_limited(1), "429").await;
}

#[tokio::test]
async fn a_used_up_plan() {
    check(usage_limit_reached(3600), "usage limit").await;
}

#[tokio::test]
async fn a_wrong_key() {
    check(unauthorized(), "401").await;
}

#[tokio::test]
async fn a_broken_server() {
    check(server_error(500), "high demand").await;
}

#[tokio::test]
async fn a_bad_request_is_shown_with_its_body() {
    check(http(400, r#"{"error":{"message":"no such thing"}}"#), "no such thing").await;
}

#[tokio::test]
async fn a_web_page_in_place_of_a_stream() {
    check(html(), "stream").await;
}

#[tokio::test]
async fn a_full_context() {
    check(fails("context_length_exceeded"), "context window").await;
}

#[tokio::test]
async fn a_cut_connection() {
    check(reply().streams("po").cuts(), "stream disconnected").await;
}

#[tokio::test]
async fn a_stream_that_ends_early() {
    check(reply().streams("po").ends(), "stream closed before response.completed").await;
}

#[tokio::test]
async fn events_before_a_cut_arrive() {
    // The message is added, its two deltas come, and the connection breaks before it is done.
    let model = FakeModel::start([reply().streams("po").streams("ng").says("never").cuts_after(4)]);
    let home = home_for(&model);
    let (mut codex, thread) = app_server(&home).await;
    start_turn(&mut codex, &thread, "ping").await;
    assert_eq!(codex.incoming("turn/completed").await["params"]["turn"]["status"], "failed");
    let deltas = codex.received("item/agentMessage/delta");
    let text: String =
        deltas.iter().map(|delta| delta["params"]["delta"].as_str().unwrap()).collect();
    assert_eq!(text, "pong");
    stop(codex).await;
    model.finish();
}

#[tokio::test]
async fn a_cut_that_a_retry_heals() {
    let model = FakeModel::start([reply().streams("po").cuts(), says("pong")]);
    let home = home_for(&model).with_retries(0, 1);
    let events = exec(&home, &[], "ping").await;
    assert_eq!(items(&events, "agent_message")[0]["text"], "pong");
    model.finish();
}

/// Interrupts a turn that waits for a model that says nothing more.
async fn check_interrupt(answer: Reply) {
    let model = FakeModel::start([answer]);
    let home = home_for(&model);
    let (mut codex, thread) = app_server(&home).await;
    let turn = start_turn(&mut codex, &thread, "ping").await;
    model.wait_for_requests(1).await;
    codex.request("turn/interrupt", json!({"threadId": thread, "turnId": turn})).await;
    assert_eq!(codex.incoming("turn/completed").await["params"]["turn"]["status"], "interrupted");
    stop(codex).await;
    model.finish();
}

#[tokio::test]
async fn a_silent_model_leaves_the_turn_open() {
    check_interrupt(silent()).await;
}

#[tokio::test]
async fn a_hung_stream_leaves_the_turn_open() {
    check_interrupt(reply().streams("po").hangs()).await;
}

#[tokio::test]
async fn anything_else_is_answered_harmlessly() {
    let model = FakeModel::start([]);
    let address = model.base_url().replace("http://", "").replace("/v1", "");
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket
        .write_all(b"GET /v1/models HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("{}"), "{answer}");
    assert_eq!(model.other_requests(), ["GET /v1/models"]);
}

#[tokio::test]
async fn a_malformed_event_is_skipped() {
    let model = FakeModel::start([reply().raw("data: {broken\n\n").says("pong")]);
    let home = home_for(&model);
    let events = exec(&home, &[], "ping").await;
    assert_eq!(items(&events, "agent_message")[0]["text"], "pong");
    model.finish();
}

#[tokio::test]
#[should_panic(expected = r#"request 1 is not in the script, its prompt: "ping""#)]
async fn an_unscripted_request_fails_the_test() {
    let model = FakeModel::start([]);
    let home = home_for(&model);
    let events = exec(&home, &[], "ping").await;
    assert!(failure(&events).contains("the fake model has no reply left"));
}

#[tokio::test]
#[should_panic(expected = "1 scripted replies were never asked for")]
async fn a_reply_that_is_left_over_fails_the_test() {
    FakeModel::start([says("pong")]).finish();
}

#[test]
fn a_request_knows_its_prompt_and_outputs() {
    let body = json!({"input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "ping"}]},
        {"type": "function_call", "call_id": "call_1", "name": "exec_command", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "pong"},
    ]});
    let request = CapturedRequest { headers: Default::default(), body };
    assert_eq!(
        (request.prompt().as_str(), request.tool_output("call_1").as_deref()),
        ("ping", Some("pong"))
    );
}
