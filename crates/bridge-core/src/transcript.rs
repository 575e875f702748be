//! What a turn has said, thought, planned and done so far, folded from its events.
//!
//! The transcript is not an audit log: Codex shows no item for a command that its sandbox refused at once.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::artifact::MAX_ARTIFACTS;
use crate::{Artifact, Decider, Decision, ItemId, Patch, Plan};

/// Warnings that a transcript keeps.
const MAX_WARNINGS: usize = 20;

/// A turn's content. Lists are in the order in which items began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// Agent messages, commentary and answer.
    pub messages: Vec<Message>,
    /// Reasoning, by item.
    pub thinking: Vec<Thinking>,
    /// Commands.
    pub commands: Vec<Command>,
    /// File changes through Codex's patch tool. Changes by commands are not among them.
    pub patches: Vec<Patch>,
    /// Calls of other tools: MCP servers, web search, and so on.
    pub tools: Vec<Tool>,
    /// Long logs and images, which are kept apart.
    pub artifacts: Vec<Artifact>,
    /// The newest plan.
    pub plan: Option<Plan>,
    /// The newest token count.
    pub usage: Option<Usage>,
    /// What Codex asked, and what it was told.
    pub decisions: Vec<Decided>,
    /// Codex's warnings, and ours.
    pub warnings: Vec<String>,
    open: BTreeSet<ItemId>,
}

/// A message of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its item.
    pub item: ItemId,
    /// What it is for, where Codex says so.
    pub phase: Option<Phase>,
    /// Its text so far.
    pub text: String,
    /// Whether it was cut off.
    pub complete: bool,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Said on the way.
    Commentary,
    /// The answer.
    FinalAnswer,
}

/// A piece of reasoning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thinking {
    /// Its item.
    pub item: ItemId,
    /// The summary, or the raw text where Codex gives that.
    pub text: String,
}

/// A command that Codex ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its item.
    pub item: ItemId,
    /// The command line.
    pub command: String,
    /// Where it ran.
    pub working_directory: String,
    /// How far it is.
    pub status: CommandStatus,
    /// Its exit code.
    pub exit_code: Option<i64>,
    /// The end of its output.
    pub output: String,
    /// How many characters the output had in all.
    pub output_chars: usize,
    /// How long it ran.
    pub duration: Option<Duration>,
}

/// How far a command, a patch or a tool call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandStatus {
    /// Not ended, as far as is known.
    InProgress,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// Not allowed.
    Declined,
}

/// A call of another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its item.
    pub item: ItemId,
    /// What was called, for a person.
    pub name: String,
    /// How far it is.
    pub status: CommandStatus,
}

/// What the turn has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The turn's tokens.
    pub turn: Tokens,
    /// All tokens of the thread so far.
    pub thread_total: u64,
    /// The model's context window, in tokens.
    pub context_window: Option<u64>,
}

/// Tokens by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Input, cached included.
    pub input: u64,
    /// Input that was cached.
    pub cached_input: u64,
    /// Output, reasoning included.
    pub output: u64,
    /// Reasoning.
    pub reasoning_output: u64,
    /// Input and output.
    pub total: u64,
}

impl Tokens {
    /// What came on top of `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            input: self.input.saturating_sub(earlier.input),
            cached_input: self.cached_input.saturating_sub(earlier.cached_input),
            output: self.output.saturating_sub(earlier.output),
            reasoning_output: self.reasoning_output.saturating_sub(earlier.reasoning_output),
            total: self.total.saturating_sub(earlier.total),
        }
    }
}

/// A question of Codex with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What was asked for, in words that follow "Codex asked".
    pub what: String,
    /// Codex's reason for asking.
    pub reason: Option<String>,
    /// The answer.
    pub decision: Decision,
    /// Who gave it.
    pub decider: Decider,
}

/// An item as the bridge understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A message of the agent.
    Message(Message),
    /// Reasoning.
    Thinking(Thinking),
    /// A command.
    Command(Command),
    /// A change of files.
    Patch(Patch),
    /// Another tool.
    Tool(Tool),
    /// Something of another item that is kept apart.
    Artifact(Artifact),
    /// Something else that takes time (a compaction, a review, an item of a newer Codex).
    Other {
        /// Its id.
        item: ItemId,
        /// Codex's name for its kind.
        kind: String,
    },
    /// Something that is only a record (the user's own message).
    Record,
}

impl Item {
    /// The same with no more of a command's output than its end.
    pub(crate) fn bounded(mut self, output_chars: usize) -> Self {
        if let Self::Command(command) = &mut self {
            keep_end(&mut command.output, output_chars);
        }
        self
    }
}

impl Transcript {
    /// Returns the answer: the last message that is one, or, where Codex marks none, the last message.
    #[must_use]
    pub fn answer(&self) -> Option<&Message> {
        let marked =
            self.messages.iter().rev().find(|message| message.phase == Some(Phase::FinalAnswer));
        marked.or_else(|| self.messages.last().filter(|message| message.phase.is_none()))
    }

    /// Returns the messages on the way to the answer.
    pub fn commentary(&self) -> impl Iterator<Item = &Message> {
        let answer = self.answer().map(|message| &message.item);
        self.messages.iter().filter(move |message| Some(&message.item) != answer)
    }

    /// Whether something runs that may be silent for long: a command, a tool, anything but text.
    pub(crate) fn is_busy(&self) -> bool {
        !self.open.is_empty()
    }

    /// Returns the newest command that has not ended.
    #[must_use]
    pub fn running_command(&self) -> Option<&Command> {
        self.commands.iter().rev().find(|command| command.status == CommandStatus::InProgress)
    }

    pub(crate) fn item_started(&mut self, item: Item, output_chars: usize) {
        match &item {
            Item::Command(Command { item, .. })
            | Item::Patch(Patch { item, .. })
            | Item::Tool(Tool { item, .. })
            | Item::Other { item, .. } => {
                self.open.insert(item.clone());
            }
            Item::Message(_) | Item::Thinking(_) | Item::Artifact(_) | Item::Record => {}
        }
        self.put(item, output_chars);
    }

    /// Adds an item that has ended, or replaces what its start and its deltas left.
    pub fn item_completed(&mut self, item: Item, output_chars: usize) {
        match &item {
            Item::Command(Command { item, .. })
            | Item::Patch(Patch { item, .. })
            | Item::Tool(Tool { item, .. })
            | Item::Other { item, .. } => {
                self.open.remove(item);
            }
            Item::Message(_) | Item::Thinking(_) | Item::Artifact(_) | Item::Record => {}
        }
        self.put(item, output_chars);
    }

    fn put(&mut self, item: Item, output_chars: usize) {
        match item {
            Item::Message(message) => put_by(&mut self.messages, message, |message| &message.item),
            Item::Thinking(thinking) => {
                // A completed item may come without the text that its deltas had.
                if !thinking.text.is_empty()
                    || !self.thinking.iter().any(|known| known.item == thinking.item)
                {
                    put_by(&mut self.thinking, thinking, |thinking| &thinking.item);
                }
            }
            Item::Command(mut command) => {
                keep_end(&mut command.output, output_chars);
                put_by(&mut self.commands, command, |command| &command.item);
            }
            Item::Patch(patch) => put_by(&mut self.patches, patch, |patch| &patch.item),
            Item::Tool(tool) => put_by(&mut self.tools, tool, |tool| &tool.item),
            Item::Artifact(artifact) => self.put_artifact(artifact),
            Item::Other { .. } | Item::Record => {}
        }
    }

    fn put_artifact(&mut self, artifact: Artifact) {
        if self.artifacts.len() < MAX_ARTIFACTS {
            self.artifacts.push(artifact);
        } else {
            self.warn(&format!("only the first {MAX_ARTIFACTS} long logs and images are named"));
        }
    }

    /// Appends to a message, and gives it as it is by then.
    pub(crate) fn message_delta(&mut self, item: ItemId, text: &str) -> &Message {
        let index =
            self.messages.iter().rposition(|message| message.item == item).unwrap_or_else(|| {
                self.messages.push(Message {
                    item,
                    phase: None,
                    text: String::new(),
                    complete: false,
                });
                self.messages.len() - 1
            });
        self.messages[index].text.push_str(text);
        &self.messages[index]
    }

    /// Appends to a piece of reasoning, and gives its text so far.
    pub(crate) fn thinking_delta(&mut self, item: ItemId, text: &str) -> &str {
        let index =
            self.thinking.iter().rposition(|thinking| thinking.item == item).unwrap_or_else(|| {
                self.thinking.push(Thinking { item, text: String::new() });
                self.thinking.len() - 1
            });
        self.thinking[index].text.push_str(text);
        &self.thinking[index].text
    }

    /// A reviewer's own words begin and never end: its answer is a message that Codex makes of them.
    pub(crate) fn drop_unfinished_messages(&mut self) {
        self.messages.retain(|message| message.complete);
    }

    /// Keeps a warning; the same one is kept once, and a flood is cut.
    pub(crate) fn warn(&mut self, message: &str) {
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.iter().any(|known| known == message)
        {
            self.warnings.push(message.to_owned());
        }
    }
}

fn put_by<T>(list: &mut Vec<T>, new: T, id: fn(&T) -> &ItemId) {
    match list.iter_mut().find(|known| id(known) == id(&new)) {
        Some(known) => *known = new,
        None => list.push(new),
    }
}

fn keep_end(text: &mut String, chars: usize) {
    if let Some((start, _)) =
        text.char_indices().rev().nth(chars.saturating_sub(1)).filter(|(start, _)| *start > 0)
    {
        text.drain(..start);
    } else if chars == 0 {
        text.clear();
    }
}
