//! The tables `messages` and `items`: what a turn said, thought and did, in order.

use std::time::Duration;

use bridge_core::{
    Command, Declined, Item, ItemId, Message, Thinking, ThreadId, Tool, Transcript, TurnId,
    TurnNumber,
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::page::Cursor;
use crate::row::{Status, phase, signed, to_phase, unsigned};
use crate::{StoreError, patch};

/// The item id of the user's own message, which Codex gives none here.
const PROMPT: &str = "prompt";

#[derive(Serialize, Deserialize)]
struct ThinkingData {
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommandData {
    command: String,
    cwd: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i64>,
    output: String,
    output_chars: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct ToolData {
    name: String,
    status: Status,
}

#[derive(Serialize, Deserialize)]
struct DeclinedData {
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What an entry of a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Something said, by the user or by Codex.
    Message,
    /// Something thought.
    Thinking,
    /// A command.
    Command,
    /// A change of files.
    Change,
    /// A version of the plan.
    Plan,
}

/// One entry of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The turn it belongs to, by our number.
    pub number: TurnNumber,
    /// The turn it belongs to, by Codex's id.
    pub turn: Option<TurnId>,
    /// What it is.
    pub kind: EntryKind,
    /// Who said it: `user` or `agent`; of a plan its author.
    pub author: String,
    /// Of a message of Codex: `commentary` or `final_answer`. Of a command, change or plan its state.
    pub detail: Option<String>,
    /// Its place: the next page begins after it.
    pub place: Cursor,
    /// Its text: a message, a thought, a command with its output, a diff, a plan's steps.
    pub text: String,
}

/// A part of a thread's entries, oldest first.
#[derive(Clone, Debug)]
pub struct EntryPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// Gives a turn's next entry its place.
pub(crate) fn next_ordinal(connection: &Connection, number: TurnNumber) -> Result<i64, StoreError> {
    let ordinal = connection
        .prepare_cached(
            "UPDATE turns SET entries = entries + 1 WHERE number = ?1 RETURNING entries",
        )?
        .query_row([signed(number.0)], |row| row.get(0));
    match ordinal {
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            Err(StoreError::Unreadable(format!("turn {} is not there", number.0)))
        }
        other => Ok(other?),
    }
}

pub(crate) fn put_prompt(
    connection: &Connection,
    number: TurnNumber,
    prompt: &str,
) -> Result<(), StoreError> {
    put_message(connection, number, PROMPT, "user", None, prompt, true)
}

fn put_message(
    connection: &Connection,
    number: TurnNumber,
    item: &str,
    role: &str,
    phase: Option<&str>,
    text: &str,
    complete: bool,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE messages SET phase = ?3, text = ?4, complete = ?5 WHERE turn = ?1 AND item_id = ?2
                 AND (phase IS NOT ?3 OR text <> ?4 OR complete <> ?5)",
        )?
        .execute(params![signed(number.0), item, phase, text, complete])?;
    if changed > 0 || exists(connection, "messages", number, item)? {
        return Ok(());
    }
    let ordinal = next_ordinal(connection, number)?;
    connection
        .prepare_cached(
            "INSERT INTO messages (turn, item_id, ordinal, role, phase, text, complete)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![signed(number.0), item, ordinal, role, phase, text, complete])?;
    Ok(())
}

fn exists(
    connection: &Connection,
    table: &str,
    number: TurnNumber,
    item: &str,
) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM {table} WHERE turn = ?1 AND item_id = ?2");
    Ok(connection.prepare_cached(&sql)?.exists(params![signed(number.0), item])?)
}

fn put_item(
    connection: &Connection,
    number: TurnNumber,
    item: &str,
    kind: &str,
    data: &impl Serialize,
) -> Result<(), StoreError> {
    let data = serde_json::to_string(data)?;
    if exists(connection, "items", number, item)? {
        connection
            .prepare_cached("UPDATE items SET data = ?3 WHERE turn = ?1 AND item_id = ?2")?
            .execute(params![signed(number.0), item, data])?;
        return Ok(());
    }
    let ordinal = next_ordinal(connection, number)?;
    connection
        .prepare_cached(
            "INSERT INTO items (turn, item_id, ordinal, kind, data) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![signed(number.0), item, ordinal, kind, data])?;
    Ok(())
}

/// Keeps an item, or what has become of it.
pub(crate) fn put(
    connection: &Connection,
    number: TurnNumber,
    item: &Item,
) -> Result<(), StoreError> {
    match item {
        Item::Message(message) => put_message(
            connection,
            number,
            message.item.as_str(),
            "agent",
            message.phase.map(phase),
            &message.text,
            message.complete,
        ),
        Item::Thinking(thinking) => put_item(
            connection,
            number,
            thinking.item.as_str(),
            "thinking",
            &ThinkingData { text: thinking.text.clone() },
        ),
        Item::Command(command) => {
            let data = CommandData {
                command: command.command.clone(),
                cwd: command.working_directory.clone(),
                status: command.status.into(),
                exit_code: command.exit_code,
                output: command.output.clone(),
                output_chars: command.output_chars,
                duration_ms: command
                    .duration
                    .map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
            };
            put_item(connection, number, command.item.as_str(), "command", &data)
        }
        Item::Tool(tool) => {
            let data = ToolData { name: tool.name.clone(), status: tool.status.into() };
            put_item(connection, number, tool.item.as_str(), "tool", &data)
        }
        Item::Patch(patch) => patch::put(connection, number, patch),
        Item::Other { .. } | Item::Record => Ok(()),
    }
}

/// Keeps everything in a transcript that has a place of its own here.
pub(crate) fn put_transcript(
    connection: &Connection,
    number: TurnNumber,
    transcript: &Transcript,
) -> Result<(), StoreError> {
    let messages = transcript.messages.iter().cloned().map(Item::Message);
    let thinking = transcript.thinking.iter().cloned().map(Item::Thinking);
    let commands = transcript.commands.iter().cloned().map(Item::Command);
    let patches = transcript.patches.iter().cloned().map(Item::Patch);
    let tools = transcript.tools.iter().cloned().map(Item::Tool);
    for item in messages.chain(thinking).chain(commands).chain(patches).chain(tools) {
        put(connection, number, &item)?;
    }
    for (index, declined) in transcript.declined.iter().enumerate() {
        let data = DeclinedData { what: declined.what.clone(), reason: declined.reason.clone() };
        put_item(connection, number, &format!("declined-{index}"), "declined", &data)?;
    }
    Ok(())
}

/// What is kept of a turn's messages and items.
pub(crate) fn transcript(
    connection: &Connection,
    number: TurnNumber,
) -> Result<Transcript, StoreError> {
    let mut transcript = Transcript::default();
    let mut statement = connection.prepare_cached(
        "SELECT item_id, phase, text, complete FROM messages WHERE turn = ?1 AND role = 'agent' ORDER BY ordinal",
    )?;
    let mut rows = statement.query([signed(number.0)])?;
    while let Some(row) = rows.next()? {
        let phase: Option<String> = row.get(1)?;
        transcript.messages.push(Message {
            item: ItemId(row.get(0)?),
            phase: phase.as_deref().and_then(to_phase),
            text: row.get(2)?,
            complete: row.get(3)?,
        });
    }
    let mut statement = connection
        .prepare_cached("SELECT item_id, kind, data FROM items WHERE turn = ?1 ORDER BY ordinal")?;
    let mut rows = statement.query([signed(number.0)])?;
    while let Some(row) = rows.next()? {
        let (item, kind, data) =
            (ItemId(row.get(0)?), row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        match kind.as_str() {
            "thinking" => {
                let data: ThinkingData = serde_json::from_str(&data)?;
                transcript.thinking.push(Thinking { item, text: data.text });
            }
            "command" => transcript.commands.push(command(item, &data)?),
            "tool" => {
                let data: ToolData = serde_json::from_str(&data)?;
                transcript.tools.push(Tool { item, name: data.name, status: data.status.into() });
            }
            _ => {
                let data: DeclinedData = serde_json::from_str(&data)?;
                transcript.declined.push(Declined { what: data.what, reason: data.reason });
            }
        }
    }
    Ok(transcript)
}

fn command(item: ItemId, data: &str) -> Result<Command, StoreError> {
    let data: CommandData = serde_json::from_str(data)?;
    Ok(Command {
        item,
        command: data.command,
        working_directory: data.cwd,
        status: data.status.into(),
        exit_code: data.exit_code,
        output: data.output,
        output_chars: data.output_chars,
        duration: data.duration_ms.map(Duration::from_millis),
    })
}

/// A thread's entries of the given kinds, oldest first. A cursor is a turn's number with a place in it.
pub(crate) fn entries(
    connection: &Connection,
    thread: &ThreadId,
    kinds: &[EntryKind],
    limit: usize,
    after: Option<&Cursor>,
) -> Result<EntryPage, StoreError> {
    let wanted = |kind: EntryKind| kinds.contains(&kind);
    let (from_turn, from_ordinal) = match after {
        Some(cursor) => (cursor.key, cursor.id.parse::<i64>().unwrap_or(i64::MAX)),
        None => (0, 0),
    };
    let mut statement = connection.prepare_cached(ENTRIES)?;
    let mut rows = statement.query(params![
        thread.as_str(),
        from_turn,
        from_ordinal,
        wanted(EntryKind::Message),
        wanted(EntryKind::Thinking),
        wanted(EntryKind::Command),
        wanted(EntryKind::Change),
        wanted(EntryKind::Plan),
    ])?;
    let mut entries = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        if entries.len() == limit {
            return Ok(EntryPage { entries, next: last });
        }
        let (number, ordinal): (i64, i64) = (row.get(0)?, row.get(2)?);
        let (source, author): (String, String) = (row.get(3)?, row.get(4)?);
        let place = Cursor { key: number, id: ordinal.to_string() };
        let entry = Entry {
            place: place.clone(),
            number: TurnNumber(unsigned(number)),
            turn: row.get::<_, Option<String>>(1)?.map(TurnId),
            kind: EntryKind::Message,
            author,
            detail: row.get(5)?,
            text: String::new(),
        };
        last = Some(place);
        entries.push(fill(entry, &source, row)?);
    }
    Ok(EntryPage { entries, next: None })
}

/// Everything that a thread has, in order. A plan comes after what its turn had when it ended, for want of a place.
const ENTRIES: &str = "
    WITH entries AS (
        SELECT m.turn AS number, t.turn_id, m.ordinal, 'message' AS source, m.role AS author, m.phase AS detail,
               CAST(m.text AS BLOB) AS content
        FROM messages m JOIN turns t ON t.number = m.turn WHERE t.thread_id = ?1 AND ?4
        UNION ALL
        SELECT i.turn, t.turn_id, i.ordinal, i.kind, 'agent', NULL, CAST(i.data AS BLOB)
        FROM items i JOIN turns t ON t.number = i.turn
        WHERE t.thread_id = ?1 AND ((i.kind = 'thinking' AND ?5) OR (i.kind = 'command' AND ?6))
        UNION ALL
        SELECT p.turn, t.turn_id, p.ordinal, 'change', 'agent', p.status, p.diff
        FROM patches p JOIN turns t ON t.number = p.turn WHERE t.thread_id = ?1 AND ?7
        UNION ALL
        SELECT coalesce(p.turn, 0), t.turn_id, 1000000 + p.version, 'plan', p.author, p.explanation,
               CAST(p.steps AS BLOB)
        FROM plans p LEFT JOIN turns t ON t.number = p.turn WHERE p.thread_id = ?1 AND ?8
    )
    SELECT number, turn_id, ordinal, source, author, detail, content FROM entries
    WHERE number > ?2 OR (number = ?2 AND ordinal > ?3)
    ORDER BY number, ordinal";

fn fill(mut entry: Entry, source: &str, row: &rusqlite::Row<'_>) -> Result<Entry, StoreError> {
    let content: Vec<u8> = row.get(6)?;
    let text = || String::from_utf8_lossy(&content).into_owned();
    match source {
        "thinking" => {
            let data: ThinkingData = serde_json::from_slice(&content)?;
            (entry.kind, entry.text) = (EntryKind::Thinking, data.text);
        }
        "command" => {
            let data: CommandData = serde_json::from_slice(&content)?;
            entry.kind = EntryKind::Command;
            entry.detail = Some(match data.exit_code {
                Some(code) => format!("{} (exit {code})", data.status.as_str()),
                None => data.status.as_str().to_owned(),
            });
            entry.text = format!("$ {}\n{}", data.command, data.output);
        }
        "change" => (entry.kind, entry.text) = (EntryKind::Change, patch::expand(&content)?),
        "plan" => (entry.kind, entry.text) = (EntryKind::Plan, crate::plan::steps_text(&content)?),
        _ => entry.text = text(),
    }
    Ok(entry)
}
