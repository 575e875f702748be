//! What Codex asks before it goes on: decided by the policy, else by a person, else declined in writing.
//!
//! A person is reached through a call that waits for the turn. Where the protocol lets a server ask while a call goes on,
//! that is done; where it does not, the call is answered with the questions and made again with the answers, and the
//! turn waits in between. Each question is answered once, whatever comes late, twice or never.

use std::time::Instant;

use crate::bridge::Bridge;
use crate::call::{Call, CallKind};
use crate::ids::ThreadKey;
use crate::policy::Verdict;
use crate::question::{describe, matters};
use crate::turn::Turn;
use crate::workspace::MoveHome;
use crate::{
    Answer, AppServerId, ApprovalId, Ask, Attachment, CallId, Caller, Decided, Decider, Decision,
    Effect, Outcome, Patch, Person, Question, Record, ServerRequestId, SessionId, StopCause,
    ThreadId, TurnId, TurnNumber, Update,
};

/// A question that is open.
#[derive(Debug)]
pub(crate) struct Approval {
    app_server: AppServerId,
    request: ServerRequestId,
    thread: ThreadKey,
    turn: TurnNumber,
    question: Question,
    what: String,
    deadline: Instant,
    asked: Asked,
    /// Whether the session of the turn knows of it.
    told: bool,
}

impl Approval {
    fn decided(&self, decision: Decision, decider: Decider) -> Decided {
        let reason = self.question.reason().map(str::to_owned);
        Decided { what: self.what.clone(), reason, decision, decider }
    }
}

/// Where a question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Nobody has been asked yet.
    NotYet,
    /// The client of this call is being asked.
    Through(CallId),
    /// A call was answered with it and is to come again.
    Instead,
}

impl Bridge {
    /// Codex asks something.
    pub(crate) fn question_asked(
        &mut self,
        app_server: AppServerId,
        request: ServerRequestId,
        thread: Option<&ThreadId>,
        question: Question,
        now: Instant,
    ) {
        let key = thread.and_then(|thread| self.keys.get(thread)).copied();
        let move_home = key.and_then(|key| MoveHome::of(self.threads.get(&key)?));
        let question = match move_home {
            Some(move_home) => move_home.question(question),
            None => question,
        };
        let turn = key.and_then(|key| self.threads.get_mut(&key)?.running.as_mut());
        let (Some(key), Some(turn)) = (key, turn.filter(|turn| turn.is_with_app_server())) else {
            // It belongs to nothing that runs here.
            let answer = Answer::declined();
            return self.effects.push_back(Effect::Reply {
                app_server,
                id: request,
                question,
                answer,
            });
        };
        turn.begun = true;
        turn.progressed(now);
        let turn = turn.key;
        let paths = self.patch_of(key, &question).map(Patch::paths).unwrap_or_default();
        let what = describe(&question, &paths);
        let ruling = self.policy.decide(&matters(&question, &paths));
        let approval = Approval {
            app_server,
            request,
            thread: key,
            turn,
            question,
            what,
            deadline: now + self.limits.approval,
            asked: Asked::NotYet,
            told: false,
        };
        let by_rule = Decider::Policy(ruling.rule.unwrap_or_default());
        let (decision, decider) = match ruling.verdict {
            Verdict::Allow => (Decision::Accept, by_rule),
            Verdict::Deny => (Decision::Decline, by_rule),
            Verdict::Ask if approval.question.can_be_asked() => {
                self.approvals.insert(ApprovalId { turn, number: self.numbers.mint() }, approval);
                return self.offer(key, now);
            }
            Verdict::Ask => (Decision::Decline, Decider::Nobody),
        };
        self.decide(approval, Answer { decision, content: None }, decider, now);
    }

    /// Puts the open questions of a thread's turn to whoever can be asked.
    pub(crate) fn offer(&mut self, key: ThreadKey, now: Instant) {
        let Some(turn) = self.threads.get(&key).and_then(|thread| thread.running.as_ref()) else {
            return;
        };
        let open = self.questions(turn.key, |asked| asked == Asked::NotYet);
        if open.is_empty() {
            return;
        }
        let person = |call: &Call| match call.is_given_up() {
            true => Person::Absent,
            false => call.person,
        };
        let calls = turn.calls.iter().filter_map(|id| Some((*id, person(self.calls.get(id)?))));
        let reachable = calls.filter(|(_, person)| *person != Person::Absent).min_by_key(
            // Who can be asked without giving up the call comes first.
            |(_, person)| *person == Person::Instead,
        );
        match reachable {
            Some((call, Person::During)) => {
                for id in open {
                    self.ask(id, call, now);
                }
            }
            Some((call, Person::Instead | Person::Absent)) => {
                self.ask_instead(key, call, &open, now)
            }
            None if self.may_be_asked_later(key) => {
                self.tell_asking(key, &open, now);
                self.tell_session_asking(key, &open, now);
            }
            None => {
                for id in open {
                    self.resolve(id, Answer::declined(), Decider::Nobody, now);
                }
            }
        }
    }

    /// Whether somebody can still come who may be asked: the turn goes on in the background, or its call is to come again.
    fn may_be_asked_later(&self, key: ThreadKey) -> bool {
        let turn = self.threads.get(&key).and_then(|thread| thread.running.as_ref());
        turn.is_some_and(|turn| match turn.attachment {
            Attachment::Background => true,
            Attachment::Foreground => self
                .approvals
                .values()
                .any(|approval| approval.turn == turn.key && approval.asked == Asked::Instead),
        })
    }

    fn questions(&self, turn: TurnNumber, fits: impl Fn(Asked) -> bool) -> Vec<ApprovalId> {
        let open = self.approvals.iter();
        let open = open.filter(|(_, approval)| approval.turn == turn && fits(approval.asked));
        open.map(|(id, _)| *id).collect()
    }

    fn ask(&mut self, id: ApprovalId, call: CallId, now: Instant) {
        let Some(ask) = self.as_ask(id, now) else {
            return;
        };
        if let Some(approval) = self.approvals.get_mut(&id) {
            approval.asked = Asked::Through(call);
            let (key, what) = (approval.thread, approval.what.clone());
            self.effects.push_back(Effect::Ask { call, ask });
            self.tell_turn(key, &Update::Asking { what }, now);
        }
    }

    /// Answers a call with the questions.
    fn ask_instead(&mut self, key: ThreadKey, call: CallId, open: &[ApprovalId], now: Instant) {
        self.tell_asking(key, open, now);
        let asks: Vec<Ask> = open.iter().filter_map(|id| self.as_ask(*id, now)).collect();
        for id in open {
            if let Some(approval) = self.approvals.get_mut(id) {
                approval.asked = Asked::Instead;
            }
        }
        let turn = self.calls.get(&call).and_then(|call| call.kind.turn());
        if let Some(report) = turn.and_then(|(key, turn)| self.snapshot(key, turn, now)) {
            let number = turn.map(|(_, number)| number).unwrap_or(TurnNumber(call.0));
            self.answer(call, Outcome::Asked { turn: Box::new(report), number, asks });
        }
    }

    fn tell_asking(&mut self, key: ThreadKey, open: &[ApprovalId], now: Instant) {
        for id in open {
            if let Some(what) = self.approvals.get(id).map(|approval| approval.what.clone()) {
                self.tell_turn(key, &Update::Asking { what }, now);
            }
        }
    }

    /// Tells the session of a turn that goes on without its client what is asked, once.
    fn tell_session_asking(&mut self, key: ThreadKey, open: &[ApprovalId], now: Instant) {
        for id in open {
            let Some(approval) = self.approvals.get(id).filter(|approval| !approval.told) else {
                continue;
            };
            let patience = approval.deadline.saturating_duration_since(now);
            if let Some(news) = self.unheard_question(key, &approval.what, patience) {
                self.effects.push_back(news);
                self.approvals.get_mut(id).expect("it was found above").told = true;
            }
        }
    }

    /// A call of this session was answered with what the turn waits for.
    pub(crate) fn questions_told(
        &mut self,
        key: ThreadKey,
        turn: TurnNumber,
        session: Option<&SessionId>,
    ) {
        let running = self.threads.get(&key).and_then(|thread| thread.running.as_ref());
        if running.is_none_or(|running| running.session.as_ref() != session) {
            return;
        }
        let of_turn = self.approvals.values_mut().filter(|approval| approval.turn == turn);
        of_turn.for_each(|approval| approval.told = true);
    }

    fn as_ask(&self, id: ApprovalId, now: Instant) -> Option<Ask> {
        let approval = self.approvals.get(&id)?;
        Some(Ask {
            approval: id,
            thread: self.threads.get(&approval.thread)?.id()?.clone(),
            question: approval.question.clone(),
            what: approval.what.clone(),
            diff: self.patch_of(approval.thread, &approval.question).map(Patch::unified_diff),
            patience: approval.deadline.saturating_duration_since(now),
        })
    }

    /// A person has answered. What is not open any more is not answered twice.
    pub(crate) fn answered(&mut self, id: ApprovalId, answer: Option<Answer>, now: Instant) {
        match answer {
            Some(answer) => self.resolve(id, answer, Decider::Person, now),
            None => self.resolve(id, Answer::declined(), Decider::Nobody, now),
        }
    }

    /// A call comes again with the answers to what it was answered with.
    pub(crate) fn resume(
        &mut self,
        call: CallId,
        caller: Caller,
        (thread, turn, number): (ThreadId, Option<TurnId>, TurnNumber),
        answers: Vec<(ApprovalId, Answer)>,
        now: Instant,
    ) {
        let found = self.keys.get(&thread).and_then(|key| self.threads.get(key));
        let Some(thread) = found else {
            return self.effects.push_back(Effect::Answer { call, outcome: Outcome::NotLive });
        };
        let key = thread.key;
        if thread.turn(number).is_none() {
            let outcome = match thread.finished(turn.as_ref()) {
                Some(report) => Outcome::Turn(Box::new(report.clone())),
                None => Outcome::NotLive,
            };
            return self.effects.push_back(Effect::Answer { call, outcome });
        }
        let attachment = thread.turn(number).map(|turn| turn.attachment);
        let kind = match attachment {
            Some(Attachment::Background) => CallKind::Waiter { thread: key, turn: number },
            Some(Attachment::Foreground) | None => CallKind::Owner { thread: key, turn: number },
        };
        self.attach(call, Call::new(caller, kind));
        for (id, answer) in answers {
            if self.approvals.get(&id).is_some_and(|approval| approval.turn == number) {
                self.resolve(id, answer, Decider::Person, now);
            }
        }
        // What was asked in the same answer and is still open is asked once more.
        for id in self.questions(number, |asked| asked == Asked::Instead) {
            if let Some(approval) = self.approvals.get_mut(&id) {
                approval.asked = Asked::NotYet;
            }
        }
        self.tell_position(key, number, now);
        self.offer(key, now);
    }

    /// Codex does not wait for an answer any more.
    pub(crate) fn question_withdrawn(
        &mut self,
        app_server: AppServerId,
        request: &ServerRequestId,
        now: Instant,
    ) {
        let found = self.approvals.iter().find(|(_, approval)| {
            approval.app_server == app_server && approval.request == *request
        });
        if let Some(approval) = found.map(|(id, _)| *id).and_then(|id| self.take(id)) {
            self.note(&approval, Decision::Decline, Decider::Withdrawn, now);
        }
    }

    /// A turn is over, and so are its questions.
    pub(crate) fn withdraw_all(&mut self, turn: &mut Turn, thread: Option<&ThreadId>) {
        for id in self.questions(turn.key, |_| true) {
            let Some(approval) = self.take(id) else {
                continue;
            };
            let decided = approval.decided(Decision::Decline, Decider::Withdrawn);
            turn.transcript.decisions.push(decided.clone());
            if let Some(thread) = thread.cloned() {
                let question = approval.question;
                self.record(Record::Decided { turn: turn.key, thread, question, decided });
            }
        }
    }

    /// A call is gone: what was asked through it has not been asked.
    pub(crate) fn not_asked_through(&mut self, gone: CallId) {
        for approval in self.approvals.values_mut() {
            if approval.asked == Asked::Through(gone) {
                approval.asked = Asked::NotYet;
            }
        }
    }

    /// When the next question has waited for long enough.
    pub(crate) fn approval_timeout(&self) -> Option<Instant> {
        self.approvals.values().map(|approval| approval.deadline).min()
    }

    pub(crate) fn approvals_due(&mut self, now: Instant) {
        let due = self.approvals.iter().filter(|(_, approval)| approval.deadline <= now);
        for id in due.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.resolve(id, Answer::declined(), Decider::Deadline, now);
        }
    }

    /// What the turn waits for a person to say, in words.
    pub(crate) fn open_questions(&self, turn: TurnNumber) -> Vec<String> {
        let open = self.approvals.values().filter(|approval| approval.turn == turn);
        open.map(|approval| approval.what.clone()).collect()
    }

    pub(crate) fn waits_for_person(&self, turn: TurnNumber) -> bool {
        self.approvals.values().any(|approval| approval.turn == turn)
    }

    /// Takes an open question; whoever is being asked need not answer any more.
    fn take(&mut self, id: ApprovalId) -> Option<Approval> {
        let approval = self.approvals.remove(&id)?;
        if let Asked::Through(call) = approval.asked
            && self.calls.contains_key(&call)
        {
            self.effects.push_back(Effect::StopAsking { call, approval: id });
        }
        Some(approval)
    }

    fn resolve(&mut self, id: ApprovalId, answer: Answer, decider: Decider, now: Instant) {
        if let Some(approval) = self.take(id) {
            self.decide(approval, answer, decider, now);
        }
    }

    /// Tells Codex, and writes down what was decided and by whom.
    fn decide(&mut self, approval: Approval, answer: Answer, decider: Decider, now: Instant) {
        let decision = answer.decision;
        self.note(&approval, decision, decider, now);
        let Approval { app_server, request: id, question, thread, turn, .. } = approval;
        self.effects.push_back(Effect::Reply { app_server, id, question, answer });
        match decision {
            Decision::Accept | Decision::AcceptForSession | Decision::Decline => {}
            Decision::Cancel => self.stop_turn(thread, turn, StopCause::Declined, None, now),
        }
    }

    fn note(&mut self, approval: &Approval, decision: Decision, decider: Decider, now: Instant) {
        let Approval { thread: key, turn: number, .. } = approval;
        let Some(thread) = self.threads.get_mut(key) else {
            return;
        };
        let id = thread.id().cloned();
        let Some(turn) = thread.running.as_mut().filter(|turn| turn.key == *number) else {
            return;
        };
        turn.progressed(now);
        let decided = approval.decided(decision, decider);
        turn.transcript.decisions.push(decided.clone());
        if let Some(thread) = id {
            let question = approval.question.clone();
            self.record(Record::Decided { turn: *number, thread, question, decided });
        }
        let what = approval.what.clone();
        self.tell_turn(*key, &Update::Decided { what, decision, decider }, now);
    }

    fn patch_of(&self, key: ThreadKey, question: &Question) -> Option<&Patch> {
        let Question::FileChange { item, .. } = question else {
            return None;
        };
        let turn = self.threads.get(&key)?.running.as_ref()?;
        turn.transcript.patches.iter().find(|patch| patch.item == *item)
    }
}
