//! What Codex tells unasked.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::tolerant::open_string;
use super::{
    CommandExecOutputNotification, FileUpdateChange, RateLimitSnapshot, Thread, ThreadItem,
    ThreadStatus, Turn, TurnError, decode,
};
use crate::rpc::RequestId;

macro_rules! notifications {
    ($($method:literal => $variant:ident($params:ty),)+) => {
        /// Something that happened.
        #[derive(Debug, Clone, Serialize)]
        #[serde(untagged)]
        pub enum Notification {
            $(#[doc = concat!("`", $method, "`")] $variant($params),)+
            /// One that is not known here or cannot be read.
            Other { method: String, params: Box<RawValue> },
        }

        impl Notification {
            /// The methods that are known here.
            pub const METHODS: &'static [&'static str] = &[$($method),+];

            /// Reads a notification.
            pub fn decode(method: &str, params: &RawValue) -> Self {
                let known = match method {
                    $($method => decode(params).map(Self::$variant).ok(),)+
                    _ => None,
                };
                known.unwrap_or_else(|| Self::Other {
                    method: method.to_owned(),
                    params: params.to_owned(),
                })
            }
        }
    };
}

notifications! {
    "error" => Error(ErrorNotification),
    "warning" => Warning(WarningNotification),
    "configWarning" => ConfigWarning(NoticeNotification),
    "deprecationNotice" => DeprecationNotice(NoticeNotification),
    "thread/started" => ThreadStarted(ThreadStartedNotification),
    "thread/status/changed" => ThreadStatusChanged(ThreadStatusChangedNotification),
    "thread/closed" => ThreadClosed(ThreadClosedNotification),
    "thread/name/updated" => ThreadNameUpdated(ThreadNameUpdatedNotification),
    "thread/tokenUsage/updated" => TokenUsageUpdated(TokenUsageUpdatedNotification),
    "turn/started" => TurnStarted(TurnNotification),
    "turn/completed" => TurnCompleted(TurnNotification),
    "turn/plan/updated" => PlanUpdated(PlanUpdatedNotification),
    "turn/diff/updated" => DiffUpdated(DiffUpdatedNotification),
    "item/started" => ItemStarted(ItemNotification),
    "item/completed" => ItemCompleted(ItemNotification),
    "item/agentMessage/delta" => AgentMessageDelta(DeltaNotification),
    "item/plan/delta" => PlanDelta(DeltaNotification),
    "item/reasoning/summaryTextDelta" => ReasoningSummaryDelta(DeltaNotification),
    "item/reasoning/summaryPartAdded" => ReasoningSummaryPartAdded(ItemIdNotification),
    "item/reasoning/textDelta" => ReasoningTextDelta(DeltaNotification),
    "item/commandExecution/outputDelta" => CommandOutputDelta(DeltaNotification),
    "item/fileChange/patchUpdated" => PatchUpdated(PatchUpdatedNotification),
    "item/mcpToolCall/progress" => McpToolCallProgress(McpProgressNotification),
    "command/exec/outputDelta" => CommandExecOutput(CommandExecOutputNotification),
    "serverRequest/resolved" => ServerRequestResolved(ServerRequestResolvedNotification),
    "account/rateLimits/updated" => RateLimitsUpdated(RateLimitsUpdatedNotification),
    "account/updated" => AccountUpdated(AccountUpdatedNotification),
    "model/rerouted" => ModelRerouted(ModelReroutedNotification),
}

/// An error on a turn. The last one comes again in `turn/completed`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub error: TurnError,
    /// Whether Codex tries again by itself.
    #[serde(default)]
    pub will_retry: bool,
}

/// Something to mind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WarningNotification {
    pub thread_id: Option<String>,
    pub message: String,
}

/// Something to mind about the configuration, or about what we call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NoticeNotification {
    pub summary: String,
    pub details: Option<String>,
}

/// A thread was started, here or by another client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ThreadStartedNotification {
    pub thread: Thread,
}

/// A thread does something else now.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadStatusChangedNotification {
    pub thread_id: String,
    pub status: ThreadStatus,
}

/// A thread was unloaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadClosedNotification {
    pub thread_id: String,
}

/// A thread has another name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadNameUpdatedNotification {
    pub thread_id: String,
    pub thread_name: Option<String>,
}

/// What a thread has used. Comes before `turn/completed`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenUsageUpdatedNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub token_usage: ThreadTokenUsage,
}

/// What a thread has used.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadTokenUsage {
    pub total: TokenUsage,
    /// Of the last request to the model.
    pub last: TokenUsage,
    pub model_context_window: Option<i64>,
}

/// Tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenUsage {
    pub total_tokens: i64,
    pub input_tokens: i64,
    pub cached_input_tokens: i64,
    pub output_tokens: i64,
    pub reasoning_output_tokens: i64,
}

/// A turn began or ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnNotification {
    pub thread_id: String,
    pub turn: Turn,
}

/// The plan as it is now, whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanUpdatedNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub explanation: Option<String>,
    #[serde(default)]
    pub plan: Vec<PlanStep>,
}

/// A step of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanStep {
    pub step: String,
    pub status: PlanStepStatus,
}

open_string! {
    /// Where a step stands.
    PlanStepStatus {
        Pending = "pending",
        InProgress = "inProgress",
        Completed = "completed",
    }
}

/// All that the turn's patches changed, as a unified diff. What its commands changed is not in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffUpdatedNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub diff: String,
}

/// An item began or ended. One that a steer or an interrupt cut off never ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub item: ThreadItem,
}

/// More of an item's text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeltaNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
    pub delta: String,
}

/// Something happened to an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemIdNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
}

/// A patch as far as the model has written it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PatchUpdatedNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
    #[serde(default)]
    pub changes: Vec<FileUpdateChange>,
}

/// What a tool says of its progress.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct McpProgressNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
    pub message: String,
}

/// A question was answered, or needs no answer any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerRequestResolvedNotification {
    pub thread_id: String,
    pub request_id: RequestId,
}

/// How much is left. All fields are absent where the provider does not tell.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitsUpdatedNotification {
    pub rate_limits: RateLimitSnapshot,
}

/// Somebody logged in or out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountUpdatedNotification {
    pub auth_mode: Option<String>,
    pub plan_type: Option<String>,
}

/// Another model than the one asked for is used.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelReroutedNotification {
    pub thread_id: String,
    pub turn_id: String,
    pub from_model: String,
    pub to_model: String,
    pub reason: Option<String>,
}
