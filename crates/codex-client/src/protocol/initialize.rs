//! The handshake.

use serde::{Deserialize, Serialize};

/// Params of `initialize`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams {
    pub client_info: ClientInfo,
    pub capabilities: InitializeCapabilities,
}

/// Who we are.
#[derive(Debug, Clone, Serialize)]
pub struct ClientInfo {
    /// Becomes part of the user agent and of each thread's `originator`.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub version: String,
}

/// What we ask to be spoken to like.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeCapabilities {
    /// Opens methods such as `thread/backgroundTerminals/clean`, and fields such as `dynamicTools`.
    pub experimental_api: bool,
    /// Notifications not to be sent, by exact name.
    pub opt_out_notification_methods: Vec<String>,
}

/// Result of `initialize`. Old versions send the user agent alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResponse {
    /// The only place where Codex tells its version.
    pub user_agent: String,
    pub codex_home: Option<String>,
    pub platform_family: Option<String>,
    pub platform_os: Option<String>,
}
