//! Commands that a thread left running. `turn/interrupt` kills none of them.

use serde::{Deserialize, Serialize};

/// Params of `thread/backgroundTerminals/list`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackgroundTerminalsListParams {
    pub thread_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `thread/backgroundTerminals/list`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackgroundTerminalsListResponse {
    #[serde(default)]
    pub data: Vec<BackgroundTerminal>,
    pub next_cursor: Option<String>,
}

/// A command that still runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackgroundTerminal {
    /// The item that started it.
    pub item_id: String,
    /// Codex's number for it; not a process id.
    pub process_id: String,
    pub command: Option<String>,
    pub cwd: Option<String>,
    pub os_pid: Option<u32>,
}
