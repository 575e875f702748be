//! What could not be kept, remembered by what it belonged to: whatever speaks of it later can say so.

use std::collections::{HashMap, VecDeque};

use bridge_core::{ThreadId, TurnNumber};

use crate::WriteError;
use crate::store::Durability;
use crate::write::Write;

/// Subjects with a loss that are remembered. When there are more, the oldest is forgotten: no answer speaks of it by then.
const REMEMBERED: usize = 4096;

/// What a record belongs to, and an answer speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// That there is this thread; not its turns.
    Thread(ThreadId),
    /// A turn with all that is in it.
    Turn(TurnNumber),
    /// A long text.
    Output(String),
    /// A change set, by its name.
    ChangeSet(String),
}

#[derive(Debug)]
struct Loss {
    /// The first one; what follows is often a consequence.
    error: WriteError,
    /// Whether the end of the turn brings again all that was lost.
    comes_again: bool,
}

/// The losses of a store since it was opened.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    by_subject: HashMap<Subject, Loss>,
    order: VecDeque<Subject>,
}

impl Losses {
    /// Takes note of how a record fared.
    pub(crate) fn note(&mut self, write: &Write, kept: &Result<(), WriteError>) {
        if let Write::ThreadsSeen(seen) = write {
            for subject in seen.iter().map(|seen| Subject::Thread(seen.thread.clone())) {
                match kept {
                    Ok(()) => self.mend(&subject),
                    Err(error) => self.lose(subject, error, false),
                }
            }
        }
        let Some(subject) = subject(write) else {
            return;
        };
        match kept {
            Ok(()) => {
                if self.by_subject.get(&subject).is_some_and(|loss| mends(write, loss)) {
                    self.mend(&subject);
                }
            }
            Err(error) => self.lose(subject, error, matches!(write, Write::Item { .. })),
        }
    }

    fn mend(&mut self, subject: &Subject) {
        if self.by_subject.remove(subject).is_some() {
            self.order.retain(|known| known != subject);
        }
    }

    fn lose(&mut self, subject: Subject, error: &WriteError, comes_again: bool) {
        if let Some(loss) = self.by_subject.get_mut(&subject) {
            loss.comes_again &= comes_again;
            return;
        }
        self.order.push_back(subject.clone());
        self.by_subject.insert(subject, Loss { error: error.clone(), comes_again });
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_subject.remove(&oldest);
        }
    }

    /// Whether everything of these is safe.
    pub(crate) fn of(&self, subjects: &[Subject]) -> Durability {
        match subjects.iter().find_map(|subject| self.by_subject.get(subject)) {
            Some(loss) => Durability::NotKept(loss.error.clone()),
            None => Durability::Kept,
        }
    }
}

/// What an answer can speak of in a record. The loss of any other one shows in the status.
fn subject(write: &Write) -> Option<Subject> {
    match write {
        Write::Thread(ours) => Some(Subject::Thread(ours.thread.clone())),
        Write::TurnQueued(queued) => Some(Subject::Turn(queued.number)),
        Write::TurnStarted { number, .. } | Write::Item { number, .. } => {
            Some(Subject::Turn(*number))
        }
        Write::Plan { number, .. } => Some(Subject::Turn(*number)),
        Write::Approval(approval) => approval.number.map(Subject::Turn),
        Write::TurnEnded(ended) => Some(Subject::Turn(ended.number)),
        Write::Output(output) => Some(Subject::Output(output.output.clone())),
        Write::Key(row) => Some(Subject::Turn(row.number)),
        Write::ChangeSet(row) => Some(Subject::ChangeSet(row.id.clone())),
        Write::Application(row) => Some(Subject::ChangeSet(row.change_set.clone())),
        Write::ThreadsSeen(_)
        | Write::SessionUses { .. }
        | Write::SessionKnows { .. }
        | Write::Task(_)
        | Write::TaskRemoved { .. }
        | Write::PlanEdited { .. }
        | Write::PlanTold { .. }
        | Write::ApplicationEnded { .. }
        | Write::ThreadNamed { .. }
        | Write::ThreadArchived { .. }
        | Write::ThreadUnarchived { .. }
        | Write::ThreadDeleted { .. } => None,
    }
}

/// Whether a record that is kept makes good what was lost before.
fn mends(write: &Write, loss: &Loss) -> bool {
    match write {
        Write::Thread(_) | Write::Output(_) => true,
        Write::TurnEnded(_) => loss.comes_again,
        Write::TurnQueued(_)
        | Write::TurnStarted { .. }
        | Write::Item { .. }
        | Write::Plan { .. }
        | Write::SessionUses { .. }
        | Write::SessionKnows { .. }
        | Write::Task(_)
        | Write::TaskRemoved { .. }
        | Write::PlanEdited { .. }
        | Write::PlanTold { .. }
        | Write::Approval(_)
        | Write::Key(_)
        | Write::ChangeSet(_)
        | Write::Application(_)
        | Write::ApplicationEnded { .. }
        | Write::ThreadsSeen(_)
        | Write::ThreadNamed { .. }
        | Write::ThreadArchived { .. }
        | Write::ThreadUnarchived { .. }
        | Write::ThreadDeleted { .. } => false,
    }
}
