//! Stopping turns: on demand, by a watchdog, and never leaving a command behind.
//!
//! An interrupt ends a turn within milliseconds but lets its commands run on (measured with Codex 0.169), so a stopped
//! turn is over only when its terminals have been cleaned as well.

use std::time::Instant;

use crate::bridge::{Bridge, Purpose};
use crate::ids::ThreadKey;
use crate::thread::Load;
use crate::turn::{Stop, Turn, TurnPhase, Watchdog};
use crate::{
    CodexError, Failure, Reply, Request, RequestFailure, StopCause, ThreadId, TurnId, TurnNumber,
    TurnState, Update,
};

impl Bridge {
    /// Stops a turn at whatever stage it is. The first cause stands.
    pub(crate) fn stop_turn(
        &mut self,
        key: ThreadKey,
        turn: TurnNumber,
        cause: StopCause,
        failure: Option<Failure>,
        now: Instant,
    ) {
        let deadline = now + self.limits.interrupt_grace;
        let stop = Stop { cause, failure, deadline };
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        if let Some(index) = thread.queue.iter().position(|waiting| waiting.key == turn) {
            if let Some(mut turn) = thread.queue.remove(index) {
                turn.stop = Some(stop);
                self.finish_turn(key, turn, TurnState::Interrupted, None, now);
                self.tell_queue(key, now);
                self.forget_if_empty(key);
            }
            return;
        }
        let being_prepared =
            |running: &mut Turn| running.key == turn && running.phase == TurnPhase::Preparing;
        if let Some(mut turn) = thread.running.take_if(being_prepared) {
            turn.stop = Some(stop);
            self.finish_turn(key, turn, TurnState::Interrupted, None, now);
            return self.forget_if_empty(key);
        }
        let thread_id = thread.id().cloned();
        // Of one that is being collected nothing runs any more.
        let to_stop = |running: &&mut Turn| running.key == turn && !running.is_collecting();
        let Some(running) = thread.running.as_mut().filter(to_stop) else {
            return;
        };
        if running.stop.is_some() {
            return;
        }
        running.stop = Some(stop);
        if let Some(exec) = running.exec {
            self.stop_exec(exec);
        } else if let (TurnPhase::Running, Some(thread), Some(turn)) =
            (&running.phase, thread_id, running.interruptible_as().cloned())
        {
            self.send_interrupt(thread, turn);
        }
        self.tell_turn(key, &Update::Stopping, now);
    }

    pub(crate) fn send_interrupt(&mut self, thread: ThreadId, turn: TurnId) {
        if let Some(app_server) = self.app_server.ready() {
            self.send(app_server, Request::InterruptTurn { thread, turn }, Purpose::Interrupt);
        }
    }

    /// Codex says that the turn is over.
    pub(crate) fn turn_completed(
        &mut self,
        key: ThreadKey,
        state: TurnState,
        error: Option<CodexError>,
        now: Instant,
    ) {
        let app_server = self.app_server.ready();
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let thread_id = thread.id().cloned();
        let Some(turn) = thread.running.as_mut() else {
            return;
        };
        if turn.review.is_some() {
            turn.transcript.drop_unfinished_messages();
        }
        match (&turn.stop, app_server, thread_id) {
            (Some(_), Some(app_server), Some(thread)) => {
                turn.phase = TurnPhase::Cleaning { state, error };
                let turn = turn.key;
                self.send(
                    app_server,
                    Request::CleanTerminals(thread),
                    Purpose::CleanAfter(key, turn),
                );
            }
            (Some(_) | None, _, _) => {
                let Some(turn) = thread.running.take() else {
                    return;
                };
                self.finish_turn(key, turn, state, error.map(Failure::Codex), now);
            }
        }
    }

    /// What a stopped turn had left running is gone.
    pub(crate) fn cleaned(
        &mut self,
        key: ThreadKey,
        turn: TurnNumber,
        method: &'static str,
        result: Result<Reply, RequestFailure>,
        now: Instant,
    ) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let cleaned = |running: &mut Turn| running.key == turn && running.is_with_codex();
        let Some(mut turn) = thread.running.take_if(cleaned) else {
            return;
        };
        if let Err(failure) = &result {
            if Self::is_hung(failure) {
                thread.running = Some(turn);
                return self.presume_hung(method);
            }
            turn.transcript
                .warn("Codex refused to stop the commands of this turn: some may still be running");
        }
        let (state, error) = match std::mem::replace(&mut turn.phase, TurnPhase::Running) {
            TurnPhase::Cleaning { state, error } => (state, error),
            TurnPhase::Queued
            | TurnPhase::Preparing
            | TurnPhase::Starting
            | TurnPhase::Running
            | TurnPhase::Collecting { .. } => (TurnState::Interrupted, None),
        };
        self.finish_turn(key, turn, state, error.map(Failure::Codex), now);
    }

    /// Somebody archived, deleted or unloaded the thread.
    pub(crate) fn thread_closed(&mut self, thread: &ThreadId, now: Instant) {
        let Some(key) = self.keys.get(thread).copied() else {
            return;
        };
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        match thread.load {
            Load::Loaded | Load::Leaving => thread.load = Load::Unloaded,
            Load::Unloaded | Load::Opening { .. } => {}
        }
        match thread.running.take_if(|turn| turn.is_with_app_server()) {
            Some(turn) if turn.stop.is_some() => {
                self.finish_turn(key, turn, TurnState::Interrupted, None, now)
            }
            Some(turn) => {
                self.finish_turn(key, turn, TurnState::Failed, Some(Failure::ThreadClosed), now)
            }
            None => {}
        }
    }

    /// Looks at a running turn that may have run, waited or been silent for too long.
    pub(crate) fn check_watchdog(&mut self, key: ThreadKey, now: Instant) {
        let running = self.threads.get(&key).and_then(|thread| thread.running.as_ref());
        let asking = running.is_some_and(|turn| self.waits_for_person(turn.key));
        let Some(turn) = self.threads.get_mut(&key).and_then(|thread| thread.running.as_mut())
        else {
            return;
        };
        let due = turn.watchdog(&self.limits, asking).filter(|(at, _)| *at <= now);
        let Some((_, watchdog)) = due else {
            return;
        };
        let failure = match watchdog {
            Watchdog::TimeLimit => Failure::TimeLimit { limit: turn.time_limit },
            Watchdog::Silence => Failure::Silent { after: self.limits.silence },
            Watchdog::ProviderRetry => match turn.retrying.take() {
                Some((_, last)) => {
                    Failure::ProviderUnreachable { after: self.limits.provider_retry, last }
                }
                None => return,
            },
            Watchdog::StopDeadline => {
                let method = match turn.phase {
                    TurnPhase::Starting if turn.review.is_some() => "review/start",
                    TurnPhase::Starting => "turn/start",
                    TurnPhase::Cleaning { .. } => "thread/backgroundTerminals/clean",
                    TurnPhase::Queued
                    | TurnPhase::Preparing
                    | TurnPhase::Running
                    | TurnPhase::Collecting { .. } => "turn/interrupt",
                };
                if let Some(stop) = &mut turn.stop {
                    // The exit of the app-server ends the turn; until then there is nothing more to do.
                    stop.deadline = now + self.limits.interrupt_grace;
                }
                return match turn.exec {
                    Some(exec) => self.stop_exec(exec),
                    None => self.presume_hung(method),
                };
            }
        };
        let turn = turn.key;
        self.stop_turn(key, turn, StopCause::Limit, Some(failure), now);
    }
}
