//! What calls may say: parsing with errors that name the argument, and the argument types that tools share.

use std::ops::RangeInclusive;
use std::time::Duration;

use bridge_core::{ApprovalPolicy, Attachment, Json, ThreadId, TurnId, TurnOptions, TurnRequest};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::input_limits::InputLimits;
use crate::codex::thread_config::is_model_name;
use crate::config::Config;
use crate::error::{Code, Problem};

/// The longest time limit of a turn, in seconds: a day.
const MAX_TIME_LIMIT: u32 = 86_400;
/// The longest id, in characters.
const MAX_NAME: usize = 200;

/// Older and other spellings that clients use, and ours.
const ALIASES: &[(&str, &str)] = &[
    ("conversationId", "threadId"),
    ("conversation_id", "threadId"),
    ("sessionId", "threadId"),
    ("session_id", "threadId"),
    ("sid", "threadId"),
    ("thread_id", "threadId"),
    ("turn_id", "turnId"),
    ("approvalPolicy", "approval-policy"),
    ("baseInstructions", "base-instructions"),
    ("developerInstructions", "developer-instructions"),
    ("compactPrompt", "compact-prompt"),
];

/// Reads a tool's arguments.
///
/// # Errors
/// [`Code::InvalidArguments`], naming the argument, what was given and what is allowed.
pub(super) fn parse<T: DeserializeOwned>(arguments: Option<JsonObject>) -> Result<T, Problem> {
    let mut arguments = arguments.unwrap_or_default();
    for (alias, name) in ALIASES {
        if let Some(value) = arguments.remove(*alias)
            && arguments.insert((*name).to_owned(), value).is_some()
        {
            let message = format!("argument `{name}` was given twice, once as `{alias}`");
            return Err(Problem::new(Code::InvalidArguments, message));
        }
    }
    // An explicit null is how many clients leave an argument out.
    arguments.retain(|_, value| !value.is_null());
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let reason = in_words_of_json(error.into_inner().to_string());
        let message = match path.as_str() {
            // The whole is meant, or the argument is named already.
            "." | "?" => reason,
            path if reason.starts_with("unknown argument") && !path.contains('[') => reason,
            path => format!("argument `{path}`: {reason}"),
        };
        Problem::new(Code::InvalidArguments, message)
    })
}

/// Says an error of the deserialiser in the words of those who write JSON, not Rust.
fn in_words_of_json(reason: String) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("unknown field", "unknown argument"),
        ("missing field", "missing argument"),
        ("there are no fields", "there are none"),
        ("unknown variant", "unknown value"),
        ("expected u32", "expected a whole number that is not negative"),
        ("type: sequence", "type: array"),
        ("expected a sequence", "expected an array"),
        ("type: map", "type: object"),
        ("expected a map", "expected an object"),
    ];
    WORDS.iter().fold(reason, |reason, (rust, json)| reason.replacen(rust, json, 1))
}

/// What Codex may change in the workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Changes {
    // Nothing: a read-only sandbox.
    #[default]
    None,
    // Files in a copy: what comes of it is a patch.
    Propose,
    // The files themselves.
    Direct,
}

/// The removed official tool's word for what Codex may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sandbox {
    ReadOnly,
    WorkspaceWrite,
    DangerFullAccess,
}

/// Which questions Codex asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Approval {
    Untrusted,
    OnFailure,
    OnRequest,
    Never,
}

/// How hard the model thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
    Ultra,
}

impl From<Approval> for ApprovalPolicy {
    fn from(approval: Approval) -> Self {
        match approval {
            Approval::Untrusted => Self::Untrusted,
            // Codex dropped `on-failure`; asking on request is what came closest to it.
            Approval::OnFailure | Approval::OnRequest => Self::OnRequest,
            Approval::Never => Self::Never,
        }
    }
}

impl Effort {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
            Self::Ultra => "ultra",
        }
    }
}

/// The arguments that one turn can have, whichever tool starts it.
pub(super) struct TurnArguments {
    pub(super) prompt: String,
    pub(super) model: Option<String>,
    pub(super) effort: Option<Effort>,
    pub(super) output_schema: Option<JsonObject>,
    pub(super) background: Option<bool>,
    pub(super) time_limit_seconds: Option<u32>,
    pub(super) changes: Option<Changes>,
    pub(super) sandbox: Option<Sandbox>,
    pub(super) approval_policy: Option<Approval>,
}

impl TurnArguments {
    /// Checks everything that types do not.
    ///
    /// # Errors
    /// A [`Problem`] that names the argument.
    pub(super) fn check(self, limits: &InputLimits<'_>) -> Result<TurnRequest, Problem> {
        limits.object("outputSchema", self.output_schema.as_ref())?;
        let changes = allowed_changes(self.changes, self.sandbox, limits.0)?;
        let time_limit = self.time_limit_seconds.map(time_limit).transpose()?;
        Ok(TurnRequest {
            prompt: limits.prompt(self.prompt)?,
            // Read when the turn is about to start.
            material: Default::default(),
            options: TurnOptions {
                model: self.model.map(model_name).transpose()?,
                effort: self.effort.map(|effort| effort.as_str().to_owned()),
                approval_policy: self.approval_policy.map(ApprovalPolicy::from),
                output_schema: self
                    .output_schema
                    .map(|schema| Json(Value::Object(schema).to_string())),
                changes,
                workspace: None,
            },
            attachment: match self.background {
                Some(true) => Attachment::Background,
                Some(false) | None => Attachment::Foreground,
            },
            time_limit,
        })
    }
}

/// What a turn may change. Both arguments say it, in our words and in Codex's, and must agree.
fn allowed_changes(
    changes: Option<Changes>,
    sandbox: Option<Sandbox>,
    config: &Config,
) -> Result<bridge_core::Changes, Problem> {
    use bridge_core::Changes as Allowed;
    let disagree = |changes: &str, sandbox: &str| {
        let given = format!("`{sandbox}` beside `changes: {changes}`");
        let allowed =
            "`read-only` for `none`, `workspace-write` for `direct`, nothing for `propose`";
        Err(Problem::argument("sandbox", &given, allowed))
    };
    match (changes, sandbox) {
        (None | Some(Changes::None), None | Some(Sandbox::ReadOnly)) => Ok(Allowed::None),
        (Some(Changes::Propose), None) => Ok(Allowed::Propose),
        (None | Some(Changes::Direct), Some(Sandbox::WorkspaceWrite))
        | (Some(Changes::Direct), None) => Ok(Allowed::Direct),
        (None | Some(Changes::Direct), Some(Sandbox::DangerFullAccess)) => {
            match config.danger_full_access {
                true => Ok(Allowed::Unconfined),
                false => Err(Problem::new(
                    Code::SandboxRequired,
                    "`sandbox: danger-full-access` asks for work without Codex's sandbox",
                )),
            }
        }
        (Some(Changes::None), Some(Sandbox::WorkspaceWrite)) => disagree("none", "workspace-write"),
        (Some(Changes::None), Some(Sandbox::DangerFullAccess)) => {
            disagree("none", "danger-full-access")
        }
        (Some(Changes::Direct), Some(Sandbox::ReadOnly)) => disagree("direct", "read-only"),
        (Some(Changes::Propose), Some(Sandbox::ReadOnly)) => disagree("propose", "read-only"),
        (Some(Changes::Propose), Some(Sandbox::WorkspaceWrite)) => {
            disagree("propose", "workspace-write")
        }
        (Some(Changes::Propose), Some(Sandbox::DangerFullAccess)) => {
            disagree("propose", "danger-full-access")
        }
    }
}

fn time_limit(seconds: u32) -> Result<Duration, Problem> {
    in_range("timeLimitSeconds", Some(seconds), 1..=MAX_TIME_LIMIT)?;
    Ok(Duration::from_secs(u64::from(seconds)))
}

/// Checks a model's name by its form: which models exist, only the provider knows.
pub(super) fn model_name(model: String) -> Result<String, Problem> {
    if is_model_name(&model) {
        return Ok(model);
    }
    Err(Problem::argument_text(
        "model",
        &model,
        "a model's name, such as `gpt-5.5`: letters, digits and `-_.:/@+`",
    ))
}

/// Checks a number against its range.
pub(super) fn in_range(
    name: &str,
    given: Option<u32>,
    allowed: RangeInclusive<u32>,
) -> Result<Option<u32>, Problem> {
    match given {
        Some(number) if !allowed.contains(&number) => {
            let allowed = format!("{} to {}", allowed.start(), allowed.end());
            Err(Problem::argument(name, &number.to_string(), &allowed))
        }
        given => Ok(given),
    }
}

/// Checks a thread's id by its form.
pub(super) fn thread_id(id: &str) -> Result<ThreadId, Problem> {
    identifier("threadId", id, "a `threadId` that `codex` returned").map(ThreadId)
}

/// Checks a turn's id by its form.
pub(super) fn turn_id(id: Option<&str>) -> Result<Option<TurnId>, Problem> {
    id.map(|id| {
        identifier("turnId", id, "a `turnId` that `codex` or `codex-reply` returned").map(TurnId)
    })
    .transpose()
}

fn identifier(argument: &str, id: &str, allowed: &str) -> Result<String, Problem> {
    let id = id.trim();
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    if !id.is_empty() && id.len() <= MAX_NAME && id.chars().all(fits) {
        return Ok(id.to_owned());
    }
    Err(Problem::argument_text(argument, id, allowed))
}
