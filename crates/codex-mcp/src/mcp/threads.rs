//! Which threads a client may see: those of its own Codex home that work inside its workspace roots, made here or in
//! another program.
//!
//! The list is kept on disk. Threads of other programs get into it when somebody asks: Codex's own list is read from
//! its newest end until nothing in it is new. It changes no thread.

use bridge_core::{CallRequest, Outcome, ThreadId, ThreadList, ThreadQuery, ThreadSummary};
use bridge_store::{Cursor, SeenThread, ThreadFilter, ThreadPage, ThreadRow, Timestamp, Write};

use super::server::Server;
use crate::engine::Next;
use crate::error::{Code, Problem};
use crate::ledger::Ledger;

/// Threads in one part of Codex's list.
const PART: u32 = 100;
/// Parts of it that are read at most for one question.
const MAX_PARTS: usize = 10;

/// The threads of one client.
pub(super) struct Threads<'a> {
    server: &'a Server,
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
    /// [`Code::ThreadNotFound`] also for one that exists and is none of this client's; the store cannot be read.
    pub(super) async fn find(&self, thread: &ThreadId) -> Result<ThreadRow, Problem> {
        if let Some(row) = self.known(thread).await? {
            return Ok(row);
        }
        let mut unread = None;
        for archived in [false, true] {
            unread = self.sync(archived).await.err().or(unread);
        }
        match (self.known(thread).await?, unread) {
            (Some(row), _) => Ok(row),
            (None, Some(problem)) => Err(problem),
            (None, None) => {
                let message = format!("there is no thread {thread} in the workspace roots");
                Err(Problem::new(Code::ThreadNotFound, message))
            }
        }
    }

    /// A thread that is on disk and is this client's.
    async fn known(&self, thread: &ThreadId) -> Result<Option<ThreadRow>, Problem> {
        let wanted = thread.clone();
        let row = self.ledger().read(move |store| store.thread(&wanted)).await?;
        Ok(row.filter(|row| row.codex_home == self.home() && self.is_inside(&row.cwd)))
    }

    /// Whether a folder lies in the workspace roots.
    fn is_inside(&self, folder: &str) -> bool {
        self.server.roots().iter().any(|root| std::path::Path::new(folder).starts_with(root))
    }

    /// Brings the kept list up to date with Codex's.
    ///
    /// # Errors
    /// Codex cannot be asked, or the store cannot be read.
    pub(super) async fn sync(&self, archived: bool) -> Result<(), Problem> {
        let mut cursor = None;
        for _ in 0..MAX_PARTS {
            let query = ThreadQuery { archived, cursor, limit: PART };
            let part = self.ask(query).await?;
            let news = self.news(part.threads, archived).await?;
            if news.is_empty() {
                return Ok(());
            }
            self.ledger().write(vec![Write::ThreadsSeen(news)]);
            // What is not kept shows in the health of the store.
            let _ = self.ledger().settle(Vec::new()).await;
            cursor = part.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn ask(&self, query: ThreadQuery) -> Result<ThreadList, Problem> {
        let request = CallRequest::ListThreads(query);
        match self.run(request).await {
            Outcome::Threads(list) => Ok(list),
            Outcome::Failed(failure) => Err(Problem::from(&failure)),
            Outcome::Turn(_)
            | Outcome::NotLive
            | Outcome::Turns(_)
            | Outcome::ThreadChanged
            | Outcome::Steered { .. }
            | Outcome::Cancelled { .. }
            | Outcome::Health(_) => Err(super::tools::unexpected("codex.thread.list")),
        }
    }

    /// Lets the engine carry out a request without news of it.
    pub(super) async fn run(&self, request: CallRequest) -> Outcome {
        let mut call = self.server.engine().call(self.server.connection(), request).await;
        loop {
            if let Next::Outcome(outcome) = call.next().await {
                return outcome;
            }
        }
    }

    /// Those of Codex's threads that are not on disk as it shows them.
    async fn news(
        &self,
        threads: Vec<ThreadSummary>,
        archived: bool,
    ) -> Result<Vec<SeenThread>, Problem> {
        let home = self.home();
        let seen = threads.into_iter().map(|thread| seen(thread, &home, archived));
        let mut seen: Vec<_> = seen.collect();
        self.ledger()
            .read(move |store| {
                let mut news = Vec::new();
                for seen in seen.drain(..) {
                    let is_known = store.thread(&seen.thread)?.is_some_and(|known| {
                        known.codex_home == seen.codex_home
                            && known.updated_at >= seen.updated_at
                            && known.archived_at.is_some() == seen.archived
                    });
                    if !is_known {
                        news.push(seen);
                    }
                }
                Ok(news)
            })
            .await
    }

    fn home(&self) -> String {
        self.server.engine().codex_home().to_owned()
    }

    fn ledger(&self) -> &Ledger {
        self.server.engine().ledger()
    }
}

fn seen(thread: ThreadSummary, home: &str, archived: bool) -> SeenThread {
    let milliseconds = |seconds: i64| Timestamp(seconds.saturating_mul(1000));
    SeenThread {
        thread: thread.thread,
        codex_home: home.to_owned(),
        cwd: thread.working_directory,
        name: thread.name,
        topic: thread.preview,
        source: thread.source,
        created_at: milliseconds(thread.created_at),
        updated_at: milliseconds(thread.updated_at),
        archived,
    }
}
