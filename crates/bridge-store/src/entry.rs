//! A thread as one sequence: what was said, thought, done, changed and planned, in order.

use bridge_core::{
    Command, ItemId, KeptPlan, Message, Patch, Plan, StepStatus, ThreadId, Transcript, TurnId,
    TurnNumber,
};
use rusqlite::{Connection, Row, params};

use crate::page::Cursor;
use crate::row::{Status, phase, unsigned};
use crate::{StoreError, item, patch, plan};

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
    /// A question of Codex, and what it was told.
    Approval,
    /// A long log or an image that is kept whole.
    Artifact,
}

/// One entry of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The turn it belongs to, by Codex's id.
    pub turn: Option<TurnId>,
    /// What it is.
    pub kind: EntryKind,
    /// Who said it: `user` or `agent`; of a plan its author.
    pub author: String,
    /// Of a message of Codex: `commentary` or `final_answer`. Of a command or a change its state, of a plan why it was
    /// changed, of a question the answer and who gave it, of an artifact what it is.
    pub detail: Option<String>,
    /// Its text: a message, a thought, a command with its output, a diff, a plan's steps, what was asked for, an artifact's
    /// name.
    pub text: String,
    /// Of a change that is kept: its patch.
    pub patch: Option<String>,
    /// Of an artifact: the output that holds it.
    pub output: Option<String>,
    /// Its place: the next page begins after it.
    pub place: Cursor,
}

/// A part of a thread's entries, oldest first.
#[derive(Clone, Debug)]
pub struct EntryPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl Entry {
    /// The entries of a turn that is not kept here. Of such a turn only the order within a kind is known. Their places
    /// count within the turn, from 1.
    #[must_use]
    pub fn of_turn(turn: &TurnId, prompt: Option<&str>, transcript: &Transcript) -> Vec<Self> {
        let prompt = prompt.map(|prompt| said("user", None, prompt.to_owned()));
        let thinking = transcript.thinking.iter().map(|thinking| thought(thinking.text.clone()));
        let commands = transcript.commands.iter().map(ran);
        let changes = transcript.patches.iter().map(|patch| changed(patch, None));
        let plan = transcript.plan.iter().map(planned);
        let messages = transcript.messages.iter().map(answered);
        let parts = prompt.into_iter().chain(thinking).chain(commands);
        let parts = parts.chain(changes).chain(plan).chain(messages);
        let place = |ordinal: i64| Cursor { key: ordinal, id: turn.0.clone() };
        (1..)
            .zip(parts)
            .map(|(ordinal, part)| part.at(Some(turn.clone()), place(ordinal)))
            .collect()
    }
}

/// An entry without its place.
struct Part {
    kind: EntryKind,
    author: String,
    detail: Option<String>,
    text: String,
    patch: Option<String>,
    output: Option<String>,
}

impl Part {
    fn new(kind: EntryKind, author: &str, detail: Option<String>, text: String) -> Self {
        Self { kind, author: author.to_owned(), detail, text, patch: None, output: None }
    }

    fn at(self, turn: Option<TurnId>, place: Cursor) -> Entry {
        let Self { kind, author, detail, text, patch, output } = self;
        Entry { turn, kind, author, detail, text, patch, output, place }
    }
}

fn said(author: &str, phase: Option<String>, text: String) -> Part {
    Part::new(EntryKind::Message, author, phase, text)
}

fn answered(message: &Message) -> Part {
    said("agent", message.phase.map(|known| phase(known).to_owned()), message.text.clone())
}

fn thought(text: String) -> Part {
    Part::new(EntryKind::Thinking, "agent", None, text)
}

fn ran(command: &Command) -> Part {
    let status = Status::from(command.status).as_str();
    let detail = match command.exit_code {
        Some(code) => format!("{status} (exit {code})"),
        None => status.to_owned(),
    };
    let text = format!("$ {}\n{}", command.command, command.output);
    Part::new(EntryKind::Command, "agent", Some(detail), text)
}

fn changed(of: &Patch, id: Option<String>) -> Part {
    let status = Status::from(of.status).as_str().to_owned();
    Part { patch: id, ..Part::new(EntryKind::Change, "agent", Some(status), of.unified_diff()) }
}

fn planned(of: &Plan) -> Part {
    let step = |step: &bridge_core::PlanStep| {
        let mark = match step.status {
            StepStatus::Pending => "[ ]",
            StepStatus::InProgress => "[>]",
            StepStatus::Completed => "[x]",
        };
        format!("{mark} {}\n", step.step)
    };
    let steps = of.steps.iter().map(step).collect();
    Part::new(EntryKind::Plan, "codex", of.explanation.clone(), steps)
}

/// A thread's entries of the given kinds, oldest first. A cursor is a turn's number with a place in it.
pub(crate) fn page(
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
        wanted(EntryKind::Approval),
        wanted(EntryKind::Artifact),
    ])?;
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(row) = rows.next()? {
        if entries.len() == limit {
            let next = entries.last().map(|last| last.place.clone());
            return Ok(EntryPage { entries, next });
        }
        let (number, ordinal): (i64, i64) = (row.get(0)?, row.get(2)?);
        let turn = row.get::<_, Option<String>>(1)?.map(TurnId);
        let place = Cursor { key: number, id: ordinal.to_string() };
        let part = read(connection, TurnNumber(unsigned(number)), row)?;
        entries.push(part.at(turn, place));
    }
    Ok(EntryPage { entries, next: None })
}

/// Everything that a thread has, in order. Plans and questions come after what their turn had when it ended, for want of a
/// place.
const ENTRIES: &str = "
    WITH entries AS (
        SELECT m.turn AS number, t.turn_id, m.ordinal, 'message' AS source, m.role AS author, m.phase AS detail,
               m.text AS content
        FROM messages m JOIN turns t ON t.number = m.turn WHERE t.thread_id = ?1 AND ?4
        UNION ALL
        SELECT i.turn, t.turn_id, i.ordinal, i.kind, 'agent', NULL, i.data
        FROM items i JOIN turns t ON t.number = i.turn
        WHERE t.thread_id = ?1 AND ((i.kind = 'thinking' AND ?5) OR (i.kind = 'command' AND ?6))
        UNION ALL
        SELECT p.turn, t.turn_id, p.ordinal, 'change', 'agent', NULL, p.patch_id
        FROM patches p JOIN turns t ON t.number = p.turn WHERE p.thread_id = ?1 AND ?7
        UNION ALL
        SELECT coalesce(p.turn, (SELECT max(number) FROM turns
                   WHERE turns.thread_id = p.thread_id AND turns.queued_at <= p.at), 0),
               t.turn_id, 1000000 + p.version, 'plan', p.author, p.explanation, p.steps
        FROM plans p LEFT JOIN turns t ON t.number = p.turn WHERE p.thread_id = ?1 AND ?8
        UNION ALL
        SELECT coalesce(a.turn, 0), t.turn_id, 1000000000 + a.id, 'approval', 'agent',
               a.decision || ' by ' || a.decided_by, a.what || coalesce(char(10) || a.reason, '')
        FROM approvals a LEFT JOIN turns t ON t.number = a.turn WHERE a.thread_id = ?1 AND ?9
        UNION ALL
        SELECT f.turn, t.turn_id, f.ordinal, 'artifact', f.output_id, f.kind || ', ' || f.mime || ', ' || f.bytes || ' bytes',
               f.name
        FROM artifacts f JOIN turns t ON t.number = f.turn WHERE t.thread_id = ?1 AND ?10
    )
    SELECT number, turn_id, ordinal, source, author, detail, content FROM entries
    WHERE number > ?2 OR (number = ?2 AND ordinal > ?3)
    ORDER BY number, ordinal";

fn read(connection: &Connection, number: TurnNumber, row: &Row<'_>) -> Result<Part, StoreError> {
    let (source, author): (String, String) = (row.get(3)?, row.get(4)?);
    let (detail, content): (Option<String>, String) = (row.get(5)?, row.get(6)?);
    // Which item it was does not show.
    let item = || ItemId(String::new());
    Ok(match source.as_str() {
        "thinking" => thought(item::thinking(item(), &content)?.text),
        "command" => ran(&item::command(item(), &content)?),
        "change" => match patch::one(connection, &content)? {
            Some(row) => changed(&row.patch, Some(content)),
            None => {
                return Err(StoreError::Unreadable(format!("a patch of turn {}", number.0)));
            }
        },
        "plan" => {
            let steps = plan::steps(&content)?;
            let plan = KeptPlan { explanation: detail, steps, ..KeptPlan::default() };
            Part { author, ..planned(&plan::without_names(plan)) }
        }
        "artifact" => {
            let part = Part::new(EntryKind::Artifact, "agent", detail, content);
            Part { output: Some(author), ..part }
        }
        "approval" => Part::new(EntryKind::Approval, &author, detail, content),
        _ => said(&author, detail, content),
    })
}
