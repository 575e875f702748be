//! The real MCP Inspector as the client: strict about schemas, and about results that must follow them.

use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::inspector::{Era, Inspector};
use testkit::model::{FakeModel, Reply, says};
use testkit::process::Ended;

use crate::bridge::{Setup, launch};

/// Runs the Inspector in both eras, each time on a server, a home and a model of its own, and checks that nothing is
/// left.
async fn check(
    codex_script: &[Reply],
    run: impl AsyncFn(Inspector) -> Ended,
    check: impl Fn(&str, Ended),
) {
    for era in [Era::Legacy, Era::Modern] {
        let model = FakeModel::start(codex_script.to_vec());
        let home = CodexHome::new(&model.base_url()).with_git();
        let config_before = home.config_text();
        let server = launch(&home, Setup::default());
        let ended = run(Inspector::new(&home, &server, era)).await;
        check(&format!("{era:?}"), ended);
        home.check_leaks();
        assert_eq!(home.config_text(), config_before);
        model.finish();
    }
}

fn json_of(era: &str, text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{era}: not JSON ({error}): {text}"))
}

#[tokio::test]
async fn the_tool_list_has_no_finding() {
    let list = async |inspector: Inspector| inspector.list_tools_strictly().await;
    check(&[], list, |era, ended| {
        assert_eq!(ended.status.code(), Some(0), "{era}: {ended:#?}");
        let list = json_of(era, &ended.stdout);
        assert_eq!(list["schemaFindings"], Value::Null, "{era}: {:#}", list["schemaFindings"]);
        let tools = list["result"]["tools"].as_array().unwrap();
        assert_eq!(tools[0]["name"], "codex", "{era}");
        assert!(tools.iter().all(|tool| tool["outputSchema"].is_object()), "{era}: {tools:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_turn_follows_its_output_schema() {
    let codex =
        async |inspector: Inspector| inspector.call_tool("codex", json!({"prompt": "ping"})).await;
    check(&[says("pong")], codex, |era, ended| {
        assert_eq!(ended.status.code(), Some(0), "{era}: {ended:#?}");
        let result = &json_of(era, &ended.stdout)["result"];
        assert_eq!(result["structuredContent"]["content"], "pong", "{era}: {result:#}");
    })
    .await;
}

#[tokio::test]
async fn a_health_check_follows_its_output_schema() {
    let health = async |inspector: Inspector| inspector.call_tool("codex.health", json!({})).await;
    check(&[], health, |era, ended| {
        assert_eq!(ended.status.code(), Some(0), "{era}: {ended:#?}");
        let result = &json_of(era, &ended.stdout)["result"];
        assert_eq!(result["structuredContent"]["healthy"], true, "{era}: {result:#}");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_tool_has_its_own_exit_code() {
    let unknown =
        async |inspector: Inspector| inspector.call_tool("codex.nothing", json!({})).await;
    check(&[], unknown, |era, ended| {
        assert_eq!(ended.status.code(), Some(5), "{era}: {ended:#?}");
        assert_eq!(json_of(era, &ended.stderr)["error"]["code"], "tool_not_found", "{era}");
    })
    .await;
}

#[tokio::test]
async fn a_bad_argument_is_an_error_of_the_tool_and_follows_its_output_schema() {
    let empty_prompt =
        async |inspector: Inspector| inspector.call_tool("codex", json!({"prompt": ""})).await;
    check(&[], empty_prompt, |era, ended| {
        assert_eq!(ended.status.code(), Some(5), "{era}: {ended:#?}");
        assert_eq!(json_of(era, &ended.stderr)["error"]["code"], "tool_is_error", "{era}");
        let result = &json_of(era, &ended.stdout)["result"];
        assert_eq!(
            result["structuredContent"]["error"]["code"], "invalid_arguments",
            "{era}: {result:#}"
        );
    })
    .await;
}
