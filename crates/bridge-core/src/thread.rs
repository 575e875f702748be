//! One thread: what is loaded, what runs, what waits, what ended.

use std::collections::VecDeque;
use std::time::Instant;

use crate::ids::ThreadKey;
use crate::pace::Pace;
use crate::plan::PlanNotes;
use crate::turn::Turn;
use crate::{
    ApprovalPolicy, Json, Place, Request, RequestId, ThreadId, ThreadOptions, TurnId, TurnNumber,
    TurnOptions, TurnReport,
};

/// A thread that somebody asked for.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) key: ThreadKey,
    /// How it comes into the app-server.
    pub(crate) origin: Origin,
    pub(crate) load: Load,
    pub(crate) defaults: Defaults,
    /// Configuration to load it with, as the newest call says.
    pub(crate) resume_config: Option<Json>,
    /// Whether it has been kept.
    pub(crate) recorded: bool,
    /// The folder of the user that it is about, where that is known.
    pub(crate) home: Option<String>,
    /// Where Codex has it work now, where that is known: where its last turn did.
    pub(crate) codex_directory: Option<String>,
    /// What the last turn ran with.
    pub(crate) last_model: Option<String>,
    pub(crate) last_effort: Option<String>,
    pub(crate) running: Option<Turn>,
    pub(crate) queue: VecDeque<Turn>,
    /// What Codex has to be told of the plan.
    pub(crate) notes: PlanNotes,
    /// The turns that were asked for lately.
    pub(crate) pace: Pace,
    /// When a turn last ended or the thread was loaded.
    pub(crate) used_at: Option<Instant>,
    /// The last turns that ended here, oldest first.
    pub(crate) finished: VecDeque<TurnReport>,
}

/// Where a thread comes from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// It does not exist yet.
    New(Box<ThreadOptions>),
    /// Codex has it on disk.
    Known(ThreadId),
}

impl Origin {
    /// What brings the thread into the app-server.
    pub(crate) fn open(&self, resume_config: Option<&Json>) -> Request {
        match self {
            Self::New(options) => Request::StartThread((**options).clone()),
            Self::Known(id) => {
                Request::ResumeThread { thread: id.clone(), config: resume_config.cloned() }
            }
        }
    }
}

/// Whether the app-server has the thread in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    Unloaded,
    Opening {
        request: RequestId,
    },
    Loaded,
    /// It was let go, and Codex has it in memory for a while yet: no other process can open it.
    Leaving,
}

/// What a turn uses that says nothing else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) model: Option<String>,
    pub(crate) effort: Option<String>,
    pub(crate) approval_policy: Option<ApprovalPolicy>,
}

impl Thread {
    pub(crate) fn new(key: ThreadKey, origin: Origin) -> Self {
        let home = match &origin {
            Origin::New(options) => Some(options.working_directory.clone()),
            Origin::Known(_) => None,
        };
        Self {
            key,
            origin,
            home,
            codex_directory: None,
            load: Load::Unloaded,
            defaults: Defaults::default(),
            resume_config: None,
            recorded: false,
            last_model: None,
            last_effort: None,
            running: None,
            queue: VecDeque::new(),
            notes: PlanNotes::default(),
            pace: Pace::default(),
            used_at: None,
            finished: VecDeque::new(),
        }
    }

    pub(crate) fn id(&self) -> Option<&ThreadId> {
        match &self.origin {
            Origin::New(_) => None,
            Origin::Known(id) => Some(id),
        }
    }

    /// The options of a turn, completed with the thread's.
    pub(crate) fn complete(&self, options: TurnOptions) -> TurnOptions {
        TurnOptions {
            model: options.model.or_else(|| self.defaults.model.clone()),
            effort: options.effort.or_else(|| self.defaults.effort.clone()),
            approval_policy: options.approval_policy.or(self.defaults.approval_policy),
            output_schema: options.output_schema,
            changes: options.changes,
            workspace: options.workspace,
        }
    }

    /// Codex has loaded it, and has it work there. That is not the user's folder if the last turn worked in a copy.
    pub(crate) fn found_in(&mut self, directory: Option<String>) {
        self.home = self.home.take().or_else(|| directory.clone());
        self.codex_directory = directory;
    }

    /// Where a turn is to work, if Codex has the thread elsewhere now. From then on it has it there.
    pub(crate) fn move_to(&mut self, place: Option<&Place>) -> Option<String> {
        let place = place.map(|place| &place.working_directory);
        let wanted = place.or(self.home.as_ref()).cloned();
        if wanted.is_none() || wanted == self.codex_directory {
            return None;
        }
        self.codex_directory.clone_from(&wanted);
        wanted
    }

    pub(crate) fn turn(&self, key: TurnNumber) -> Option<&Turn> {
        self.running.iter().chain(self.queue.iter()).find(|turn| turn.key == key)
    }

    pub(crate) fn turn_mut(&mut self, key: TurnNumber) -> Option<&mut Turn> {
        self.running.iter_mut().chain(self.queue.iter_mut()).find(|turn| turn.key == key)
    }

    /// The turn that has this name outside, if it has not ended.
    pub(crate) fn named(&self, id: &TurnId) -> Option<&Turn> {
        self.running.iter().chain(self.queue.iter()).find(|turn| turn.id.as_ref() == Some(id))
    }

    /// The turn's place: 0 runs, 1 is next.
    pub(crate) fn position(&self, key: TurnNumber) -> Option<usize> {
        if self.running.as_ref().is_some_and(|turn| turn.key == key) {
            return Some(0);
        }
        self.queue.iter().position(|turn| turn.key == key).map(|index| index + 1)
    }

    /// The turn that was asked for last and has not ended.
    pub(crate) fn newest(&self) -> Option<&Turn> {
        self.queue.back().or(self.running.as_ref())
    }

    /// The name under which the turn that Codex calls this is known outside.
    pub(crate) fn outer_name(&self, running_as: TurnId) -> TurnId {
        let turn = self.running.as_ref();
        let turn = turn.filter(|turn| turn.running_as.as_ref() == Some(&running_as));
        turn.and_then(|turn| turn.id.clone()).unwrap_or(running_as)
    }

    pub(crate) fn running_id(&self) -> Option<&TurnId> {
        self.running.as_ref().and_then(|turn| turn.id.as_ref())
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_none() && self.queue.is_empty()
    }

    /// Whether this bridge has it: in an app-server, or with turns that wait for one.
    pub(crate) fn is_held(&self) -> bool {
        !self.is_idle() || self.load != Load::Unloaded
    }

    pub(crate) fn finished(&self, turn: Option<&TurnId>) -> Option<&TurnReport> {
        match turn {
            None => self.finished.back(),
            Some(turn) => self.finished.iter().find(|report| report.turn.as_ref() == Some(turn)),
        }
    }

    pub(crate) fn remember(&mut self, report: TurnReport, keep: usize) {
        self.finished.push_back(report);
        while self.finished.len() > keep {
            self.finished.pop_front();
        }
    }
}
