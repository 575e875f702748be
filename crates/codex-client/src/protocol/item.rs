//! Items: what a turn consists of.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tolerant::{open_string, open_tagged};
use super::{DynamicToolOutput, UserInput};

open_tagged! {
    /// One item of a turn.
    ThreadItem {
        "userMessage" => UserMessage(UserMessageItem),
        "agentMessage" => AgentMessage(AgentMessageItem),
        "reasoning" => Reasoning(ReasoningItem),
        "plan" => Plan(PlanItem),
        "commandExecution" => CommandExecution(CommandExecutionItem),
        "fileChange" => FileChange(FileChangeItem),
        "mcpToolCall" => McpToolCall(McpToolCallItem),
        "dynamicToolCall" => DynamicToolCall(DynamicToolCallItem),
        "webSearch" => WebSearch(WebSearchItem),
        "imageView" => ImageView(ImageViewItem),
        "imageGeneration" => ImageGeneration(ImageGenerationItem),
        "enteredReviewMode" => EnteredReviewMode(ReviewModeItem),
        "exitedReviewMode" => ExitedReviewMode(ReviewModeItem),
        "contextCompaction" => ContextCompaction(ContextCompactionItem),
    }
}

/// What the user said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserMessageItem {
    pub id: String,
    /// The `clientUserMessageId` of the request that brought it.
    pub client_id: Option<String>,
    #[serde(default)]
    pub content: Vec<UserInput>,
}

/// What Codex said.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentMessageItem {
    pub id: String,
    #[serde(default)]
    pub text: String,
    /// Absent where the model does not tell.
    pub phase: Option<MessagePhase>,
}

open_string! {
    /// Whether a message is the answer.
    MessagePhase {
        Commentary = "commentary",
        PartialAnswer = "partial_answer",
        FinalAnswer = "final_answer",
    }
}

/// What Codex thought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReasoningItem {
    pub id: String,
    #[serde(default)]
    pub summary: Vec<String>,
    #[serde(default)]
    pub content: Vec<String>,
}

/// What Codex proposes in plan mode.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanItem {
    pub id: String,
    #[serde(default)]
    pub text: String,
}

open_string! {
    /// Where a command, a change or a tool call stands.
    ItemStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
        /// Refused, by a person or by policy.
        Declined = "declined",
    }
}

/// A command. Some that the sandbox made fail never appear as an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecutionItem {
    pub id: String,
    /// With its shell, such as `/bin/bash -lc 'ls'`.
    #[serde(default)]
    pub command: String,
    pub cwd: Option<String>,
    pub process_id: Option<String>,
    pub source: Option<CommandSource>,
    pub status: ItemStatus,
    /// What Codex makes of it.
    #[serde(default)]
    pub command_actions: Vec<CommandAction>,
    /// At most 1 MiB.
    pub aggregated_output: Option<String>,
    pub exit_code: Option<i32>,
    pub duration_ms: Option<i64>,
}

open_string! {
    /// Who ran a command.
    CommandSource {
        Agent = "agent",
        UserShell = "userShell",
        UnifiedExecStartup = "unifiedExecStartup",
        UnifiedExecInteraction = "unifiedExecInteraction",
    }
}

/// What a command does, as far as Codex can tell. Each kind has some of the fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommandAction {
    #[serde(rename = "type")]
    pub kind: CommandActionKind,
    pub command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

open_string! {
    /// What a command does.
    CommandActionKind {
        Read = "read",
        ListFiles = "listFiles",
        Search = "search",
        Unknown = "unknown",
    }
}

/// A patch by Codex's own tool. What a shell command changes never appears as an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileChangeItem {
    pub id: String,
    #[serde(default)]
    pub changes: Vec<FileUpdateChange>,
    pub status: ItemStatus,
}

/// The change of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileUpdateChange {
    /// Absolute, but relative in `item/fileChange/patchUpdated`.
    pub path: String,
    pub kind: PatchChangeKind,
    /// A unified diff of an update; the bare content of what is added or deleted.
    #[serde(default)]
    pub diff: String,
}

/// How a file changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PatchChangeKind {
    #[serde(rename = "type")]
    pub kind: PatchChange,
    /// Where an updated file goes. In snake case on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub move_path: Option<String>,
}

open_string! {
    /// How a file changes.
    PatchChange {
        Add = "add",
        Delete = "delete",
        Update = "update",
    }
}

/// A call of a tool of one of Codex's own MCP servers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct McpToolCallItem {
    pub id: String,
    pub server: String,
    pub tool: String,
    pub status: ItemStatus,
    #[serde(default)]
    pub arguments: Value,
    pub result: Option<Value>,
    pub error: Option<McpToolCallError>,
    pub duration_ms: Option<i64>,
}

/// Why it failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct McpToolCallError {
    pub message: String,
}

/// A call of a tool that the client gave in `thread/start`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DynamicToolCallItem {
    pub id: String,
    pub namespace: Option<String>,
    pub tool: String,
    #[serde(default)]
    pub arguments: Value,
    pub status: ItemStatus,
    pub content_items: Option<Vec<DynamicToolOutput>>,
    pub success: Option<bool>,
    pub duration_ms: Option<i64>,
}

/// A search of the web.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebSearchItem {
    pub id: String,
    #[serde(default)]
    pub query: String,
}

/// An image that the model looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImageViewItem {
    pub id: String,
    #[serde(default)]
    pub path: String,
}

/// An image that Codex made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageGenerationItem {
    pub id: String,
    #[serde(default)]
    pub status: String,
    /// The image in base64. Absent where Codex keeps it under a `fileId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The file that Codex wrote it to.
    pub saved_path: Option<String>,
}

/// The start of a review, with what is reviewed, or its end, with what was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReviewModeItem {
    pub id: String,
    #[serde(default)]
    pub review: String,
}

/// The history was summarised.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContextCompactionItem {
    pub id: String,
}
