//! An error as data, beside its text: the same wherever it is answered.

use schemars::JsonSchema;
use serde::Serialize;

use super::Problem;

/// An error, as clients get it for a program to read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorResult {
    /// A stable name; `docs/errors.md` lists all.
    code: &'static str,
    /// What happened and why.
    message: String,
    /// What to do next.
    remedy: String,
    /// Whether the same call can succeed later.
    retryable: bool,
    /// How long to wait before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
}

impl From<&Problem> for ErrorResult {
    fn from(problem: &Problem) -> Self {
        let retry_after = problem.retry_after();
        Self {
            code: problem.code.entry().name,
            message: problem.message.clone(),
            remedy: problem.remedy(),
            retryable: retry_after.is_some(),
            retry_after_seconds: retry_after.map(|pause| pause.as_secs()),
        }
    }
}
