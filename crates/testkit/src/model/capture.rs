//! What Codex sent to the model, and the rules that every such request must keep.
//!
//! The rules are the API's own: a real model would refuse a request that breaks them.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

/// One request to `/v1/responses`.
#[derive(Clone, Debug)]
pub struct CapturedRequest {
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The JSON body; a string if it was not JSON.
    pub body: Value,
}

impl CapturedRequest {
    /// The items of `input`, in order.
    pub fn input(&self) -> &[Value] {
        self.body["input"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The texts of all messages of `role` (`user`, `developer`, `assistant`), one string a
    /// message.
    pub fn texts(&self, role: &str) -> Vec<String> {
        let messages =
            self.input().iter().filter(|item| item["type"] == "message" && item["role"] == role);
        messages.map(text_of).collect()
    }

    /// The text of the newest user message; empty if there is none. Codex's own context comes
    /// before the prompt, so this is the prompt (or the latest steer).
    pub fn prompt(&self) -> String {
        self.texts("user").pop().unwrap_or_default()
    }

    /// What the tool call `call_id` put out, if the request carries it.
    pub fn tool_output(&self, call_id: &str) -> Option<String> {
        let output = self
            .input()
            .iter()
            .find(|item| kind(item) == Kind::Output && item["call_id"] == call_id)?;
        Some(output["output"].as_str().map_or_else(|| output["output"].to_string(), str::to_owned))
    }

    /// The names of the tools on offer; the type of those that have no name.
    pub fn tools(&self) -> Vec<&str> {
        let tools = self.body["tools"].as_array().map_or(&[][..], Vec::as_slice);
        tools.iter().filter_map(|tool| tool["name"].as_str().or(tool["type"].as_str())).collect()
    }

    /// The rules this request breaks, one sentence each.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let (mut called, mut answered) = (HashSet::new(), HashSet::new());
        if !self.body.is_object() {
            problems.push("the body is not a JSON object".to_owned());
        }
        for item in self.input() {
            let id = item["call_id"].as_str().unwrap_or_default();
            match kind(item) {
                Kind::Call if !called.insert(id) => {
                    problems.push(format!("two calls have the id {id:?}"))
                }
                Kind::Output if !called.contains(id) => {
                    problems.push(format!("output {id:?} has no call before it"))
                }
                Kind::Output if !answered.insert(id) => {
                    problems.push(format!("call {id:?} has two outputs"))
                }
                Kind::Call | Kind::Output | Kind::Other => {}
            }
        }
        for id in called.difference(&answered) {
            problems.push(format!("call {id:?} has no output"));
        }
        problems
    }
}

#[derive(PartialEq)]
enum Kind {
    Call,
    Output,
    Other,
}

/// Sorts an input item by the suffix of its type: `function_call`, `custom_tool_call`,
/// `function_call_output` ….
fn kind(item: &Value) -> Kind {
    match (item["type"].as_str(), item["call_id"].as_str()) {
        (Some(kind), Some(_)) if kind.ends_with("_call") => Kind::Call,
        (Some(kind), Some(_)) if kind.ends_with("_output") => Kind::Output,
        _ => Kind::Other,
    }
}

fn text_of(message: &Value) -> String {
    let parts = message["content"].as_array().map_or(&[][..], Vec::as_slice);
    parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(input: Value, expected: &[&str]) {
        let request = CapturedRequest { headers: BTreeMap::new(), body: json!({"input": input}) };
        assert_eq!(request.violations(), expected);
    }

    #[test]
    fn calls_and_outputs_come_in_pairs() {
        let call = json!({"type": "function_call", "call_id": "call_1"});
        let output = json!({"type": "function_call_output", "call_id": "call_1"});
        check(json!([call, output]), &[]);
        check(json!([call]), &[r#"call "call_1" has no output"#]);
        check(json!([output]), &[r#"output "call_1" has no call before it"#]);
        check(json!([call, output, output]), &[r#"call "call_1" has two outputs"#]);
        check(json!([call, output, call]), &[r#"two calls have the id "call_1""#]);
    }
}
