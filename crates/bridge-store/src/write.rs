//! What can be written: one variant a kind of record.

use bridge_core::{Item, KeptPlan, Plan, SessionId, ThreadId, TurnId, TurnNumber, TurnReport};
use rusqlite::Connection;

use crate::{
    ApplicationRow, ApplicationState, ApprovalRow, ChangeSetRow, KeyRow, SeenThread, StoreError,
    TaskRow, Timestamp,
};
use crate::{application, approval, change_set, item, key, output, plan, session, thread, turn};

/// One record. For one turn they come in the order `Thread`, `TurnQueued`, `TurnStarted`, items, `TurnEnded`.
#[derive(Clone, Debug)]
pub enum Write {
    /// A thread that we have opened: made if it is not known, brought up to date if it is.
    Thread(ThreadOfOurs),
    /// Threads that Codex lists. What we know of our own is left alone.
    ThreadsSeen(Vec<SeenThread>),
    /// A title was given.
    ThreadNamed {
        /// The thread.
        thread: ThreadId,
        /// The title.
        name: String,
    },
    /// A thread was put away.
    ThreadArchived {
        /// The thread.
        thread: ThreadId,
    },
    /// A thread was taken back.
    ThreadUnarchived {
        /// The thread.
        thread: ThreadId,
    },
    /// A thread is gone for good, with everything that belongs to it.
    ThreadDeleted {
        /// The thread.
        thread: ThreadId,
    },
    /// A turn was asked for.
    TurnQueued(QueuedTurn),
    /// Codex has started a turn.
    TurnStarted {
        /// The turn.
        number: TurnNumber,
        /// Codex's id for it.
        turn: TurnId,
        /// The model that Codex resolved.
        model: Option<String>,
        /// The reasoning effort.
        effort: Option<String>,
    },
    /// An item of a running turn has ended. Kept at once, so that a crash loses no more than what was going on.
    Item {
        /// The turn.
        number: TurnNumber,
        /// The item.
        item: Item,
    },
    /// Codex has told a plan.
    Plan {
        /// The thread.
        thread: ThreadId,
        /// The turn in which it did.
        number: TurnNumber,
        /// The plan.
        plan: Plan,
    },
    /// A client has made a version of a plan. It is kept only if it is the next one.
    PlanEdited {
        /// The thread.
        thread: ThreadId,
        /// The version.
        plan: KeptPlan,
        /// The Claude Code session that made it.
        session: Option<String>,
    },
    /// Codex was told of a client's version, and with it of those before.
    PlanTold {
        /// The thread.
        thread: ThreadId,
        /// The version.
        version: u64,
        /// The turn that took it.
        turn: TurnId,
    },
    /// A Claude Code session works with a thread.
    SessionUses {
        /// The session.
        session: String,
        /// The thread.
        thread: ThreadId,
    },
    /// A session knows the plan of a thread that it works with.
    SessionKnows {
        /// The session.
        session: String,
        /// The thread.
        thread: ThreadId,
        /// The newest version that it knows.
        version: u64,
    },
    /// A task of a session, as it is now.
    Task(TaskRow),
    /// A task of a session is gone.
    TaskRemoved {
        /// The session.
        session: String,
        /// The task.
        task: String,
    },
    /// A question of Codex, and its answer.
    Approval(ApprovalRow),
    /// A turn is over.
    TurnEnded(Box<EndedTurn>),
    /// A long text.
    Output(NewOutput),
    /// A client's own name for the call that asks for a turn, before that turn.
    Key(KeyRow),
    /// What a turn has changed, or would change.
    ChangeSet(Box<ChangeSetRow>),
    /// Something of a change set is about to be carried into the user's files.
    Application(ApplicationRow),
    /// How that went.
    ApplicationEnded {
        /// Which.
        application: String,
        /// How it stands.
        state: ApplicationState,
    },
}

/// A thread that we have opened.
#[derive(Clone, Debug)]
pub struct ThreadOfOurs {
    /// Its id.
    pub thread: ThreadId,
    /// The home of Codex in which it lies.
    pub codex_home: String,
    /// Where it works, where that is known.
    pub cwd: Option<String>,
    /// Its title, if it was given one.
    pub name: Option<String>,
    /// What it was set up with, as JSON, when it is new.
    pub options: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Who had it made, as JSON, when it is new.
    pub metadata: Option<String>,
}

/// A turn that was asked for.
#[derive(Clone, Debug)]
pub struct QueuedTurn {
    /// Our number for it.
    pub number: TurnNumber,
    /// Its thread.
    pub thread: ThreadId,
    /// The user's message.
    pub prompt: String,
    /// Its options, as JSON.
    pub options: Option<String>,
    /// Whether it goes on without its client.
    pub background: bool,
    /// The session that asked for it.
    pub session: Option<SessionId>,
}

/// A turn that is over.
#[derive(Clone, Debug)]
pub struct EndedTurn {
    /// Our number for it.
    pub number: TurnNumber,
    /// All that came of it, except its failure and its stop, which stand below in words.
    pub report: TurnReport,
    /// Why it failed, as JSON.
    pub error: Option<String>,
    /// Who stopped it, in words.
    pub stopped_by: Option<String>,
}

/// A long text, to be read in pages.
#[derive(Clone, Debug)]
pub struct NewOutput {
    /// A name that cannot be guessed, and that stands for this text: one that is known already is kept longer.
    pub output: String,
    /// The thread that it belongs to.
    pub thread: Option<ThreadId>,
    /// What it is (`text`, `diff`, `log`, …).
    pub kind: String,
    /// The text.
    pub text: String,
}

/// Writes one record.
pub(crate) fn apply(
    connection: &Connection,
    write: &Write,
    at: Timestamp,
) -> Result<(), StoreError> {
    match write {
        Write::Thread(ours) => thread::upsert(connection, ours, at),
        Write::ThreadsSeen(seen) => thread::seen(connection, seen),
        Write::ThreadNamed { thread, name } => thread::named(connection, thread, name),
        Write::ThreadArchived { thread } => thread::archived(connection, thread, Some(at)),
        Write::ThreadUnarchived { thread } => thread::archived(connection, thread, None),
        Write::ThreadDeleted { thread } => thread::delete(connection, thread),
        Write::TurnQueued(queued) => turn::queued(connection, queued, at),
        Write::TurnStarted { number, turn, model, effort } => {
            turn::started(connection, *number, turn, model.as_deref(), effort.as_deref(), at)
        }
        Write::Item { number, item } => {
            turn::changed(connection, *number, at)?;
            item::put(connection, *number, item)
        }
        Write::Plan { thread, number, plan } => plan::follow(connection, thread, *number, plan, at),
        Write::PlanEdited { thread, plan, session } => {
            plan::edited(connection, thread, plan, session.as_deref(), at)
        }
        Write::PlanTold { thread, version, turn } => {
            plan::told(connection, thread, *version, turn, at)
        }
        Write::SessionUses { session, thread } => session::uses(connection, session, thread, at),
        Write::SessionKnows { session, thread, version } => {
            session::knows(connection, session, thread, *version)
        }
        Write::Task(task) => session::put_task(connection, task, at),
        Write::TaskRemoved { session, task } => session::remove_task(connection, session, task),
        Write::Approval(approval) => approval::put(connection, approval, at),
        Write::TurnEnded(ended) => turn::ended(connection, ended, at),
        Write::Output(output) => output::put(connection, output, at),
        Write::Key(row) => key::put(connection, row, at),
        Write::ChangeSet(row) => change_set::put(connection, row, at),
        Write::Application(row) => application::put(connection, row, at),
        Write::ApplicationEnded { application, state } => {
            application::ended(connection, application, *state)
        }
    }
}
