//! Codex's own list of threads, and how ours follows it.
//!
//! Threads of other programs get into the records when somebody asks. Codex's list is read from its newest end: the
//! first time whole, later only as far as something can have changed. Reading changes no thread.

use bridge_core::{CallRequest, Outcome, ThreadId, ThreadList, ThreadQuery, ThreadSummary};
use bridge_store::{SeenThread, ThreadRow, Timestamp, Write};

use super::Threads;
use crate::error::{Code, Problem};
use crate::mcp::resources::News;
use crate::mcp::tools::unexpected;

/// Threads in one part of Codex's list.
const PART: u32 = 100;

/// Whether what was seen will be there after a crash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Safe,
    Unsafe,
}

impl Threads<'_> {
    /// Brings the kept list up to date with Codex's.
    ///
    /// # Errors
    /// Codex cannot be asked, or the store cannot be read.
    pub(in crate::mcp) async fn sync(&self, archived: bool) -> Result<(), Problem> {
        let marks = self.server.engine().marks();
        let read_until = marks.read_until(archived);
        let (mut newest, mut kept, mut cursor) = (None, Kept::Safe, None);
        loop {
            let query = ThreadQuery { archived, cursor: cursor.clone(), limit: PART };
            let part = self.ask(CallRequest::ListThreads(query)).await?;
            newest = newest.max(part.threads.first().map(|thread| thread.updated_at));
            let oldest = part.threads.last().map(|thread| thread.updated_at);
            if self.keep(part.threads).await? == Kept::Unsafe {
                kept = Kept::Unsafe;
            }
            // Several threads can have changed in the second of the mark.
            let all_known_from_here = oldest.zip(read_until).is_some_and(|(at, mark)| at < mark);
            if part.next.is_none() || part.next == cursor || all_known_from_here {
                break;
            }
            cursor = part.next;
        }
        if let (Kept::Safe, Some(newest)) = (kept, newest) {
            marks.have_read_until(archived, newest);
        }
        Ok(())
    }

    /// Asks Codex for one thread.
    pub(super) async fn ask_for(&self, thread: &ThreadId) -> Result<ThreadSummary, Problem> {
        let list = self.ask(CallRequest::FindThread { thread: thread.clone() }).await?;
        let found = list.threads.into_iter().find(|found| found.thread == *thread);
        found.ok_or_else(|| Problem::new(Code::ThreadNotFound, "Codex gave another thread"))
    }

    async fn ask(&self, request: CallRequest) -> Result<ThreadList, Problem> {
        match self.run(request).await {
            Outcome::Threads(list) => Ok(list),
            Outcome::Failed(failure) => Err(Problem::from(&failure)),
            Outcome::Turn(_)
            | Outcome::NotLive
            | Outcome::Asked { .. }
            | Outcome::Turns(_)
            | Outcome::ThreadChanged
            | Outcome::Steered { .. }
            | Outcome::PlanTold { .. }
            | Outcome::Cancelled { .. }
            | Outcome::Health(_) => Err(unexpected("codex.thread.list")),
        }
    }

    /// Keeps what Codex shows and the records do not have, and tells those who watch.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn keep(&self, threads: Vec<ThreadSummary>) -> Result<Kept, Problem> {
        let home = self.home();
        let seen: Vec<_> = threads.into_iter().map(|thread| seen(thread, &home)).collect();
        let news = move |store: &bridge_store::Reader| {
            let (mut unknown, mut news) = (Vec::new(), News::default());
            for seen in seen {
                let known = store.thread(&seen.thread)?.filter(|row| is_whole(row, &seen));
                let listed =
                    known.as_ref().is_some_and(|row| row.archived_at.is_some() == seen.archived);
                if listed && known.is_some_and(|row| row.updated_at >= seen.updated_at) {
                    continue;
                }
                news.add(match listed {
                    true => News::of_thread(&seen.thread),
                    false => News::of_list(&seen.thread),
                });
                unknown.push(seen);
            }
            Ok((unknown, news))
        };
        let (unknown, news) = self.ledger().read(news).await?;
        if unknown.is_empty() {
            return Ok(Kept::Safe);
        }
        match self.publish(Write::ThreadsSeen(unknown), news).await {
            true => Ok(Kept::Safe),
            false => Ok(Kept::Unsafe),
        }
    }
}

/// Whether a row says where its thread lies and works: its first record may not have been kept.
fn is_whole(row: &ThreadRow, seen: &SeenThread) -> bool {
    !row.codex_home.is_empty() && (!row.cwd.is_empty() || seen.cwd.is_empty())
}

fn seen(thread: ThreadSummary, home: &str) -> SeenThread {
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
        archived: thread.archived,
    }
}
