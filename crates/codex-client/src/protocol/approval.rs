//! What Codex asks for, and how it is answered. Silence keeps a turn waiting for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CommandAction;
use super::tolerant::open_string;

/// Params of `item/commandExecution/requestApproval`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandApprovalParams {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
    /// Tells apart several questions about one item.
    pub approval_id: Option<String>,
    /// The model's words.
    pub reason: Option<String>,
    pub command: Option<String>,
    pub cwd: Option<String>,
    pub command_actions: Option<Vec<CommandAction>>,
    /// Strings and objects; Codex takes more than it lists.
    pub available_decisions: Option<Vec<Value>>,
    /// Set if it is the network that is asked for.
    pub network_approval_context: Option<NetworkApprovalContext>,
    pub additional_permissions: Option<Value>,
}

/// Where a command wants to connect to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NetworkApprovalContext {
    pub host: String,
    pub protocol: Option<String>,
}

/// Params of `item/fileChange/requestApproval`. The diff is in the item that was started before.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileChangeApprovalParams {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
    pub reason: Option<String>,
    pub grant_root: Option<String>,
}

/// The answer to a question about a command or a change.
#[derive(Debug, Clone, Serialize)]
pub struct ApprovalResponse {
    pub decision: ApprovalDecision,
}

/// A decision. The one that writes a permanent rule is left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ApprovalDecision {
    /// Once. An escalated command runs outside the sandbox.
    Accept,
    /// And not asked again on this thread.
    AcceptForSession,
    /// The model is told and the turn goes on.
    Decline,
    /// The turn is interrupted.
    Cancel,
}

/// Params of `item/permissions/requestApproval`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionsApprovalParams {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
    pub cwd: Option<String>,
    pub reason: Option<String>,
    /// `network` and `fileSystem`, to be granted in whole or in part.
    #[serde(default)]
    pub permissions: Value,
}

/// Its answer. `permissions` without fields grants nothing.
#[derive(Debug, Clone, Serialize)]
pub struct PermissionsApprovalResponse {
    pub permissions: Value,
    pub scope: PermissionScope,
}

/// For how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PermissionScope {
    Turn,
    Session,
}

/// Params of `item/tool/requestUserInput`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInputParams {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
    #[serde(default)]
    pub questions: Vec<UserInputQuestion>,
    /// After which Codex answers itself.
    pub auto_resolution_ms: Option<u64>,
}

/// One question.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInputQuestion {
    pub id: String,
    #[serde(default)]
    pub header: String,
    #[serde(default)]
    pub question: String,
    /// Free text is taken besides the options.
    #[serde(default)]
    pub is_other: bool,
    #[serde(default)]
    pub is_secret: bool,
    pub options: Option<Vec<UserInputOption>>,
}

/// One choice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserInputOption {
    pub label: String,
    #[serde(default)]
    pub description: String,
}

/// Its answer, by the ids of the questions.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UserInputResponse {
    pub answers: BTreeMap<String, UserInputAnswer>,
}

/// The answer to one question.
#[derive(Debug, Clone, Serialize)]
pub struct UserInputAnswer {
    pub answers: Vec<String>,
}

/// Params of `mcpServer/elicitation/request`: one of Codex's own MCP servers asks, or Codex asks
/// whether one of their tools may be called (`_meta.codex_approval_kind` is then `mcp_tool_call`).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ElicitationParams {
    pub thread_id: String,
    pub turn_id: Option<String>,
    pub server_name: String,
    pub mode: ElicitationMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// JSON Schema, in the form modes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elicitation_id: Option<String>,
    #[serde(rename = "_meta")]
    pub meta: Option<Value>,
}

open_string! {
    /// How an answer is to be had.
    ElicitationMode {
        Form = "form",
        Url = "url",
    }
}

/// Its answer.
#[derive(Debug, Clone, Serialize)]
pub struct ElicitationResponse {
    pub action: ElicitationAction,
    /// What was filled in.
    pub content: Option<Value>,
    #[serde(rename = "_meta")]
    pub meta: Option<Value>,
}

/// What the person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ElicitationAction {
    Accept,
    Decline,
    Cancel,
}

/// Params of `item/tool/call`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DynamicToolCallParams {
    pub thread_id: String,
    pub turn_id: String,
    pub call_id: String,
    pub namespace: Option<String>,
    pub tool: String,
    #[serde(default)]
    pub arguments: Value,
}

/// Its answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DynamicToolCallResponse {
    pub content_items: Vec<DynamicToolOutput>,
    pub success: bool,
}

/// A piece of a tool's output. Each kind has one of the fields besides its `type`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DynamicToolOutput {
    /// `inputText` or `inputImage`, among others.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
}

impl DynamicToolOutput {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: "inputText".to_owned(), text: Some(text.into()), image_url: None }
    }
}
