//! The list of tools: a public contract, and what it costs a model to read.

use std::fmt::Write as _;

use expect_test::expect_file;
use serde_json::{Map, Value, json};

use crate::bridge::{Setup, TestBridge, text};

/// What a model is sent of all tools together, in bytes, at most.
const MAX_LIST_BYTES: usize = 20_000;
/// The longest description of a tool, in characters.
const MAX_DESCRIPTION: usize = 600;

async fn list(bridge: &mut TestBridge) -> Vec<Value> {
    let reply = bridge.client.request("tools/list", json!({})).await;
    reply["result"]["tools"].as_array().expect("a list of tools").clone()
}

#[tokio::test]
async fn every_tool_keeps_the_rules_of_the_contract() {
    let mut bridge = TestBridge::start([]).await;
    let tools = list(&mut bridge).await;
    let sent: usize = tools
        .iter()
        .map(|tool| {
            json!([tool["name"], tool["description"], tool["inputSchema"]]).to_string().len()
        })
        .sum();
    assert!(sent < MAX_LIST_BYTES, "{sent} bytes");
    for tool in &tools {
        let name = text(&tool["name"]);
        assert!(!text(&tool["title"]).is_empty(), "{name}");
        assert!(
            text(&tool["description"]).chars().count() <= MAX_DESCRIPTION,
            "{name}: the description is too long"
        );
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{name}: {schema}");
            let shown = tool[schema].to_string();
            for unwanted in ["oneOf", "\"null\"", "$ref", "\"format\""] {
                assert!(!shown.contains(unwanted), "{name}: {schema} has {unwanted}: {shown}");
            }
        }
        assert!(!tool["inputSchema"].to_string().contains("anyOf"), "{name}");
        // A result is what the tool promises, or an error: clients check both.
        let error = json!({ "required": ["error"] });
        assert_eq!(tool["outputSchema"]["anyOf"][1], error, "{name}");
        assert!(
            tool["outputSchema"]["properties"]["error"]["properties"]["remedy"].is_object(),
            "{name}"
        );
        for hint in ["readOnlyHint", "openWorldHint", "idempotentHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{name}: {hint}");
        }
        let always = matches!(name.as_str(), "codex" | "codex-reply");
        assert_eq!(tool["_meta"]["anthropic/alwaysLoad"] == true, always, "{name}");
        assert!(tool["_meta"]["anthropic/maxResultSizeChars"].is_u64(), "{name}");
        assert!(tool["_meta"]["anthropic/searchHint"].is_string(), "{name}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn only_the_newest_revision_is_told_how_long_the_list_keeps() {
    let mut bridge = TestBridge::start([]).await;
    let old = bridge.client.request("tools/list", json!({})).await;
    assert!(old["result"].get("ttlMs").is_none(), "{old}");
    bridge.finish().await;
    let mut bridge = TestBridge::spawn([], Setup::default());
    bridge.client.discover().await;
    let new = bridge.client.request("tools/list", json!({})).await;
    assert!(new["result"]["ttlMs"].is_u64(), "{new}");
    assert_eq!(new["result"]["cacheScope"], "public", "{new}");
    assert_eq!(
        new["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "codex-mcp",
        "{new}"
    );
    bridge.finish().await;
}

#[tokio::test]
async fn the_reference_of_the_tools_is_up_to_date() {
    let mut bridge = TestBridge::start([]).await;
    let mut page = String::from(
        "<!-- Generated from the server's list of tools by its tests; run them with UPDATE_EXPECT=1 to write this file \
         anew. -->\n\n# Tools\n",
    );
    for tool in list(&mut bridge).await {
        describe(&mut page, &tool);
    }
    expect_file!["../../../../docs/tools.md"].assert_eq(&page);
    bridge.finish().await;
}

fn describe(page: &mut String, tool: &Value) {
    let (name, title) = (text(&tool["name"]), text(&tool["title"]));
    writeln!(page, "\n## `{name}`: {title}\n\n{}\n", text(&tool["description"])).unwrap();
    let hints: Vec<&str> = [
        ("readOnlyHint", "read-only"),
        ("destructiveHint", "destructive"),
        ("idempotentHint", "idempotent"),
        ("openWorldHint", "reaches the model provider"),
    ]
    .into_iter()
    .filter(|(hint, _)| tool["annotations"][*hint] == true)
    .map(|(_, word)| word)
    .collect();
    if !hints.is_empty() {
        writeln!(page, "Annotated as {}.\n", hints.join(", ")).unwrap();
    }
    fields(page, "Argument", &tool["inputSchema"]);
    fields(page, "Result", &tool["outputSchema"]);
}

/// A table of the properties of an object, those of objects inside it too.
fn fields(page: &mut String, heading: &str, schema: &Value) {
    let mut rows = String::new();
    rows_of(&mut rows, "", schema);
    if !rows.is_empty() {
        writeln!(page, "| {heading} | Type | Meaning |\n| --- | --- | --- |\n{rows}").unwrap();
    }
}

fn rows_of(rows: &mut String, prefix: &str, schema: &Value) {
    let none = Map::new();
    let required = schema.get("required").unwrap_or(&schema["anyOf"][0]["required"]);
    let required: Vec<&Value> = required.as_array().into_iter().flatten().collect();
    for (name, property) in schema["properties"].as_object().unwrap_or(&none) {
        let star = if required.contains(&&json!(name)) { "\\*" } else { "" };
        let meaning = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        writeln!(rows, "| `{prefix}{name}`{star} | {} | {meaning} |", kind(property)).unwrap();
        rows_of(rows, &format!("{prefix}{name}."), property);
        if property["items"].is_object() {
            rows_of(rows, &format!("{prefix}{name}[]."), &property["items"]);
        }
    }
}

fn kind(property: &Value) -> String {
    let values = property["enum"].as_array().map(|values| {
        values
            .iter()
            .map(|value| format!("`{}`", value.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(", ")
    });
    let range = match (&property["minimum"], &property["maximum"]) {
        (Value::Number(minimum), Value::Number(maximum)) => format!(" {minimum} to {maximum}"),
        _ => String::new(),
    };
    values.unwrap_or_else(|| format!("{}{range}", property["type"].as_str().unwrap_or("any")))
}
