//! Every error that a client can get: a stable code, what happened, what to do next, whether to try again.
//!
//! [`Code`] is the catalogue, [`Problem`] is one error. Nothing else makes up an error for a client, and the reference
//! in `docs/errors.md` is generated from here.

mod brief;
mod catalogue;
mod codex;
mod data;
mod failure;
mod git;
mod paging;
mod reference;
mod reset;
mod roots;

use std::fmt;
use std::time::Duration;

pub(crate) use brief::{brief, ends};
pub use catalogue::{Code, Entry, Group, Retry};
pub use data::ErrorResult;
pub use reference::reference_markdown;

use crate::redact;

/// One error, as a client gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which error.
    pub code: Code,
    /// What happened and why, in this case.
    pub message: String,
    /// What to do in this case, before the code's own remedy.
    pub hint: Option<String>,
    /// How long to wait before trying again, where that is known better than by the code.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// An error with nothing to add to its code's remedy.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        // Much of what errors quote is not ours: the words of Codex, of a provider, of a program that failed.
        let message = redact::text(&message.into()).into_owned();
        Self { code, message, hint: None, retry_after: None }
    }

    /// Adds what to do in this case.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(redact::text(&hint.into()).into_owned());
        self
    }

    /// Adds which setting is the limit that was reached, and where it is set.
    #[must_use]
    pub fn of_limit(self, key: &str) -> Self {
        let variable = format!("CODEX_MCP_{}", key.to_ascii_uppercase());
        let flag = key.replace('_', "-");
        self.with_hint(format!(
            "The limit is `{key}`, a key of the configuration file, or `{variable}`, or `--{flag}`; `codex.health` tells \
             who set it."
        ))
    }

    /// A bad argument: which, what was wrong with it, and what is allowed.
    #[must_use]
    pub fn argument(name: &str, given: &str, allowed: &str) -> Self {
        Self::new(Code::InvalidArguments, format!("argument `{name}`: {given}; allowed: {allowed}"))
    }

    /// The same for a text that is not one of those allowed. A long one is not told back whole.
    #[must_use]
    pub(crate) fn argument_text(name: &str, given: &str, allowed: &str) -> Self {
        let given = redact::shortened(given, 60);
        Self::argument(name, &format!("{given:?}"), allowed)
    }

    /// What to do next: for this case, then in general.
    #[must_use]
    pub fn remedy(&self) -> String {
        let general = self.code.entry().remedy;
        match &self.hint {
            Some(hint) => format!("{hint} {general}"),
            None => general.to_owned(),
        }
    }

    /// How long to wait before trying again; `None` if trying again cannot help, or may do the same thing twice.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.code.entry().retry {
            Retry::No | Retry::AfterLooking => None,
            Retry::After(usual) => Some(self.retry_after.unwrap_or(usual)),
            Retry::AfterReset => self.retry_after,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "Error {}: {}", self.code.entry().name, self.message)?;
        writeln!(formatter, "What to do: {}", self.remedy())?;
        match (self.code.entry().retry, self.retry_after()) {
            (Retry::AfterLooking, _) => write!(formatter, "Retry: only if it did not run."),
            (Retry::No | Retry::After(_) | Retry::AfterReset, None) => {
                write!(formatter, "Retry: only after changing the call.")
            }
            (Retry::No | Retry::After(_) | Retry::AfterReset, Some(Duration::ZERO)) => {
                write!(formatter, "Retry: yes, at once.")
            }
            (Retry::No | Retry::After(_) | Retry::AfterReset, Some(pause)) => {
                write!(formatter, "Retry: yes, after {} s.", pause.as_secs())
            }
        }
    }
}
