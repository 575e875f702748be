//! The Codex configuration of a thread: what a call may set, and what we set ourselves.
//!
//! A call cannot widen permissions, run programs, move the login or write configuration: only the keys listed here
//! pass, and those of `config_allow`; everything else stays what the user's own configuration says.
//!
//! Codex gets nested tables: of dotted keys it makes tables in no certain order.

use std::path::Path;

use bridge_core::Json;
use serde_json::{Map, Value, json};

use super::inherited::{Inherited, set, switched_off};
use super::profile;
use crate::config::KeyPath;
use crate::error::{Code, Problem};
use crate::redact;

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

/// The longest name of a model, in characters.
const MAX_MODEL: usize = 200;

/// What a call says of its thread's configuration, and what it is checked against.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    /// Keys and values, dotted or nested.
    pub(crate) config: Option<Map<String, Value>>,
    /// A profile of the user's own.
    pub(crate) profile: Option<&'a str>,
    /// The prompt that Codex compacts with.
    pub(crate) compact_prompt: Option<&'a str>,
    /// The only ones of Codex's own MCP servers that the thread has.
    pub(crate) mcp_servers: Option<&'a [String]>,
    /// Further keys that may be set.
    pub(crate) allowed: &'a [KeyPath],
    /// Where the thread works.
    pub(crate) working_directory: &'a Path,
    /// Where the user's profiles are.
    pub(crate) codex_home: Option<&'a Path>,
}

/// Checks what a call sets, and adds what its profile and we set.
///
/// # Errors
/// A key that a call may not set, or a profile or an MCP server that is not there.
pub(crate) fn build(given: Given<'_>) -> Result<Json, Problem> {
    let mut config = match given.profile {
        Some(name) => profile::load(given.codex_home, name)?,
        None => Map::new(),
    };
    switch_plan_tool_on(&mut config);
    if let Some(prompt) = given.compact_prompt {
        config.insert("compact_prompt".to_owned(), json!(prompt));
    }
    for (key, value) in given.config.unwrap_or_default() {
        flatten(&key, value, 1, given.allowed, &mut config)?;
    }
    let inherited = Inherited::find(&config, given.codex_home, given.working_directory);
    let unwanted = inherited.unwanted(given.mcp_servers)?;
    inherited.switch_off(&unwanted, &mut config);
    Ok(Json(Value::Object(config).to_string()))
}

/// What has to be said again when a thread is loaded from disk, for Codex forgets it. `options` is what the thread was
/// set up with, if it is one of ours.
pub(crate) fn resume(
    options: Option<&str>,
    working_directory: &Path,
    codex_home: Option<&Path>,
) -> Json {
    let options: Option<Value> = options.and_then(|options| serde_json::from_str(options).ok());
    let mut config = Map::new();
    switch_plan_tool_on(&mut config);
    let inherited = Inherited::find(&config, codex_home, working_directory);
    // Without a wish there is nothing to refuse: this gives what is never wanted.
    let mut unwanted = inherited.unwanted(None).unwrap_or_default();
    unwanted.extend(options.map(|options| switched_off(&options["config"])).unwrap_or_default());
    inherited.switch_off(&unwanted, &mut config);
    Json(Value::Object(config).to_string())
}

/// Has Codex's own review use this model too, whatever the user's configuration names for reviews.
pub(crate) fn set_review_model(config: &mut Json, model: &str) {
    if let Ok(Value::Object(mut table)) = serde_json::from_str(config.as_str()) {
        table.insert("review_model".to_owned(), json!(model));
        config.0 = Value::Object(table).to_string();
    }
}

/// Codex leaves its plan tool off unless it is asked for.
fn switch_plan_tool_on(config: &mut Map<String, Value>) {
    set(config, &["tools", "update_plan", "enabled"], json!(true));
}

/// Whether a text has the form of a model's name: which models exist, only the provider knows.
pub(crate) fn is_model_name(name: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_.:/@+".contains(character);
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    starts_well && name.len() <= MAX_MODEL && name.chars().all(fits)
}

/// Takes nested tables apart as far as to keys that are allowed, and sets those.
fn flatten(
    path: &str,
    value: Value,
    depth: usize,
    allowed: &[KeyPath],
    config: &mut Map<String, Value>,
) -> Result<(), Problem> {
    if path == "model" && !value.as_str().is_some_and(is_model_name) {
        return Err(Problem::argument("config", "`model` is none", "a model's name"));
    }
    if is_allowed(path, allowed) {
        set(config, &path.split('.').collect::<Vec<_>>(), value);
        return Ok(());
    }
    match value {
        Value::Object(table)
            if depth < MAX_DEPTH && !table.is_empty() && leads_to_allowed(path, allowed) =>
        {
            table.into_iter().try_for_each(|(key, value)| {
                flatten(&format!("{path}.{key}"), value, depth + 1, allowed, config)
            })
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            let path = redact::shortened(path, 200);
            let may: Vec<_> = all(allowed).collect();
            let message = format!("`config` may not set {path:?}; it may set {}", may.join(", "));
            Err(Problem::new(Code::ConfigKeyRefused, message))
        }
    }
}

fn all(more: &[KeyPath]) -> impl Iterator<Item = &str> {
    ALLOWED.iter().copied().chain(more.iter().map(KeyPath::as_str))
}

fn is_allowed(path: &str, more: &[KeyPath]) -> bool {
    let lies_in = |allowed: &str| {
        path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    KeyPath::is_one(path) && all(more).any(lies_in)
}

fn leads_to_allowed(path: &str, more: &[KeyPath]) -> bool {
    all(more).any(|allowed| allowed.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}
