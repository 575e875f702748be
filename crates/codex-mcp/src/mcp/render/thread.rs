//! A thread, as a client sees it in a list.

use std::fmt;

use bridge_core::Json;
use bridge_store::ThreadRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::turn::Status;
use crate::clock;

/// A thread.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) struct ThreadResult {
    pub(in crate::mcp) thread_id: String,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The beginning of its first prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// Where it works.
    cwd: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Where it was made: `bridge` is here; else Codex's word for another program (`cli`, `exec`, `vscode`).
    source: String,
    /// How many of its turns were made here.
    turns: u64,
    /// Where the newest of these stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    created_at: String,
    updated_at: String,
    /// When it was put away.
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_by: Option<StartedBy>,
}

// Kept as the metadata of the thread.
/// Who had it made, if it was made here.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) struct StartedBy {
    /// The MCP client's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) client: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) version: Option<String>,
    /// The Claude Code session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) claude_session: Option<String>,
}

impl StartedBy {
    pub(in crate::mcp) fn to_json(&self) -> Json {
        Json(serde_json::to_string(self).expect("strings always serialise"))
    }
}

impl From<ThreadRow> for ThreadResult {
    fn from(row: ThreadRow) -> Self {
        Self {
            thread_id: row.thread.0,
            name: row.name,
            topic: row.topic,
            cwd: row.cwd,
            model: row.model,
            source: row.source,
            turns: row.turns,
            status: row.state.map(|state| Status::of(state).0),
            created_at: clock::show(row.created_at),
            updated_at: clock::show(row.updated_at),
            archived_at: row.archived_at.map(clock::show),
            // What another version has kept is not worth a failure.
            started_by: row.metadata.and_then(|json| serde_json::from_str(&json).ok()),
        }
    }
}

/// One line.
impl fmt::Display for ThreadResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}  ", self.thread_id, self.updated_at)?;
        match (self.status, self.turns) {
            (Some(status), 1) => write!(f, "{}, 1 turn", status.as_str())?,
            (Some(status), turns) => write!(f, "{}, {turns} turns", status.as_str())?,
            (None, _) => write!(f, "made by {}", self.source)?,
        }
        if self.archived_at.is_some() {
            write!(f, ", archived")?;
        }
        write!(f, "  {}", self.cwd)?;
        match self.name.as_ref().or(self.topic.as_ref()) {
            Some(title) => write!(f, "  {title}"),
            None => Ok(()),
        }
    }
}
