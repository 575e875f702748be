//! Turns that may change files: where each of them works, and what came of it.
//!
//! The shell makes the place of such a turn before it starts, and gathers what changed when it has ended. The thread is
//! busy all the while, but Codex has nothing of the turn then: what becomes of the app-server does not touch it.

use std::path::Path;
use std::time::Instant;

use crate::bridge::Bridge;
use crate::ids::ThreadKey;
use crate::thread::Thread;
use crate::turn::{Turn, TurnPhase};
use crate::{ChangeKind, FileChange};
use crate::{
    Effect, Failure, Item, Patch, Question, ThreadId, TurnEvent, TurnNumber, TurnState, Update,
};

/// What a warning says of a turn whose changes nobody could gather any more.
const UNCOLLECTED: &str = "the server ended before the changes of this turn were collected: they are collected when it \
                           starts again";

/// What a turn may change. It is the turn's own option: the next turn of the thread is read-only again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Changes {
    /// Nothing: the sandbox is read-only.
    #[default]
    None,
    /// Files in a copy of the user's folder, which stays as it is.
    Propose,
    /// Files in the user's folder.
    Direct,
    /// Everything that the user may change: in the user's folder, without Codex's sandbox.
    Unconfined,
}

/// Where a turn works and may write. All paths are absolute and made by the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it works.
    pub working_directory: String,
    /// Everything that it may write below, beside its working directory.
    pub writable: Vec<String>,
    /// Whether Codex's sandbox holds it to that.
    pub confined: bool,
    /// Whether the sandbox lets it into the network.
    pub network: bool,
    /// The copy that it works in, and the folder of the user that this is a copy of.
    pub copy: Option<(String, String)>,
}

/// What a turn changed, as the shell found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    /// The name under which the whole is kept.
    pub id: String,
    /// What the turn was allowed to change.
    pub kind: Changes,
    /// How many files it changed.
    pub files: usize,
    /// How many lines it added.
    pub added: u64,
    /// How many lines it removed.
    pub removed: u64,
    /// The first of the files: the shell says how many are told.
    pub paths: Vec<String>,
    /// How many files it changed that are ignored and not among those.
    pub ignored: usize,
    /// What else is worth knowing of it.
    pub notes: Vec<String>,
}

/// Why the place of a turn could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkspaceFailure {
    /// The folder is larger than what may be copied.
    TooLarge,
    /// Something in it cannot be read.
    Unreadable,
    /// The disk is full, or what may be used of it.
    NoSpace,
    /// It was moved, deleted or replaced, or lies outside of where work is allowed.
    Moved,
    /// Anything else.
    Other,
}

impl Bridge {
    /// Has the place of a turn made that is the next one on its thread.
    pub(crate) fn prepare(&mut self, key: ThreadKey, mut turn: Turn, now: Instant) {
        let Some(thread) = self.threads.get_mut(&key) else {
            return;
        };
        let (Some(id), Some(home)) = (thread.id().cloned(), thread.home.clone()) else {
            let failure = Failure::Workspace {
                kind: WorkspaceFailure::Other,
                detail: "it is not known where the thread works".to_owned(),
            };
            return self.finish_turn(key, turn, TurnState::Failed, Some(failure), now);
        };
        turn.phase = TurnPhase::Preparing;
        let (number, changes) = (turn.key, turn.options.changes);
        let workspace = turn.options.workspace.clone().unwrap_or_else(|| home.clone());
        thread.running = Some(turn);
        self.effects.push_back(Effect::Prepare {
            turn: number,
            thread: id,
            changes,
            workspace,
            working_directory: home,
        });
        self.tell_turn(key, &Update::Preparing, now);
        self.tell_queue(key, now);
        self.release_background(key, number, now);
    }

    /// The place of a turn is made, or cannot be. A turn that was stopped meanwhile is not there any more.
    pub(crate) fn prepared(
        &mut self,
        turn: TurnNumber,
        result: Result<Place, Failure>,
        now: Instant,
    ) {
        let preparing = |turn: &Turn| turn.phase == TurnPhase::Preparing;
        let Some((key, mut turn)) = self.take_running(turn, preparing) else {
            return;
        };
        turn.phase = TurnPhase::Queued;
        match result {
            Ok(place) => {
                turn.place = Some(place);
                let number = turn.key;
                if let Some(thread) = self.threads.get_mut(&key) {
                    thread.queue.push_front(turn);
                }
                self.go_on(key, now);
                self.tell_position(key, number, now);
            }
            Err(failure) => {
                self.finish_turn(key, turn, TurnState::Failed, Some(failure), now);
                self.forget_if_empty(key);
            }
        }
    }

    /// Goes on with a thread that may have seen the app-server go while its turn was not with Codex.
    fn go_on(&mut self, key: ThreadKey, now: Instant) {
        if let Some(failure) = self.quarantined(now).filter(|_| !self.falls_back(now)) {
            return self.fail_queue(key, &failure, now);
        }
        self.want_app_server(now);
        self.pump(key, now);
    }

    /// Has gathered what a turn changed that is over. Until then its thread is busy.
    pub(crate) fn collect(
        &mut self,
        key: ThreadKey,
        thread: ThreadId,
        mut turn: Turn,
        (state, failure): (TurnState, Option<Failure>),
        now: Instant,
    ) {
        self.refuse_steers(&mut turn, &thread);
        let number = turn.key;
        // Whatever Codex still tells of it comes too late.
        turn.running_as = None;
        turn.exec = None;
        turn.ended_at = Some(now);
        turn.phase = TurnPhase::Collecting { state, failure };
        if let Some(known) = self.threads.get_mut(&key) {
            known.running = Some(turn);
        }
        self.effects.push_back(Effect::Collect { turn: number, thread });
        self.tell_turn(key, &Update::Collecting, now);
    }

    /// What a turn changed is gathered, or cannot be: now it is over.
    pub(crate) fn collected(
        &mut self,
        turn: TurnNumber,
        result: Result<Option<ChangeSet>, String>,
        now: Instant,
    ) {
        let Some((key, mut turn)) = self.take_running(turn, Turn::is_collecting) else {
            return;
        };
        match result {
            Ok(change_set) => turn.change_set = change_set,
            // Codex's own warnings must not crowd it out.
            Err(warning) => turn.transcript.warnings.push(warning),
        }
        if let Some((state, failure)) = turn.ended_as() {
            self.end_turn(key, turn, state, failure, now);
        }
        self.forget_if_empty(key);
        // The app-server may have gone meanwhile, and what waits here did not hold it.
        if self.has_waiting_work() {
            self.want_app_server(now);
        }
    }

    fn take_running(
        &mut self,
        turn: TurnNumber,
        is_due: impl Fn(&Turn) -> bool,
    ) -> Option<(ThreadKey, Turn)> {
        self.threads.values_mut().find_map(|thread| {
            let due = |running: &mut Turn| running.key == turn && is_due(running);
            Some((thread.key, thread.running.take_if(due)?))
        })
    }

    /// An event of a turn with the user's paths in it.
    pub(crate) fn at_home(&self, key: ThreadKey, event: TurnEvent) -> TurnEvent {
        let Some(move_home) = self.threads.get(&key).and_then(MoveHome::of) else {
            return event;
        };
        match event {
            TurnEvent::ItemStarted(item) => TurnEvent::ItemStarted(move_home.item(item)),
            TurnEvent::ItemCompleted(item) => TurnEvent::ItemCompleted(move_home.item(item)),
            TurnEvent::Started
            | TurnEvent::Completed { .. }
            | TurnEvent::MessageDelta { .. }
            | TurnEvent::ThinkingDelta { .. }
            | TurnEvent::PlanUpdated(_)
            | TurnEvent::TokensCounted { .. }
            | TurnEvent::ErrorReported { .. }
            | TurnEvent::ModelChanged { .. }
            | TurnEvent::PlanTaken { .. }
            | TurnEvent::Activity => event,
        }
    }
}

impl Turn {
    /// Whether its place is still to be made.
    pub(crate) fn wants_place(&self) -> bool {
        self.options.changes != Changes::None && self.place.is_none()
    }

    /// Whether a place is being made for it, or was made and not used.
    pub(crate) fn leaves_place_unused(&self) -> bool {
        self.phase == TurnPhase::Preparing || (self.place.is_some() && self.starts == 0)
    }

    /// Whether it may have changed something.
    pub(crate) fn may_have_changed(&self) -> bool {
        self.place.is_some() && self.starts > 0
    }

    /// How it ended, if all that is left is to gather what it changed.
    pub(crate) fn ended_as(&mut self) -> Option<(TurnState, Option<Failure>)> {
        match &mut self.phase {
            TurnPhase::Collecting { state, failure } => Some((*state, failure.take())),
            TurnPhase::Queued
            | TurnPhase::Preparing
            | TurnPhase::Starting
            | TurnPhase::Running
            | TurnPhase::Cleaning { .. } => None,
        }
    }

    pub(crate) fn leave_uncollected(&mut self) {
        self.transcript.warnings.push(UNCOLLECTED.to_owned());
    }
}

/// The way from the paths of a copy to those of the folder that it is a copy of: rules are about those, and a person
/// knows no others.
pub(crate) struct MoveHome<'a> {
    from: &'a str,
    to: &'a str,
}

impl<'a> MoveHome<'a> {
    /// The way that the running turn of a thread needs, if it works elsewhere.
    pub(crate) fn of(thread: &'a Thread) -> Option<Self> {
        let place = thread.running.as_ref()?.place.as_ref()?;
        let (from, to) = place.copy.as_ref()?;
        Some(Self { from, to })
    }

    fn path(&self, path: &mut String) {
        if let Ok(rest) = Path::new(path.as_str()).strip_prefix(self.from) {
            let moved = match rest.as_os_str().is_empty() {
                true => Path::new(self.to).to_owned(),
                false => Path::new(self.to).join(rest),
            };
            *path = moved.to_string_lossy().into_owned();
        }
    }

    fn item(&self, mut item: Item) -> Item {
        match &mut item {
            Item::Command(command) => self.path(&mut command.working_directory),
            Item::Patch(Patch { changes, .. }) => {
                for FileChange { path, kind, .. } in changes {
                    self.path(path);
                    match kind {
                        ChangeKind::Update { moved_to: Some(path) } => self.path(path),
                        ChangeKind::Update { moved_to: None }
                        | ChangeKind::Add
                        | ChangeKind::Delete => {}
                    }
                }
            }
            Item::Message(_)
            | Item::Thinking(_)
            | Item::Tool(_)
            | Item::Artifact(_)
            | Item::Other { .. }
            | Item::Record => {}
        }
        item
    }

    pub(crate) fn question(&self, mut question: Question) -> Question {
        match &mut question {
            Question::Command { working_directory: Some(path), .. } => self.path(path),
            Question::Command { working_directory: None, .. }
            | Question::Network { .. }
            | Question::FileChange { .. }
            | Question::Permissions { .. }
            | Question::UserInput { .. }
            | Question::Elicitation { .. }
            | Question::Unknown { .. } => {}
        }
        question
    }
}
