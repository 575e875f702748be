//! How Codex learns what a client did to a thread's plan: as input for the turn that runs, else with the next turn.
//!
//! A note stands for the newest version that a client made. It is handed to Codex once, and that is recorded when Codex
//! has taken it; one that Codex did not take waits for the next turn. Only what a client made is ever a note, so what
//! Codex said itself does not come back to it.

use crate::bridge::{Bridge, Purpose};
use crate::call::{Call, CallKind};
use crate::ids::ThreadKey;
use crate::turn::TurnPhase;
use crate::{CallId, Caller, Outcome, Record, Reply, Request, RequestFailure, ThreadId, TurnId};

/// A version of a plan that a client made, for Codex to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanNote {
    /// The version. All that clients made before it are told with it.
    pub version: u64,
    /// What Codex's model reads.
    pub text: String,
}

/// The notes of one thread.
#[derive(Debug, Default)]
pub(crate) struct PlanNotes {
    /// Waits for a turn.
    waiting: Option<PlanNote>,
    /// Was sent into the running turn, and Codex has not said whether it took it.
    steered: Option<PlanNote>,
    /// The newest version that is with Codex, or on its way.
    told: u64,
}

impl PlanNotes {
    /// Takes a note, unless Codex has it or a newer one.
    pub(crate) fn offer(&mut self, note: PlanNote) {
        let newest = self.waiting.as_ref().map_or(self.told, |waiting| waiting.version);
        if note.version > newest {
            self.waiting = Some(note);
        }
    }

    /// Hands the note out that waits.
    pub(crate) fn take(&mut self) -> Option<PlanNote> {
        let note = self.waiting.take()?;
        self.told = note.version;
        Some(note)
    }

    /// Takes one back that did not reach Codex.
    pub(crate) fn give_back(&mut self, note: PlanNote) {
        if self.told == note.version {
            self.told = note.version - 1;
        }
        self.offer(note);
    }

    /// The app-server is gone with what was on its way into a turn.
    pub(crate) fn cut(&mut self) {
        if let Some(note) = self.steered.take() {
            self.give_back(note);
        }
    }
}

impl Bridge {
    /// Tells Codex of a plan at once, if a turn can take it. Starts nothing: else the note waits, here if the thread is
    /// here, and in the records.
    pub(crate) fn tell_plan(
        &mut self,
        id: CallId,
        caller: Caller,
        thread: &ThreadId,
        note: PlanNote,
    ) {
        let key = self.keys.get(thread).copied();
        let thread = key.and_then(|key| self.threads.get_mut(&key));
        self.calls.insert(id, Call::new(caller, CallKind::TellPlan));
        // A thread that this bridge does not have may be taken up elsewhere, with the note from the records.
        let Some(thread) = thread.filter(|thread| thread.is_held()) else {
            return self.answer(id, Outcome::PlanTold { turn: None });
        };
        let key = thread.key;
        thread.notes.offer(note);
        if !self.steer_plan(key, Some(id)) {
            self.answer(id, Outcome::PlanTold { turn: None });
        }
    }

    /// Takes the note that the records have for a thread. Only a thread that this bridge has can know better.
    pub(crate) fn bring_plan(&mut self, key: ThreadKey, note: Option<PlanNote>) {
        if let Some(thread) = self.threads.get_mut(&key) {
            if !thread.is_held() {
                thread.notes = PlanNotes::default();
            }
            if let Some(note) = note {
                thread.notes.offer(note);
            }
        }
    }

    /// Sends the note that waits into the running turn, if that can take it. Whether it was sent.
    pub(crate) fn steer_plan(&mut self, key: ThreadKey, call: Option<CallId>) -> bool {
        let (Some(app_server), Some(thread)) =
            (self.app_server.ready(), self.threads.get_mut(&key))
        else {
            return false;
        };
        let Some(id) = thread.id().cloned().filter(|_| thread.notes.steered.is_none()) else {
            return false;
        };
        let running = thread.running.as_mut().filter(|turn| {
            turn.phase == TurnPhase::Running && turn.stop.is_none() && turn.exec.is_none()
        });
        let Some((turn, running_as)) = running.and_then(|turn| {
            let running_as = turn.running_as.clone()?;
            Some((turn, running_as))
        }) else {
            return false;
        };
        let Some(note) = thread.notes.take() else {
            return false;
        };
        turn.begun = true;
        let prompt = note.text.clone();
        thread.notes.steered = Some(note);
        let request = Request::SteerTurn { thread: id, turn: running_as, prompt };
        self.send(app_server, request, Purpose::SteerPlan(key, call));
        true
    }

    pub(crate) fn plan_steered(
        &mut self,
        key: ThreadKey,
        call: Option<CallId>,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
    ) {
        let hung = result.as_ref().is_err_and(Self::is_hung);
        let taken = match result {
            Ok(Reply::TurnStarted(turn)) => Some(turn),
            // The turn ended just now, or takes no input. Where nobody knows, the model reads it twice rather than never.
            Ok(_) | Err(_) => None,
        };
        let note = self.threads.get_mut(&key).and_then(|thread| thread.notes.steered.take());
        let turn = taken.map(|turn| self.outer_name(key, turn));
        match (note, &turn) {
            (Some(note), Some(turn)) => self.plan_delivered(key, note.version, turn.clone()),
            (Some(note), None) => {
                if let Some(thread) = self.threads.get_mut(&key) {
                    thread.notes.give_back(note);
                }
            }
            (None, _) => {}
        }
        if let Some(call) = call {
            self.answer(call, Outcome::PlanTold { turn: turn.clone() });
        }
        if hung {
            self.presume_hung(method);
        } else if turn.is_some() {
            // Another one may have come meanwhile.
            self.steer_plan(key, None);
        }
    }

    /// Codex has taken a note.
    pub(crate) fn plan_delivered(&mut self, key: ThreadKey, version: u64, turn: TurnId) {
        if let Some(thread) = self.threads.get(&key).and_then(|thread| thread.id().cloned()) {
            self.record(Record::PlanDelivered { thread, version, turn });
        }
    }

    /// The name under which the running turn is known outside.
    fn outer_name(&self, key: ThreadKey, running_as: TurnId) -> TurnId {
        let turn = self.threads.get(&key).and_then(|thread| thread.running.as_ref());
        let turn = turn.filter(|turn| turn.running_as.as_ref() == Some(&running_as));
        turn.and_then(|turn| turn.id.clone()).unwrap_or(running_as)
    }
}
