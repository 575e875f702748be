//! Many clients at once, more than there may be, and a system that has no room for them.

use std::time::Duration;

use codex_mcp::config::{Config, Environment, Flags};
use codex_mcp::daemon::{Hello, Introduction, Version};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use testkit::home::KEY_VARIABLE;
use testkit::mcp::McpDriver;
use testkit::model::says;
use testkit::peer::Peer;
use testkit::{poll, tools};
use tokio::net::UnixStream;

use crate::bridge::{Setup, TestBridge, content, launch, text};
use crate::daemon::state;

const PATIENCE: Duration = Duration::from_secs(10);
/// Clients that an engine takes at once.
const MAX_CLIENTS: usize = 256;

/// A client without a process of its own: it says to the engine what a front would.
async fn raw(bridge: &TestBridge) -> McpDriver {
    let mut variables = bridge.home.environment();
    variables.push(("CODEX_MCP_CODEX_BIN".into(), tools::codex().into()));
    variables.push(("CODEX_MCP_ENVIRONMENT_ALLOW".into(), KEY_VARIABLE.into()));
    let environment = Environment::new(variables, bridge.home.workspace());
    let config = Config::load(&environment, &Flags::default()).unwrap();
    let hello = Box::new(Hello::of(&config, &[], Version::own()));
    let stream = UnixStream::connect(state(bridge).join("engine.sock")).await.unwrap();
    let (reader, writer) = tokio::io::split(stream);
    let mut client = McpDriver::over(Peer::over(reader, writer));
    let introduction = serde_json::to_value(Introduction::Client(hello)).unwrap();
    client.peer.send(&introduction).await;
    client
}

async fn welcome(client: &mut McpDriver) -> Value {
    client.peer.next().await.expect("the engine answers an introduction")
}

#[tokio::test]
async fn a_hundred_clients_are_served_at_once() {
    let mut bridge = TestBridge::start([says("Well.")]).await;
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(raw(&bridge).await);
    }
    for client in &mut crowd {
        assert_eq!(welcome(client).await["answer"], "accepted");
        client.initialize_legacy("2025-11-25").await;
    }
    for client in &mut crowd {
        client.start("tools/list", json!({})).await;
    }
    for client in &mut crowd {
        let list = client.peer.reply(2).await;
        assert!(list["result"]["tools"].is_array(), "{list}");
    }
    let status = bridge.command(&["daemon", "status", "--json"]).await.success();
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["clients"].as_array().expect("clients").len(), 101);
    assert_eq!(content(&bridge.call("codex", json!({ "prompt": "x" })).await), "Well.");
    drop(crowd);
    bridge.finish().await;
}

#[tokio::test]
async fn one_client_too_many_is_told_what_to_do_and_served_when_there_is_room() {
    let bridge = TestBridge::start([]).await;
    let mut crowd = Vec::new();
    for _ in 1..MAX_CLIENTS {
        let mut client = raw(&bridge).await;
        assert_eq!(welcome(&mut client).await["answer"], "accepted");
        crowd.push(client);
    }
    let mut late = McpDriver::spawn(&launch(&bridge.home, Setup::default()));
    let refused = late.initialize_legacy("2025-11-25").await;
    let message = text(&refused["error"]["message"]);
    assert!(message.contains("256 clients are connected already; end one of them"), "{message}");
    assert!(message.contains("--state-dir"), "{message}");

    crowd.pop();
    // The engine hears soon of a client that left, not at once, and the front looks again soon, not at once.
    let served = async {
        loop {
            bridge.command(&["daemon", "status"]).await.success();
            let reply = late.initialize_legacy("2025-11-25").await;
            if reply["error"].is_null() {
                break reply;
            }
        }
    };
    let served = tokio::time::timeout(PATIENCE, served).await.expect("there is room");
    assert_eq!(served["result"]["protocolVersion"], "2025-11-25", "{served}");
    late.peer.close_input();
    assert!(late.peer.wait_exit().await.success());
    drop(crowd);
    bridge.finish().await;
}

#[tokio::test]
async fn without_descriptors_an_engine_waits_instead_of_spinning() {
    let mut bridge = TestBridge::start([says("Well.")]).await;
    let engine = bridge.engine();
    let usual = rustix::process::getrlimit(Resource::Nofile);
    let none = Rlimit { current: Some(next_descriptor(engine)), ..usual };
    let before = prlimit(Some(engine), Resource::Nofile, none).unwrap();
    let mut waiting = raw(&bridge).await;
    let refusals = || log(&bridge).matches("a client could not be taken in").count();
    poll::until(PATIENCE, || match refusals() {
        2.. => Ok(()),
        fewer => Err(fewer),
    })
    .await;
    assert!(refusals() < 10, "the engine asks again and again");
    prlimit(Some(engine), Resource::Nofile, before).unwrap();
    assert_eq!(welcome(&mut waiting).await["answer"], "accepted");
    assert_eq!(content(&bridge.call("codex", json!({ "prompt": "x" })).await), "Well.");
    drop(waiting);
    bridge.finish().await;
}

/// The descriptor that a process would open next.
fn next_descriptor(process: Pid) -> u64 {
    let entries = std::fs::read_dir(format!("/proc/{}/fd", process.as_raw_nonzero())).unwrap();
    let open: Vec<u64> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    (0..).find(|number| !open.contains(number)).expect("there is no end of numbers")
}

fn log(bridge: &TestBridge) -> String {
    let entries = std::fs::read_dir(state(bridge).join("logs")).unwrap();
    entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}
