//! Commands that the client runs in Codex's sandbox.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SandboxPolicy;

/// Params of `command/exec`. A workspace-write sandbox is rooted in the server's directory, not in
/// `cwd`: name the writable roots.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecParams {
    /// Never a shell string.
    pub command: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// A `None` unsets the variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, Option<String>>>,
    /// Without it, ten seconds. A command out of time ends with code 124.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<i64>,
    /// For each stream. Without it, 1 MiB. Not with `disable_output_cap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes_cap: Option<u64>,
    /// Gives all that it writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_output_cap: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox_policy: Option<SandboxPolicy>,
    /// Names it for `command/exec/terminate` and for streamed output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_id: Option<String>,
    /// Sends `command/exec/outputDelta`; needs `process_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_stdout_stderr: Option<bool>,
}

/// What a command with a `process_id` has written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecOutputNotification {
    pub process_id: String,
    /// The bytes, in base64: they need not be text.
    pub delta_base64: String,
}

/// Result of `command/exec`, once the command has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecResponse {
    pub exit_code: i32,
    #[serde(default)]
    pub stdout: String,
    #[serde(default)]
    pub stderr: String,
}
