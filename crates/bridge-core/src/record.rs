//! What is worth keeping, in the order in which it came about. The shell writes it down before it gives the answers
//! that follow.

use crate::bridge::Bridge;
use crate::ids::ThreadKey;
use crate::{
    Attachment, ConnectionId, Decided, Effect, Item, Plan, Question, SessionId, ThreadId,
    ThreadOptions, TurnId, TurnNumber, TurnOptions, TurnReport,
};

/// One thing to be kept. Of a turn that has a `TurnQueued`, exactly one `TurnEnded` follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A thread is open: a new one, or one that Codex had on disk.
    ThreadOpened {
        /// The thread.
        thread: ThreadId,
        /// Who had it opened.
        connection: Option<ConnectionId>,
        /// The folder of the user that it is about, where that is known.
        working_directory: Option<String>,
        /// How it was set up, if it is new.
        options: Option<Box<ThreadOptions>>,
        /// The model that its turns use by default.
        model: Option<String>,
    },
    /// A turn was asked for.
    TurnQueued {
        /// The turn.
        turn: TurnNumber,
        /// Its thread.
        thread: ThreadId,
        /// The user's message.
        prompt: String,
        /// Its options.
        options: TurnOptions,
        /// Whether it goes on without its client.
        attachment: Attachment,
        /// The session that asked for it.
        session: Option<SessionId>,
    },
    /// Codex has started a turn.
    TurnStarted {
        /// The turn.
        turn: TurnNumber,
        /// Its thread.
        thread: ThreadId,
        /// Codex's id for it.
        id: TurnId,
        /// The model that Codex resolved.
        model: Option<String>,
        /// The reasoning effort.
        effort: Option<String>,
    },
    /// An item of a turn has ended.
    ItemCompleted {
        /// The turn.
        turn: TurnNumber,
        /// The item.
        item: Item,
    },
    /// The plan has changed.
    PlanUpdated {
        /// The turn.
        turn: TurnNumber,
        /// Its thread.
        thread: ThreadId,
        /// The plan.
        plan: Plan,
    },
    /// Codex has taken a plan that a client made, and with it all that clients made before.
    PlanDelivered {
        /// The thread.
        thread: ThreadId,
        /// The version.
        version: u64,
        /// The turn that took it.
        turn: TurnId,
    },
    /// Codex asked for something and was told.
    Decided {
        /// The turn.
        turn: TurnNumber,
        /// Its thread.
        thread: ThreadId,
        /// The question.
        question: Question,
        /// What it was told, and by whom.
        decided: Decided,
    },
    /// A turn is over.
    TurnEnded {
        /// The turn.
        turn: TurnNumber,
        /// All that came of it.
        report: Box<TurnReport>,
    },
    /// A thread was put away.
    ThreadArchived {
        /// The thread.
        thread: ThreadId,
    },
    /// A thread was taken back.
    ThreadUnarchived {
        /// The thread.
        thread: ThreadId,
    },
    /// A thread is gone for good.
    ThreadDeleted {
        /// The thread.
        thread: ThreadId,
    },
}

impl Bridge {
    pub(crate) fn record(&mut self, record: Record) {
        self.effects.push_back(Effect::Record(record));
    }

    /// Keeps the turns of a thread that have not been kept yet. A thread that could never be opened leaves no trace.
    pub(crate) fn record_queued(&mut self, key: ThreadKey) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let Some(id) = thread.id().filter(|_| thread.recorded).cloned() else {
            return;
        };
        let turns = thread.running.iter_mut().chain(&mut thread.queue);
        for turn in turns.filter(|turn| !turn.recorded) {
            turn.recorded = true;
            self.effects.push_back(Effect::Record(Record::TurnQueued {
                turn: turn.key,
                thread: id.clone(),
                prompt: turn.prompt.clone(),
                options: turn.options.clone(),
                attachment: turn.attachment,
                session: turn.session.clone(),
            }));
        }
    }
}
