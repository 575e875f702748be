//! Answers to questions of Codex: who can be asked, what can be said, and who said it.

use std::fmt;
use std::time::Duration;

use crate::{ApprovalId, Json, Question, ThreadId};

/// How the person behind a call can be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Person {
    /// Not at all.
    #[default]
    Absent,
    /// While the call goes on.
    During,
    /// By answering the call with the questions; the client makes it again with the answers.
    Instead,
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, this once.
    Accept,
    /// Yes, and not to be asked again on this thread.
    AcceptForSession,
    /// No; the turn goes on.
    Decline,
    /// No, and the turn is over.
    Cancel,
}

/// A decision, with what was filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Yes or no.
    pub decision: Decision,
    /// The values of a form, a JSON object, where the question has one.
    pub content: Option<Json>,
}

impl Answer {
    /// No.
    #[must_use]
    pub fn declined() -> Self {
        Self { decision: Decision::Decline, content: None }
    }
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// The rule at this place, counted from one.
    Policy(usize),
    /// A person.
    Person,
    /// Nobody, in time.
    Deadline,
    /// Nobody could be asked.
    Nobody,
    /// The turn ended, or Codex took the question back.
    Withdrawn,
}

impl Decision {
    /// Codex's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::AcceptForSession => "acceptForSession",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
        }
    }

    /// Reads what [`Decision::as_str`] gives.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Accept, Self::AcceptForSession, Self::Decline, Self::Cancel]
            .into_iter()
            .find(|decision| decision.as_str() == word)
    }

    /// Whether it says yes.
    #[must_use]
    pub fn is_yes(self) -> bool {
        match self {
            Self::Accept | Self::AcceptForSession => true,
            Self::Decline | Self::Cancel => false,
        }
    }
}

impl fmt::Display for Decider {
    /// `policy 2` and the like, as it is kept and shown.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(rule) => write!(formatter, "policy {rule}"),
            Self::Person => formatter.write_str("person"),
            Self::Deadline => formatter.write_str("deadline"),
            Self::Nobody => formatter.write_str("nobody"),
            Self::Withdrawn => formatter.write_str("withdrawn"),
        }
    }
}

impl Decider {
    /// Reads what is displayed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            Some(("policy", rule)) => rule.parse().ok().map(Self::Policy),
            Some(_) => None,
            None => [Self::Person, Self::Deadline, Self::Nobody, Self::Withdrawn]
                .into_iter()
                .find(|decider| decider.to_string() == text),
        }
    }
}

/// A question for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its name.
    pub approval: ApprovalId,
    /// The thread.
    pub thread: ThreadId,
    /// The question.
    pub question: Question,
    /// What is asked for, in words that follow "Codex asks".
    pub what: String,
    /// The diff, where files are to change.
    pub diff: Option<String>,
    /// How long the answer may take.
    pub patience: Duration,
}
