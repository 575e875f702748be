//! Calls that are safe to repeat: the same `idempotencyKey` is the same turn and the same answer, also after a restart.
//!
//! A key belongs to a home of Codex. It is on disk before its turn is asked for. A turn that was cut before Codex had begun
//! it has done nothing, so its key is free again; every other turn, however it ended, is what its key stands for.

use std::time::Duration;

use bridge_core::{Attachment, CallRequest, TurnNumber};
use bridge_store::{KeyRow, TurnRow};
use rmcp::model::JsonObject;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::attachments::Attachments;
use super::call::ToolCall;
use super::progress::ProgressSink;
use super::render::Answer;
use crate::error::{Code, Problem};
use crate::ledger::{self, Claim};

/// The argument.
const ARGUMENT: &str = "idempotencyKey";
/// The longest key, in characters.
const MAX_CHARS: usize = 200;
/// How often a call that waits for another one shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A client's own name for a call.
#[derive(Debug)]
pub(super) struct Key {
    text: String,
    /// A digest of what is asked.
    asked: String,
}

impl Key {
    /// A key that was given, with what [`digest`] says of the arguments.
    ///
    /// # Errors
    /// It is empty or too long.
    pub(super) fn new(text: Option<String>, asked: String) -> Result<Option<Self>, Problem> {
        let Some(text) = text else {
            return Ok(None);
        };
        let is_good = !text.trim().is_empty() && text.chars().count() <= MAX_CHARS;
        if !is_good || text.chars().any(char::is_control) {
            let allowed = format!("1 to {MAX_CHARS} characters on one line");
            return Err(Problem::argument(ARGUMENT, "it is no key", &allowed));
        }
        Ok(Some(Self { text, asked }))
    }

    /// What is kept of it.
    pub(super) fn row(&self, home: &str, number: TurnNumber) -> KeyRow {
        KeyRow {
            codex_home: home.to_owned(),
            key: self.text.clone(),
            number,
            asked: self.asked.clone(),
        }
    }
}

/// What a call asks for, in a few characters: its tool and its arguments. Nothing, if it has no key.
pub(super) fn digest(tool: &str, arguments: Option<&JsonObject>) -> String {
    let Some(arguments) = arguments.filter(|arguments| arguments.contains_key(ARGUMENT)) else {
        return String::new();
    };
    let asked: Vec<_> = arguments.iter().filter(|(name, _)| *name != ARGUMENT).collect();
    let asked = serde_json::to_vec(&(tool, asked)).unwrap_or_default();
    data_encoding::HEXLOWER.encode(&Sha256::digest(asked))
}

impl ToolCall<'_> {
    /// Starts a turn, or finds the one that the key stands for. `None` if the outcome is not a turn's.
    ///
    /// # Errors
    /// The key was used for something else; an attachment cannot be read; the call was cancelled while it waited for another one.
    pub(super) async fn run_once(
        &self,
        key: Option<&Key>,
        mut request: CallRequest,
        attachment: Attachment,
        attachments: &Attachments,
    ) -> Result<Option<Answer>, Problem> {
        let Some(key) = key else {
            self.attach(attachments, &mut request).await?;
            return Ok(self.run_turn(None, request, attachment).await);
        };
        let held = loop {
            match self.ledger().claim(self.home(), &key.text) {
                Claim::Ours(held) => break held,
                Claim::Theirs(over) => self.wait_for(over).await?,
            }
        };
        let answer = match self.known(key).await? {
            Some(row) => Some(self.join(row, attachment).await),
            None => {
                // Of a turn that is there, what it was given may be gone by now.
                self.attach(attachments, &mut request).await?;
                self.run_turn(Some(key), request, attachment).await
            }
        };
        drop(held);
        Ok(answer)
    }

    /// The turn that a key stands for.
    async fn known(&self, key: &Key) -> Result<Option<TurnRow>, Problem> {
        let (home, text) = (self.home().to_owned(), key.text.clone());
        // Where the records cannot be read, the turn runs: its answer says that it is not kept.
        let found = self.ledger().read(move |store| store.key(&home, &text)).await.ok().flatten();
        let Some(found) = found else {
            return Ok(None);
        };
        let row = self.ledger().read(move |store| store.turn_by_number(found.number)).await;
        let Some(row) = row.ok().flatten().filter(has_begun) else {
            return Ok(None);
        };
        let is_theirs = match &row.report.thread {
            Some(thread) => self.threads().find(thread).await.is_ok(),
            None => false,
        };
        if found.asked != key.asked || !is_theirs {
            let message = format!("the {ARGUMENT} {:?} was used for another call", key.text);
            return Err(Problem::new(Code::IdempotencyConflict, message));
        }
        Ok(Some(row))
    }

    /// Answers with a turn that was asked for before, and waits for its end where the call would have.
    async fn join(&self, row: TurnRow, attachment: Attachment) -> Answer {
        let number = row.number;
        let waits = row.ended_at.is_none() && attachment == Attachment::Foreground;
        let Some(thread) = row.report.thread.clone().filter(|_| waits) else {
            return self.stored_answer(row).await;
        };
        let id = row.report.turn.clone();
        let request = CallRequest::Resume { thread, turn: number, id, answers: Vec::new() };
        let outcome = self.run(request).await;
        match self.turn_answer(outcome).await {
            Some(answer) => answer,
            // It ended in this moment.
            None => {
                let now = self.ledger().read(move |store| store.turn_by_number(number)).await;
                self.stored_answer(now.ok().flatten().unwrap_or(row)).await
            }
        }
    }

    /// Waits until another call with the same key is over.
    async fn wait_for(&self, mut over: watch::Receiver<()>) -> Result<(), Problem> {
        let sink = ProgressSink::of(self.context());
        let mut beat = tokio::time::interval(HEARTBEAT);
        let mut sent = 0;
        loop {
            tokio::select! {
                biased;
                () = self.context().ct.cancelled() => {
                    return Err(Problem::new(Code::CallCancelled, "the call was cancelled"));
                }
                // Nothing is ever sent: it closes.
                _ = over.changed() => return Ok(()),
                _ = beat.tick() => {}
            }
            if let Some(sink) = &sink {
                sent += 1;
                let message = format!("waiting for the call with the same {ARGUMENT}");
                // A client that can hear no more is noticed by its connection.
                let _ = sink.notify(sent, &message, JsonObject::new()).await;
            }
        }
    }
}

/// Whether a turn may have done something.
fn has_begun(row: &TurnRow) -> bool {
    let problem = row.error.as_deref().map(ledger::from_json);
    problem.is_none_or(|problem| problem.code != Code::TurnNeverStarted)
}
