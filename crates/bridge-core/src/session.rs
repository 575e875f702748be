//! What a session is told of its turns that go on without a call: their end, and what they wait for a person to say.
//!
//! What a call of the same session waits for is that call's to tell, so that nothing is told twice.

use std::time::Duration;

use crate::bridge::Bridge;
use crate::call::Call;
use crate::ids::ThreadKey;
use crate::turn::Turn;
use crate::{Attachment, Effect, SessionId, StopCause, ThreadId, TurnId, TurnNumber, TurnReport};

/// What none of a session's calls waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionNews {
    /// A turn is over.
    Ended {
        /// What it was asked.
        prompt: String,
        /// All that came of it.
        report: Box<TurnReport>,
    },
    /// A turn waits for a person to say something.
    Asked {
        /// The turn.
        number: TurnNumber,
        /// Its thread.
        thread: ThreadId,
        /// Codex's id for it.
        turn: Option<TurnId>,
        /// What it was asked.
        prompt: String,
        /// What it asks, in words that follow "Codex asks".
        what: String,
        /// How long the answer may take.
        patience: Duration,
    },
}

impl Bridge {
    /// The news of a turn that is over, if its session hears of it through no call. Whoever gave its call up before the
    /// turn ran knows already.
    pub(crate) fn unheard_end(&self, turn: &Turn, report: &TurnReport) -> Option<Effect> {
        let given_up = match &report.stopped {
            Some(StopCause::CallCancelled | StopCause::ClientGone) => true,
            Some(
                StopCause::Requested { .. }
                | StopCause::Declined
                | StopCause::Limit
                | StopCause::Shutdown,
            )
            | None => false,
        };
        let session = self.unattended(turn).filter(|_| !given_up && turn.recorded)?.clone();
        let news =
            SessionNews::Ended { prompt: turn.prompt.clone(), report: Box::new(report.clone()) };
        Some(Effect::TellSession { session, news })
    }

    /// The same for a question of a thread's running turn.
    pub(crate) fn unheard_question(
        &self,
        key: ThreadKey,
        what: &str,
        patience: Duration,
    ) -> Option<Effect> {
        let thread = self.threads.get(&key)?;
        let turn = thread.running.as_ref()?;
        let session = self.unattended(turn)?.clone();
        let news = SessionNews::Asked {
            number: turn.key,
            thread: thread.id()?.clone(),
            turn: turn.id.clone(),
            prompt: turn.prompt.clone(),
            what: what.to_owned(),
            patience,
        };
        Some(Effect::TellSession { session, news })
    }

    /// The session of a background turn that no call of that session waits for.
    fn unattended<'a>(&self, turn: &'a Turn) -> Option<&'a SessionId> {
        let session = turn.session.as_ref()?;
        let attends = |call: &Call| !call.is_given_up() && call.session.as_ref() == Some(session);
        let mut calls = turn.calls.iter().filter_map(|call| self.calls.get(call));
        match turn.attachment {
            Attachment::Background if !calls.any(attends) => Some(session),
            Attachment::Background | Attachment::Foreground => None,
        }
    }
}
