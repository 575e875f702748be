//! What stands in a resource of a thread. Every one is looked for among the threads that the client may see.

use bridge_core::{CallRequest, Outcome, ThreadId, TurnId};
use bridge_store::{EntryKind, ThreadFilter, TurnRow};
use serde::Serialize;

use super::ResourceUri;
use crate::clock;
use crate::error::{Code, Problem};
use crate::mcp::paging::{Kind, cost};
use crate::mcp::render::{PlanVersionResult, ThreadResult, TurnResult};
use crate::mcp::server::Server;
use crate::mcp::threads::Threads;
use crate::workspace::patches;

/// Threads in the list of all.
const THREADS: usize = 200;
/// What the list of all may cost: one read gives more.
const MAX_LIST_UNITS: usize = 1_000_000;
/// Turns that a thread's resource names.
const TURNS: usize = 100;
/// Changes that a diff has at most.
const CHANGES: usize = 10_000;
/// Characters of a prompt that are shown.
const PROMPT: usize = 200;

/// A text to be shown.
pub(super) struct Document {
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) thread: Option<ThreadId>,
}

#[derive(Serialize)]
struct ThreadsDocument {
    threads: Vec<ThreadResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ThreadDocument {
    #[serde(flatten)]
    thread: ThreadResult,
    plan_uri: String,
    diff_uri: String,
    /// Newest first.
    newest_turns: Vec<TurnLine>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TurnLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    turn_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    status: &'static str,
    /// Its beginning.
    prompt: String,
    background: bool,
    queued_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
}

/// Finds what a name stands for.
///
/// # Errors
/// There is none, or the store cannot be read.
pub(super) async fn of(uri: &ResourceUri, server: &Server) -> Result<Document, Problem> {
    let threads = Threads::of(server);
    match uri {
        ResourceUri::Threads => list(&threads).await,
        ResourceUri::Thread(id) => thread(&threads, server, id).await,
        ResourceUri::Plan(id) => plan(&threads, server, id).await,
        ResourceUri::Diff(id) => diff(&threads, server, id).await,
        ResourceUri::Turn(id, turn_id) => turn(&threads, server, id, turn_id).await,
        ResourceUri::Patch(id) => patch(&threads, server, id).await,
        ResourceUri::Output(_) => Err(nothing("an output is no document")),
    }
}

fn nothing(reason: &str) -> Problem {
    Problem::new(Code::ThreadNotFound, reason)
}

fn json(value: &impl Serialize, thread: Option<&ThreadId>) -> Document {
    let text = serde_json::to_string_pretty(value).expect("it has string keys");
    Document { text, kind: Kind::Json, thread: thread.cloned() }
}

async fn list(threads: &Threads<'_>) -> Result<Document, Problem> {
    // What is known is shown even if Codex cannot be asked.
    let _ = threads.sync(false).await;
    let page = threads.list(ThreadFilter::default(), THREADS, None).await?;
    let mut threads: Vec<_> = page.threads.into_iter().map(ThreadResult::from).collect();
    let mut document = json(&ThreadsDocument { threads: threads.clone() }, None);
    // What belongs to no thread could not be read on: nobody can tell whose it is.
    while cost(&document.text) > MAX_LIST_UNITS && threads.pop().is_some() {
        document = json(&ThreadsDocument { threads: threads.clone() }, None);
    }
    Ok(document)
}

async fn thread(
    threads: &Threads<'_>,
    server: &Server,
    id: &ThreadId,
) -> Result<Document, Problem> {
    let row = threads.row(&threads.find(id).await?).await?;
    let wanted = id.clone();
    let turns =
        server.engine().ledger().read(move |store| store.turns(&wanted, TURNS, None)).await?;
    let document = ThreadDocument {
        thread: ThreadResult::from(row),
        plan_uri: ResourceUri::Plan(id.clone()).to_string(),
        diff_uri: ResourceUri::Diff(id.clone()).to_string(),
        newest_turns: turns.turns.into_iter().map(|row| turn_line(id, row)).collect(),
    };
    Ok(json(&document, Some(id)))
}

fn turn_line(thread: &ThreadId, row: TurnRow) -> TurnLine {
    let turn = row.report.turn.clone();
    let uri = turn.clone().map(|turn| ResourceUri::Turn(thread.clone(), turn).to_string());
    let mut prompt: String = row.prompt.chars().take(PROMPT).collect();
    if prompt.len() < row.prompt.len() {
        prompt.push('…');
    }
    TurnLine {
        turn_id: turn.map(|turn| turn.0),
        uri,
        status: TurnResult::from(row.report).status.as_str(),
        prompt,
        background: row.background,
        queued_at: clock::show(row.queued_at),
        ended_at: row.ended_at.map(clock::show),
    }
}

async fn plan(threads: &Threads<'_>, server: &Server, id: &ThreadId) -> Result<Document, Problem> {
    threads.find(id).await?;
    let wanted = id.clone();
    let newest = server.engine().ledger().read(move |store| store.plan(&wanted, None)).await?;
    let newest = newest.ok_or_else(|| nothing("the thread has no plan"))?;
    Ok(json(&PlanVersionResult::new(&id.0, Some(&newest)), Some(id)))
}

async fn diff(threads: &Threads<'_>, server: &Server, id: &ThreadId) -> Result<Document, Problem> {
    threads.find(id).await?;
    let wanted = id.clone();
    let changes = move |store: &bridge_store::Reader| {
        store.entries(&wanted, &[EntryKind::Change], CHANGES, None)
    };
    let page = server.engine().ledger().read(changes).await?;
    let done =
        page.entries.into_iter().filter(|entry| entry.detail.as_deref() == Some("completed"));
    let text = done.map(|entry| entry.text).collect();
    Ok(Document { text, kind: Kind::Diff, thread: Some(id.clone()) })
}

async fn turn(
    threads: &Threads<'_>,
    server: &Server,
    id: &ThreadId,
    turn: &TurnId,
) -> Result<Document, Problem> {
    threads.find(id).await?;
    let (asked, wanted) = (id.clone(), turn.clone());
    let kept =
        server.engine().ledger().read(move |store| store.turn(&asked, Some(&wanted))).await?;
    if let Some(row) = kept {
        return Ok(json(&TurnResult::from(row), Some(id)));
    }
    // A turn of another program.
    let request = CallRequest::ReadTurn { thread: id.clone(), turn: Some(turn.clone()) };
    match threads.run(request).await {
        Outcome::Turn(report) => Ok(json(&TurnResult::from(*report), Some(id))),
        Outcome::Failed(failure) => Err(Problem::from(&failure)),
        Outcome::NotLive
        | Outcome::Asked { .. }
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Steered { .. }
        | Outcome::PlanTold { .. }
        | Outcome::Cancelled { .. }
        | Outcome::Health(_) => Err(nothing("the thread has no such turn")),
    }
}

/// What Codex's patch tool changed, or what a turn as a whole did.
async fn patch(threads: &Threads<'_>, server: &Server, id: &str) -> Result<Document, Problem> {
    let none = || nothing("no such patch is kept");
    let wanted = id.to_owned();
    let ledger = server.engine().ledger();
    let (of_tool, of_turn) =
        ledger.read(move |store| Ok((store.patch(&wanted)?, store.change_set(&wanted)?))).await?;
    let thread = match (&of_tool, &of_turn) {
        (Some(row), _) => row.thread.clone(),
        (None, Some(row)) => row.thread.clone().ok_or_else(none)?,
        (None, None) => return Err(none()),
    };
    // One of a thread that is not this client's is none.
    let thread = threads.find(&thread).await.map_err(|_| none())?;
    let text = match (of_tool, of_turn) {
        (Some(row), _) => row.patch.unified_diff(),
        (None, Some(row)) => {
            let contents = server.engine().places().contents().clone();
            let read = move || patches::diff(&row.changes, &contents);
            let read = tokio::task::spawn_blocking(read).await.ok().and_then(Result::ok);
            read.ok_or_else(|| nothing("the contents of the patch are not kept any more"))?
        }
        (None, None) => return Err(none()),
    };
    Ok(Document { text, kind: Kind::Diff, thread: Some(thread.id().clone()) })
}
