//! The Codex configuration of a thread: what a call may set, and what we set ourselves.
//!
//! A call cannot widen permissions, run programs, move the login or write configuration: only the keys listed here
//! pass, and everything else stays what the user's own configuration says.

use std::path::Path;

use bridge_core::Json;
use serde_json::{Map, Value, json};

use super::profile;
use crate::error::{Code, Problem};

/// Keys that a call may set, as dotted paths; a path also allows what lies below it.
const ALLOWED: &[&str] = &[
    "compact_prompt",
    "hide_agent_reasoning",
    "model",
    "model_auto_compact_token_limit",
    "model_context_window",
    "model_reasoning_effort",
    "model_reasoning_summary",
    "model_supports_reasoning_summaries",
    "model_verbosity",
    "personality",
    "plan_mode_reasoning_effort",
    "project_doc_max_bytes",
    "service_tier",
    "show_raw_agent_reasoning",
    "tool_output_token_limit",
    "tools.update_plan",
    "tools.view_image",
    "tools.web_search",
    "web_search",
];

/// How deep `config` may be nested.
const MAX_DEPTH: usize = 8;

/// What a call says of its thread's configuration.
#[derive(Debug, Default)]
pub(crate) struct Given<'a> {
    /// Keys and values, dotted or nested.
    pub(crate) config: Option<Map<String, Value>>,
    /// A profile of the user's own.
    pub(crate) profile: Option<&'a str>,
    /// The prompt that Codex compacts with.
    pub(crate) compact_prompt: Option<&'a str>,
}

/// Checks what a call sets, and adds what its profile and we set. `codex_home` is where the user's profiles are.
///
/// # Errors
/// A key that a call may not set, or a profile that is not there.
pub(crate) fn build(given: Given<'_>, codex_home: Option<&Path>) -> Result<Json, Problem> {
    let mut config = match given.profile {
        Some(name) => profile::load(codex_home, name)?,
        None => Map::new(),
    };
    // Codex leaves its plan tool off unless it is asked for.
    config.insert("tools.update_plan.enabled".to_owned(), json!(true));
    if let Some(prompt) = given.compact_prompt {
        config.insert("compact_prompt".to_owned(), json!(prompt));
    }
    for (key, value) in given.config.unwrap_or_default() {
        flatten(&key, value, 1, &mut config)?;
    }
    Ok(Json(Value::Object(config).to_string()))
}

/// Writes nested tables as dotted keys, as Codex takes both, and checks each.
fn flatten(
    path: &str,
    value: Value,
    depth: usize,
    config: &mut Map<String, Value>,
) -> Result<(), Problem> {
    if is_allowed(path) {
        config.insert(path.to_owned(), value);
        return Ok(());
    }
    match value {
        Value::Object(table)
            if depth < MAX_DEPTH && !table.is_empty() && leads_to_allowed(path) =>
        {
            table.into_iter().try_for_each(|(key, value)| {
                flatten(&format!("{path}.{key}"), value, depth + 1, config)
            })
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            let message =
                format!("`config` may not set {path:?}; it may set {}", ALLOWED.join(", "));
            Err(Problem::new(Code::ConfigKeyRefused, message))
        }
    }
}

fn is_allowed(path: &str) -> bool {
    ALLOWED.iter().any(|allowed| {
        path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn leads_to_allowed(path: &str) -> bool {
    ALLOWED
        .iter()
        .any(|allowed| allowed.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}
