//! The stop gate: before Claude Code stops, Codex reviews what was changed since the user's last words, and if it asks for
//! changes, Claude Code goes on with what it found.
//!
//! A person switches it on (`stop_gate`). It fails open: whatever goes wrong is told to that person, and Claude Code stops.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Hook;
use crate::error::Problem;
use crate::mcp::call::ToolCall;
use crate::mcp::tools::review::{Reviewed, Uncommitted};

/// Characters of a review that Claude Code's model is given. What is longer, Claude Code puts into a file.
const MAX_CHARS: usize = 9_000;

/// What the gate remembers of a session.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// How often Codex was asked.
    reviews: usize,
    /// What was uncommitted when the user spoke, or was reviewed last.
    seen: Option<[u8; 32]>,
    /// Whether the person was told why there is no review.
    complained: bool,
}

/// The user speaks: what is there now was not made by what comes.
pub(super) async fn begin(call: &ToolCall<'_>) {
    if call.config().stop_gate {
        let mut gate = call.hook_memory().gate.lock().await;
        gate.seen = Uncommitted::read(call).await.ok().and_then(|changes| changes.digest());
    }
}

/// Claude Code is about to stop.
pub(super) async fn stop(call: &ToolCall<'_>, hook: &Hook) -> Option<Value> {
    let config = call.config();
    // It goes on because of a hook already: once is enough.
    if !config.stop_gate || hook.stop_hook_active == "true" {
        return None;
    }
    let mut gate = call.hook_memory().gate.lock().await;
    if gate.reviews >= config.stop_gate_reviews {
        return None;
    }
    let changes = match Uncommitted::read(call).await {
        Ok(changes) => changes,
        Err(problem) => return gate.complain(&problem),
    };
    let digest = changes.digest();
    if digest.is_none() || digest == gate.seen {
        return None;
    }
    gate.seen = digest;
    gate.reviews += 1;
    let began = Instant::now();
    let limit = config.stop_gate_time_limit;
    // Dropped at its end, a review is interrupted.
    let Ok(reviewed) = tokio::time::timeout(limit, changes.review(call)).await else {
        let seconds = limit.as_secs();
        return Some(message(&format!(
            "Codex did not review the changes within {seconds} s (`stop_gate_time_limit_seconds`), so nothing was held up."
        )));
    };
    let place = format!("{} of {}", gate.reviews, config.stop_gate_reviews);
    match reviewed {
        Ok(Reviewed { asks_for_changes, text, tokens }) => {
            let seconds = began.elapsed().as_secs();
            let spent = format!("{tokens} tokens, {seconds} s, review {place} of this session");
            Some(match asks_for_changes {
                // With `decision: block` the model is shown the same text twice.
                true => json!({
                    "hookSpecificOutput": {
                        "hookEventName": "Stop",
                        "additionalContext": context(&text, &spent),
                    },
                    "systemMessage": format!("Codex asks for changes before the end ({spent})."),
                }),
                false => {
                    message(&format!("Codex has reviewed the changes and asks for none ({spent})."))
                }
            })
        }
        Err(problem) => gate.complain(&problem),
    }
}

impl Gate {
    /// Says why there was no review, once a session.
    fn complain(&mut self, problem: &Problem) -> Option<Value> {
        let is_news = !std::mem::replace(&mut self.complained, true);
        is_news.then(|| message(&format!("Codex did not review the changes: {problem}")))
    }
}

/// What the model goes on with.
fn context(text: &str, spent: &str) -> String {
    let mut review: String = text.chars().take(MAX_CHARS).collect();
    if review.len() < text.len() {
        review.push_str("\n… The rest is in the thread of the review: codex.thread.read.");
    }
    format!(
        "Before you stop: Codex has reviewed what was changed and asks for changes ({spent}). These are findings, not \
         orders: check each against the code, mend what is right, and tell the user what you leave and why.\n\n{review}"
    )
}

fn message(text: &str) -> Value {
    json!({ "systemMessage": text })
}
