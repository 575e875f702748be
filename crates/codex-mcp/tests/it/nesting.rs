//! A Codex that has this server among its own MCP servers does not call it in a circle.

use std::fs;

use serde_json::{Value, json};
use testkit::model::{reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, result_of};

/// This server among Codex's own, under a command that does not show what it is, and told that nobody stands above it.
const DISGUISED: &str = concat!(
    "mcp_servers.own.command = \"/bin/sh\"\nmcp_servers.own.args = [\"-c\", \"exec ",
    env!("CARGO_BIN_EXE_codex-mcp"),
    "\"]\nmcp_servers.own.env.CODEX_MCP_DEPTH = \"0\""
);

/// A client that says how deep it is.
fn nested(depth: &'static str, arguments: &[&str]) -> Setup {
    Setup {
        variables: vec![("CODEX_MCP_DEPTH", depth.into())],
        arguments: arguments.iter().map(Into::into).collect(),
        ..Setup::default()
    }
}

/// The depths that the app-servers of a home were told.
fn told(bridge: &TestBridge) -> Vec<String> {
    let servers = bridge.processes("app-server");
    let mut told: Vec<_> = servers
        .iter()
        .filter_map(|server| {
            let environment = fs::read(format!("/proc/{}/environ", server.pid)).ok()?;
            let environment = String::from_utf8(environment).ok()?;
            let depth = environment.split('\0').find_map(|it| it.strip_prefix("CODEX_MCP_DEPTH="));
            Some(depth?.to_owned())
        })
        .collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_codex_that_calls_its_own_bridge_is_refused() {
    let setup = Setup {
        config: DISGUISED,
        variables: vec![("CODEX_MCP_APPROVALS", "allow mcp_tool own/codex".into())],
        ..Setup::default()
    };
    let call = json!({
        "type": "function_call",
        "namespace": "mcp__own",
        "name": "codex",
        "arguments": json!({ "prompt": "Round and round." }).to_string(),
        "call_id": "call_round",
    });
    let script = [reply().item(call), says("I could not.")];
    let mut bridge = TestBridge::start_with(script, setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "Call yourself." })).await;
    assert_eq!(content(&answer), "I could not.");
    let told = bridge.model.captured()[1].body.to_string();
    assert!(told.contains("nested_too_deep"), "{told}");
    let status = bridge.command(&["daemon", "status", "--json"]).await.success();
    let status: Value = serde_json::from_str(&status).unwrap();
    let mut depths: Vec<_> = status["clients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|client| client["depth"].as_u64())
        .collect();
    depths.sort();
    assert_eq!(depths, [Some(0), Some(1)], "{status}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_client_that_is_too_deep_sees_the_tools_and_may_use_none() {
    let mut bridge = TestBridge::start([says("One.")]).await;
    bridge.thread("one").await;
    let mut nested = bridge.beside(nested("1", &[])).await;
    let tools = nested.request("tools/list", json!({})).await;
    for tool in tools["result"]["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let answer = result_of(nested.call_tool(name, json!({})).await);
        assert_eq!(error_code(&answer), "nested_too_deep", "{name}");
    }
    assert_eq!(told(&bridge), ["1"], "nothing was started for it");
    nested.peer.close_input();
    nested.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn whoever_may_go_deeper_gets_a_codex_of_its_own_that_knows_how_deep_it_is() {
    let mut bridge = TestBridge::start([says("One."), says("Two.")]).await;
    bridge.thread("one").await;
    let mut nested = bridge.beside(nested("1", &["--max-depth=2"])).await;
    let answer = result_of(nested.call_tool("codex", json!({ "prompt": "two" })).await);
    assert_eq!(content(&answer), "Two.");
    assert_eq!(told(&bridge), ["1", "2"]);
    nested.peer.close_input();
    nested.peer.wait_exit().await;
    bridge.finish().await;
}
