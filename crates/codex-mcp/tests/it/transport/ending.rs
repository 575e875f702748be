//! How a connection ends: promptly, with the last answers, and whatever the calls in flight do.

use std::time::Duration;

use codex_mcp::mcp::connection::{EndReason, Limits, ServeError};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::fixture::{Fixture, LEGACY};

/// What the end of a connection may take. The clock stands still while anything can run, so this measures
/// the server's waits and not the machine.
const PROMPT: Duration = Duration::from_millis(200);

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_at_once() {
    let opened = [Fixture::new(), Fixture::legacy().await, Fixture::modern().await];
    for mut fixture in opened {
        let start = Instant::now();
        fixture.client.peer.close_input();
        assert!(matches!(fixture.ended().await, Ok(EndReason::PeerClosed)));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(fixture.client.peer.next_line().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_before_the_end_are_answered() {
    let mut fixture = Fixture::legacy().await;
    let call = fixture.client.start_call("echo", json!({"text": "last"})).await;
    fixture.client.peer.close_input();
    let reply = fixture.client.peer.reply(call).await;
    assert_eq!(reply["result"]["structuredContent"]["text"], "last");
    assert!(matches!(fixture.ended().await, Ok(EndReason::PeerClosed)));
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_is_cancelled_and_still_answers() {
    for mut fixture in [Fixture::legacy().await, Fixture::modern().await] {
        let call = fixture.client.start_call("hold", json!({})).await;
        fixture.dummy.gate.reached().await;
        let start = Instant::now();
        fixture.client.peer.close_input();
        assert!(matches!(fixture.ended().await, Ok(EndReason::PeerClosed)));
        assert_eq!(start.elapsed(), Duration::ZERO);
        fixture.dummy.cancelled.reached().await;
        let reply = fixture.client.peer.reply(call).await;
        assert_eq!(reply["result"]["content"][0]["text"], "cancelled");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ignores_its_cancellation_is_dropped() {
    let mut fixture = Fixture::legacy().await;
    let call = fixture.client.start_call("ignore", json!({})).await;
    fixture.client.call_tool("echo", json!({})).await;
    let start = Instant::now();
    fixture.client.peer.close_input();
    assert!(matches!(fixture.ended().await, Ok(EndReason::PeerClosed)));
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
    let reply = fixture.client.peer.reply(call).await;
    assert_eq!(reply["error"]["message"], "the connection has ended");
}

#[tokio::test(start_paused = true)]
async fn an_open_subscription_does_not_delay_the_end() {
    let mut fixture = Fixture::modern().await;
    let listen = json!({"notifications": {"toolsListChanged": true}});
    let listening = fixture.client.start("subscriptions/listen", listen).await;
    fixture.client.peer.incoming("notifications/subscriptions/acknowledged").await;
    let start = Instant::now();
    fixture.client.peer.close_input();
    assert!(matches!(fixture.ended().await, Ok(EndReason::PeerClosed)));
    assert_eq!(start.elapsed(), Duration::ZERO);
    let reply = fixture.client.peer.reply(listening).await;
    assert_eq!(reply["result"]["resultType"], "complete");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_cancels_calls_and_takes_their_answers_along() {
    let mut fixture = Fixture::legacy().await;
    let call = fixture.client.start_call("hold", json!({})).await;
    fixture.dummy.gate.reached().await;
    fixture.shutdown.cancel();
    assert!(matches!(fixture.ended().await, Ok(EndReason::Shutdown)));
    let reply = fixture.client.peer.reply(call).await;
    assert_eq!(reply["result"]["content"][0]["text"], "cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_before_the_first_request_is_prompt() {
    let mut fixture = Fixture::new();
    fixture.shutdown.cancel();
    assert!(matches!(fixture.ended().await, Ok(EndReason::Shutdown)));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_client_that_does_not_read() {
    let mut fixture = Fixture::legacy().await;
    let call = fixture.client.start_call("echo", json!({"text": "x".repeat(500_000)})).await;
    assert_eq!(call, 2);
    let start = Instant::now();
    fixture.shutdown.cancel();
    assert!(matches!(fixture.ended().await, Ok(EndReason::Shutdown)));
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_given_up() {
    let mut fixture = Fixture::legacy().await;
    let start = Instant::now();
    let count = fixture.client.start_call("count", json!({"steps": 100_000})).await;
    assert!(matches!(fixture.ended().await, Err(ServeError::Stalled)));
    let patience = Limits::default().patience;
    assert!(start.elapsed() < patience + PROMPT, "{:?}", start.elapsed());
    assert_ne!(fixture.client.progress_so_far(count).len(), 100_000);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_too_much_unread_is_given_up() {
    let mut fixture = Fixture::within(Limits { max_unread_bytes: 1 << 20, ..Limits::default() });
    fixture.client.initialize_legacy(LEGACY).await;
    let text = "x".repeat(300_000);
    for _ in 0..4 {
        fixture.client.start_call("echo", json!({"text": text})).await;
    }
    assert!(matches!(fixture.ended().await, Err(ServeError::Unread { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_is_an_end_like_any_other() {
    let mut fixture = Fixture::legacy().await;
    let call = fixture.client.start_call("hold", json!({})).await;
    fixture.dummy.gate.reached().await;
    drop(std::mem::replace(&mut fixture.client, Fixture::new().client));
    assert!(matches!(fixture.ended().await, Ok(EndReason::PeerClosed)), "{call}");
    fixture.dummy.cancelled.reached().await;
}

#[tokio::test(start_paused = true)]
async fn a_line_without_its_end_is_no_message() {
    let mut fixture = Fixture::legacy().await;
    fixture.client.peer.send_raw(br#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#).await;
    fixture.client.peer.close_input();
    assert!(matches!(fixture.ended().await, Ok(EndReason::PeerClosed)));
    assert_eq!(fixture.client.peer.next().await, None::<Value>);
}
