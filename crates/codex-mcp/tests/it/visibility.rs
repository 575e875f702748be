//! A client sees the threads of its Codex home inside its workspace roots, and of all others not even that they exist.

use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::mcp::McpDriver;
use testkit::model::{patches, reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, launch, result_of, text};

/// A thread that Codex does not have.
const UNKNOWN: &str = "01a205a5-c192-74e0-9472-ab51cb27f43e";

const UPDATED: &str = "notifications/resources/updated";

/// A client of the same engine that may work in another folder only.
async fn stranger(bridge: &TestBridge) -> McpDriver {
    bridge.beside(of_stranger(bridge)).await
}

fn of_stranger(bridge: &TestBridge) -> Setup {
    let inner = bridge.home.workspace().join("inner");
    std::fs::create_dir_all(&inner).unwrap();
    let variables = vec![("CODEX_MCP_WORKSPACE_ROOTS", inner.into_os_string())];
    Setup { variables, ..Setup::default() }
}

async fn leave(mut client: McpDriver) {
    client.peer.close_input();
    assert!(client.peer.wait_exit().await.success(), "{}", client.peer.stderr());
}

/// A call of each tool that takes a thread.
async fn calls(client: &mut McpDriver, thread: &str) -> Vec<(String, Value)> {
    let tools = result_of(client.request("tools/list", json!({})).await);
    let tools = tools["tools"].as_array().expect("tools").clone();
    let of_thread = tools.into_iter().filter_map(|tool| {
        let schema = &tool["inputSchema"];
        schema["properties"].get("threadId")?;
        let takes_prompt = schema["properties"].get("prompt").is_some();
        let mut arguments = json!({ "threadId": thread });
        if takes_prompt {
            arguments["prompt"] = json!("Tell me all.");
        }
        Some((text(&tool["name"]), arguments))
    });
    of_thread.collect()
}

#[tokio::test]
async fn no_tool_takes_a_thread_of_other_roots() {
    let gate = Gate::new("held");
    let mut bridge =
        TestBridge::start([says("A secret."), reply().holds(&gate).says("Another.")]).await;
    let thread = bridge.thread("Say something.").await;
    let arguments = json!({ "prompt": "More.", "threadId": thread, "background": true });
    bridge.call("codex-reply", arguments).await;
    gate.reached().await;
    let mut other = stranger(&bridge).await;
    let calls = calls(&mut other, &thread).await;
    assert_eq!(calls.len(), 8, "{calls:#?}");
    for (tool, arguments) in calls {
        let refused = result_of(other.call_tool(&tool, arguments.clone()).await);
        assert_eq!(error_code(&refused), "thread_not_found", "{tool}: {refused}");
        // One that does not exist is refused in the same words.
        let mut unknown = arguments;
        unknown["threadId"] = json!(UNKNOWN);
        let unknown = result_of(other.call_tool(&tool, unknown).await);
        assert_eq!(refused.to_string().replace(&thread, UNKNOWN), unknown.to_string(), "{tool}");
    }
    // It was neither steered nor cancelled.
    gate.open();
    let wait = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    assert_eq!(content(&wait), "Another.");
    assert_eq!(bridge.model.captured().len(), 2);
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn no_resource_of_other_roots_is_read_or_watched() {
    let patch = "*** Begin Patch\n*** Add File: made.txt\n+made\n*** End Patch";
    let mut bridge = TestBridge::start([patches(patch), says("I could not.")]).await;
    let answer = bridge.call("codex", json!({ "prompt": "Make a file." })).await;
    let result = &answer["structuredContent"];
    let (thread, turn) = (text(&result["threadId"]), text(&result["turnId"]));
    let changes = json!({ "threadId": thread, "kinds": ["changes"] });
    let changes = bridge.call("codex.thread.read", changes).await;
    let patch = text(&changes["structuredContent"]["entries"][0]["uri"]);
    let mut other = stranger(&bridge).await;
    let of_thread = |rest: &str| format!("codex://threads/{thread}{rest}");
    let turn = format!("/turns/{turn}");
    for uri in [of_thread(""), of_thread("/plan"), of_thread("/diff"), of_thread(&turn), patch] {
        for method in ["resources/read", "resources/subscribe"] {
            let refused = other.request(method, json!({ "uri": uri })).await;
            assert_eq!(refused["error"]["code"], -32002, "{method} {uri}: {refused}");
        }
        let arguments = json!({ "prompt": "Look.", "attachments": [{ "uri": uri }] });
        let refused = result_of(other.call_tool("codex", arguments).await);
        assert_eq!(error_code(&refused), "thread_not_found", "{uri}: {refused}");
        let watched =
            bridge.client.request("resources/subscribe", json!({ "uri": uri.clone() })).await;
        assert!(watched["error"].is_null(), "{uri}: {watched}");
    }
    let all = result_of(other.request("resources/list", json!({})).await);
    assert_eq!(all["resources"].as_array().map(Vec::len), Some(1), "{all}");
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn no_task_of_other_roots_is_seen_and_nothing_of_it_is_heard() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::spawn([reply().holds(&gate).says("Done.")], Setup::default());
    let extensions = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    bridge.client = bridge.client.with_capabilities(extensions.clone());
    bridge.client.discover().await;
    let task = bridge.call("codex", json!({ "prompt": "Think.", "background": true })).await;
    gate.reached().await;
    let listed = result_of(bridge.client.request("resources/list", json!({})).await);
    let uri = text(&listed["resources"][1]["uri"]);
    let mut other = McpDriver::spawn(&launch(&bridge.home, of_stranger(&bridge)));
    other = other.with_capabilities(extensions);
    other.discover().await;
    for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
        let arguments = json!({ "taskId": task["taskId"], "inputResponses": {} });
        let refused = other.request(method, arguments).await;
        assert_eq!(refused["error"]["code"], -32602, "{method}: {refused}");
    }
    let notifications = json!({ "resourceSubscriptions": [uri, "codex://threads"] });
    other.start("subscriptions/listen", json!({ "notifications": notifications })).await;
    other.peer.incoming("notifications/subscriptions/acknowledged").await;
    // The acknowledgement goes out before the subscription is in force; a further answer comes after.
    other.request("resources/list", json!({})).await;
    gate.open();
    let heard = other.peer.incoming(UPDATED).await;
    assert_eq!(heard["params"]["uri"], "codex://threads", "{heard}");
    let thread = uri.rsplit('/').next().expect("an id").to_owned();
    let wait = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    assert_eq!(content(&wait), "Done.", "it was cancelled by a stranger");
    other.request("resources/list", json!({})).await;
    let about = |news: &Value| news["params"]["uri"] == json!(uri);
    assert!(!other.peer.received(UPDATED).iter().any(about));
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn no_token_of_other_roots_or_another_state_directory_is_good() {
    let setup =
        || Setup { variables: vec![("MAX_MCP_OUTPUT_TOKENS", "2000".into())], ..Setup::default() };
    let mut bridge = TestBridge::start_with([says("secret ".repeat(9_000))], setup()).await;
    let answer = bridge.call("codex", json!({ "prompt": "all" })).await;
    let token = answer["structuredContent"]["more"][0]["token"].clone();
    let page = bridge.call("codex.read", json!({ "token": token })).await;
    let output = format!("codex://outputs/{}", text(&page["structuredContent"]["outputId"]));

    let mut other = stranger(&bridge).await;
    let refused = result_of(other.call_tool("codex.read", json!({ "token": token })).await);
    assert_eq!(error_code(&refused), "output_expired", "{refused}");
    assert!(!refused.to_string().contains("secret"), "{refused}");
    for method in ["resources/read", "resources/subscribe"] {
        let refused = other.request(method, json!({ "uri": output })).await;
        assert_eq!(refused["error"]["code"], -32002, "{refused}");
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
    leave(other).await;

    let elsewhere = bridge.home.root().join("another-state").into_os_string();
    let variables = vec![("CODEX_MCP_STATE_DIR", elsewhere)];
    let mut other = bridge.beside(Setup { variables, ..Setup::default() }).await;
    let refused = result_of(other.call_tool("codex.read", json!({ "token": token })).await);
    assert_eq!(error_code(&refused), "token_invalid", "{refused}");
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn no_thread_of_another_codex_home_is_seen() {
    let mut bridge = TestBridge::start([says("A secret.")]).await;
    let thread = bridge.thread("Say something.").await;
    let home = bridge.home.root().join("another-home");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("config.toml"), bridge.home.config_text()).unwrap();
    let variables = vec![("CODEX_HOME", home.into_os_string())];
    let mut other = bridge.beside(Setup { variables, ..Setup::default() }).await;
    for (tool, arguments) in calls(&mut other, &thread).await {
        let refused = result_of(other.call_tool(&tool, arguments).await);
        assert_eq!(error_code(&refused), "thread_not_found", "{tool}: {refused}");
    }
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn without_a_store_codex_says_where_a_thread_works() {
    let mut bridge = TestBridge::spawn([says("A secret."), says("Told.")], Setup::default());
    // In the place of the database lies something else.
    let broken = bridge.home.home().join(".local/state/codex-mcp/store.sqlite3");
    std::fs::create_dir_all(broken).unwrap();
    bridge.client.initialize_legacy("2025-11-25").await;
    let thread = bridge.thread("Say something.").await;
    let mut other = stranger(&bridge).await;
    let arguments = json!({ "prompt": "Tell me all.", "threadId": thread });
    let refused = result_of(other.call_tool("codex-reply", arguments.clone()).await);
    assert_eq!(error_code(&refused), "thread_not_found", "{refused}");
    leave(other).await;
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "Told.");
    bridge.finish().await;
}
