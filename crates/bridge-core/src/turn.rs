//! One turn, from the queue to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::review::Review;
use crate::{
    Attachment, CallId, Caller, ChangeSet, CodexError, ConnectionId, ExecId, Failure, Limits,
    Material, Place, ReviewTarget, SessionId, StopCause, ThreadId, Tokens, Transcript, TurnId,
    TurnNumber, TurnOptions, TurnReport, TurnRequest, TurnState, Update,
};

/// A turn that waits or runs.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) key: TurnNumber,
    /// Codex's first name for it, under which it is known outside.
    pub(crate) id: Option<TurnId>,
    /// Codex's name for it as it runs now: another one, if it was run again.
    pub(crate) running_as: Option<TurnId>,
    /// The process that runs it, if that is not the app-server.
    pub(crate) exec: Option<ExecId>,
    /// How often it was started.
    pub(crate) starts: u32,
    /// What cut its last run, while it waits to be run again.
    pub(crate) cut_by: Option<Failure>,
    /// Whether its model has said or done anything, or anything came to it but its prompt.
    pub(crate) begun: bool,
    pub(crate) prompt: String,
    /// What comes with the prompt.
    pub(crate) material: Arc<Material>,
    /// The review that it is, if Codex words it itself.
    pub(crate) review: Option<Review>,
    pub(crate) options: TurnOptions,
    /// Where it may write, once that is made.
    pub(crate) place: Option<Place>,
    /// What it changed, once that is gathered.
    pub(crate) change_set: Option<ChangeSet>,
    pub(crate) attachment: Attachment,
    /// Who asked for it.
    pub(crate) connection: ConnectionId,
    /// The session that is told of it when no call is.
    pub(crate) session: Option<SessionId>,
    /// Whether it has been kept.
    pub(crate) recorded: bool,
    pub(crate) time_limit: Duration,
    pub(crate) phase: TurnPhase,
    pub(crate) stop: Option<Stop>,
    /// Calls that are answered at its end. The owner's is among them while it is attached.
    pub(crate) calls: Vec<CallId>,
    /// Input that came before the turn could take it.
    pub(crate) waiting_steers: Vec<(CallId, String)>,
    pub(crate) transcript: Transcript,
    pub(crate) model: Option<String>,
    pub(crate) effort: Option<String>,
    /// What the thread had used before this turn.
    pub(crate) tokens_before: Option<Tokens>,
    pub(crate) started_at: Option<Instant>,
    /// When Codex was done with it, if it is not over yet.
    pub(crate) ended_at: Option<Instant>,
    /// The last sign of progress: anything but reports of retries.
    pub(crate) progress_at: Option<Instant>,
    /// The first report of a retry since then, and the newest.
    pub(crate) retrying: Option<(Instant, CodexError)>,
}

/// How far a turn is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TurnPhase {
    /// In the queue.
    Queued,
    /// Its place is being made.
    Preparing,
    /// `turn/start` or `review/start` was sent.
    Starting,
    /// It runs.
    Running,
    /// It was stopped and ended like this; what it left running is being killed.
    Cleaning { state: TurnState, error: Option<CodexError> },
    /// It ended like this; what it changed is being gathered.
    Collecting { state: TurnState, failure: Option<Failure> },
}

/// A stop that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    pub(crate) cause: StopCause,
    pub(crate) failure: Option<Failure>,
    /// When the app-server counts as hung.
    pub(crate) deadline: Instant,
}

impl Turn {
    pub(crate) fn new(
        key: TurnNumber,
        caller: &Caller,
        request: TurnRequest,
        limits: &Limits,
    ) -> Self {
        let mut transcript = Transcript::default();
        request.material.warnings.iter().for_each(|warning| transcript.warn(warning));
        Self {
            key,
            id: None,
            running_as: None,
            exec: None,
            starts: 0,
            cut_by: None,
            begun: false,
            prompt: request.prompt,
            material: request.material,
            review: None,
            options: request.options,
            place: None,
            change_set: None,
            attachment: request.attachment,
            connection: caller.connection,
            session: caller.session.clone(),
            recorded: false,
            time_limit: request.time_limit.unwrap_or(limits.turn_time),
            phase: TurnPhase::Queued,
            stop: None,
            calls: Vec::new(),
            waiting_steers: Vec::new(),
            transcript,
            model: None,
            effort: None,
            tokens_before: None,
            started_at: None,
            ended_at: None,
            progress_at: None,
            retrying: None,
        }
    }

    /// The same as Codex's own review.
    pub(crate) fn reviewing(self, target: ReviewTarget) -> Self {
        Self { review: Some(Review::of(target)), ..self }
    }

    /// What may go wrong next if nothing happens, and when. A turn that is being stopped only has the stop's deadline.
    ///
    /// One that waits for a person is silent for a reason, and one that is not with Codex has no part in this.
    pub(crate) fn watchdog(
        &self,
        limits: &Limits,
        waits_for_person: bool,
    ) -> Option<(Instant, Watchdog)> {
        if !self.is_with_codex() {
            return None;
        }
        if let Some(stop) = &self.stop {
            return Some((stop.deadline, Watchdog::StopDeadline));
        }
        let (started_at, progress_at) = (self.started_at?, self.progress_at?);
        let time = Some((started_at + self.time_limit, Watchdog::TimeLimit));
        let retry = self
            .retrying
            .as_ref()
            .map(|(since, _)| (*since + limits.provider_retry, Watchdog::ProviderRetry));
        let may_be_silent = self.transcript.is_busy() || waits_for_person;
        let silence = match self.retrying.is_none() && !may_be_silent {
            true => Some((progress_at + limits.silence, Watchdog::Silence)),
            false => None,
        };
        [time, retry, silence].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// The name by which Codex lets it be interrupted, once it does.
    pub(crate) fn interruptible_as(&self) -> Option<&TurnId> {
        match &self.review {
            Some(review) => review.interruptible_as.as_ref(),
            None => self.running_as.as_ref(),
        }
    }

    /// Whether Codex has it, as opposed to it waiting, being prepared or being collected.
    pub(crate) fn is_with_codex(&self) -> bool {
        match self.phase {
            TurnPhase::Starting | TurnPhase::Running | TurnPhase::Cleaning { .. } => true,
            TurnPhase::Queued | TurnPhase::Preparing | TurnPhase::Collecting { .. } => false,
        }
    }

    /// Whether all that is left of it is to gather what it changed.
    pub(crate) fn is_collecting(&self) -> bool {
        matches!(self.phase, TurnPhase::Collecting { .. })
    }

    /// Whether it is over when the app-server is.
    pub(crate) fn is_with_app_server(&self) -> bool {
        self.exec.is_none() && self.is_with_codex()
    }

    /// Whether it can be run again after its app-server died under it, so that nothing happens twice: nobody stopped it,
    /// and its model had not said a word.
    pub(crate) fn may_run_again(&self, limits: &Limits) -> bool {
        self.stop.is_none() && !self.begun && self.starts < limits.start_attempts
    }

    /// Makes it wait for its next start.
    pub(crate) fn wait_again(&mut self, failure: Failure) {
        self.cut_by = Some(failure);
        self.phase = TurnPhase::Queued;
        self.running_as = None;
        self.review = self.review.take().map(|review| Review::of(review.target));
        self.waiting_steers.clear();
        self.retrying = None;
    }

    pub(crate) fn progressed(&mut self, now: Instant) {
        self.progress_at = Some(now);
        self.retrying = None;
    }

    pub(crate) fn report(
        &self,
        thread: Option<&ThreadId>,
        state: TurnState,
        now: Instant,
    ) -> TurnReport {
        TurnReport {
            number: Some(self.key),
            thread: thread.cloned(),
            turn: self.id.clone(),
            state,
            model: self.model.clone(),
            effort: self.effort.clone(),
            duration: self.elapsed(now),
            transcript: self.transcript.clone(),
            failure: self.stop.as_ref().and_then(|stop| stop.failure.clone()),
            asking: Vec::new(),
            stopped: self.stop.as_ref().map(|stop| stop.cause.clone()),
            change_set: self.change_set.clone(),
        }
    }

    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        let end = self.ended_at.unwrap_or(now);
        self.started_at
            .map_or(Duration::ZERO, |started_at| end.saturating_duration_since(started_at))
    }

    /// The news that a call gets when nothing has happened for a while.
    pub(crate) fn heartbeat(&self, now: Instant) -> Update {
        match self.phase {
            TurnPhase::Preparing => Update::Preparing,
            TurnPhase::Collecting { .. } => Update::Collecting,
            TurnPhase::Queued
            | TurnPhase::Starting
            | TurnPhase::Running
            | TurnPhase::Cleaning { .. } => {
                let doing = self.transcript.running_command();
                let doing = doing.map(|command| command.command.clone());
                Update::StillRunning { doing, elapsed: self.elapsed(now) }
            }
        }
    }
}

/// Why a turn that does not move is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watchdog {
    /// It has run for too long.
    TimeLimit,
    /// Codex has been retrying for too long.
    ProviderRetry,
    /// Nothing has come for too long.
    Silence,
    /// It was told to stop and did not.
    StopDeadline,
}
