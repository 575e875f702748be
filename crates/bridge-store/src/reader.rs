//! Everything that can be asked.

use std::path::Path;

use bridge_core::{ThreadId, TurnId, TurnNumber};
use rusqlite::Connection;

use crate::{
    ApplicationRow, ApprovalRow, ChangeSetRow, Cursor, EntryKind, EntryPage, KeyRow, KnownPlan,
    OutputMeta, PatchRow, PlanVersion, Statistics, StoreError, TaskRow, ThreadFilter, ThreadPage,
    ThreadPlace, ThreadRow, Timestamp, TurnName, TurnPage, TurnRow, UsageSum, application,
    approval, change_set, connection, entry, key, maintenance, meta, output, patch, plan, session,
    thread, turn, usage,
};

/// A view of a database. Each question sees one consistent state.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

#[expect(
    clippy::missing_errors_doc,
    reason = "each fails when the database cannot be read, and only then"
)]
impl Reader {
    /// Opens a view of an existing database.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: connection::open_read_only(directory)? })
    }

    /// Threads, newest first.
    pub fn threads(
        &self,
        filter: &ThreadFilter,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<ThreadPage, StoreError> {
        thread::list(&self.connection, filter, limit, after)
    }

    /// A thread.
    pub fn thread(&self, thread: &ThreadId) -> Result<Option<ThreadRow>, StoreError> {
        thread::one(&self.connection, thread)
    }

    /// Where a thread lies and works.
    pub fn thread_place(&self, thread: &ThreadId) -> Result<Option<ThreadPlace>, StoreError> {
        thread::place(&self.connection, thread)
    }

    /// When the newest thread of a home changed, archived ones or the others.
    pub fn newest_thread(
        &self,
        codex_home: &str,
        archived: bool,
    ) -> Result<Option<Timestamp>, StoreError> {
        thread::newest(&self.connection, codex_home, archived)
    }

    /// A turn of a thread, or its newest.
    pub fn turn(
        &self,
        thread: &ThreadId,
        turn: Option<&TurnId>,
    ) -> Result<Option<TurnRow>, StoreError> {
        turn::one(&self.connection, thread, turn)
    }

    /// A turn by our number.
    pub fn turn_by_number(&self, number: TurnNumber) -> Result<Option<TurnRow>, StoreError> {
        turn::by_number(&self.connection, number)
    }

    /// What a client's own key stands for.
    pub fn key(&self, codex_home: &str, key: &str) -> Result<Option<KeyRow>, StoreError> {
        key::one(&self.connection, codex_home, key)
    }

    /// The turns of a thread, newest first.
    pub fn turns(
        &self,
        thread: &ThreadId,
        limit: usize,
        before: Option<TurnNumber>,
    ) -> Result<TurnPage, StoreError> {
        turn::page(&self.connection, thread, limit, before)
    }

    /// The turns of a thread by their names, oldest first.
    pub fn turn_names(&self, thread: &ThreadId) -> Result<Vec<TurnName>, StoreError> {
        turn::names(&self.connection, thread)
    }

    /// What a thread has said, thought and done, oldest first.
    pub fn entries(
        &self,
        thread: &ThreadId,
        kinds: &[EntryKind],
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<EntryPage, StoreError> {
        entry::page(&self.connection, thread, kinds, limit, after)
    }

    /// A version of a thread's plan, or the newest.
    pub fn plan(
        &self,
        thread: &ThreadId,
        version: Option<u64>,
    ) -> Result<Option<PlanVersion>, StoreError> {
        plan::one(&self.connection, thread, version)
    }

    /// The newest versions of a thread's plan, newest first.
    pub fn plans(&self, thread: &ThreadId, limit: usize) -> Result<Vec<PlanVersion>, StoreError> {
        plan::of_thread(&self.connection, thread, limit)
    }

    /// The last version that Codex made in a turn.
    pub fn plan_of_turn(&self, number: TurnNumber) -> Result<Option<PlanVersion>, StoreError> {
        plan::of_turn(&self.connection, number)
    }

    /// The newest version of a client that Codex was not told of.
    pub fn untold_plan(&self, thread: &ThreadId) -> Result<Option<PlanVersion>, StoreError> {
        plan::untold(&self.connection, thread)
    }

    /// The versions of a thread's plan after one, oldest first; not all if there are very many.
    pub fn plans_since(
        &self,
        thread: &ThreadId,
        version: u64,
    ) -> Result<Vec<PlanVersion>, StoreError> {
        plan::since(&self.connection, thread, version)
    }

    /// The thread that a Claude Code session works with.
    pub fn session_thread(&self, session: &str) -> Result<Option<ThreadId>, StoreError> {
        session::thread(&self.connection, session)
    }

    /// The threads of a session whose plans have versions that it does not know, newest use first.
    pub fn plan_news(&self, session: &str, limit: usize) -> Result<Vec<KnownPlan>, StoreError> {
        session::behind(&self.connection, session, limit)
    }

    /// The tasks of a session.
    pub fn tasks(&self, session: &str) -> Result<Vec<TaskRow>, StoreError> {
        session::tasks(&self.connection, session)
    }

    /// A patch.
    pub fn patch(&self, id: &str) -> Result<Option<PatchRow>, StoreError> {
        patch::one(&self.connection, id)
    }

    /// A change set.
    pub fn change_set(&self, id: &str) -> Result<Option<ChangeSetRow>, StoreError> {
        change_set::one(&self.connection, id)
    }

    /// Which thread's a change set is; `None` also for one that a client brought.
    pub fn change_set_thread(&self, id: &str) -> Result<Option<ThreadId>, StoreError> {
        change_set::thread(&self.connection, id)
    }

    /// The newest change set of a thread that was proposed.
    pub fn newest_proposal(&self, thread: &ThreadId) -> Result<Option<String>, StoreError> {
        change_set::newest_proposal(&self.connection, thread)
    }

    /// What of a change set was carried into the user's files, oldest first.
    pub fn applications(&self, change_set: &str) -> Result<Vec<ApplicationRow>, StoreError> {
        application::of_change_set(&self.connection, change_set)
    }

    /// The files of all change sets and applications, as JSON.
    pub fn changed_files(&self) -> Result<Vec<String>, StoreError> {
        application::all_files(&self.connection)
    }

    /// What Codex asked on a thread, and what it was told.
    pub fn approvals(&self, thread: &ThreadId) -> Result<Vec<ApprovalRow>, StoreError> {
        approval::of_thread(&self.connection, thread)
    }

    /// The tokens of a thread.
    pub fn usage(&self, thread: &ThreadId) -> Result<UsageSum, StoreError> {
        usage::of_thread(&self.connection, thread)
    }

    /// A long text, without the text.
    pub fn output(&self, id: &str) -> Result<Option<OutputMeta>, StoreError> {
        output::meta(&self.connection, id)
    }

    /// At most `max` bytes of a long text from `offset` on, cut between characters; empty at and beyond its end. `None`
    /// if there is none, or `offset` lies inside a character.
    pub fn output_slice(
        &self,
        id: &str,
        offset: u64,
        max: usize,
    ) -> Result<Option<String>, StoreError> {
        output::slice(&self.connection, id, offset, max)
    }

    /// The key under which resume tokens are sealed.
    pub fn token_key(&self) -> Result<Option<[u8; 32]>, StoreError> {
        meta::token_key(&self.connection)
    }

    /// How full the database is.
    pub fn statistics(&self) -> Result<Statistics, StoreError> {
        maintenance::of_connection(&self.connection)
    }
}
