//! What `codex exec --json` tells, line by line, in the core's words. What it has no word for shows only that it lives.

use bridge_core::{
    ChangeKind, CodexError, Command, CommandStatus, ExecEvent, Failure, FileChange, Item, ItemId,
    Message, Patch, Plan, PlanStep, StepStatus, Thinking, ThreadId, Tokens, Tool, TurnEvent,
    TurnId,
};
use serde::Deserialize;
use serde_json::Value;

/// What one line may hold. Unknown kinds and fields are no error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    thread_id: String,
    item: Value,
    usage: Usage,
    error: Said,
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    input_tokens: u64,
    cached_input_tokens: u64,
    output_tokens: u64,
    reasoning_output_tokens: u64,
}

/// What an item may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ItemLine {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    text: String,
    message: String,
    command: String,
    aggregated_output: String,
    exit_code: Option<i64>,
    status: String,
    changes: Vec<Change>,
    server: String,
    tool: String,
    query: String,
    items: Vec<Step>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Change {
    path: String,
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Step {
    text: String,
    completed: bool,
}

/// Whether an item's line is its last one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begun,
    Whole,
}

/// Reads the lines of one run.
#[derive(Debug)]
pub(crate) struct Reader {
    /// A name for the turn: ours, for no line has Codex's.
    turn: TurnId,
    working_directory: String,
    /// Whether the thread is new, so that its tokens are the turn's.
    is_new: bool,
    thread: Option<ThreadId>,
    end: Option<Result<(), Failure>>,
}

impl Reader {
    pub(crate) fn new(turn: TurnId, working_directory: String, is_new: bool) -> Self {
        Self { turn, working_directory, is_new, thread: None, end: None }
    }

    /// How the turn ended, once a line has said so. No other line is worth waiting for then.
    pub(crate) fn end(&self) -> Option<&Result<(), Failure>> {
        self.end.as_ref()
    }

    /// What a line means; `None` if nothing.
    pub(crate) fn read(&mut self, line: &str) -> Option<ExecEvent> {
        let line: Line = serde_json::from_str(line)
            .inspect_err(
                |error| tracing::warn!(%error, "`codex exec` wrote a line that is no event"),
            )
            .ok()?;
        match line.kind.as_str() {
            "thread.started" => {
                self.thread = Some(ThreadId(line.thread_id));
                None
            }
            "turn.started" => Some(ExecEvent::Started {
                thread: self.thread.clone()?,
                turn: self.turn.clone(),
                working_directory: self.working_directory.clone(),
            }),
            "item.started" | "item.updated" => {
                item(line.item, Stage::Begun, &self.working_directory)
            }
            "item.completed" => item(line.item, Stage::Whole, &self.working_directory),
            "turn.completed" => {
                self.end = Some(Ok(()));
                self.tokens(&line.usage)
            }
            "turn.failed" => {
                self.end = Some(Err(Failure::Codex(codex_error(line.error.message))));
                None
            }
            "error" => Some(ExecEvent::Turn(error_reported(line.message))),
            _ => Some(ExecEvent::Turn(TurnEvent::Activity)),
        }
    }

    fn tokens(&self, usage: &Usage) -> Option<ExecEvent> {
        let thread = Tokens {
            input: usage.input_tokens,
            cached_input: usage.cached_input_tokens,
            output: usage.output_tokens,
            reasoning_output: usage.reasoning_output_tokens,
            total: usage.input_tokens.saturating_add(usage.output_tokens),
        };
        let counted = TurnEvent::TokensCounted { last: thread, thread, context_window: None };
        // What an older thread had used before is not known.
        self.is_new.then_some(ExecEvent::Turn(counted))
    }
}

/// A report in the middle of a turn. Of one that Codex does not try again, the turn's end says more.
fn error_reported(message: String) -> TurnEvent {
    match message.starts_with("Reconnecting") {
        true => TurnEvent::ErrorReported { error: codex_error(message), will_retry: true },
        false => TurnEvent::Activity,
    }
}

/// `codex exec` tells no kind. The status of a failed request is in its words.
fn codex_error(message: String) -> CodexError {
    let status = ["last status: ", "unexpected status "].iter().find_map(|words| {
        let (_, rest) = message.split_once(words)?;
        rest.get(..3)?.parse().ok()
    });
    let kind = "other".to_owned();
    CodexError { kind, http_status: status, message, details: None, resets_at: None }
}

fn item(item: Value, stage: Stage, working_directory: &str) -> Option<ExecEvent> {
    let read: ItemLine = serde_json::from_value(item)
        .inspect_err(|error| tracing::warn!(%error, "an item of `codex exec` cannot be read"))
        .ok()?;
    let id = ItemId(read.id.clone());
    let status = status(&read.status, stage);
    let item = match read.kind.as_str() {
        "agent_message" => Item::Message(Message {
            item: id,
            phase: None,
            text: read.text,
            complete: stage == Stage::Whole,
        }),
        "reasoning" => Item::Thinking(Thinking { item: id, text: read.text }),
        "command_execution" => Item::Command(command(id, status, read, working_directory)),
        "file_change" => {
            let changes = read.changes.into_iter().map(file_change).collect();
            Item::Patch(Patch { item: id, changes, status })
        }
        "mcp_tool_call" => {
            Item::Tool(Tool { item: id, name: format!("{}.{}", read.server, read.tool), status })
        }
        "web_search" => {
            Item::Tool(Tool { item: id, name: format!("web search: {}", read.query), status })
        }
        "todo_list" => return Some(ExecEvent::Turn(TurnEvent::PlanUpdated(plan(read.items)))),
        "error" => return Some(ExecEvent::Warned(read.message)),
        _ => Item::Other { item: id, kind: read.kind },
    };
    Some(ExecEvent::Turn(match stage {
        Stage::Begun => TurnEvent::ItemStarted(item),
        Stage::Whole => TurnEvent::ItemCompleted(item),
    }))
}

fn status(status: &str, stage: Stage) -> CommandStatus {
    match (status, stage) {
        ("failed", _) => CommandStatus::Failed,
        ("declined", _) => CommandStatus::Declined,
        (_, Stage::Begun) => CommandStatus::InProgress,
        (_, Stage::Whole) => CommandStatus::Completed,
    }
}

fn command(
    item: ItemId,
    status: CommandStatus,
    read: ItemLine,
    working_directory: &str,
) -> Command {
    Command {
        item,
        command: read.command,
        working_directory: working_directory.to_owned(),
        status,
        exit_code: read.exit_code,
        output_chars: read.aggregated_output.chars().count(),
        output: read.aggregated_output,
        duration: None,
    }
}

/// The content of a change is not told.
fn file_change(change: Change) -> FileChange {
    let kind = match change.kind.as_str() {
        "add" => ChangeKind::Add,
        "delete" => ChangeKind::Delete,
        _ => ChangeKind::Update { moved_to: None },
    };
    FileChange { path: change.path, kind, diff: String::new() }
}

fn plan(steps: Vec<Step>) -> Plan {
    let step = |step: Step| PlanStep {
        step: step.text,
        status: match step.completed {
            true => StepStatus::Completed,
            false => StepStatus::Pending,
        },
    };
    Plan { explanation: None, steps: steps.into_iter().map(step).collect() }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(lines: &[&str], expected: Expect) {
        let mut reader = Reader::new(TurnId("exec-1".to_owned()), "/w".to_owned(), true);
        let read = |line: &&str| format!("{:?}\n", reader.read(line));
        let mut text: String = lines.iter().map(read).collect();
        text.push_str(&format!("end: {:?}\n", reader.end()));
        expected.assert_eq(&text);
    }

    #[test]
    fn a_turn_that_went_well() {
        check(
            &[
                r#"{"type":"thread.started","thread_id":"T"}"#,
                r#"{"type":"turn.started"}"#,
                r#"{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"hm"}}"#,
                r#"{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"On it."}}"#,
                r#"{"type":"item.started","item":{"id":"item_2","type":"command_execution","command":"ls","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#,
                r#"{"type":"item.completed","item":{"id":"item_2","type":"command_execution","command":"ls","aggregated_output":"a\n","exit_code":3,"status":"failed"}}"#,
                r#"{"type":"item.started","item":{"id":"item_3","type":"todo_list","items":[{"text":"look","completed":true},{"text":"leap","completed":false}]}}"#,
                r#"{"type":"item.completed","item":{"id":"item_4","type":"file_change","changes":[{"path":"/w/a","kind":"add"}],"status":"completed"}}"#,
                r#"{"type":"item.completed","item":{"id":"item_5","type":"mcp_tool_call","server":"s","tool":"t","status":"completed"}}"#,
                r#"{"type":"item.completed","item":{"id":"item_6","type":"error","message":"careful"}}"#,
                r#"{"type":"turn.completed","usage":{"input_tokens":40,"cached_input_tokens":0,"cache_write_input_tokens":0,"output_tokens":20,"reasoning_output_tokens":0}}"#,
            ],
            expect![[r#"
                None
                Some(Started { thread: ThreadId("T"), turn: TurnId("exec-1"), working_directory: "/w" })
                Some(Turn(ItemCompleted(Thinking(Thinking { item: ItemId("item_0"), text: "hm" }))))
                Some(Turn(ItemCompleted(Message(Message { item: ItemId("item_1"), phase: None, text: "On it.", complete: true }))))
                Some(Turn(ItemStarted(Command(Command { item: ItemId("item_2"), command: "ls", working_directory: "/w", status: InProgress, exit_code: None, output: "", output_chars: 0, duration: None }))))
                Some(Turn(ItemCompleted(Command(Command { item: ItemId("item_2"), command: "ls", working_directory: "/w", status: Failed, exit_code: Some(3), output: "a\n", output_chars: 2, duration: None }))))
                Some(Turn(PlanUpdated(Plan { explanation: None, steps: [PlanStep { step: "look", status: Completed }, PlanStep { step: "leap", status: Pending }] })))
                Some(Turn(ItemCompleted(Patch(Patch { item: ItemId("item_4"), changes: [FileChange { path: "/w/a", kind: Add, diff: "" }], status: Completed }))))
                Some(Turn(ItemCompleted(Tool(Tool { item: ItemId("item_5"), name: "s.t", status: Completed }))))
                Some(Warned("careful"))
                Some(Turn(TokensCounted { last: Tokens { input: 40, cached_input: 0, output: 20, reasoning_output: 0, total: 60 }, thread: Tokens { input: 40, cached_input: 0, output: 20, reasoning_output: 0, total: 60 }, context_window: None }))
                end: Some(Ok(()))
            "#]],
        );
    }

    #[test]
    fn a_turn_that_failed() {
        check(
            &[
                r#"{"type":"error","message":"Reconnecting... 1/5"}"#,
                r#"{"type":"error","message":"exceeded retry limit, last status: 429 Too Many Requests"}"#,
                r#"{"type":"turn.failed","error":{"message":"exceeded retry limit, last status: 429 Too Many Requests"}}"#,
            ],
            expect![[r#"
                Some(Turn(ErrorReported { error: CodexError { kind: "other", http_status: None, message: "Reconnecting... 1/5", details: None, resets_at: None }, will_retry: true }))
                Some(Turn(Activity))
                None
                end: Some(Err(Codex(CodexError { kind: "other", http_status: Some(429), message: "exceeded retry limit, last status: 429 Too Many Requests", details: None, resets_at: None })))
            "#]],
        );
    }

    #[test]
    fn what_is_not_known_is_no_error() {
        check(
            &[
                "no event",
                "{}",
                r#"{"type":"item.completed","item":7}"#,
                r#"{"type":"item.completed","item":{"id":"item_0","type":"new","more":1}}"#,
                r#"{"type":"thread.renamed"}"#,
            ],
            expect![[r#"
                None
                Some(Turn(Activity))
                None
                Some(Turn(ItemCompleted(Other { item: ItemId("item_0"), kind: "new" })))
                Some(Turn(Activity))
                end: None
            "#]],
        );
    }
}
