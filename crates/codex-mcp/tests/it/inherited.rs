//! Codex's own MCP servers: kept, dropped or chosen for a thread, and never this one.

use std::fs;

use serde_json::{Value, json};
use testkit::model::says;

use crate::bridge::{Setup, TestBridge, content, error_code, text};

/// Two servers that show that they were started, and this one.
pub(crate) const SERVERS: &str = concat!(
    "mcp_servers.one.command = \"/bin/sh\"\nmcp_servers.one.args = [\"-c\", \"touch started-one; exit 1\"]\n",
    "mcp_servers.two.command = \"/bin/sh\"\nmcp_servers.two.args = [\"-c\", \"touch started-two; exit 1\"]\n",
    "mcp_servers.own.command = \"",
    env!("CARGO_BIN_EXE_codex-mcp"),
    "\""
);

/// A server of the project.
const PROJECT: &str = "[mcp_servers.three]\ncommand = \"/bin/sh\"\nargs = [\"-c\", \"touch started-three; exit 1\"]\n";

async fn start(answers: usize) -> TestBridge {
    let setup = Setup { config: SERVERS, ..Setup::default() };
    TestBridge::start_with(vec![says("Done."); answers], setup).await
}

/// The servers that were started since the last look.
pub(crate) fn started(bridge: &TestBridge) -> Vec<String> {
    let mut started = Vec::new();
    for entry in fs::read_dir(bridge.home.workspace()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(server) = name.strip_prefix("started-") {
            started.push(server.to_owned());
            fs::remove_file(&path).unwrap();
        }
    }
    started.sort();
    started
}

#[tokio::test]
async fn a_thread_has_all_of_them_or_those_that_a_call_names() {
    let mut bridge = start(4).await;
    let folder = bridge.home.workspace().join(".codex");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("config.toml"), PROJECT).unwrap();
    for (wanted, expected) in [
        (json!(null), vec!["one", "two"]),
        (json!(["two"]), vec!["two"]),
        (json!(["two", "one"]), vec!["one", "two"]),
        (json!([]), vec![]),
    ] {
        let arguments = json!({ "prompt": "Start.", "mcpServers": wanted });
        assert_eq!(content(&bridge.call("codex", arguments).await), "Done.");
        assert_eq!(started(&bridge), expected, "{wanted}");
    }
    let status = bridge.command(&["daemon", "status", "--json"]).await.success();
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        status["clients"].as_array().unwrap().len(),
        1,
        "this server is among them: {status}"
    );
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_that_is_loaded_again_keeps_what_it_had() {
    let mut bridge = start(4).await;
    let arguments = json!({ "prompt": "Start.", "mcpServers": ["two"] });
    let answer = bridge.call("codex", arguments).await;
    let thread = text(&answer["structuredContent"]["threadId"]);
    assert_eq!(started(&bridge), ["two"]);
    bridge.restart(Setup::default()).await;
    let arguments = json!({ "prompt": "Go on.", "threadId": thread });
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "Done.");
    assert_eq!(started(&bridge), ["two"]);
    // One that Codex made itself has all but this server.
    let thread = bridge.thread_of_exec("By itself.");
    started(&bridge);
    let arguments = json!({ "prompt": "Go on.", "threadId": thread });
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "Done.");
    assert_eq!(started(&bridge), ["one", "two"]);
    bridge.finish().await;
}

#[tokio::test]
async fn an_unknown_one_is_refused_with_those_that_there_are() {
    let mut bridge = start(0).await;
    for wanted in [json!(["own"]), json!(["one", "One"]), json!([""])] {
        let answer = bridge.call("codex", json!({ "prompt": "x", "mcpServers": wanted })).await;
        assert_eq!(error_code(&answer), "invalid_arguments");
        let message = text(&answer["structuredContent"]["error"]["message"]);
        assert!(
            message.contains("`mcpServers`") && message.ends_with("among one, two"),
            "{message}"
        );
    }
    bridge.finish().await;
}
