//! From what git does not say to our codes.

use super::{Code, Problem, brief};
use crate::workspace::git::GitError;

impl From<GitError> for Problem {
    fn from(error: GitError) -> Self {
        let message = brief(error.to_string());
        match error {
            GitError::NotFound { .. } => Self::new(Code::GitNotFound, message),
            GitError::TooOld { .. } => Self::new(Code::GitTooOld, message),
            GitError::NotARepository { .. } => Self::new(Code::NotARepository, message),
            GitError::BadArgument { .. } => {
                Self::new(Code::InvalidArguments, format!("argument {message}"))
            }
            GitError::BadPath { .. } => {
                Self::new(Code::InvalidArguments, format!("argument `paths`: {message}"))
            }
            GitError::Failed { .. } => Self::new(Code::GitFailed, message),
            GitError::TooSlow { .. } => {
                Self::new(Code::GitFailed, message).of_limit("command_time_limit_seconds")
            }
            GitError::Cancelled => Self::new(Code::CallCancelled, message),
        }
    }
}
