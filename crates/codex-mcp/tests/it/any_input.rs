//! Any input: arguments made from each tool's own schema and beyond it, requests, and the first lines of strangers at the
//! engine's socket. Each is answered once, in the way that was promised, and the server goes on.

use codex_mcp::error::Code;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::bridge::{Setup, TestBridge, text};

/// How often each tool is called.
const CALLS: usize = 150;
/// How many requests and introductions are made.
const LINES: usize = 300;

/// What a client may ask for that ends by itself.
const METHODS: &[&str] = &[
    "initialize",
    "server/discover",
    "ping",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/result",
    "tasks/update",
    "tasks/cancel",
    "no/such",
];

/// What a request of any kind may bring.
const PARAMS: &[&str] = &[
    "_meta",
    "arguments",
    "capabilities",
    "clientInfo",
    "cursor",
    "inputResponses",
    "level",
    "name",
    "protocolVersion",
    "ref",
    "requestState",
    "task",
    "taskId",
    "uri",
];

/// Texts that mean something to somebody on the way.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\n",
    "-",
    "--help",
    "-x",
    "..",
    "../../etc/passwd",
    "/",
    "/etc",
    "~",
    "\u{0}",
    "\u{202e}",
    "🦀",
    "null",
    "a\u{301}",
    "'; DROP TABLE threads; --",
    "$(id)",
    "%00",
    "%s",
    "codex://threads",
    "never",
    "01a213dc-2336-7d43-86fb-a9652d90cd43",
];

/// Whatever JSON can say, for a few levels.
pub(crate) fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words(),
    ];
    let nested = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    nested.boxed()
}

fn words() -> BoxedStrategy<Value> {
    prop_oneof![name(), "\\PC{0,300}"].prop_map(Value::from).boxed()
}

fn name() -> BoxedStrategy<String> {
    prop_oneof![select(TEXTS).prop_map(str::to_owned), "[a-z._-]{1,12}"].boxed()
}

/// What a schema allows, as far as it says so by itself.
fn allowed(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(values) = schema["enum"].as_array() {
        return select(values.clone()).boxed();
    }
    match schema["type"].as_str() {
        Some("integer") => prop_oneof![-2_i64..100, any::<i64>()].prop_map(Value::from).boxed(),
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("string") => words(),
        Some("array") => {
            prop::collection::vec(allowed(&schema["items"]), 0..4).prop_map(Value::from).boxed()
        }
        _ => anything(),
    }
}

/// Arguments of a tool: each left out, as its schema says, or anything; now and then one that there is not.
fn arguments(schema: &Value) -> BoxedStrategy<Value> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut whole = Just(Map::new()).boxed();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let left_out = if required.contains(&name.as_str()) { 1 } else { 20 };
        let value = prop_oneof![
            left_out => Just(None),
            12 => allowed(schema).prop_map(Some),
            2 => anything().prop_map(Some),
        ];
        let name = name.clone();
        whole = (whole, value)
            .prop_map(move |(mut whole, value)| {
                whole.extend(value.map(|value| (name.clone(), value)));
                whole
            })
            .boxed();
    }
    let more = prop::option::weighted(0.1, (name(), anything()));
    let object = (whole, more).prop_map(|(mut whole, more)| {
        whole.extend(more);
        Value::Object(whole)
    });
    prop_oneof![20 => object, 1 => anything()].boxed()
}

/// Whether a call was answered as a tool answers: by what it promises, an error of the catalogue, or one of the protocol.
fn is_answer(reply: &Value) -> bool {
    let is_told = |error: &Value| {
        Code::of_name(&text(&error["code"])).is_some()
            && !text(&error["message"]).is_empty()
            && !text(&error["remedy"]).is_empty()
    };
    let result = &reply["result"];
    match result["isError"].as_bool() {
        Some(true) => is_told(&result["structuredContent"]["error"]),
        Some(false) | None if result.is_object() => result["structuredContent"].is_object(),
        Some(_) | None => reply["error"]["code"] == -32602 || reply["error"]["code"] == -32600,
    }
}

#[tokio::test]
async fn every_tool_answers_whatever_it_is_given() {
    let setup = Setup {
        codex: Some("/bin/false".into()),
        arguments: vec!["--exec-fallback=false".into(), "--max-turns-per-minute=9999".into()],
        ..Setup::default()
    };
    let mut bridge = TestBridge::start_with([], setup).await;
    let listed = bridge.client.request("tools/list", json!({})).await;
    let mut runner = TestRunner::deterministic();
    for tool in listed["result"]["tools"].as_array().unwrap() {
        let strategy = arguments(&tool["inputSchema"]);
        for _ in 0..CALLS {
            let arguments = strategy.new_tree(&mut runner).unwrap().current();
            let params = json!({ "name": tool["name"], "arguments": arguments });
            let reply = bridge.client.request("tools/call", params.clone()).await;
            assert!(is_answer(&reply), "{params}\n{reply}");
        }
    }
    bridge.finish().await;
}

/// Fields of these names, some left out.
fn fields(names: &'static [&'static str]) -> BoxedStrategy<Value> {
    let field = (select(names).prop_map(str::to_owned), anything());
    let fields = prop::collection::vec(field, 0..names.len());
    fields.prop_map(|fields| Value::Object(fields.into_iter().collect())).boxed()
}

#[tokio::test]
async fn every_request_is_answered_whatever_it_brings() {
    let mut bridge = TestBridge::start([]).await;
    let mut runner = TestRunner::deterministic();
    let request = (select(METHODS), prop_oneof![8 => fields(PARAMS), 1 => anything()]);
    for number in 0..LINES {
        let (method, params) = request.new_tree(&mut runner).unwrap().current();
        let id = format!("any-{number}");
        let line = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let peer = &mut bridge.client.peer;
        peer.send_raw(format!("{line}\n").as_bytes()).await;
        let reply = peer.find(&id, |message| message["id"] == id).await;
        let is_answered = reply["result"].is_object() != reply["error"]["code"].is_i64();
        assert!(is_answered, "{line}\n{reply}");
    }
    bridge.finish().await;
}

/// An introduction as it should be, with some of its fields replaced.
fn introduction() -> BoxedStrategy<Value> {
    let proper = json!({
        "codexMcp": "client", "version": env!("CARGO_PKG_VERSION"), "pid": 1, "workingDirectory": "/",
        "arguments": [], "environment": [],
    });
    let names = &["codexMcp", "pid", "workingDirectory", "arguments", "environment", "more"];
    let changed = fields(names).prop_map(move |changes| {
        let mut changed = proper.clone();
        changed.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        changed
    });
    prop_oneof![8 => changed, 1 => anything()].boxed()
}

#[tokio::test]
async fn a_stranger_is_refused_whatever_it_says_and_nobody_else_notices() {
    let mut bridge = TestBridge::start([]).await;
    let socket = bridge.home.home().join(".local/state/codex-mcp/engine.sock");
    let mut runner = TestRunner::deterministic();
    let strategy = introduction();
    for _ in 0..LINES {
        let line = strategy.new_tree(&mut runner).unwrap().current();
        let mut stream = UnixStream::connect(&socket).await.unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["answer"], "refused", "{line}\n{said}");
        assert!(!text(&said["message"]).is_empty(), "{line}\n{said}");
    }
    let pong = bridge.client.request("ping", json!({})).await;
    assert!(pong["result"].is_object(), "{pong}");
    bridge.finish().await;
}
