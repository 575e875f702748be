//! Calls that wait: for which turn or answer, at which pace they are told, and the one answer that each gets.

use std::time::Instant;

use crate::bridge::Bridge;
use crate::ids::ThreadKey;
use crate::progress::Pacer;
use crate::turn::Turn;
use crate::{
    Account, Attachment, CallId, ConnectionId, Effect, Failure, Outcome, Person, SandboxProbe,
    SessionId, StopCause, ThreadChange, ThreadId, ThreadQuery, TurnId, TurnNumber, TurnQuery,
    TurnReport, TurnState, Update,
};

/// Who makes a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The client.
    pub connection: ConnectionId,
    /// How the person behind it can be asked.
    pub person: Person,
    /// The session that the client belongs to.
    pub session: Option<SessionId>,
}

/// A call that is not answered yet.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) connection: ConnectionId,
    /// How the person behind it can be asked.
    pub(crate) person: Person,
    pub(crate) session: Option<SessionId>,
    pub(crate) kind: CallKind,
    /// `None` once the client gave it up: it is told nothing more.
    pacer: Option<Pacer>,
    /// When it is answered with what is known by then.
    pub(crate) deadline: Option<Instant>,
}

/// What a call waits for.
#[derive(Debug)]
pub(crate) enum CallKind {
    /// The end of the turn that it asked for.
    Owner { thread: ThreadKey, turn: TurnNumber },
    /// The start of the turn that it asked for.
    Background { thread: ThreadKey, turn: TurnNumber },
    /// The end of a turn that goes on without it.
    Waiter { thread: ThreadKey, turn: TurnNumber },
    /// The end of a turn that it stopped; `dropped` others waited behind it.
    Canceller { thread: ThreadKey, turn: TurnNumber, dropped: usize },
    /// The answer to a steer.
    Steer { thread: ThreadId },
    /// Whether Codex has taken a plan, or takes it later.
    TellPlan,
    /// A part of a thread's turns from disk.
    ReadTurns { thread: ThreadId, query: TurnQuery },
    /// What Codex knows of a thread.
    Find { thread: ThreadId },
    /// A part of Codex's list.
    List { query: ThreadQuery },
    /// Another place for a thread.
    Change { thread: ThreadId, change: ThreadChange },
    /// A turn from disk.
    Read { thread: ThreadId, turn: Option<TurnId> },
    /// Both parts of the health report.
    Health {
        account: Option<Result<Account, Failure>>,
        sandbox: Option<Result<SandboxProbe, Failure>>,
    },
}

impl CallKind {
    pub(crate) fn turn(&self) -> Option<(ThreadKey, TurnNumber)> {
        match self {
            Self::Owner { thread, turn }
            | Self::Background { thread, turn }
            | Self::Waiter { thread, turn }
            | Self::Canceller { thread, turn, .. } => Some((*thread, *turn)),
            Self::Steer { .. }
            | Self::TellPlan
            | Self::Read { .. }
            | Self::ReadTurns { .. }
            | Self::Find { .. }
            | Self::List { .. }
            | Self::Change { .. }
            | Self::Health { .. } => None,
        }
    }
}

impl CallKind {
    /// Whether it is about to put this thread elsewhere.
    pub(crate) fn changes(&self, of: &ThreadId) -> bool {
        match self {
            Self::Change { thread, .. } => thread == of,
            Self::Owner { .. }
            | Self::Background { .. }
            | Self::Waiter { .. }
            | Self::Canceller { .. }
            | Self::Steer { .. }
            | Self::TellPlan
            | Self::Read { .. }
            | Self::ReadTurns { .. }
            | Self::Find { .. }
            | Self::List { .. }
            | Self::Health { .. } => false,
        }
    }
}

impl CallKind {
    /// Whether asking Codex once more changes nothing.
    pub(crate) fn reads(&self) -> bool {
        match self {
            Self::Read { .. }
            | Self::ReadTurns { .. }
            | Self::Find { .. }
            | Self::List { .. }
            | Self::Health { .. } => true,
            Self::Owner { .. }
            | Self::Background { .. }
            | Self::Waiter { .. }
            | Self::Canceller { .. }
            | Self::Steer { .. }
            | Self::TellPlan
            | Self::Change { .. } => false,
        }
    }
}

impl Call {
    pub(crate) fn new(caller: Caller, kind: CallKind) -> Self {
        let Caller { connection, person, session } = caller;
        Self { connection, person, session, kind, pacer: Some(Pacer::default()), deadline: None }
    }

    /// Whether its client does not wait any more.
    pub(crate) fn is_given_up(&self) -> bool {
        self.pacer.is_none()
    }

    /// When the call has to be looked at: for its deadline or for news.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let news = self.pacer.as_ref().and_then(Pacer::timeout);
        [self.deadline, news].into_iter().flatten().min()
    }
}

impl Bridge {
    /// Lets a call wait for the end of a turn.
    pub(crate) fn attach(&mut self, id: CallId, call: Call) {
        let turn = call
            .kind
            .turn()
            .and_then(|(thread, turn)| self.threads.get_mut(&thread)?.turn_mut(turn));
        if let Some(turn) = turn {
            turn.calls.push(id);
        }
        self.calls.insert(id, call);
    }

    fn detach(&mut self, id: CallId) {
        for turn in self
            .threads
            .values_mut()
            .flat_map(|thread| thread.running.iter_mut().chain(&mut thread.queue))
        {
            turn.calls.retain(|call| *call != id);
            turn.waiting_steers.retain(|(call, _)| *call != id);
        }
        self.waiting_for_app_server.retain(|call| *call != id);
    }

    pub(crate) fn connection_closed(&mut self, connection: ConnectionId, now: Instant) {
        self.connections.remove(&connection);
        let calls = self.calls.iter().filter(|(_, call)| call.connection == connection);
        for id in calls.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.give_up(id, StopCause::ClientGone, now);
        }
        // Turns whose calls were answered with a question: nobody comes back to them.
        let left = |turn: &&Turn| {
            turn.connection == connection && turn.attachment == Attachment::Foreground
        };
        let turns = self
            .threads
            .values()
            .filter_map(|thread| Some((thread.key, thread.running.as_ref().filter(left)?.key)));
        for (key, turn) in turns.collect::<Vec<_>>() {
            self.stop_turn(key, turn, StopCause::ClientGone, None, now);
        }
    }

    /// A call that asked for a turn takes it with it and is answered at its end; any other call only lets go.
    pub(crate) fn give_up(&mut self, id: CallId, cause: StopCause, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let thread = call.kind.turn().map(|(thread, _)| thread);
        match call.kind {
            CallKind::Owner { thread, turn } | CallKind::Background { thread, turn } => {
                call.pacer = None;
                self.stop_turn(thread, turn, cause, None, now);
            }
            CallKind::Waiter { .. }
            | CallKind::Canceller { .. }
            | CallKind::Steer { .. }
            | CallKind::TellPlan
            | CallKind::Read { .. }
            | CallKind::ReadTurns { .. }
            | CallKind::Find { .. }
            | CallKind::List { .. }
            | CallKind::Change { .. }
            | CallKind::Health { .. } => self.answer(id, Outcome::Failed(Failure::CallCancelled)),
        }
        if let Some(thread) = thread {
            self.offer(thread, now);
        }
    }

    /// A call's deadline has come, or news may be told.
    pub(crate) fn call_due(&mut self, id: CallId, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let turn = call.kind.turn();
        let session = call.session.clone();
        if call.deadline.is_some_and(|deadline| deadline <= now) {
            if let Some(report) = turn.and_then(|(thread, turn)| self.snapshot(thread, turn, now)) {
                self.answer(id, Outcome::Turn(Box::new(report)));
            }
            if let Some((thread, turn)) = turn {
                self.questions_told(thread, turn, session.as_ref());
                self.offer(thread, now);
            }
        } else if let Some(update) = call.pacer.as_mut().and_then(|pacer| pacer.due(now)) {
            self.effects.push_back(Effect::Report { call: id, update });
        } else if call.timeout().is_some_and(|at| at <= now)
            && let Some(turn) =
                turn.and_then(|(thread, turn)| self.threads.get_mut(&thread)?.turn_mut(turn))
        {
            let heartbeat = turn.heartbeat(now);
            self.tell(id, heartbeat, now);
        }
    }

    /// Tells a call news, when its pace allows.
    pub(crate) fn tell(&mut self, id: CallId, update: Update, now: Instant) {
        let pacer = self.calls.get_mut(&id).and_then(|call| call.pacer.as_mut());
        if let Some(update) = pacer.and_then(|pacer| pacer.push(update, now)) {
            self.effects.push_back(Effect::Report { call: id, update });
        }
    }

    /// The turn as it stands now.
    pub(crate) fn snapshot(
        &self,
        key: ThreadKey,
        turn: TurnNumber,
        now: Instant,
    ) -> Option<TurnReport> {
        let thread = self.threads.get(&key)?;
        let state = match thread.position(turn)? {
            0 => TurnState::InProgress,
            position => TurnState::Queued { position },
        };
        let mut report = thread.turn(turn)?.report(thread.id(), state, now);
        report.asking = self.open_questions(turn);
        Some(report)
    }

    /// Answers a call with a failure; a health call is told of it as a finding.
    pub(crate) fn fail_call(&mut self, id: CallId, failure: Failure, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if let CallKind::Health { account, sandbox } = &mut call.kind {
            account.get_or_insert_with(|| Err(failure.clone()));
            sandbox.get_or_insert_with(|| Err(failure.clone()));
            self.answer_health(id, now);
        } else {
            self.answer(id, Outcome::Failed(failure));
        }
    }

    /// Answers a call, once: a call that was answered is no longer there.
    pub(crate) fn answer(&mut self, id: CallId, outcome: Outcome) {
        if self.calls.remove(&id).is_some() {
            self.detach(id);
            self.effects.push_back(Effect::Answer { call: id, outcome });
            self.not_asked_through(id);
        }
    }

    pub(crate) fn all_calls(&self) -> Vec<CallId> {
        self.calls.keys().copied().collect()
    }

    /// Calls that wait for the app-server itself and not for a turn.
    pub(crate) fn calls_without_turn(&self) -> Vec<CallId> {
        self.calls
            .iter()
            .filter(|(_, call)| call.kind.turn().is_none())
            .map(|(id, _)| *id)
            .collect()
    }
}
