//! The tables `messages` and `items`: what a turn said, thought and did, in order.

use std::time::Duration;

use bridge_core::{
    Command, Decided, Decider, Decision, Item, ItemId, Message, Thinking, Tool, Transcript,
    TurnNumber,
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::row::{Status, phase, signed, to_phase};
use crate::{StoreError, artifact, patch};

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
struct DecidedData {
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Absent in older records: everything was declined then, because nobody could be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decider: Option<String>,
}

impl From<&Decided> for DecidedData {
    fn from(decided: &Decided) -> Self {
        Self {
            what: decided.what.clone(),
            reason: decided.reason.clone(),
            decision: Some(decided.decision.as_str().to_owned()),
            decider: Some(decided.decider.to_string()),
        }
    }
}

impl From<DecidedData> for Decided {
    fn from(data: DecidedData) -> Self {
        let decision = data.decision.as_deref().and_then(Decision::parse);
        let decider = data.decider.as_deref().and_then(Decider::parse);
        Self {
            what: data.what,
            reason: data.reason,
            decision: decision.unwrap_or(Decision::Decline),
            decider: decider.unwrap_or(Decider::Nobody),
        }
    }
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
        Item::Artifact(artifact) => artifact::put(connection, number, artifact),
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
    let artifacts = transcript.artifacts.iter().cloned().map(Item::Artifact);
    let items = messages.chain(thinking).chain(commands).chain(patches).chain(tools);
    for item in items.chain(artifacts) {
        put(connection, number, &item)?;
    }
    for (index, decided) in transcript.decisions.iter().enumerate() {
        let data = DecidedData::from(decided);
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
    transcript.artifacts = artifact::of_turn(connection, number)?;
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
            "thinking" => transcript.thinking.push(thinking(item, &data)?),
            "command" => transcript.commands.push(command(item, &data)?),
            "tool" => {
                let data: ToolData = serde_json::from_str(&data)?;
                transcript.tools.push(Tool { item, name: data.name, status: data.status.into() });
            }
            _ => {
                let data: DecidedData = serde_json::from_str(&data)?;
                transcript.decisions.push(data.into());
            }
        }
    }
    Ok(transcript)
}

pub(crate) fn thinking(item: ItemId, data: &str) -> Result<Thinking, StoreError> {
    let data: ThinkingData = serde_json::from_str(data)?;
    Ok(Thinking { item, text: data.text })
}

pub(crate) fn command(item: ItemId, data: &str) -> Result<Command, StoreError> {
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
