//! The same connection over what a client really hands a server: pipes, socket pairs, files.

use std::os::fd::OwnedFd;

use codex_mcp::mcp::connection::{EndReason, serve};
use codex_mcp::mcp::stdio;
use serde_json::json;
use testkit::mcp::McpDriver;
use testkit::peer::Peer;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::dummy::Dummy;
use super::fixture::LEGACY;

/// Both directions of a connection: the server's ends, then the client's.
struct Ends {
    server: (OwnedFd, OwnedFd),
    client: (OwnedFd, OwnedFd),
}

fn pipes() -> Ends {
    let (server_reads, client_writes) = std::io::pipe().expect("a pipe");
    let (client_reads, server_writes) = std::io::pipe().expect("a pipe");
    Ends {
        server: (server_reads.into(), server_writes.into()),
        client: (client_reads.into(), client_writes.into()),
    }
}

/// A socket pair for each direction, as Node and Bun make them.
fn sockets() -> Ends {
    let (server_reads, client_writes) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let (client_reads, server_writes) = std::os::unix::net::UnixStream::pair().expect("a pair");
    Ends {
        server: (server_reads.into(), server_writes.into()),
        client: (client_reads.into(), client_writes.into()),
    }
}

#[tokio::test]
async fn calls_cross_pipes_and_sockets() {
    for ends in [pipes(), sockets()] {
        let (reader, writer) = (stdio::input(ends.server.0), stdio::output(ends.server.1));
        let (reader, writer) = (reader.expect("readable"), writer.expect("writable"));
        let mut server = JoinSet::new();
        server.spawn(serve(Dummy::new(), reader, writer, CancellationToken::new()));

        let (reader, writer) = (stdio::input(ends.client.0), stdio::output(ends.client.1));
        let peer = Peer::over(reader.expect("readable"), writer.expect("writable"));
        let mut client = McpDriver::over(peer);
        client.initialize_legacy(LEGACY).await;
        let text = "x".repeat(300_000);
        for _ in 0..3 {
            let reply = client.call_tool("echo", json!({"text": text})).await;
            assert_eq!(reply["result"]["structuredContent"]["text"], text);
        }
        client.peer.close_input();
        let ended = server.join_next().await.expect("it ends").expect("no panic");
        assert!(matches!(ended, Ok(EndReason::PeerClosed)));
    }
}

#[tokio::test]
async fn a_session_can_come_from_a_file_and_go_to_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let (requests, answers) = (directory.path().join("in"), directory.path().join("out"));
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    std::fs::write(&requests, format!("{ping}\n")).expect("written");
    let reader = std::fs::File::open(&requests).expect("there");
    let writer = std::fs::File::create(&answers).expect("new");

    let reader = stdio::input(reader.into()).expect("readable");
    let writer = stdio::output(writer.into()).expect("writable");
    let ended = serve(Dummy::new(), reader, writer, CancellationToken::new()).await;
    assert!(matches!(ended, Ok(EndReason::PeerClosed)));
    let answers = std::fs::read_to_string(&answers).expect("there");
    assert_eq!(answers, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
}

#[tokio::test]
async fn standard_input_and_output_can_be_opened() {
    stdio::open().expect("a test has both");
}
