//! From the errors that Codex reports for a turn, and the messages with which it refuses requests, to our codes.
//!
//! Nearly every refusal has the JSON-RPC code -32600, so its message decides; the list of error kinds is open. Both
//! were observed with Codex 0.169; what is not known falls back to Codex's own words.

use bridge_core::{CodexError, Json, RequestFailure};

use super::{Code, Problem, Retry, reset};
use crate::clock;
use crate::workspace::RootError;

/// An error that ended a turn.
pub(super) fn turn_error(error: &CodexError) -> Problem {
    let code = match error.kind.as_str() {
        "usageLimitExceeded" => Code::UsageLimit,
        "sessionBudgetExceeded" => Code::BudgetUsedUp,
        "rateLimitExceeded" => Code::RateLimited,
        "serverOverloaded" | "flexUnavailable" | "policyCapacityUnavailable" => {
            Code::ProviderOverloaded
        }
        "contextWindowExceeded" => Code::ContextFull,
        "modelNotFound" => Code::ModelNotFound,
        "cyberPolicy" | "misalignmentPolicyViolation" | "inferenceHookDenied" => {
            Code::ContentRefused
        }
        "tooManyDenials" => Code::TooManyDenials,
        "sandboxError" => Code::SandboxFailed,
        "activeTurnNotSteerable" => Code::TurnNotSteerable,
        "unauthorized" => Code::LoginRequired,
        "internalServerError" => Code::ProviderError,
        "httpConnectionFailed"
        | "responseStreamConnectionFailed"
        | "responseStreamDisconnected"
        | "responseTooManyFailedAttempts" => {
            error.http_status.map_or(Code::ProviderUnreachable, provider_status)
        }
        kind => {
            let known = by_words(&error.message).filter(|_| kind == "other");
            known.unwrap_or_else(|| error.http_status.map_or(Code::CodexFailed, provider_status))
        }
    };
    let problem = Problem::new(code, describe(error));
    let problem = match error.kind.as_str() {
        "inferenceHookDenied" => {
            problem.with_hint("A hook in the Codex configuration refused the request.")
        }
        _ => problem,
    };
    match code.entry().retry {
        Retry::After(_) | Retry::AfterReset => with_pause(problem, error),
        Retry::No | Retry::AfterLooking => problem,
    }
}

/// Adds when to try again: as Codex's message says it, or else what it has told of the account's limits.
fn with_pause(problem: Problem, error: &CodexError) -> Problem {
    if let Some(pause) = reset::pause(&error.message, &clock::local()) {
        return Problem { retry_after: Some(pause), ..problem };
    }
    let known = error.resets_at.and_then(|at| reset::at(at, clock::timestamp_ms()));
    match known {
        Some((time, pause)) => {
            let problem = problem.with_hint(format!("What is used up is there again at {time}."));
            Problem { retry_after: Some(pause), ..problem }
        }
        None => problem,
    }
}

/// What the status of the provider's last answer means.
fn provider_status(status: u16) -> Code {
    match status {
        401 => Code::LoginRequired,
        403 => Code::AccessDenied,
        429 => Code::RateLimited,
        500..=599 => Code::ProviderError,
        _ => Code::CodexFailed,
    }
}

/// Codex says `other` of much that a client can do something about.
fn by_words(message: &str) -> Option<Code> {
    const KNOWN: &[(&str, Code)] = &[
        ("stream disconnected", Code::ProviderUnreachable),
        ("Missing environment variable", Code::ProviderKeyMissing),
        ("max_output_tokens", Code::AnswerTooLong),
    ];
    let known = KNOWN.iter().find(|(words, _)| message.contains(words));
    known.map(|(_, code)| *code)
}

/// Codex's own words, with its details where they say more.
pub(super) fn describe(error: &CodexError) -> String {
    let message = error.message.trim();
    match error.details.as_deref().map(str::trim) {
        Some(details) if !details.is_empty() && !message.contains(details) => {
            format!("{message} ({details})")
        }
        Some(_) | None => message.to_owned(),
    }
}

/// A request that Codex did not carry out.
pub(super) fn request_failure(method: &str, failure: &RequestFailure) -> Problem {
    match failure {
        RequestFailure::Rejected { code, message, data } => {
            rejection(method, *code, message, data.as_ref())
        }
        RequestFailure::DeadlineExceeded { after } => Problem::new(
            Code::CodexHung,
            format!("`{method}` got no answer within {} s", after.as_secs()),
        ),
        RequestFailure::Overloaded => Problem::new(
            Code::CodexOverloaded,
            format!("`{method}` was not sent: too many requests are under way"),
        ),
        RequestFailure::Misplaced { folder } => {
            Problem::from(&RootError::Moved { path: folder.into() })
        }
        RequestFailure::Closed => {
            Problem::new(Code::CodexExited, format!("`{method}` was cut off"))
        }
        RequestFailure::Unreadable { detail } => Problem::new(
            Code::CodexUnreadable,
            format!("the answer to `{method}` cannot be read: {detail}"),
        ),
    }
}

/// What Codex's refusals mean, by words in them; the first that fits. Codex's own names stand in some of them.
const REFUSALS: &[(&str, Code)] = &[
    ("already has an active writer", Code::ThreadBusyElsewhere),
    ("is archived", Code::ThreadArchived),
    ("forked history still references it", Code::ThreadHasForks),
    ("no rollout found", Code::ThreadNotFound),
    ("no archived rollout found", Code::ThreadNotFound),
    ("thread not found", Code::ThreadNotFound),
    ("thread not loaded", Code::ThreadNotFound),
    ("invalid thread id", Code::ThreadNotFound),
    ("invalid session id", Code::ThreadNotFound),
    ("no active turn to steer", Code::NoRunningTurn),
    ("no active turn to interrupt", Code::NoRunningTurn),
    ("expected active turn id", Code::WrongTurn),
    ("ActiveTurnNotSteerable", Code::TurnNotSteerable),
    ("cannot steer", Code::TurnNotSteerable),
    ("turn not found", Code::TurnNotFound),
    ("Server overloaded", Code::CodexOverloaded),
    ("failed to load configuration", Code::CodexConfigInvalid),
    ("requires experimentalApi capability", Code::CodexLacksFeature),
    ("is not supported yet", Code::CodexLacksFeature),
    ("only supports paginated threads", Code::CodexLacksFeature),
    ("ephemeral threads do not support", Code::CodexLacksFeature),
    ("authentication required", Code::LoginRequired),
];

/// JSON-RPC's code of something that failed inside Codex.
const CODE_INTERNAL: i64 = -32603;

fn rejection(method: &str, code: i64, message: &str, data: Option<&Json>) -> Problem {
    let known = REFUSALS.iter().find(|(words, _)| message.contains(words)).map(|(_, code)| *code);
    let too_large = data.is_some_and(|data| data.0.contains("\"input_too_large\""));
    let too_large = too_large.then_some(Code::PromptTooLarge);
    // What a request may be is listed with an unknown method: several thousand characters that help nobody.
    let unknown_method = message.contains(&format!("unknown variant `{method}`"));
    match known.or(too_large) {
        Some(code) => Problem::new(code, format!("Codex says: {message}")),
        None if unknown_method => {
            Problem::new(Code::CodexLacksFeature, format!("Codex does not know `{method}`"))
        }
        None if code == CODE_INTERNAL => Problem::new(
            Code::CodexInternalError,
            format!("Codex failed to carry out `{method}`: {message}"),
        ),
        None => Problem::new(Code::CodexRefused, format!("Codex refused `{method}`: {message}")),
    }
}
