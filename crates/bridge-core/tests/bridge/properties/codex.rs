//! A model of Codex: which process lives, what is loaded and what runs in it.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::*;

use super::world::home;

/// What Codex would know: which process lives, what is loaded and what runs in it.
#[derive(Default)]
pub(super) struct Codex {
    pub(super) process: Option<(AppServerId, bool)>,
    pub(super) pending: Vec<(RequestId, Request)>,
    pub(super) loaded: BTreeSet<ThreadId>,
    pub(super) running: BTreeMap<ThreadId, TurnId>,
    /// Turns that were asked for and not answered.
    pub(super) starting: BTreeSet<ThreadId>,
    /// The prompt of each thread's newest turn.
    pub(super) prompts: BTreeMap<ThreadId, String>,
    /// Prompts on which the model has begun to work.
    pub(super) begun: BTreeSet<String>,
    /// Where each thread's last turn worked.
    pub(super) folders: BTreeMap<ThreadId, String>,
    /// Runs of `codex exec`, with their threads where they have one.
    pub(super) execs: BTreeMap<ExecId, Option<ThreadId>>,
    /// Threads and turns that it has named.
    pub(super) threads: u64,
    pub(super) turns: u64,
}

impl Codex {
    pub(super) fn forget_process(&mut self) {
        self.process = None;
        self.pending.clear();
        self.loaded.clear();
        self.running.clear();
        self.starting.clear();
    }

    /// A turn is asked for.
    pub(super) fn starts(&mut self, thread: &ThreadId, prompt: &str) {
        assert!(!self.begun.contains(prompt), "{prompt:?} was begun twice");
        self.prompts.insert(thread.clone(), prompt.to_owned());
        assert!(!self.running.contains_key(thread), "a second turn was started on {thread}");
        assert!(!self.runs_exec(thread), "{thread} has a turn already");
        assert!(self.starting.insert(thread.clone()), "a turn was started twice on {thread}");
    }

    /// A review has another name for this.
    pub(super) fn can_interrupt(&self, turn: &TurnId) {
        assert!(!turn.as_str().starts_with("review-"), "{turn} cannot be interrupted");
    }

    /// Answers a request well.
    pub(super) fn reply(&mut self, request: &Request) -> Reply {
        match request {
            Request::StartThread(options) => {
                let thread = self.new_thread();
                self.folders.insert(thread.clone(), options.working_directory.clone());
                self.open(thread)
            }
            Request::ResumeThread { thread, .. } => self.open(thread.clone()),
            Request::StartTurn { thread, place, working_directory, .. } => {
                self.folders.extend(working_directory.clone().map(|to| (thread.clone(), to)));
                let place = place.as_ref().map(|place| place.working_directory.clone());
                let wanted = place.unwrap_or_else(|| home(thread));
                assert_eq!(self.folders.get(thread), Some(&wanted), "a turn works elsewhere");
                self.turns += 1;
                let turn = TurnId(format!("turn-{}", self.turns));
                if self.starting.remove(thread) {
                    self.running.insert(thread.clone(), turn.clone());
                }
                Reply::TurnStarted(turn)
            }
            Request::StartReview { thread, .. } => {
                self.turns += 1;
                let turn = TurnId(format!("review-{}", self.turns));
                if self.starting.remove(thread) {
                    self.running.insert(thread.clone(), turn.clone());
                }
                Reply::TurnStarted(turn)
            }
            Request::SteerTurn { turn, .. } => Reply::TurnStarted(turn.clone()),
            Request::ReadTurn { .. } => Reply::TurnRead(None),
            Request::ReadTurns { .. } => Reply::TurnsRead(TurnList::default()),
            Request::ReadThread(_) => {
                Reply::Threads(ThreadList { threads: Vec::new(), next: None })
            }
            Request::ListThreads(_) => {
                Reply::Threads(ThreadList { threads: Vec::new(), next: None })
            }
            Request::ArchiveThread(thread) | Request::DeleteThread(thread) => {
                self.loaded.remove(thread);
                Reply::Done
            }
            Request::ReadAccount => {
                Reply::Account(Account { kind: None, plan: None, login_required: false })
            }
            Request::ListModels => Reply::Models(Vec::new()),
            Request::ProbeSandbox => {
                Reply::Sandbox(SandboxProbe { exit_code: 0, stderr: String::new() })
            }
            Request::NameThread { .. }
            | Request::InterruptTurn { .. }
            | Request::UnarchiveThread(_)
            | Request::UnsubscribeThread(_)
            | Request::CleanTerminals(_) => Reply::Done,
        }
    }

    pub(super) fn new_thread(&mut self) -> ThreadId {
        self.threads += 1;
        ThreadId(format!("new-{}", self.threads))
    }

    pub(super) fn runs_exec(&self, thread: &ThreadId) -> bool {
        self.execs.values().any(|of| of.as_ref() == Some(thread))
    }

    fn open(&mut self, thread: ThreadId) -> Reply {
        self.loaded.insert(thread.clone());
        let working_directory = self.folders.get(&thread).cloned();
        Reply::ThreadOpened(ThreadOpened {
            thread,
            working_directory,
            model: Some("m".to_owned()),
            effort: None,
            approval_policy: None,
        })
    }
}
