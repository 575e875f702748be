//! What Codex tells of a running turn: folded into its transcript, and passed on as news.

use std::path::Path;
use std::time::Instant;

use crate::bridge::Bridge;
use crate::ids::ThreadKey;
use crate::turn::TurnPhase;
use crate::{
    CommandStatus, Effect, Item, ItemState, Record, ThreadId, TurnEvent, TurnId, Update, Usage,
};

/// Characters of a growing text that news carry: its end.
const TAIL_CHARS: usize = 200;

impl Bridge {
    pub(crate) fn turn_event(
        &mut self,
        thread: &ThreadId,
        turn_id: &TurnId,
        event: TurnEvent,
        now: Instant,
    ) {
        let Some(key) = self.keys.get(thread).copied() else {
            return;
        };
        let Some(turn) = self.threads.get_mut(&key).and_then(|thread| thread.running.as_mut())
        else {
            return;
        };
        if turn.review.is_some() && event == TurnEvent::Started {
            return self.review_began(key, turn_id);
        }
        if turn.phase == TurnPhase::Starting && event == TurnEvent::Started {
            return self.turn_runs(key, turn_id.clone(), now);
        }
        if turn.running_as.as_ref() != Some(turn_id) {
            return;
        }
        if let TurnEvent::Completed { state, error } = event {
            let error = error.map(|error| self.with_reset(error));
            return self.turn_completed(key, state, error, now);
        }
        turn.begun |= event.shows_work();
        match &event {
            TurnEvent::ErrorReported { error, will_retry: true } => match &mut turn.retrying {
                Some((_, newest)) => newest.clone_from(error),
                None => turn.retrying = Some((now, error.clone())),
            },
            TurnEvent::Started
            | TurnEvent::Completed { .. }
            | TurnEvent::ItemStarted(_)
            | TurnEvent::ItemCompleted(_)
            | TurnEvent::MessageDelta { .. }
            | TurnEvent::ThinkingDelta { .. }
            | TurnEvent::PlanUpdated(_)
            | TurnEvent::TokensCounted { .. }
            | TurnEvent::ErrorReported { will_retry: false, .. }
            | TurnEvent::ModelChanged { .. }
            | TurnEvent::PlanTaken { .. }
            | TurnEvent::Activity => turn.progressed(now),
        }
        if let TurnEvent::PlanTaken { version } = event {
            return self.plan_taken(key, version);
        }
        let event = self.at_home(key, event);
        if let Some(update) = self.fold(key, event) {
            self.tell_turn(key, &update, now);
        }
    }

    /// Adds an event to the transcript, and gives the news in it.
    fn fold(&mut self, key: ThreadKey, event: TurnEvent) -> Option<Update> {
        let output_chars = self.limits.command_output_chars;
        let thread = self.threads.get_mut(&key)?;
        let home = thread.home.as_deref();
        let (thread, turn) = (thread.id().cloned(), thread.running.as_mut()?);
        let transcript = &mut turn.transcript;
        match event {
            TurnEvent::ItemStarted(item) => {
                let update = item_update(&item, ItemState::Started, home);
                transcript.item_started(item, output_chars);
                update
            }
            TurnEvent::ItemCompleted(item) => {
                let update = item_update(&item, ItemState::Completed, home);
                let item = item.bounded(output_chars);
                if !matches!(item, Item::Other { .. } | Item::Record) {
                    let record = Record::ItemCompleted { turn: turn.key, item: item.clone() };
                    self.effects.push_back(Effect::Record(record));
                }
                transcript.item_completed(item, output_chars);
                update
            }
            TurnEvent::MessageDelta { item, text } => {
                let message = transcript.message_delta(item, &text);
                Some(Update::Message { text: tail(&message.text)?, phase: message.phase })
            }
            TurnEvent::ThinkingDelta { item, text } => {
                let text = tail(transcript.thinking_delta(item, &text))?;
                Some(Update::Thinking { text })
            }
            TurnEvent::PlanUpdated(plan) => {
                transcript.plan = Some(plan.clone());
                let plan_of =
                    |thread| Record::PlanUpdated { turn: turn.key, thread, plan: plan.clone() };
                self.effects.extend(thread.map(plan_of).map(Effect::Record));
                Some(Update::Plan(plan))
            }
            TurnEvent::TokensCounted { last, thread, context_window } => {
                // What the thread had used before the turn's first request to the model.
                let before = *turn.tokens_before.get_or_insert(thread.since(last));
                let tokens = thread.since(before);
                transcript.usage =
                    Some(Usage { turn: tokens, thread_total: thread.total, context_window });
                None
            }
            TurnEvent::ErrorReported { error, will_retry: true } => {
                Some(Update::Retrying { message: error.details.unwrap_or(error.message) })
            }
            TurnEvent::ModelChanged { model } => {
                transcript.warn(&format!("Codex switched to the model {model} by itself"));
                turn.model = Some(model);
                None
            }
            TurnEvent::Started
            | TurnEvent::Completed { .. }
            | TurnEvent::ErrorReported { will_retry: false, .. }
            | TurnEvent::PlanTaken { .. }
            | TurnEvent::Activity => None,
        }
    }

    pub(crate) fn warned(&mut self, thread: Option<&ThreadId>, message: &str) {
        let key = thread.and_then(|thread| self.keys.get(thread));
        let turn = key.and_then(|key| self.threads.get_mut(key)?.running.as_mut());
        if let Some(turn) = turn {
            turn.transcript.warn(message);
        }
    }
}

/// What an item is in the news, where files of the thread's folder are named from there.
fn item_update(item: &Item, state: ItemState, home: Option<&str>) -> Option<Update> {
    let ended = |status: CommandStatus| match (state, status) {
        (ItemState::Completed, CommandStatus::Failed | CommandStatus::Declined) => {
            ItemState::Failed
        }
        (state, _) => state,
    };
    match item {
        Item::Command(command) => Some(Update::Command {
            item: command.item.clone(),
            command: command.command.clone(),
            state: ended(command.status),
        }),
        Item::Patch(patch) => Some(Update::Patch {
            item: patch.item.clone(),
            paths: patch.paths().into_iter().map(|path| below(path, home)).collect(),
            state: ended(patch.status),
        }),
        Item::Tool(tool) => Some(Update::Tool {
            item: tool.item.clone(),
            name: tool.name.clone(),
            state: ended(tool.status),
        }),
        Item::Message(message) if state == ItemState::Completed => {
            tail(&message.text).map(|text| Update::Message { text, phase: message.phase })
        }
        Item::Thinking(thinking) if state == ItemState::Completed => {
            tail(&thinking.text).map(|text| Update::Thinking { text })
        }
        Item::Message(_)
        | Item::Thinking(_)
        | Item::Artifact(_)
        | Item::Other { .. }
        | Item::Record => None,
    }
}

/// A path from a folder on, if it lies in there.
fn below(path: String, folder: Option<&str>) -> String {
    let rest = folder.and_then(|folder| Path::new(&path).strip_prefix(folder).ok());
    rest.map(|rest| rest.to_string_lossy().into_owned()).unwrap_or(path)
}

/// The end of a text; `None` if there is nothing to read in it yet.
fn tail(text: &str) -> Option<String> {
    let text = text.trim();
    let start = text.char_indices().rev().nth(TAIL_CHARS - 1).map_or(0, |(start, _)| start);
    (!text.is_empty()).then(|| text[start..].to_owned())
}
