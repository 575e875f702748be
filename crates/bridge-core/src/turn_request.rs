//! A turn, as a call asks for it.

use std::sync::Arc;
use std::time::Duration;

use crate::{ApprovalPolicy, Attachment, Changes, Json};

/// A turn that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRequest {
    /// The user's message.
    pub prompt: String,
    /// What comes with it.
    pub material: Arc<Material>,
    /// The turn's own options. They hold for this turn only.
    pub options: TurnOptions,
    /// Whether the call waits for the end.
    pub attachment: Attachment,
    /// A time limit for this turn instead of the common one.
    pub time_limit: Option<Duration>,
}

/// Options of one turn. An absent value is the thread's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnOptions {
    /// The model's name.
    pub model: Option<String>,
    /// The reasoning effort.
    pub effort: Option<String>,
    /// Which questions Codex asks.
    pub approval_policy: Option<ApprovalPolicy>,
    /// A JSON schema for the final answer.
    pub output_schema: Option<Json>,
    /// What it may change. Not the thread's: absent means nothing.
    pub changes: Changes,
    /// The folder that is copied, or of which a snapshot is taken, with the thread's folder in it; made by the shell. Absent:
    /// the thread's folder itself.
    pub workspace: Option<String>,
}

/// What a turn is given besides its prompt, as the shell has read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Material {
    /// What Codex reads before the prompt.
    pub text: Option<String>,
    /// Images, as `data:` URLs.
    pub images: Vec<String>,
    /// What is worth knowing of all that, for the turn's result.
    pub warnings: Vec<String>,
}
