//! Turns: start, steer, interrupt, and how they end.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::tolerant::{open_string, open_tagged};
use super::{ApprovalPolicy, SandboxPolicy, ThreadItem};

open_tagged! {
    /// A piece of what the user says.
    UserInput {
        "text" => Text(TextInput),
        /// Only `data:` URLs are taken.
        "image" => Image(ImageInput),
        /// Read by Codex. A missing file becomes a note in the prompt, not an error.
        "localImage" => LocalImage(LocalImageInput),
        "skill" => Skill(NamedPath),
        "mention" => Mention(NamedPath),
    }
}

impl UserInput {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextInput { text: text.into() })
    }

    /// An image by its `data:` URL.
    pub fn image(url: impl Into<String>) -> Self {
        Self::Image(ImageInput { url: url.into() })
    }
}

/// Text, at most 1,048,576 characters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TextInput {
    pub text: String,
}

/// An inline image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImageInput {
    pub url: String,
}

/// An image file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LocalImageInput {
    pub path: String,
}

/// Something with a name and a place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedPath {
    pub name: String,
    pub path: String,
}

/// Params of `turn/start`. On a thread with a running turn Codex takes it as a steer and stores the
/// overrides for later: never send it there. All overrides but `output_schema` stay for later turns.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnStartParams {
    pub thread_id: String,
    pub input: Vec<UserInput>,
    /// Comes back as the user message's `clientId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_user_message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_policy: Option<ApprovalPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox_policy: Option<SandboxPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Not validated by Codex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<ReasoningSummary>,
    /// JSON Schema for the final message. Codex does not check the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// Plan mode and back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collaboration_mode: Option<CollaborationMode>,
}

open_string! {
    /// How much of its reasoning the model summarises.
    ReasoningSummary {
        Auto = "auto",
        Concise = "concise",
        Detailed = "detailed",
        None = "none",
    }
}

/// Whether Codex plans or works.
#[derive(Debug, Clone, Serialize)]
pub struct CollaborationMode {
    pub mode: CollaborationModeKind,
    pub settings: CollaborationSettings,
}

open_string! {
    /// Whether Codex plans or works.
    CollaborationModeKind {
        Plan = "plan",
        Default = "default",
    }
}

/// What a mode runs with. These keys are in snake case on the wire.
#[derive(Debug, Clone, Serialize)]
pub struct CollaborationSettings {
    pub model: String,
    pub reasoning_effort: Option<String>,
    pub developer_instructions: Option<String>,
}

/// Result of `turn/start`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TurnStartResponse {
    pub turn: Turn,
}

/// Params of `turn/steer`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnSteerParams {
    pub thread_id: String,
    pub input: Vec<UserInput>,
    /// Refused unless this turn runs.
    pub expected_turn_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_user_message_id: Option<String>,
}

/// Result of `turn/steer`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnSteerResponse {
    pub turn_id: String,
}

/// Params of `turn/interrupt`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnInterruptParams {
    pub thread_id: String,
    pub turn_id: String,
}

/// A turn. Times are seconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    pub id: String,
    pub status: TurnStatus,
    /// In `turn/completed` only the final message, if that.
    #[serde(default)]
    pub items: Vec<ThreadItem>,
    /// How much of the turn `items` is.
    pub items_view: Option<TurnItemsView>,
    pub error: Option<TurnError>,
    pub started_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub duration_ms: Option<i64>,
}

open_string! {
    /// Where a turn stands.
    TurnStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Interrupted = "interrupted",
        Failed = "failed",
    }
}

open_string! {
    /// How much of a turn's items is there.
    TurnItemsView {
        NotLoaded = "notLoaded",
        Summary = "summary",
        Full = "full",
    }
}

/// Why a turn failed, or is being retried by Codex.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnError {
    pub message: String,
    pub codex_error_info: Option<CodexErrorInfo>,
    pub additional_details: Option<String>,
}

/// What kind of error it is: a string, or an object with one key. The set is open.
#[derive(Debug, Clone)]
pub struct CodexErrorInfo {
    /// Such as `usageLimitExceeded` or `httpConnectionFailed`; `unknown` if it has no name.
    pub kind: String,
    /// Of the failed request, where there was one.
    pub http_status_code: Option<u16>,
    /// As received.
    pub raw: Value,
}

impl<'de> Deserialize<'de> for CodexErrorInfo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let named = raw.as_object().and_then(|object| object.iter().next());
        let kind = match (raw.as_str(), named) {
            (Some(kind), _) => kind,
            (None, Some((kind, _))) => kind,
            (None, None) => "unknown",
        };
        let http_status_code = named
            .and_then(|(_, details)| details.get("httpStatusCode"))
            .and_then(Value::as_u64)
            .and_then(|code| u16::try_from(code).ok());
        Ok(Self { kind: kind.to_owned(), http_status_code, raw })
    }
}

impl Serialize for CodexErrorInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}
