//! Why git says nothing of a repository.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use codex_client::StartError;
use codex_client::program::Kept;

/// Why there is no answer. Nothing was changed in any case.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// There is no git.
    #[error("{message}")]
    NotFound { message: String },
    /// It lacks what is needed to run it safely.
    #[error("git {version} is too old; 2.31 is the oldest that works")]
    TooOld { version: String },
    /// The folder belongs to no repository, or to one without files.
    #[error("{message}")]
    NotARepository { message: String },
    /// An argument names what is not there.
    #[error("`{argument}`: {message}")]
    BadArgument { argument: &'static str, message: String },
    /// A path outside of what may be looked at.
    #[error("{given:?} is no path below the workspace root and the top of the repository")]
    BadPath { given: String },
    /// It failed, and said why.
    #[error("`git {command}` failed: {words}")]
    Failed { command: String, words: String },
    /// It did not end in time.
    #[error("git did not end within {} s", .limit.as_secs())]
    TooSlow { limit: Duration },
    /// The call was given up.
    #[error("the call was cancelled")]
    Cancelled,
}

impl GitError {
    pub(super) fn failed(arguments: &[OsString], code: &Option<i32>, stderr: Kept) -> Self {
        let (head, tail) = stderr.into_parts();
        let words = [String::from_utf8_lossy(&head), String::from_utf8_lossy(&tail)].concat();
        let words = match (words.trim(), code) {
            ("", Some(code)) => format!("exit code {code}"),
            ("", None) => "a signal ended it".to_owned(),
            (words, _) => words.to_owned(),
        };
        let command = arguments.first().map(|word| word.to_string_lossy().into_owned());
        Self::Failed { command: command.unwrap_or_default(), words }
    }

    /// Whether git itself refused what it was asked.
    pub(super) fn is_of_git(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    pub(super) fn unreadable(what: &str) -> Self {
        let words = format!("what it said of {what} is not understood");
        Self::Failed { command: what.to_owned(), words }
    }
}

impl From<StartError> for GitError {
    fn from(error: StartError) -> Self {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        let message = format!("{error}{}", source.unwrap_or_default());
        match error {
            StartError::NotFound { .. } | StartError::NotExecutable { .. } => {
                Self::NotFound { message }
            }
            StartError::SpawnFailed { .. }
            | StartError::Exited { .. }
            | StartError::NotCodex { .. }
            | StartError::TooOld { .. }
            | StartError::DeadlineExceeded { .. } => {
                Self::Failed { command: String::new(), words: message }
            }
        }
    }
}

/// There is none above a folder.
pub(super) fn no_repository(directory: &Path) -> GitError {
    GitError::NotARepository { message: format!("{} is in no git repository", directory.display()) }
}

/// There is one, and it has no files.
pub(super) fn without_files(directory: &Path, what: &str) -> GitError {
    GitError::NotARepository {
        message: format!("{} is {what}, where there are no files to compare", directory.display()),
    }
}
