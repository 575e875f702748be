//! A program in the place of Codex that answers at once, for what Codex's own time would hide.
//!
//! It plays a script of what Codex sends, and knows nothing of Codex.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The only thread that it has.
pub(super) const THREAD: &str = "thread";

/// What the stand-in does, line by line.
#[derive(Default)]
pub(super) struct Play(String);

impl Play {
    /// It shakes hands and lets a thread be started.
    pub(super) fn new() -> Self {
        let mut play = Self::default();
        play.answer("initialize", json!({ "userAgent": "stand-in/0.169.0 (bench)" }));
        play.answer("thread/start", json!({ "thread": { "id": THREAD }, "model": "none" }));
        play
    }

    /// It lets a turn begin, and is silent then.
    pub(super) fn begins_turn(mut self, number: usize) -> Self {
        let turn = turn(number, "inProgress");
        self.answer("turn/start", json!({ "turn": turn }));
        self.notifies("turn/started", json!({ "threadId": THREAD, "turn": turn }));
        self
    }

    /// It lets a turn begin and completes it with a short answer, in the messages of a real one.
    pub(super) fn completes_turn(self, number: usize) -> Self {
        let mut play = self.begins_turn(number);
        let id = turn_id(number);
        let user = json!({ "type": "userMessage", "id": format!("user-{number}"), "content": [] });
        let message = format!("message-{number}");
        let agent = |text| json!({ "type": "agentMessage", "id": message, "phase": "final_answer", "text": text });
        for (method, item) in
            [("item/started", user.clone()), ("item/completed", user), ("item/started", agent(""))]
        {
            play.notifies(method, json!({ "threadId": THREAD, "turnId": id, "item": item }));
        }
        let delta = json!({ "threadId": THREAD, "turnId": id, "itemId": message, "delta": "pong" });
        play.notifies("item/agentMessage/delta", delta);
        let whole = json!({ "threadId": THREAD, "turnId": id, "item": agent("pong") });
        play.notifies("item/completed", whole);
        play.notifies("thread/tokenUsage/updated", tokens(&id));
        let completed = json!({ "threadId": THREAD, "turn": turn(number, "completed") });
        play.notifies("turn/completed", completed);
        play
    }

    /// The script of `testkit`'s program.
    pub(super) fn script(self) -> String {
        self.0
    }

    fn answer(&mut self, method: &str, result: Value) {
        self.line(&json!({ "expect": { "method": method } }));
        self.line(&json!({ "send": { "id": "$id", "result": result } }));
    }

    fn notifies(&mut self, method: &str, params: Value) {
        self.line(&json!({ "send": { "method": method, "params": params } }));
    }

    fn line(&mut self, line: &Value) {
        writeln!(self.0, "{line}").expect("a string takes everything");
    }
}

/// A command that begins in the turn, as Codex tells of it.
pub(super) fn command_begins(turn: usize, number: usize) -> Value {
    let item = json!({
        "type": "commandExecution", "id": format!("item-{number}"), "command": format!("step {number}"),
        "cwd": "/", "status": "inProgress",
    });
    let params = json!({ "threadId": THREAD, "turnId": turn_id(turn), "item": item });
    json!({ "method": "item/started", "params": params })
}

fn turn_id(number: usize) -> String {
    format!("turn-{number}")
}

fn turn(number: usize, status: &str) -> Value {
    json!({ "id": turn_id(number), "status": status, "items": [] })
}

fn tokens(turn: &str) -> Value {
    let count = json!({
        "inputTokens": 10, "cachedInputTokens": 0, "outputTokens": 5, "reasoningOutputTokens": 0, "totalTokens": 15,
    });
    let usage = json!({ "last": count, "total": count, "modelContextWindow": null });
    json!({ "threadId": THREAD, "turnId": turn, "tokenUsage": usage })
}
