//! Codex's own review: a turn that Codex words itself and that goes by two names.
//!
//! Its events carry the name that the start's answer gave, but only the one that Codex then says has begun can be
//! interrupted (measured with Codex 0.169).

use std::fmt;
use std::time::Duration;

use crate::bridge::Bridge;
use crate::ids::ThreadKey;
use crate::turn::TurnPhase;
use crate::{Attachment, TurnId, TurnOptions, TurnRequest};

/// What is reviewed. Codex checks none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewTarget {
    /// What is not committed.
    Uncommitted,
    /// What was changed since this branch.
    BaseBranch(String),
    /// This commit.
    Commit(String),
    /// What these words say.
    Custom(String),
}

impl ReviewTarget {
    /// The turn that reviews it, but for that it is a review.
    pub(crate) fn turn(&self, time_limit: Option<Duration>) -> TurnRequest {
        TurnRequest {
            prompt: self.to_string(),
            material: Default::default(),
            options: TurnOptions::default(),
            attachment: Attachment::Foreground,
            time_limit,
        }
    }
}

/// The review that a turn is.
#[derive(Debug)]
pub(crate) struct Review {
    pub(crate) target: ReviewTarget,
    /// The name under which it can be interrupted.
    pub(crate) interruptible_as: Option<TurnId>,
}

impl Review {
    pub(crate) fn of(target: ReviewTarget) -> Self {
        Self { target, interruptible_as: None }
    }
}

impl Bridge {
    /// Codex has said by which name the review can be interrupted. A stop may have waited for it.
    pub(crate) fn review_began(&mut self, key: ThreadKey, id: &TurnId) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let thread_id = thread.id().cloned();
        let Some(turn) = thread.running.as_mut() else {
            return;
        };
        if let Some(review) = &mut turn.review {
            review.interruptible_as = Some(id.clone());
        }
        if let (TurnPhase::Running, Some(_), Some(thread)) = (&turn.phase, &turn.stop, thread_id) {
            self.send_interrupt(thread, id.clone());
        }
    }
}

/// The words that stand for the prompt of such a turn, which is Codex's.
impl fmt::Display for ReviewTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uncommitted => f.write_str("Review what is not committed."),
            Self::BaseBranch(branch) => write!(f, "Review what was changed since {branch}."),
            Self::Commit(commit) => write!(f, "Review commit {commit}."),
            Self::Custom(instructions) => f.write_str(instructions),
        }
    }
}
