//! What Codex may do: sandboxes and approval policies, in Codex's own words.

use serde::{Deserialize, Serialize};

use super::tolerant::{open_string, open_tagged};

open_string! {
    /// When Codex asks. The `granular` form, an object, is read as absent.
    ApprovalPolicy {
        /// Asks for everything, even `ls`.
        Untrusted = "untrusted",
        OnRequest = "on-request",
        Never = "never",
    }
}

open_string! {
    /// The sandbox of a thread by name. Starting a thread with anything but `read-only` makes Codex
    /// write a trust entry into the user's configuration.
    SandboxMode {
        ReadOnly = "read-only",
        WorkspaceWrite = "workspace-write",
        DangerFullAccess = "danger-full-access",
    }
}

open_string! {
    /// Whether commands in an external sandbox reach the network.
    NetworkAccess {
        Restricted = "restricted",
        Enabled = "enabled",
    }
}

open_tagged! {
    /// The sandbox of a turn in full.
    SandboxPolicy {
        "dangerFullAccess" => DangerFullAccess(super::Empty),
        "readOnly" => ReadOnly(ReadOnlySandbox),
        "externalSandbox" => ExternalSandbox(ExternalSandbox),
        "workspaceWrite" => WorkspaceWrite(WorkspaceWriteSandbox),
    }
}

/// Nothing can be written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReadOnlySandbox {
    pub network_access: bool,
}

/// Somebody else confines Codex.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalSandbox {
    pub network_access: NetworkAccess,
}

/// The working directory can be written, and `/tmp` unless excluded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkspaceWriteSandbox {
    /// Absolute paths besides the working directory.
    pub writable_roots: Vec<String>,
    pub network_access: bool,
    pub exclude_tmpdir_env_var: bool,
    pub exclude_slash_tmp: bool,
}
