//! How Codex learns what a client did to a thread's plan: as input for the turn that runs, else with the next turn.
//!
//! A note stands for the newest version that a client made. It is handed to Codex once, and that is recorded when Codex
//! has taken it; one that Codex did not take waits for the next turn. Only what a client made is ever a note, so what
//! Codex said itself does not come back to it.

use crate::bridge::{Bridge, Purpose};
use crate::call::{Call, CallKind};
use crate::ids::ThreadKey;
use crate::turn::TurnPhase;
use crate::{
    CallId, Caller, Outcome, Record, Reply, Request, RequestFailure, ThreadId, TurnNumber,
};

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
    /// Was given to the running turn, whose model has not read it yet as far as Codex shows.
    on_its_way: Option<PlanNote>,
    /// The newest version that was read.
    read: u64,
}

impl PlanNotes {
    /// Takes a note, unless there is a newer one or this one was read.
    pub(crate) fn offer(&mut self, note: PlanNote) {
        let known = [&self.waiting, &self.on_its_way].into_iter().flatten();
        let newest = known.map(|note| note.version).chain([self.read]).max();
        if newest.is_none_or(|newest| note.version > newest) {
            self.waiting = Some(note);
        }
    }

    /// Gives the note that waits to a turn. One at a time is on its way.
    pub(crate) fn hand_out(&mut self) -> Option<String> {
        if self.on_its_way.is_none() {
            self.on_its_way = self.waiting.take();
            return self.on_its_way.as_ref().map(|note| note.text.clone());
        }
        None
    }

    /// What was on its way has not arrived.
    pub(crate) fn give_back(&mut self) {
        if let Some(note) = self.on_its_way.take() {
            self.offer(note);
        }
    }

    /// What was on its way was read.
    fn arrived(&mut self) -> Option<u64> {
        let version = self.on_its_way.take()?.version;
        self.read = version;
        Some(version)
    }

    fn awaits(&self, version: u64) -> bool {
        self.on_its_way.as_ref().is_some_and(|note| note.version == version)
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
        let id = thread.id().cloned();
        let running = thread.running.as_mut().filter(|turn| {
            let takes_input = turn.exec.is_none() && turn.review.is_none();
            turn.phase == TurnPhase::Running && turn.stop.is_none() && takes_input
        });
        let (Some(id), Some(turn)) = (id, running) else {
            return false;
        };
        let (Some(running_as), Some(prompt)) = (turn.running_as.clone(), thread.notes.hand_out())
        else {
            return false;
        };
        turn.begun = true;
        let number = turn.key;
        let request = Request::SteerTurn { thread: id, turn: running_as, prompt };
        self.send(app_server, request, Purpose::SteerPlan(key, number, call));
        true
    }

    /// Codex has accepted a note for the running turn, or not. What it accepts is lost if the turn ends before its model
    /// reads it.
    pub(crate) fn plan_steered(
        &mut self,
        (key, number): (ThreadKey, TurnNumber),
        call: Option<CallId>,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
    ) {
        let hung = result.as_ref().is_err_and(Self::is_hung);
        let thread = self.threads.get_mut(&key);
        let turn = match (result, thread) {
            (Ok(Reply::TurnStarted(turn)), Some(thread)) => Some(thread.outer_name(turn)),
            (Ok(_) | Err(_), Some(thread)) => {
                // After its end the note has been given back already, and may be with the next turn.
                if thread.running.as_ref().is_some_and(|turn| turn.key == number) {
                    thread.notes.give_back();
                }
                None
            }
            (_, None) => None,
        };
        if let Some(call) = call {
            self.answer(call, Outcome::PlanTold { turn });
        }
        if hung {
            self.presume_hung(method);
        }
    }

    /// Codex shows that the running turn has a note.
    pub(crate) fn plan_taken(&mut self, key: ThreadKey, version: u64) {
        if self.threads.get(&key).is_some_and(|thread| thread.notes.awaits(version)) {
            self.plan_read(key);
            // Another one may have come meanwhile.
            self.steer_plan(key, None);
        }
    }

    /// The running turn has read what was on its way to it.
    pub(crate) fn plan_read(&mut self, key: ThreadKey) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let turn = thread.running.as_ref().and_then(|turn| turn.id.clone());
        if let (Some(thread_id), Some(turn)) = (thread.id().cloned(), turn)
            && let Some(version) = thread.notes.arrived()
        {
            self.record(Record::PlanDelivered { thread: thread_id, version, turn });
        }
    }
}
