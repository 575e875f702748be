//! Progress: in order, before the answer, with its typed event, and never after the end of its call.

use expect_test::expect;
use rmcp::model::{NumberOrString, ProgressNotificationParam, ProgressToken};
use serde_json::{Value, json};

use super::fixture::Fixture;

#[tokio::test]
async fn progress_carries_its_event_in_both_eras() {
    let mut seen = String::new();
    for mut fixture in [Fixture::legacy().await, Fixture::modern().await] {
        let call = fixture.client.start_call("count", json!({"steps": 1})).await;
        seen += &format!("{}\n", fixture.client.progress(call).await);
        fixture.client.peer.reply(call).await;
    }
    expect![[r#"
        {"_meta":{"event":"progress","data":{"step":1}},"progressToken":2,"progress":1.0,"message":"step 1"}
        {"_meta":{"event":"progress","data":{"step":1}},"progressToken":2,"progress":1.0,"message":"step 1"}
    "#]].assert_eq(&seen);
}

#[tokio::test]
async fn progress_is_in_order_and_precedes_its_answer() {
    let mut fixture = Fixture::legacy().await;
    let calls = [
        fixture.client.start_call("count", json!({"steps": 500})).await,
        fixture.client.start_call("count", json!({"steps": 500})).await,
    ];
    let mut seen = [0.0, 0.0];
    let mut answered = 0;
    while answered < calls.len() {
        let message = fixture.client.peer.next().await.expect("a message");
        let token = &message["params"]["progressToken"];
        match calls.iter().position(|call| token == *call) {
            Some(call) => {
                let progress = message["params"]["progress"].as_f64().expect("a number");
                assert_eq!(progress, seen[call] + 1.0);
                seen[call] = progress;
            }
            None => {
                let call = calls.iter().position(|call| message["id"] == *call).expect("an answer");
                assert_eq!(seen[call], 500.0);
                answered += 1;
            }
        }
    }
}

#[tokio::test]
async fn a_call_without_a_token_sends_no_progress() {
    let mut fixture = Fixture::legacy().await;
    let reply = fixture.client.call_tool("count", json!({})).await;
    assert_eq!(reply["result"]["isError"], false);
    assert_eq!(fixture.client.peer.received("notifications/progress"), [] as [Value; 0]);
}

#[tokio::test]
async fn nothing_follows_a_cancellation() {
    let mut fixture = Fixture::legacy().await;
    let call = fixture.client.start_call("hold", json!({})).await;
    fixture.dummy.gate.reached().await;
    fixture.client.cancel(call, "the user pressed Esc").await;
    fixture.dummy.cancelled.reached().await;
    send_late(&fixture, call).await;
    assert_eq!(fixture.answers_to("").await, [] as [Value; 0]);

    // The cancelled call's id stays used, so its late answer cannot become another call's.
    let again =
        json!({"jsonrpc": "2.0", "id": call, "method": "tools/call", "params": {"name": "echo"}});
    let refused = fixture.answers_to(&again.to_string()).await;
    assert_eq!(refused[0]["error"]["code"], -32600);
}

#[tokio::test]
async fn nothing_follows_an_answer() {
    for mut fixture in [Fixture::legacy().await, Fixture::modern().await] {
        let call = fixture.client.start_call("echo", json!({})).await;
        fixture.client.peer.reply(call).await;
        send_late(&fixture, call).await;
        let next = fixture.client.call_tool("echo", json!({})).await;
        assert_eq!(next["result"]["isError"], false);
        assert_eq!(fixture.client.progress_so_far(call), [] as [Value; 0]);
    }
}

/// Sends progress past the sink's own check, as a task that knows nothing of the call's end would.
async fn send_late(fixture: &Fixture, call: u64) {
    let token = NumberOrString::Number(call.try_into().expect("a small number"));
    let progress = ProgressNotificationParam::new(ProgressToken(token), 1.0);
    let sent = fixture.dummy.last_context().peer.notify_progress(progress).await;
    sent.expect("it is dropped in silence");
}
