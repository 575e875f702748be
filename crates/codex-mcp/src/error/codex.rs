//! From the errors that Codex reports for a turn, and the messages with which it refuses requests, to our codes.
//!
//! Nearly every refusal has the JSON-RPC code -32600, so its message decides; the list of error kinds is open. Both
//! were observed with Codex 0.169; what is not known falls back to Codex's own words.

use bridge_core::{CodexError, RequestFailure};

use super::{Code, Problem};

/// An error that ended a turn.
pub(super) fn turn_error(error: &CodexError) -> Problem {
    let code = match (error.kind.as_str(), error.http_status) {
        ("usageLimitExceeded" | "sessionBudgetExceeded", _) => Code::UsageLimit,
        ("rateLimitExceeded", _) | ("responseTooManyFailedAttempts", Some(429)) => {
            Code::RateLimited
        }
        ("serverOverloaded" | "flexUnavailable" | "policyCapacityUnavailable", _) => {
            Code::ProviderOverloaded
        }
        ("contextWindowExceeded", _) => Code::ContextFull,
        ("modelNotFound", _) => Code::ModelNotFound,
        ("cyberPolicy" | "misalignmentPolicyViolation" | "inferenceHookDenied", _) => {
            Code::ContentRefused
        }
        ("unauthorized", _) | (_, Some(401)) => Code::LoginRequired,
        (_, Some(403)) => Code::AccessDenied,
        (_, Some(429)) => Code::RateLimited,
        ("internalServerError", _) | (_, Some(500..=599)) => Code::ProviderError,
        (
            "httpConnectionFailed"
            | "responseStreamConnectionFailed"
            | "responseStreamDisconnected"
            | "responseTooManyFailedAttempts",
            _,
        ) => Code::ProviderUnreachable,
        ("other", _) if error.message.contains("stream disconnected") => Code::ProviderUnreachable,
        (_, _) => Code::CodexFailed,
    };
    Problem::new(code, describe(error))
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
        RequestFailure::Rejected { code, message, .. } => rejection(method, *code, message),
        RequestFailure::DeadlineExceeded { after } => Problem::new(
            Code::CodexHung,
            format!("`{method}` got no answer within {} s", after.as_secs()),
        ),
        RequestFailure::Overloaded => Problem::new(
            Code::CodexOverloaded,
            format!("`{method}` was not sent: too many requests are under way"),
        ),
        RequestFailure::Closed => {
            Problem::new(Code::CodexExited, format!("`{method}` was cut off"))
        }
        RequestFailure::Unreadable { detail } => Problem::new(
            Code::CodexUnreadable,
            format!("the answer to `{method}` cannot be read: {detail}"),
        ),
    }
}

fn rejection(method: &str, code: i64, message: &str) -> Problem {
    const KNOWN: &[(&str, Code)] = &[
        ("already has an active writer", Code::ThreadBusyElsewhere),
        ("is archived", Code::ThreadArchived),
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
    ];
    let known = KNOWN.iter().find(|(words, _)| message.contains(words)).map(|(_, code)| *code);
    let too_large = (code == -32602 && message.contains("exceeds")).then_some(Code::PromptTooLarge);
    match known.or(too_large) {
        Some(code) => Problem::new(code, format!("Codex says: {message}")),
        None => Problem::new(Code::CodexRefused, format!("Codex refused `{method}`: {message}")),
    }
}
