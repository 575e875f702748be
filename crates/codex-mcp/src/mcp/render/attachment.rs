//! What became of an attachment, as a client sees it.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// What became of an attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) struct AttachmentResult {
    /// What was attached.
    pub(in crate::mcp) name: String,
    pub(in crate::mcp) sent: Sent,
    /// Which lines Codex was shown, where those are not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) lines: Option<String>,
    /// What Codex was told beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) note: Option<String>,
}

/// How much of an attachment Codex was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) enum Sent {
    // All that was asked for.
    Whole,
    // Its beginning.
    Part,
    // Its name.
    Reference,
    // Nothing.
    LeftOut,
}

impl fmt::Display for AttachmentResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, sent, lines, note } = self;
        let sent = match sent {
            Sent::Whole => "whole",
            Sent::Part => "in part",
            Sent::Reference => "by name alone",
            Sent::LeftOut => "not at all",
        };
        write!(f, "{name} {sent}")?;
        match (lines, note) {
            (Some(lines), Some(note)) => write!(f, " (lines {lines}; {note})"),
            (Some(part), None) => write!(f, " (lines {part})"),
            (None, Some(part)) => write!(f, " ({part})"),
            (None, None) => Ok(()),
        }
    }
}
