//! Turns without an app-server: each through a process of its own, `codex exec`, while no app-server can be had.
//!
//! Such a process tells less and takes nothing while it runs: no input, no answer to a question. The turn says so. The
//! way back needs nothing: when the app-server's rest is over, the next turn has one started again.

use std::sync::Arc;
use std::time::Instant;

use crate::app_server::AppServerState;
use crate::bridge::Bridge;
use crate::ids::ThreadKey;
use crate::thread::{Defaults, Origin};
use crate::turn::Turn;
use crate::{
    Effect, ExecId, Failure, Json, Material, Outcome, Place, Record, StartFailureKind, ThreadId,
    ThreadOptions, TurnEvent, TurnId, TurnOptions, TurnState, Update,
};

/// What a turn says that ran like this.
const WARNING: &str = "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be \
                       steered, and asked for no approval; `codex.health` says what is wrong";

/// One run of `codex exec`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecRun {
    /// On which thread.
    pub thread: ExecThread,
    /// What a client did to the plan since the turn before; Codex reads it first.
    pub plan: Option<String>,
    /// What Codex reads next.
    pub material: Arc<Material>,
    /// The user's message.
    pub prompt: String,
    /// The options, completed with the thread's.
    pub options: TurnOptions,
    /// Where it works and may write; without it, the sandbox is read-only.
    pub place: Option<Place>,
}

impl ExecRun {
    /// What Codex reads: `codex exec` takes one text.
    #[must_use]
    pub fn input(&self) -> String {
        let before = self.plan.as_deref().into_iter().chain(self.material.text.as_deref());
        before.chain([self.prompt.as_str()]).collect::<Vec<_>>().join("\n\n")
    }
}

/// The thread of such a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecThread {
    /// One that does not exist yet.
    New(Box<ThreadOptions>),
    /// One that Codex has on disk. `codex exec` works where it is started and not where the thread works.
    Known {
        /// Its name.
        id: ThreadId,
        /// What of Codex's configuration it is taken up with, as a JSON object.
        config: Option<Json>,
    },
}

/// What such a run tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecEvent {
    /// The turn runs.
    Started {
        /// On this thread.
        thread: ThreadId,
        /// Under this name, which is the shell's: Codex tells none.
        turn: TurnId,
        /// And here.
        working_directory: String,
    },
    /// Something happened in the turn. Never [`TurnEvent::Completed`].
    Turn(TurnEvent),
    /// Codex warns of something.
    Warned(String),
    /// The process is gone, with everything that it had started. Nothing follows.
    Ended(Result<(), Failure>),
}

impl Bridge {
    /// Whether turns run without an app-server now.
    pub(crate) fn falls_back(&self, now: Instant) -> bool {
        self.limits.exec_fallback
            && !self.shutting_down
            && self.app_server.state == AppServerState::Stopped
            && self.quarantine(now).is_some()
            && self.app_server.rests_for.as_ref().is_some_and(may_work_without)
    }

    /// Goes on without an app-server, or ends what waits for one.
    pub(crate) fn do_without(&mut self, failure: &Failure, now: Instant) {
        if !self.falls_back(now) {
            return self.fail_waiting(failure, now);
        }
        for call in std::mem::take(&mut self.waiting_for_app_server) {
            self.fail_call(call, failure.clone(), now);
        }
        self.pump_all(now);
    }

    /// Takes the next step for a thread that has turns waiting, while there is no app-server.
    pub(crate) fn pump_without(&mut self, key: ThreadKey, now: Instant) {
        if !self.falls_back(now) || self.turns_running() >= self.limits.running_turns {
            return;
        }
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let is_new = thread.id().is_none();
        let Some(turn) = thread.queue.pop_front() else {
            return;
        };
        // Nothing can be prepared for a thread without a name, which it gets only with its first turn; and `codex exec`
        // has no review whose words are Codex's.
        let needs_app_server = turn.review.is_some() || (turn.wants_place() && is_new);
        match self.quarantined(now).filter(|_| needs_app_server) {
            Some(failure) => {
                self.finish_turn(key, turn, TurnState::Failed, Some(failure), now);
                self.forget_if_empty(key);
            }
            None if turn.wants_place() => self.prepare(key, turn, now),
            None => self.run_exec(key, turn, now),
        }
    }

    fn run_exec(&mut self, key: ThreadKey, mut turn: Turn, now: Instant) {
        let exec = ExecId(self.numbers.mint());
        for (steer, _) in std::mem::take(&mut turn.waiting_steers) {
            self.answer(steer, Outcome::Failed(Failure::ExecTakesNoInput));
        }
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let options = thread.complete(turn.options.clone());
        let plan = thread.notes.hand_out();
        turn.start(&options, thread.last_model.as_deref(), now);
        turn.exec = Some(exec);
        turn.transcript.warn(WARNING);
        thread.last_model.clone_from(&turn.model);
        thread.last_effort.clone_from(&options.effort);
        let exec_thread = match &thread.origin {
            Origin::New(options) => ExecThread::New(options.clone()),
            Origin::Known(id) => {
                ExecThread::Known { id: id.clone(), config: thread.resume_config.clone() }
            }
        };
        let run = ExecRun {
            thread: exec_thread,
            plan,
            material: turn.material.clone(),
            prompt: turn.prompt.clone(),
            options,
            place: turn.place.clone(),
        };
        thread.running = Some(turn);
        self.effects.push_back(Effect::RunExec { exec, run: Box::new(run) });
        self.tell_turn(key, &Update::RunningExec, now);
        self.tell_queue(key, now);
    }

    pub(crate) fn exec_event(&mut self, exec: ExecId, event: ExecEvent, now: Instant) {
        let running = self.threads.values().find_map(|thread| {
            let turn = thread.running.as_ref().filter(|turn| turn.exec == Some(exec))?;
            Some((thread.key, thread.id().cloned(), turn.running_as.clone()))
        });
        let Some((key, thread, turn)) = running else {
            return;
        };
        match event {
            ExecEvent::Started { thread, turn, working_directory } => {
                self.exec_opened(key, thread, working_directory);
                self.turn_runs(key, turn, now);
            }
            ExecEvent::Turn(event) => {
                if let (Some(thread), Some(turn)) = (thread, turn) {
                    self.turn_event(&thread, &turn, event, now);
                }
            }
            ExecEvent::Warned(message) => self.warned(thread.as_ref(), &message),
            ExecEvent::Ended(end) => self.exec_ended(key, end, now),
        }
    }

    /// Codex has the thread. It is not loaded anywhere when the run is over.
    fn exec_opened(&mut self, key: ThreadKey, id: ThreadId, working_directory: String) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let new = match std::mem::replace(&mut thread.origin, Origin::Known(id.clone())) {
            Origin::New(options) => Some(options),
            Origin::Known(_) => None,
        };
        if let Some(options) = &new {
            thread.defaults = Defaults {
                model: options.model.clone(),
                effort: None,
                approval_policy: options.approval_policy,
            };
        }
        let model = thread.defaults.model.clone();
        // One that may change files works in its place, which is not the thread's.
        if thread.running.as_ref().is_some_and(|turn| turn.place.is_none()) {
            thread.home.get_or_insert(working_directory);
        }
        let working_directory = thread.home.clone();
        let was_recorded = std::mem::replace(&mut thread.recorded, true);
        let connection = thread.running.as_ref().map(|turn| turn.connection);
        self.keys.insert(id.clone(), key);
        if !was_recorded {
            let opened = Record::ThreadOpened {
                thread: id,
                connection,
                working_directory,
                options: new,
                model,
            };
            self.record(opened);
        }
        self.record_queued(key);
    }

    fn exec_ended(&mut self, key: ThreadKey, end: Result<(), Failure>, now: Instant) {
        let turn = self.threads.get_mut(&key).and_then(|thread| thread.running.take());
        let Some(turn) = turn else {
            return;
        };
        let (state, failure) = match (end, &turn.stop) {
            (Ok(()), _) => (TurnState::Completed, None),
            (Err(_), Some(_)) => (TurnState::Interrupted, None),
            (Err(failure @ Failure::ExecExited(_)), None) => match turn.running_as {
                Some(_) => (TurnState::Interrupted, Some(failure)),
                // Nothing of Codex works, and why the app-server did not says more.
                None => (TurnState::Failed, self.app_server.rests_for.clone().or(Some(failure))),
            },
            (Err(failure), None) => (TurnState::Failed, Some(failure)),
        };
        self.finish_turn(key, turn, state, failure, now);
        self.forget_if_empty(key);
        // What waited for its place may find that the rest is over.
        if self.has_waiting_work() {
            self.want_app_server(now);
        }
    }

    /// Ends a run, and everything that it has started.
    pub(crate) fn stop_exec(&mut self, exec: ExecId) {
        self.effects.push_back(Effect::StopExec { exec });
    }
}

/// Whether what keeps the app-server from working may be its alone, so that `codex exec` works.
fn may_work_without(failure: &Failure) -> bool {
    match failure {
        Failure::Start(failure) => match failure.kind {
            StartFailureKind::BrokenAppServer
            | StartFailureKind::ExitedEarly
            | StartFailureKind::Deadline => true,
            StartFailureKind::NotFound
            | StartFailureKind::NotExecutable
            | StartFailureKind::NotCodex
            | StartFailureKind::TooOld
            | StartFailureKind::System
            | StartFailureKind::NoPlace => false,
        },
        Failure::AppServerExited(_) | Failure::AppServerHung { .. } => true,
        Failure::Quarantined { last, .. } => may_work_without(last),
        Failure::ExecExited(_)
        | Failure::ExecLimit { .. }
        | Failure::ExecTakesNoInput
        | Failure::ReviewTakesNoInput
        | Failure::Request { .. }
        | Failure::Codex(_)
        | Failure::ProviderUnreachable { .. }
        | Failure::Silent { .. }
        | Failure::TimeLimit { .. }
        | Failure::ThreadClosed
        | Failure::Workspace { .. }
        | Failure::ThreadBusy { .. }
        | Failure::QueueFull { .. }
        | Failure::TooManyTurns { .. }
        | Failure::NoRunningTurn { .. }
        | Failure::WrongTurn { .. }
        | Failure::TurnStopping
        | Failure::NoSuchTurn { .. }
        | Failure::CallCancelled
        | Failure::ShuttingDown => false,
    }
}
