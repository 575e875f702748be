//! What Codex tells of an item.

use std::time::Duration;

use bridge_core::{
    ChangeKind, Command, CommandStatus, FileChange, Item, ItemId, Message, Patch, Phase, Thinking,
    Tool,
};
use codex_client::protocol as wire;
use serde_json::value::RawValue;

use super::artifact;

/// What separates the parts of a reasoning summary, which are paragraphs.
pub(super) const PARAGRAPH: &str = "\n\n";

/// Whether an item is as it will stay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Completeness {
    Begun,
    Whole,
}

pub(super) fn item(item: wire::ThreadItem, completeness: Completeness) -> Item {
    match item {
        // That a review has begun says nothing of its model.
        wire::ThreadItem::UserMessage(_) | wire::ThreadItem::EnteredReviewMode(_) => Item::Record,
        wire::ThreadItem::AgentMessage(message) => Item::Message(Message {
            item: ItemId(message.id),
            phase: message.phase.and_then(phase),
            text: message.text,
            complete: completeness == Completeness::Whole,
        }),
        wire::ThreadItem::Reasoning(reasoning) => {
            let text =
                if reasoning.summary.is_empty() { reasoning.content } else { reasoning.summary };
            Item::Thinking(Thinking { item: ItemId(reasoning.id), text: text.join(PARAGRAPH) })
        }
        wire::ThreadItem::CommandExecution(command) => Item::Command(self::command(command)),
        wire::ThreadItem::FileChange(change) => Item::Patch(Patch {
            item: ItemId(change.id),
            changes: change.changes.into_iter().map(file_change).collect(),
            status: status(&change.status),
        }),
        wire::ThreadItem::McpToolCall(call) => {
            tool(call.id, format!("{}.{}", call.server, call.tool), &call.status)
        }
        wire::ThreadItem::DynamicToolCall(call) => tool(call.id, call.tool, &call.status),
        wire::ThreadItem::WebSearch(search) => {
            let name = format!("web search: {}", search.query);
            Item::Tool(Tool { item: ItemId(search.id), name, status: done(completeness) })
        }
        wire::ThreadItem::Plan(plan) => other(plan.id, "plan"),
        wire::ThreadItem::ImageView(view) => {
            let name = format!("view image: {}", artifact::file_name(&view.path));
            Item::Tool(Tool { item: ItemId(view.id), name, status: done(completeness) })
        }
        wire::ThreadItem::ImageGeneration(of) => {
            let (name, status) = ("generate image".to_owned(), done(completeness));
            Item::Tool(Tool { item: ItemId(of.id), name, status })
        }
        wire::ThreadItem::ExitedReviewMode(mode) => other(mode.id, "exitedReviewMode"),
        wire::ThreadItem::ContextCompaction(compaction) => {
            other(compaction.id, "contextCompaction")
        }
        wire::ThreadItem::Other(unknown) => match item_id(&unknown.raw) {
            Some(id) => other(id, &unknown.kind),
            None => Item::Record,
        },
    }
}

/// Where a tool stands of which Codex says only that it began and that it ended.
fn done(completeness: Completeness) -> CommandStatus {
    match completeness {
        Completeness::Begun => CommandStatus::InProgress,
        Completeness::Whole => CommandStatus::Completed,
    }
}

/// The id of an item of an unknown kind.
fn item_id(raw: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Id {
        id: String,
    }
    serde_json::from_str::<Id>(raw.get()).ok().map(|item| item.id)
}

fn phase(phase: wire::MessagePhase) -> Option<Phase> {
    match phase {
        wire::MessagePhase::Commentary => Some(Phase::Commentary),
        wire::MessagePhase::FinalAnswer | wire::MessagePhase::PartialAnswer => {
            Some(Phase::FinalAnswer)
        }
        wire::MessagePhase::Other(_) => None,
    }
}

fn command(command: wire::CommandExecutionItem) -> Command {
    let output = command.aggregated_output.unwrap_or_default();
    Command {
        item: ItemId(command.id),
        command: command.command,
        working_directory: command.cwd.unwrap_or_default(),
        status: status(&command.status),
        exit_code: command.exit_code.map(i64::from),
        output_chars: output.chars().count(),
        output,
        duration: millis(command.duration_ms),
    }
}

fn tool(id: String, name: String, of: &wire::ItemStatus) -> Item {
    Item::Tool(Tool { item: ItemId(id), name, status: status(of) })
}

fn other(id: String, kind: &str) -> Item {
    Item::Other { item: ItemId(id), kind: kind.to_owned() }
}

fn status(status: &wire::ItemStatus) -> CommandStatus {
    match status {
        wire::ItemStatus::InProgress => CommandStatus::InProgress,
        wire::ItemStatus::Completed => CommandStatus::Completed,
        wire::ItemStatus::Failed | wire::ItemStatus::Other(_) => CommandStatus::Failed,
        wire::ItemStatus::Declined => CommandStatus::Declined,
    }
}

pub(super) fn millis(millis: Option<i64>) -> Option<Duration> {
    millis.and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis)
}

fn file_change(change: wire::FileUpdateChange) -> FileChange {
    let kind = match change.kind.kind {
        wire::PatchChange::Add => ChangeKind::Add,
        wire::PatchChange::Delete => ChangeKind::Delete,
        wire::PatchChange::Update | wire::PatchChange::Other(_) => {
            ChangeKind::Update { moved_to: change.kind.move_path }
        }
    };
    FileChange { path: change.path, kind, diff: change.diff }
}
