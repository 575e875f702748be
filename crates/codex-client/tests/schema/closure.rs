//! Everything in Codex's schema that our types depend on, one definition a line.

use std::collections::BTreeMap;

use codex_client::protocol::*;
use expect_test::expect_file;
use serde_json::Value;

use crate::codex::{params_of, reference, resolve};

/// The results that we read and the answers that we give, which no union in the schema lists.
const RESULTS: &[&str] = &[
    "CommandExecResponse",
    "CommandExecutionRequestApprovalResponse",
    "DynamicToolCallResponse",
    "FileChangeRequestApprovalResponse",
    "GetAccountRateLimitsResponse",
    "GetAccountResponse",
    "InitializeResponse",
    "McpServerElicitationRequestResponse",
    "ModelListResponse",
    "PermissionsRequestApprovalResponse",
    "ReviewStartResponse",
    "ThreadBackgroundTerminalsListResponse",
    "ThreadListResponse",
    "ThreadLoadedListResponse",
    "ThreadReadResponse",
    "ThreadResumeResponse",
    "ThreadStartResponse",
    "ThreadTurnsListResponse",
    "ThreadUnsubscribeResponse",
    "ToolRequestUserInputResponse",
    "TurnStartResponse",
    "TurnSteerResponse",
];

#[test]
fn the_definitions_we_use() {
    let mut found = BTreeMap::new();
    for method in METHODS {
        collect(params_of("ClientRequest", method), &mut found);
    }
    for method in Notification::METHODS {
        collect(params_of("ServerNotification", method), &mut found);
    }
    for method in ServerRequest::METHODS {
        collect(params_of("ServerRequest", method), &mut found);
    }
    for name in RESULTS {
        collect(&serde_json::json!({ "$ref": reference(name) }), &mut found);
    }
    let lines: String = found.into_iter().map(|(name, text)| format!("{name} {text}\n")).collect();
    expect_file!["../schema_closure.txt"].assert_eq(&lines);
}

fn collect(part: &Value, found: &mut BTreeMap<String, String>) {
    match part {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                let definition = resolve(reference);
                let name = reference.rsplit('/').next().expect("a path").to_owned();
                let text = without_prose(definition).to_string();
                if found.insert(name, text).is_none() {
                    collect(definition, found);
                }
            }
            fields.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

/// Titles and descriptions change without meaning anything to a program.
fn without_prose(part: &Value) -> Value {
    match part {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, value)| {
                !(matches!(name.as_str(), "title" | "description" | "$schema") && value.is_string())
            })
            .map(|(name, value)| (name.clone(), without_prose(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_prose).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => part.clone(),
    }
}
