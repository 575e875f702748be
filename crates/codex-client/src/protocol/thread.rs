//! Threads: start, resume, read, list, and what Codex says of them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::tolerant::open_string;
use super::{ApprovalPolicy, SandboxMode, SandboxPolicy, Turn, TurnItemsView};

/// Params of the methods that need a thread and no more.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadIdParams {
    pub thread_id: String,
}

/// Params of `thread/start`. Codex validates none of `cwd`, `model` and `config`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadStartParams {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_policy: Option<ApprovalPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxMode>,
    /// Like `-c`: keys dotted or nested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Map<String, Value>>,
    /// Replaces Codex's own system text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_instructions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer_instructions: Option<String>,
    /// Keeps nothing on disk: it can be neither read with turns nor resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral: Option<bool>,
    /// Functions that the model may call, answered through `item/tool/call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic_tools: Option<Vec<DynamicTool>>,
}

/// A function for the model.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "function", rename_all = "camelCase")]
pub struct DynamicTool {
    pub name: String,
    pub description: String,
    /// JSON Schema.
    pub input_schema: Value,
}

/// Result of `thread/start`: the thread and what is in force on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadStartResponse {
    pub thread: Thread,
    pub model: Option<String>,
    pub model_provider: Option<String>,
    pub cwd: Option<String>,
    pub approval_policy: Option<ApprovalPolicy>,
    pub sandbox: Option<SandboxPolicy>,
    pub reasoning_effort: Option<String>,
    /// The files of instructions that were found.
    #[serde(default)]
    pub instruction_sources: Vec<String>,
}

/// Params of `thread/resume`. What is absent comes back as it was.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadResumeParams {
    pub thread_id: String,
    /// Set it: full turns are deprecated here.
    pub exclude_turns: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_policy: Option<ApprovalPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_instructions: Option<String>,
    /// Not added to the prompt of a thread that was not loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer_instructions: Option<String>,
}

/// Result of `thread/resume`.
pub type ThreadResumeResponse = ThreadStartResponse;

/// A thread. Times are seconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    pub id: String,
    pub name: Option<String>,
    /// The start of the first prompt.
    #[serde(default)]
    pub preview: String,
    #[serde(default)]
    pub ephemeral: bool,
    pub forked_from_id: Option<String>,
    pub model_provider: Option<String>,
    pub model: Option<String>,
    pub reasoning_effort: Option<String>,
    pub created_at: Option<i64>,
    pub updated_at: Option<i64>,
    pub status: Option<ThreadStatus>,
    /// Codex's own file of it.
    pub path: Option<String>,
    pub cwd: Option<String>,
    pub cli_version: Option<String>,
    pub originator: Option<String>,
    /// A string such as `vscode` (what the app-server says of its own threads), or an object.
    pub source: Option<Value>,
    pub git_info: Option<GitInfo>,
    /// Empty unless asked for.
    #[serde(default)]
    pub turns: Vec<Turn>,
}

/// The repository that a thread was started in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GitInfo {
    pub sha: Option<String>,
    pub branch: Option<String>,
    pub origin_url: Option<String>,
}

/// What a thread does now.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadStatus {
    #[serde(rename = "type")]
    pub kind: ThreadStatusKind,
    /// What an active thread waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub active_flags: Vec<ThreadActiveFlag>,
}

open_string! {
    /// What a thread does now.
    ThreadStatusKind {
        NotLoaded = "notLoaded",
        Idle = "idle",
        /// Its last turn failed; the next one works.
        SystemError = "systemError",
        Active = "active",
    }
}

open_string! {
    /// What an active thread waits for.
    ThreadActiveFlag {
        WaitingOnApproval = "waitingOnApproval",
        WaitingOnUserInput = "waitingOnUserInput",
    }
}

/// Params of `thread/read`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadParams {
    pub thread_id: String,
    /// Deprecated by Codex: page through `thread/turns/list` instead.
    pub include_turns: bool,
}

/// Result of `thread/read`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ThreadReadResponse {
    pub thread: Thread,
}

open_string! {
    /// The order of a list.
    SortDirection {
        Ascending = "asc",
        Descending = "desc",
    }
}

/// Params of `thread/list`. Threads of `codex exec` are hidden unless `source_kinds` names them.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadListParams {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `created_at`, `updated_at` or `recency_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_direction: Option<SortDirection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_providers: Option<Vec<String>>,
    /// Such as `cli`, `vscode` (the app-server's own) and `exec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_kinds: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<Vec<String>>,
    /// Within the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_term: Option<String>,
}

/// Result of `thread/list`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadListResponse {
    #[serde(default)]
    pub data: Vec<Thread>,
    pub next_cursor: Option<String>,
}

/// Params of `thread/loaded/list`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ThreadLoadedListParams {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `thread/loaded/list`: ids.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadLoadedListResponse {
    #[serde(default)]
    pub data: Vec<String>,
    pub next_cursor: Option<String>,
}

/// Params of `thread/turns/list`. The newest comes first unless told otherwise.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadTurnsListParams {
    pub thread_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_direction: Option<SortDirection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_view: Option<TurnItemsView>,
}

/// Result of `thread/turns/list`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadTurnsListResponse {
    #[serde(default)]
    pub data: Vec<Turn>,
    pub next_cursor: Option<String>,
    pub backwards_cursor: Option<String>,
}

/// Params of `thread/name/set`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSetNameParams {
    pub thread_id: String,
    pub name: String,
}

/// Result of `thread/unsubscribe`. The thread is unloaded a minute later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ThreadUnsubscribeResponse {
    pub status: ThreadUnsubscribeStatus,
}

open_string! {
    /// What unsubscribing came to.
    ThreadUnsubscribeStatus {
        NotLoaded = "notLoaded",
        NotSubscribed = "notSubscribed",
        Unsubscribed = "unsubscribed",
    }
}
