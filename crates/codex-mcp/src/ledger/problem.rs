//! An error as it is kept with a turn, so that it can be told again after a restart.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Problem};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
}

pub(crate) fn to_json(problem: &Problem) -> String {
    let kept = Kept {
        code: problem.code.entry().name.to_owned(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        retry_after_seconds: problem.retry_after.map(|pause| pause.as_secs()),
    };
    serde_json::to_string(&kept).expect("strings and a number always serialise")
}

/// Reads it again. A code of another version becomes the general one; its message still says what happened.
pub(crate) fn from_json(json: &str) -> Problem {
    match serde_json::from_str::<Kept>(json) {
        Ok(kept) => Problem {
            code: Code::of_name(&kept.code).unwrap_or(Code::CodexFailed),
            message: kept.message,
            hint: kept.hint,
            retry_after: kept.retry_after_seconds.map(Duration::from_secs),
        },
        Err(_) => Problem::new(Code::CodexFailed, json),
    }
}
