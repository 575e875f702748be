//! The MCP driver against a server that plays a script over an in-process pipe.

use serde_json::{Value, json};
use testkit::mcp::McpDriver;
use testkit::peer::{Line, Peer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex, split};

/// A driver, and the server's end of its pipe.
fn pair() -> (McpDriver, BufReader<DuplexStream>) {
    let (ours, theirs) = duplex(1 << 16);
    let (output, input) = split(ours);
    (McpDriver::over(Peer::over(output, input)), BufReader::new(theirs))
}

async fn read(server: &mut BufReader<DuplexStream>) -> Value {
    let mut line = String::new();
    server.read_line(&mut line).await.expect("a line");
    serde_json::from_str(&line).expect("JSON")
}

async fn write(server: &mut BufReader<DuplexStream>, messages: &[Value]) {
    for message in messages {
        server.write_all(format!("{message}\n").as_bytes()).await.expect("the driver reads");
    }
}

#[tokio::test]
async fn the_old_era_opens_with_a_handshake() {
    let (mut client, mut server) = pair();
    let reply = json!({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18"}});
    write(&mut server, std::slice::from_ref(&reply)).await;
    assert_eq!(client.initialize_legacy("2025-06-18").await, reply);
    assert_eq!(read(&mut server).await["params"]["protocolVersion"], "2025-06-18");
    assert_eq!(read(&mut server).await["method"], "notifications/initialized");
    let id = client.start("ping", json!({})).await;
    assert_eq!(
        read(&mut server).await,
        json!({"jsonrpc": "2.0", "id": id, "method": "ping", "params": {}})
    );
}

#[tokio::test]
async fn the_new_era_describes_the_client_in_every_request() {
    let (client, mut server) = pair();
    let mut client = client.with_capabilities(json!({"elicitation": {}}));
    client.use_modern();
    let call = client.start_call("codex", json!({"prompt": "ping"})).await;
    let expected = json!({
        "progressToken": call,
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "testkit", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    });
    assert_eq!(read(&mut server).await["params"]["_meta"], expected);
}

#[tokio::test]
async fn what_comes_before_a_reply_can_still_be_asked_for() {
    let (mut client, mut server) = pair();
    let (first, second) =
        (client.start_call("a", json!({})).await, client.start_call("b", json!({})).await);
    let progress = |call: u64, text: &str| json!({"method": "notifications/progress", "params": {"progressToken": call, "message": text}});
    let question = json!({"id": "q", "method": "elicitation/create", "params": {}});
    let done = |id: u64| json!({"id": id, "result": {"content": []}});
    write(
        &mut server,
        &[progress(second, "two"), progress(first, "one"), question, done(second), done(first)],
    )
    .await;

    assert_eq!(client.peer.reply(first).await["id"], first);
    assert_eq!(client.peer.reply(second).await["id"], second);
    assert_eq!(client.progress(first).await["message"], "one");
    assert_eq!(client.progress_so_far(second)[0]["message"], "two");
    let question = client.peer.incoming("elicitation/create").await;
    client.peer.respond(&question["id"], json!({"action": "decline"})).await;
    client.cancel(first, "enough").await;
    assert_eq!(
        client.peer.transcript().last().map(Line::to_string).as_deref(),
        Some(
            r#"--> {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"enough"}}"#,
        )
    );
}

#[tokio::test]
async fn raw_bytes_go_out_and_raw_lines_come_in() {
    let (mut client, mut server) = pair();
    client.peer.send_raw(b"{broken\n").await;
    let mut line = String::new();
    server.read_line(&mut line).await.unwrap();
    assert_eq!(line, "{broken\n");
    server.write_all(b"not json\r\nno line feed").await.unwrap();
    drop(server);
    assert_eq!(client.peer.next_line().await.as_deref(), Some("not json"));
    assert_eq!(client.peer.next_line().await.as_deref(), Some("no line feed"));
    assert_eq!(client.peer.next_line().await, None);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "no line in time")]
async fn a_silent_server_fails_the_test() {
    let (mut client, _server) = pair();
    client.request("tools/list", json!({})).await;
}
