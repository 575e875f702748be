//! Which threads a client may see: those of its own Codex home that work inside its workspace roots, made here or in
//! another program.
//!
//! Everything that a client names leads to a thread, and [`Threads::find`] is the only way to one. Where a thread works
//! is known from the records; Codex is asked for one that they do not have, so a thread in use costs no request.

mod codex_list;

use std::path::{Component, Path, PathBuf};

use bridge_core::{CallRequest, Caller, Failure, Outcome, Person, ThreadId};
use bridge_store::{
    Cursor, Reader, Subject, ThreadFilter, ThreadPage, ThreadPlace, ThreadRow, Write,
};

use super::outputs::{Slice, SliceError};
use super::paging::OutputId;
use super::resources::{News, ResourceUri};
use super::server::Server;
use crate::codex::exec::rollout;
use crate::engine::Next;
use crate::error::{Code, Problem};
use crate::ledger::Ledger;

/// The threads of one client.
pub(super) struct Threads<'a> {
    server: &'a Server,
}

/// A thread that the client may see. Only [`Threads`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ThreadRef {
    id: ThreadId,
    working_directory: String,
    options: Option<String>,
}

/// Where Codex has a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Among those in use.
    Active,
    /// Among those that were put away.
    Archived,
    /// Nowhere.
    Gone,
}

impl ThreadRef {
    pub(super) fn id(&self) -> &ThreadId {
        &self.id
    }

    /// Where it works.
    pub(super) fn working_directory(&self) -> &str {
        &self.working_directory
    }

    /// What one of ours was set up with, as JSON.
    pub(super) fn options(&self) -> Option<&str> {
        self.options.as_deref()
    }
}

impl<'a> Threads<'a> {
    pub(super) fn of(server: &'a Server) -> Self {
        Self { server }
    }

    /// A part of the list, newest first. The filter's home and, where it names no folder, its folders are filled in.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn list(
        &self,
        mut filter: ThreadFilter,
        limit: usize,
        after: Option<Cursor>,
    ) -> Result<ThreadPage, Problem> {
        filter.codex_home = self.home();
        if filter.under.is_empty() {
            filter.under = self.server.roots().iter().map(ToOwned::to_owned).collect();
        }
        self.ledger().read(move |store| store.threads(&filter, limit, after.as_ref())).await
    }

    /// A thread by its id, wherever it was made.
    ///
    /// # Errors
    /// [`Code::ThreadNotFound`], in the same words for one that does not exist and for one that is none of this
    /// client's; Codex had to be asked and cannot be.
    pub(super) async fn find(&self, thread: &ThreadId) -> Result<ThreadRef, Problem> {
        if let Some(place) = self.place(thread).await {
            return self.admit(thread, place.cwd, place.options);
        }
        // What was recorded in this moment can be read once it is safe.
        let _ = self.ledger().settle(Vec::new()).await;
        if let Some(place) = self.place(thread).await {
            return self.admit(thread, place.cwd, place.options);
        }
        let found = match self.ask_for(thread).await {
            Ok(found) => found,
            Err(problem) if problem.code == Code::ThreadNotFound => {
                return Err(not_found(thread));
            }
            Err(problem) => {
                // Also while Codex cannot be asked, the thread may be there.
                let folder = self.folder_on_disk(thread).await.ok_or(problem)?;
                return self.admit(thread, folder, None);
            }
        };
        let admitted = self.admit(thread, found.working_directory.clone(), None);
        // What is not kept shows in the health of the store.
        let _ = self.keep(vec![found]).await;
        admitted
    }

    /// What is known of a thread.
    ///
    /// # Errors
    /// The store cannot be read, or has forgotten it.
    pub(super) async fn row(&self, thread: &ThreadRef) -> Result<ThreadRow, Problem> {
        let wanted = thread.id.clone();
        let row = self.ledger().read(move |store| store.thread(&wanted)).await?;
        row.ok_or_else(|| not_found(&thread.id))
    }

    /// Reads a part of a kept text that belongs to a thread of this client.
    ///
    /// # Errors
    /// See [`SliceError`]; a text of somebody else's is one that is not kept.
    pub(super) async fn slice(
        &self,
        id: OutputId,
        offset: usize,
        max_bytes: usize,
    ) -> Result<Slice, SliceError> {
        let slice = self.server.outputs().slice(id, offset, max_bytes).await;
        match slice {
            // Whose it is cannot be read either.
            Err(SliceError::Store(_)) => slice,
            Ok(_) | Err(SliceError::Expired(_) | SliceError::Offset { .. }) => {
                if self.reaches(&ResourceUri::Output(id)).await {
                    slice
                } else {
                    Err(SliceError::Expired(id))
                }
            }
        }
    }

    /// Whether a name leads to something that this client may see.
    pub(super) async fn reaches(&self, uri: &ResourceUri) -> bool {
        let thread = match uri {
            ResourceUri::Threads => return true,
            ResourceUri::Thread(thread)
            | ResourceUri::Plan(thread)
            | ResourceUri::Diff(thread)
            | ResourceUri::Turn(thread, _) => Some(thread.clone()),
            ResourceUri::Patch(id) => {
                let id = id.clone();
                self.read(move |store| match store.patch(&id)? {
                    Some(patch) => Ok(Some(patch.thread)),
                    None => store.change_set_thread(&id),
                })
                .await
            }
            ResourceUri::Output(id) => {
                let id = id.to_string();
                match self.read(move |store| store.output(&id)).await {
                    // Only those who were given its name know it: nobody can guess one, and no list has it.
                    Some(meta) if meta.thread.is_none() => return true,
                    meta => meta.and_then(|meta| meta.thread),
                }
            }
        };
        match thread {
            Some(thread) => self.find(&thread).await.is_ok(),
            None => false,
        }
    }

    /// Learns from a failed turn or request that a thread was put away or deleted in another program.
    pub(super) async fn reconcile(&self, thread: &ThreadId, failure: &Failure) {
        if matches!(Problem::from(failure).code, Code::ThreadArchived | Code::ThreadNotFound) {
            // If Codex cannot be asked now, the next one who touches the thread learns it.
            let thread =
                ThreadRef { id: thread.clone(), working_directory: String::new(), options: None };
            let _ = self.locate(&thread).await;
        }
    }

    /// Asks Codex where it has a thread, and keeps that.
    ///
    /// One that Codex has nowhere is put away here and not forgotten: our records may be the only ones.
    ///
    /// # Errors
    /// Codex cannot be asked.
    pub(super) async fn locate(&self, thread: &ThreadRef) -> Result<Whereabouts, Problem> {
        match self.ask_for(&thread.id).await {
            Ok(found) => {
                let archived = found.archived;
                let _ = self.keep(vec![found]).await;
                Ok(if archived { Whereabouts::Archived } else { Whereabouts::Active })
            }
            Err(problem) if problem.code == Code::ThreadNotFound => {
                let put_away = Write::ThreadArchived { thread: thread.id.clone() };
                self.publish(put_away, News::of_list(&thread.id)).await;
                Ok(Whereabouts::Gone)
            }
            Err(problem) => Err(problem),
        }
    }

    /// Forgets a thread that Codex does not have any more.
    pub(super) async fn forget(&self, thread: &ThreadRef) {
        let deleted = Write::ThreadDeleted { thread: thread.id.clone() };
        self.publish(deleted, News::of_list(&thread.id)).await;
    }

    /// Lets the engine carry out a request without news of it.
    pub(super) async fn run(&self, request: CallRequest) -> Outcome {
        let caller = Caller {
            connection: self.server.connection(),
            person: Person::Absent,
            session: self.server.session(),
        };
        let mut call = self.server.engine().call(caller, request).await;
        loop {
            if let Next::Outcome(outcome) = call.next().await {
                return outcome;
            }
        }
    }

    /// Keeps something, and then tells those who watch. Whether it is safe.
    async fn publish(&self, write: Write, news: News) -> bool {
        let mut subjects = Vec::new();
        if let Write::ThreadsSeen(seen) = &write {
            subjects.extend(seen.iter().map(|seen| Subject::Thread(seen.thread.clone())));
        }
        self.ledger().write(vec![write]);
        let warning = self.ledger().settle(subjects).await;
        self.server.engine().tell_watchers(&news);
        warning.is_none()
    }

    /// Where a thread works, if the records say so.
    async fn place(&self, thread: &ThreadId) -> Option<ThreadPlace> {
        let (wanted, home) = (thread.clone(), self.home());
        let place = self.read(move |store| store.thread_place(&wanted)).await;
        place.filter(|place| place.codex_home == home && !place.cwd.is_empty())
    }

    /// Where a thread works, if Codex's own file says so.
    async fn folder_on_disk(&self, thread: &ThreadId) -> Option<String> {
        let (home, thread) = (PathBuf::from(self.home()), thread.clone());
        let found = tokio::task::spawn_blocking(move || rollout::working_directory(&home, &thread));
        found.await.ok().flatten()
    }

    /// Asks the store; what it cannot say is not known.
    async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> Result<Option<T>, bridge_store::StoreError> + Send + 'static,
    ) -> Option<T> {
        self.ledger().read(question).await.ok().flatten()
    }

    /// Lets a thread in that works in a folder, if that lies in the workspace roots.
    fn admit(
        &self,
        thread: &ThreadId,
        working_directory: String,
        options: Option<String>,
    ) -> Result<ThreadRef, Problem> {
        let folder = Path::new(&working_directory);
        let leads_up = folder.components().any(|part| part == Component::ParentDir);
        match !leads_up && self.server.roots().iter().any(|root| folder.starts_with(root)) {
            true => Ok(ThreadRef { id: thread.clone(), working_directory, options }),
            false => Err(not_found(thread)),
        }
    }

    fn home(&self) -> String {
        self.server.engine().codex_home().to_owned()
    }

    fn ledger(&self) -> &Ledger {
        self.server.engine().ledger()
    }
}

fn not_found(thread: &ThreadId) -> Problem {
    let message = format!("there is no thread {thread} in the workspace roots");
    Problem::new(Code::ThreadNotFound, message)
}
