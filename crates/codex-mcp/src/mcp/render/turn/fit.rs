//! Makes a turn's result fit the page of its client: what is too long stays as its first page, and the whole goes into
//! the store of outputs before anybody is told of it.
//!
//! The answer comes first: it takes what room there is, then the commands, what Codex said on the way, and what it
//! thought. Where nothing can be kept, the result says what is lost.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::super::size;
use super::artifact::{ArtifactResult, Link};
use super::{CommandResult, Status, TurnResult};
use crate::error::ErrorResult;
use crate::mcp::outputs::{NewOutput, Outputs};
use crate::mcp::paging::{Budget, ClientLimits, Kind, OutputId, ResumeToken, cost, split};
use crate::mcp::resources::ResourceUri;

/// What the entries of `more` and their counterpart in the text may cost.
const MORE_UNITS: usize = 1_000;
/// A part that would get less than this is not begun.
const MIN_PART: usize = 400;
/// What the frame around one command costs, its folder apart.
const COMMAND_FRAME_UNITS: usize = 120;
/// What stands between two messages when they are one text.
const BETWEEN: &str = "\n\n";

/// A part of the result that goes on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) struct MoreResult {
    /// Which field of the result.
    field: &'static str,
    /// Gives the rest with codex.read.
    token: String,
    /// The length of the whole.
    total_chars: usize,
    /// The whole as a resource.
    uri: String,
}

/// A field that was cut.
struct Cut {
    field: &'static str,
    /// The whole, as one text.
    whole: String,
    kind: Kind,
    /// How much of it the result still shows, in bytes.
    shown: usize,
}

impl TurnResult {
    /// Cuts what does not fit, after keeping it.
    pub(in crate::mcp) async fn fit(mut self, limits: ClientLimits, outputs: &Outputs) -> Self {
        let budget = if self.error.is_some() { limits.error() } else { limits.result() };
        self.artifacts.iter_mut().for_each(|artifact| artifact.seal(outputs));
        self.cut_artifacts(budget.units() / 4);
        for cut in self.cut(budget.units()) {
            self.keep(cut, outputs).await;
        }
        self
    }

    async fn keep(&mut self, cut: Cut, outputs: &Outputs) {
        let Cut { field, whole, kind, shown } = cut;
        let total_chars = whole.chars().count();
        let shown_chars = whole[..shown].chars().count();
        let part = format!("`{field}` shows {shown_chars} of its {total_chars} characters");
        match self.status {
            // It grows still, and a client that asks for it every minute would fill the store.
            Status::Queued | Status::InProgress => {
                self.warnings.push(format!("{part}; the rest can be read when the turn has ended"));
                return;
            }
            Status::Completed | Status::Interrupted | Status::Failed => {}
        }
        let output = NewOutput {
            text: whole,
            kind,
            thread: self.thread_id.clone(),
            turn: self.turn_id.clone(),
        };
        match outputs.keep(output).await {
            Ok(id) => self.more.push(MoreResult::new(field, total_chars, id, shown, outputs)),
            Err(error) => {
                tracing::warn!(
                    field,
                    error = &error as &dyn std::error::Error,
                    "a long result is cut"
                );
                self.warnings.push(format!("{part}; the rest could not be kept: {error}"));
            }
        }
    }

    /// Takes away what costs more than `budget`, and gives back what was cut.
    fn cut(&mut self, budget: usize) -> Vec<Cut> {
        let error = self.cut_error(budget / 2);
        let mut room = self.room(budget);
        [
            error,
            cut_answer(&mut self.content, &mut room),
            cut_commands(&mut self.commands, &mut room),
            cut_messages("commentary", &mut self.commentary, &mut room),
            cut_messages("thinking", &mut self.thinking, &mut room),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Leaves the artifacts that fit. The others are found by their thread.
    fn cut_artifacts(&mut self, mut room: usize) {
        let total = self.artifacts.len();
        let mut fits = |artifact: &&ArtifactResult| {
            let costs = serde_json::to_string(*artifact).map_or(0, |data| cost(&data));
            let left = room.checked_sub(costs);
            room = left.unwrap_or_default();
            left.is_some()
        };
        let shown = self.artifacts.iter().take_while(|artifact| fits(artifact)).count();
        self.artifacts.truncate(shown);
        if shown < total {
            let kinds = "codex.thread.read (`kinds`: artifacts) names the others";
            self.warnings.push(format!("`artifacts` shows {shown} of {total}; {kinds}"));
        }
    }

    /// What Codex says of an error may be a whole page of its provider's.
    fn cut_error(&mut self, budget: usize) -> Option<Cut> {
        let problem = self.problem.as_mut()?;
        let shown = size::end_within(&problem.message, budget)?;
        let beginning = size::beginning(&problem.message, shown);
        let whole = std::mem::replace(&mut problem.message, beginning);
        self.error = Some(ErrorResult::from(&*problem));
        Some(Cut { field: "error", whole, kind: Kind::Log, shown })
    }

    /// What is left for the parts that can be cut: at least a quarter, however much the others say.
    fn room(&mut self, budget: usize) -> usize {
        let content = std::mem::take(&mut self.content);
        let commands = std::mem::take(&mut self.commands);
        let commentary = std::mem::take(&mut self.commentary);
        let thinking = std::mem::take(&mut self.thinking);
        let frame = serde_json::to_string(self).map_or(0, |frame| frame.len());
        self.content = content;
        self.commands = commands;
        self.commentary = commentary;
        self.thinking = thinking;
        budget.saturating_sub(frame + MORE_UNITS).max(budget / 4)
    }
}

impl MoreResult {
    /// Keeps the whole of a text of no thread, if not all of it is shown; the error is a warning.
    pub(in crate::mcp) async fn keep(
        field: &'static str,
        text: String,
        kind: Kind,
        shown: usize,
        outputs: &Outputs,
    ) -> Result<Option<Self>, String> {
        if shown == text.len() {
            return Ok(None);
        }
        let chars = text.chars().count();
        match outputs.keep(NewOutput { text, kind, thread: None, turn: None }).await {
            Ok(id) => Ok(Some(Self::new(field, chars, id, shown, outputs))),
            Err(error) => Err(format!("`{field}` is cut, and the rest could not be kept: {error}")),
        }
    }

    pub(in crate::mcp) fn new(
        field: &'static str,
        total_chars: usize,
        id: OutputId,
        shown: usize,
        outputs: &Outputs,
    ) -> Self {
        let page = if shown == 0 { 1 } else { 2 };
        let token = ResumeToken { output: id, offset: shown as u64, page };
        Self {
            field,
            token: token.seal(outputs.token_key()),
            total_chars,
            uri: ResourceUri::Output(id).to_string(),
        }
    }
}

impl MoreResult {
    pub(super) fn link(&self) -> Link {
        let name = format!("the whole of {}", self.field);
        Link { uri: self.uri.clone(), name, mime: None, bytes: None }
    }
}

/// The last line for a reader, if not all is shown: how to go on.
pub(in crate::mcp) fn fmt_more(more: &[MoreResult], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, MoreResult { field, token, total_chars, .. }) in more.iter().enumerate() {
        f.write_str(match index {
            0 => "\n\n[Not all is shown. Read on with codex.read: ",
            _ => "; ",
        })?;
        write!(f, "{field} ({total_chars} characters in all), token {token}")?;
    }
    f.write_str(if more.is_empty() { "" } else { "]" })
}

/// The end of what of a text can be shown.
fn end_of_page(text: &str, room: usize, kind: Kind) -> usize {
    if room < MIN_PART { 0 } else { split(text, Budget::new(room), kind) }
}

fn cut_answer(content: &mut String, room: &mut usize) -> Option<Cut> {
    let cost = cost(content);
    if cost <= *room {
        *room -= cost;
        return None;
    }
    let whole = content.clone();
    let kind = kind_of_answer(&whole);
    let shown = end_of_page(&whole, *room, kind);
    content.truncate(shown);
    *room = 0;
    Some(Cut { field: "content", whole, kind, shown })
}

/// An answer is prose, unless it is one value of JSON or a diff.
fn kind_of_answer(text: &str) -> Kind {
    if text.starts_with("diff --git ") {
        Kind::Diff
    } else if text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        Kind::Json
    } else {
        Kind::Markdown
    }
}

fn cut_messages(field: &'static str, messages: &mut Vec<String>, room: &mut usize) -> Option<Cut> {
    let cost: usize = messages.iter().map(|message| cost(message) + cost(BETWEEN)).sum();
    if cost <= *room {
        *room -= cost;
        return None;
    }
    let whole = messages.join(BETWEEN);
    let shown = end_of_page(&whole, *room, Kind::Markdown);
    let mut left = shown;
    messages.retain_mut(|message| {
        let length = message.len();
        message.truncate(left);
        left = left.saturating_sub(length + BETWEEN.len());
        !message.is_empty()
    });
    *room = 0;
    Some(Cut { field, whole, kind: Kind::Markdown, shown })
}

fn cut_commands(commands: &mut Vec<CommandResult>, room: &mut usize) -> Option<Cut> {
    let costs: usize = commands.iter().map(cost_of_command).sum();
    if costs <= *room {
        *room -= costs;
        return None;
    }
    let mut whole = String::new();
    let mut shown = None;
    commands.retain_mut(|command| {
        let head = format!("{}\n", command.headline());
        let start = whole.len();
        whole.push_str(&head);
        whole.push_str(&command.output);
        whole.push('\n');
        if shown.is_some() {
            return false;
        }
        let cost = cost_of_command(command);
        if cost <= *room {
            *room -= cost;
            return true;
        }
        let room_for_output = room.saturating_sub(cost - self::cost(&command.output));
        let end = end_of_page(&command.output, room_for_output, Kind::Log);
        command.output.truncate(end);
        shown = Some(if end == 0 { start } else { start + head.len() + end });
        end > 0
    });
    *room = 0;
    let shown = shown.unwrap_or(whole.len());
    Some(Cut { field: "commands", whole, kind: Kind::Log, shown })
}

fn cost_of_command(command: &CommandResult) -> usize {
    cost(&command.command) + cost(&command.cwd) + cost(&command.output) + COMMAND_FRAME_UNITS
}
