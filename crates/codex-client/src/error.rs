//! Why a request has no result, grouped by what the caller can do about it.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::rpc::RpcError;

/// The code with which Codex refuses a request because its queue is full.
const CODE_OVERLOADED: i64 = -32001;

/// Why a request has no result. Nothing here is ever retried by this crate.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Codex answered with an error. Read the message; the code is nearly always -32600.
    #[error("{method} was rejected: {message} (code {code})")]
    Rejected {
        /// The method asked for.
        method: &'static str,
        /// JSON-RPC's code.
        code: i64,
        /// Codex's words.
        message: String,
        /// Codex's details, such as `codexErrorInfo`.
        data: Option<Box<RawValue>>,
    },
    /// No answer in time. Codex may still be doing it: find out before asking again.
    #[error("{method} was not answered within {after:?}")]
    DeadlineExceeded {
        /// The method asked for.
        method: &'static str,
        /// The deadline it was given, from submission.
        after: Duration,
    },
    /// Not taken on, by us or by Codex (-32001). Nothing happened: it may be asked again later.
    #[error("{method} was not taken on: too many requests are under way")]
    Overloaded {
        /// The method asked for.
        method: &'static str,
    },
    /// The connection ended first. Codex may have done it.
    #[error("{method} was not answered: the connection to the app-server is closed")]
    Closed {
        /// The method asked for.
        method: &'static str,
    },
    /// Codex answered something that this version does not understand.
    #[error("the answer to {method} cannot be read")]
    Unreadable {
        /// The method asked for.
        method: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl RequestError {
    /// What it means that Codex answered with an error, or with one that cannot be read.
    pub(crate) fn answered(
        method: &'static str,
        error: Result<RpcError, serde_json::Error>,
    ) -> Self {
        match error {
            Ok(error) if error.code == CODE_OVERLOADED => Self::Overloaded { method },
            Ok(RpcError { code, message, data }) => Self::Rejected { method, code, message, data },
            Err(source) => Self::Unreadable { method, source },
        }
    }
}
