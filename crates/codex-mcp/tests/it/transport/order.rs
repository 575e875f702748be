//! Many calls at once, large and small: each is answered once and whole.

use std::collections::HashSet;

use serde_json::json;

use super::fixture::Fixture;

#[tokio::test]
async fn two_hundred_large_calls_are_each_answered() {
    let mut fixture = Fixture::legacy().await;
    let (text, mut open) = ("x".repeat(64 * 1024), HashSet::new());
    // None is read before all are sent: a client may be a single thread that writes first.
    for id in 0..200 {
        let params = format!(r#"{{"name":"fill","arguments":{{"bytes":65536,"text":"{text}"}}}}"#);
        let call =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#);
        let peer = &mut fixture.client.peer;
        peer.send_raw(format!("{call}\n").as_bytes()).await;
        open.insert(id);
    }
    while !open.is_empty() {
        let answer = fixture.client.peer.next().await.expect("an answer");
        let id = answer["id"].as_u64().expect("a number");
        assert!(open.remove(&id), "{id} is answered twice");
        assert_eq!(answer["result"]["content"][0]["text"], text);
    }
}

#[tokio::test]
async fn a_burst_of_small_calls_stays_within_the_limit_of_open_ones() {
    let mut fixture = Fixture::legacy().await;
    let mut burst = Vec::new();
    for id in 0..3000 {
        let call = json!({"jsonrpc": "2.0", "id": format!("b{id}"), "method": "tools/call", "params": {"name": "echo"}});
        burst.extend_from_slice(format!("{call}\n").as_bytes());
    }
    fixture.client.peer.send_raw(&burst).await;
    let mut open: HashSet<_> = (0..3000).map(|id| format!("b{id}")).collect();
    while !open.is_empty() {
        let answer = fixture.client.peer.next().await.expect("an answer");
        assert_eq!(answer["error"], json!(null));
        assert!(open.remove(answer["id"].as_str().expect("a string")));
    }
}
