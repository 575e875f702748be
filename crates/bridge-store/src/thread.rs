//! The table `threads`.

use std::path::{Path, PathBuf};

use bridge_core::{ThreadId, TurnState};
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use crate::page::Cursor;
use crate::row::to_state;
use crate::write::ThreadOfOurs;
use crate::{StoreError, Timestamp};

/// Characters of the first prompt that make a thread's topic.
const TOPIC_CHARS: usize = 120;

/// A thread that Codex lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenThread {
    /// Its id.
    pub thread: ThreadId,
    /// The home of Codex in which it lies.
    pub codex_home: String,
    /// Where it works.
    pub cwd: String,
    /// Its title.
    pub name: Option<String>,
    /// The beginning of its first prompt.
    pub topic: Option<String>,
    /// Codex's word for where it was made.
    pub source: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whether it is archived.
    pub archived: bool,
}

/// A thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadRow {
    /// Its id.
    pub thread: ThreadId,
    /// The home of Codex in which it lies.
    pub codex_home: String,
    /// Where it works; empty if that is not known.
    pub cwd: String,
    /// Its title.
    pub name: Option<String>,
    /// The beginning of its first prompt.
    pub topic: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// `bridge` for our own; else Codex's word for where it was made.
    pub source: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was put away.
    pub archived_at: Option<Timestamp>,
    /// Who had it made, as JSON, where that is known.
    pub metadata: Option<String>,
    /// How many of its turns are kept here.
    pub turns: u64,
    /// The state of the newest of them.
    pub state: Option<TurnState>,
}

/// Where a thread lies and works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadPlace {
    /// The home of Codex in which it lies.
    pub codex_home: String,
    /// The folder it works in; empty if that is not known.
    pub cwd: String,
    /// What one of ours was set up with, as JSON.
    pub options: Option<String>,
}

/// Which threads are wanted.
#[derive(Clone, Debug, Default)]
pub struct ThreadFilter {
    /// The home of Codex.
    pub codex_home: String,
    /// Folders, absolute; a thread must work in one of them or below. Empty: anywhere.
    pub under: Vec<PathBuf>,
    /// Words that all have to occur in one of its messages, or a text in its title or topic.
    pub text: Option<String>,
    /// The state of its newest turn: `running` (or queued), `completed`, `interrupted`, `failed`.
    pub state: Option<&'static str>,
    /// Archived ones instead of the others.
    pub archived: bool,
    /// Changed at or after.
    pub since: Option<Timestamp>,
    /// Changed before.
    pub until: Option<Timestamp>,
}

/// A part of the list, newest first.
#[derive(Clone, Debug)]
pub struct ThreadPage {
    /// The threads.
    pub threads: Vec<ThreadRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// The beginning of a prompt, as a title.
pub(crate) fn topic(prompt: &str) -> String {
    let line = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(TOPIC_CHARS) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

pub(crate) fn upsert(
    connection: &Connection,
    ours: &ThreadOfOurs,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO threads (thread_id, codex_home, cwd, name, options, model, source, created_at, updated_at,
             metadata)
         VALUES (?1, ?2, coalesce(?3, ''), ?4, ?5, ?6, 'bridge', ?7, ?7, ?8)
         ON CONFLICT (thread_id) DO UPDATE SET
             codex_home = excluded.codex_home,
             cwd = coalesce(?3, cwd),
             name = coalesce(?4, name),
             options = coalesce(?5, options),
             model = coalesce(?6, model),
             metadata = coalesce(?8, metadata),
             archived_at = NULL",
    )?;
    statement.execute(params![
        ours.thread.as_str(),
        ours.codex_home,
        ours.cwd,
        ours.name,
        ours.options,
        ours.model,
        at.0,
        ours.metadata
    ])?;
    Ok(())
}

pub(crate) fn seen(connection: &Connection, seen: &[SeenThread]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO threads (thread_id, codex_home, cwd, name, topic, source, created_at, updated_at, archived_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (thread_id) DO UPDATE SET
             -- Empty, if the thread's own record was not kept.
             codex_home = CASE codex_home WHEN '' THEN excluded.codex_home ELSE codex_home END,
             cwd = CASE cwd WHEN '' THEN excluded.cwd ELSE cwd END,
             name = coalesce(excluded.name, name),
             topic = coalesce(topic, excluded.topic),
             updated_at = max(updated_at, excluded.updated_at),
             archived_at = CASE WHEN excluded.archived_at IS NULL THEN NULL
                                ELSE coalesce(archived_at, excluded.archived_at) END",
    )?;
    for seen in seen {
        statement.execute(params![
            seen.thread.as_str(),
            seen.codex_home,
            seen.cwd,
            seen.name,
            seen.topic.as_deref().map(topic),
            seen.source,
            seen.created_at.0,
            seen.updated_at.0,
            seen.archived.then_some(seen.updated_at.0),
        ])?;
    }
    Ok(())
}

pub(crate) fn named(
    connection: &Connection,
    thread: &ThreadId,
    name: &str,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE threads SET name = ?2 WHERE thread_id = ?1")?
        .execute([thread.as_str(), name])?;
    Ok(())
}

pub(crate) fn archived(
    connection: &Connection,
    thread: &ThreadId,
    at: Option<Timestamp>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE threads SET archived_at = ?2 WHERE thread_id = ?1")?
        .execute(params![thread.as_str(), at.map(|at| at.0)])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, thread: &ThreadId) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM threads WHERE thread_id = ?1")?
        .execute([thread.as_str()])?;
    Ok(())
}

/// A row with what its turns say of it; `t` is the thread.
const COLUMNS: &str = "t.thread_id, t.codex_home, t.cwd, t.name, t.topic, t.model, t.source, t.created_at, \
     t.updated_at, t.archived_at, (SELECT count(*) FROM turns WHERE thread_id = t.thread_id), \
     (SELECT state FROM turns WHERE thread_id = t.thread_id ORDER BY number DESC LIMIT 1), t.metadata";

fn read(row: &Row<'_>) -> Result<ThreadRow, StoreError> {
    let state: Option<String> = row.get(11)?;
    let turns: i64 = row.get(10)?;
    Ok(ThreadRow {
        thread: ThreadId(row.get(0)?),
        codex_home: row.get(1)?,
        cwd: row.get(2)?,
        name: row.get(3)?,
        topic: row.get(4)?,
        model: row.get(5)?,
        source: row.get(6)?,
        created_at: Timestamp(row.get(7)?),
        updated_at: Timestamp(row.get(8)?),
        archived_at: row.get::<_, Option<i64>>(9)?.map(Timestamp),
        metadata: row.get(12)?,
        turns: crate::row::unsigned(turns),
        state: state.as_deref().map(to_state).transpose()?,
    })
}

pub(crate) fn one(
    connection: &Connection,
    thread: &ThreadId,
) -> Result<Option<ThreadRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM threads t WHERE t.thread_id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([thread.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// Where a thread lies and works. Far cheaper than its row, which counts its turns.
pub(crate) fn place(
    connection: &Connection,
    thread: &ThreadId,
) -> Result<Option<ThreadPlace>, StoreError> {
    let place = connection
        .prepare_cached("SELECT codex_home, cwd, options FROM threads WHERE thread_id = ?1")?
        .query_row([thread.as_str()], |row| {
            Ok(ThreadPlace { codex_home: row.get(0)?, cwd: row.get(1)?, options: row.get(2)? })
        })
        .optional()?;
    Ok(place)
}

/// When the newest thread of a home changed that Codex listed.
pub(crate) fn newest(
    connection: &Connection,
    codex_home: &str,
    archived: bool,
) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT max(updated_at) FROM threads WHERE codex_home = ?1 AND (archived_at IS NOT NULL) = ?2";
    let newest = connection
        .query_row(sql, params![codex_home, archived], |row| row.get::<_, Option<i64>>(0))
        .optional()?
        .flatten();
    Ok(newest.map(Timestamp))
}

/// Newest first. The filter on folders is applied here rather than in SQL, because only whole components of a path
/// count.
pub(crate) fn list(
    connection: &Connection,
    filter: &ThreadFilter,
    limit: usize,
    after: Option<&Cursor>,
) -> Result<ThreadPage, StoreError> {
    let (sql, values) = list_query(filter, after);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut threads: Vec<ThreadRow> = Vec::new();
    while let Some(row) = rows.next()? {
        let row = read(row)?;
        if !filter.under.is_empty()
            && !filter.under.iter().any(|folder| Path::new(&row.cwd).starts_with(folder))
        {
            continue;
        }
        if threads.len() == limit {
            let next = threads
                .last()
                .map(|last| Cursor { key: last.updated_at.0, id: last.thread.0.clone() });
            return Ok(ThreadPage { threads, next });
        }
        threads.push(row);
    }
    Ok(ThreadPage { threads, next: None })
}

fn list_query(
    filter: &ThreadFilter,
    after: Option<&Cursor>,
) -> (String, Vec<rusqlite::types::Value>) {
    let mut values: Vec<rusqlite::types::Value> = vec![filter.codex_home.clone().into()];
    let mut bind = |value: rusqlite::types::Value| {
        values.push(value);
        values.len()
    };
    let archived = if filter.archived { "IS NOT NULL" } else { "IS NULL" };
    let mut sql = format!(
        "SELECT {COLUMNS} FROM threads t WHERE t.codex_home = ?1 AND t.archived_at {archived}"
    );
    if let Some(cursor) = after {
        let (key, id) = (bind(cursor.key.into()), bind(cursor.id.clone().into()));
        sql += &format!(
            " AND (t.updated_at < ?{key} OR (t.updated_at = ?{key} AND t.thread_id > ?{id}))"
        );
    }
    if let Some(since) = filter.since {
        sql += &format!(" AND t.updated_at >= ?{}", bind(since.0.into()));
    }
    if let Some(until) = filter.until {
        sql += &format!(" AND t.updated_at < ?{}", bind(until.0.into()));
    }
    if let Some(state) = filter.state {
        let newest =
            "(SELECT state FROM turns WHERE thread_id = t.thread_id ORDER BY number DESC LIMIT 1)";
        sql += &match state {
            "running" => format!(" AND {newest} IN ('queued', 'inProgress')"),
            state => format!(" AND {newest} = ?{}", bind(state.to_owned().into())),
        };
    }
    if let Some(text) = &filter.text {
        let like = bind(format!("%{}%", escape_like(text)).into());
        let search = bind(search_words(text).into());
        sql += &format!(
            " AND (t.name LIKE ?{like} ESCAPE '\\' OR t.topic LIKE ?{like} ESCAPE '\\' OR t.thread_id IN (
                 SELECT turns.thread_id FROM messages_search
                 JOIN messages ON messages.id = messages_search.rowid
                 JOIN turns ON turns.number = messages.turn
                 WHERE messages_search MATCH ?{search}))"
        );
    }
    sql += " ORDER BY t.updated_at DESC, t.thread_id";
    (sql, values)
}

/// The user's words as words to search for: in FTS5's language each would mean something else without quotes.
fn search_words(text: &str) -> String {
    let words = text.split_whitespace().map(|word| format!("\"{}\"", word.replace('"', "\"\"")));
    let words = words.collect::<Vec<_>>().join(" ");
    if words.is_empty() { "\"\"".to_owned() } else { words }
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
