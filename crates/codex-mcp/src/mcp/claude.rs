//! What the plugin in Claude Code asks for beside the tools of its model: a tool for its hooks, which the model does not
//! see.
//!
//! Through it plans are mirrored. [`news`] tells a session what others did to the plans of the threads that it works
//! with, [`list`] makes versions of those plans out of what the session does to its own list of tasks. [`gate`] lets Codex review before it stops. A hook never
//! fails: where nothing can be said or done, it says nothing, and Claude Code goes on as if it were not there.

mod gate;
mod list;
mod news;

use bridge_core::ThreadId;
use bridge_store::Write;
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, MetaObject, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::call::ToolCall;
use super::schema;

/// The tool's name.
pub(super) const HOOK_TOOL: &str = "codex.hook";

/// Who is shown the tool, by its own name as a client.
pub(super) const CLIENT: &str = "claude-code";

/// What a hook tells, each in Claude Code's own words. Whatever a version does not tell is empty, and what a newer one
/// tells besides is left alone.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct Hook {
    /// The event.
    event: String,
    /// The conversation, whose list of tasks it is.
    session_id: String,
    /// The subagent, if it is in one.
    agent_id: String,
    /// The tool that was called.
    tool: String,
    /// Its arguments, as JSON.
    input: String,
    /// Its result, as JSON.
    response: String,
    /// `true`: the conversation goes on because a hook did not let it stop.
    stop_hook_active: String,
}

/// What hooks of one connection remember.
#[derive(Debug, Default)]
pub(super) struct HookMemory {
    /// Held while the session is told of plans, so that it is told once.
    telling: Mutex<()>,
    /// Held while the stop gate works.
    gate: Mutex<gate::Gate>,
}

impl ToolCall<'_> {
    /// The session works with a thread.
    pub(super) fn session_uses(&self, thread: &ThreadId) {
        if let Some(session) = self.claude_session() {
            let (session, thread) = (session.to_owned(), thread.clone());
            self.ledger().write(vec![Write::SessionUses { session, thread }]);
        }
    }

    /// The answer shows the session a version of the thread's plan.
    pub(super) fn session_knows(&self, thread: &ThreadId, version: u64) {
        if let Some(session) = self.claude_session() {
            let (session, thread) = (session.to_owned(), thread.clone());
            self.ledger().write(vec![Write::SessionKnows { session, thread, version }]);
        }
    }
}

/// The tool. Claude Code hides it from its model and lets hooks call it.
pub(super) fn definition() -> Tool {
    let mut meta = MetaObject::default();
    meta.insert("ui".to_owned(), json!({ "visibility": ["app"] }));
    let description = "For the hooks of the Claude Code plugin.";
    Tool::new(HOOK_TOOL, description, schema::of_arguments::<Hook>()).with_meta(meta)
}

/// Answers a hook, in the form that Claude Code reads: JSON as text.
pub(super) async fn hook(arguments: Option<JsonObject>, call: ToolCall<'_>) -> CallToolResult {
    let said = match call.input_limits().arguments(arguments.as_ref()) {
        Ok(()) => answer(arguments.unwrap_or_default(), &call).await,
        Err(_) => None,
    };
    let said = said.unwrap_or_else(|| json!({}));
    CallToolResult::success(vec![ContentBlock::text(said.to_string())])
}

async fn answer(arguments: JsonObject, call: &ToolCall<'_>) -> Option<Value> {
    let hook: Hook = serde_json::from_value(Value::Object(arguments)).ok()?;
    // A subagent has a mind of its own: what it is told, the conversation does not know, and its list is its own.
    if !hook.agent_id.is_empty() {
        return None;
    }
    let session = call.claude_session()?;
    // A conversation that was cleared has a new list in the same program.
    let list = if hook.session_id.is_empty() { session } else { &hook.session_id };
    if hook.event == "UserPromptSubmit" {
        gate::begin(call).await;
    }
    let text = match hook.event.as_str() {
        "Stop" => return gate::stop(call, &hook).await,
        "UserPromptSubmit" | "PostToolBatch" => news::tell(call, session, list).await?,
        "PostToolUse" => list::mirror(call, session, list, &hook).await?,
        _ => return None,
    };
    let output = json!({ "hookEventName": hook.event, "additionalContext": text });
    Some(json!({ "hookSpecificOutput": output }))
}
