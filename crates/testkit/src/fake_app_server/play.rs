//! Scripts for the program in Codex's place, written as what Codex does: shakes hands, begins a turn, refuses.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The only thread that it has.
pub const THREAD: &str = "thread";

/// What the stand-in does, line by line.
#[derive(Clone, Debug, Default)]
pub struct Play(String);

impl Play {
    /// It shakes hands and lets a thread be started.
    pub fn new() -> Self {
        let thread = json!({ "thread": { "id": THREAD }, "model": "none" });
        Self::greets("0.169.0").answers("thread/start", thread)
    }

    /// It shakes hands as this version, and nothing more.
    pub fn greets(version: &str) -> Self {
        let answer = json!({ "userAgent": format!("stand-in/{version} (test)") });
        Self::default().answers("initialize", answer)
    }

    /// It answers the next request of this method.
    pub fn answers(mut self, method: &str, result: Value) -> Self {
        self.answer(method, result);
        self
    }

    /// It refuses the next request of this method.
    pub fn refuses(self, method: &str, code: i64, message: &str) -> Self {
        self.refuses_with(method, &json!({ "code": code, "message": message }))
    }

    /// The same, with all that an error of JSON-RPC can have.
    pub fn refuses_with(self, method: &str, error: &Value) -> Self {
        self.awaits(method).line(&json!({ "send": { "id": "$id", "error": error } }))
    }

    /// It takes the next request of this method, and does not answer.
    pub fn awaits(self, method: &str) -> Self {
        self.line(&json!({ "expect": { "method": method } }))
    }

    /// It says something of a turn in a delta, so that the turn has done something.
    pub fn says_in(mut self, number: usize, delta: &str) -> Self {
        let id = turn_id(number);
        let item =
            json!({ "type": "agentMessage", "id": "message", "phase": "final_answer", "text": "" });
        self.notifies("item/started", json!({ "threadId": THREAD, "turnId": id, "item": item }));
        let delta =
            json!({ "threadId": THREAD, "turnId": id, "itemId": "message", "delta": delta });
        self.notifies("item/agentMessage/delta", delta);
        self
    }

    /// It ends a turn with an error of Codex.
    pub fn fails_turn(mut self, number: usize, error: &Value) -> Self {
        let told = json!({ "threadId": THREAD, "turnId": turn_id(number), "willRetry": false, "error": error });
        self.notifies("error", told);
        let mut turn = turn(number, "failed");
        turn["error"] = error.clone();
        self.notifies("turn/completed", json!({ "threadId": THREAD, "turn": turn }));
        self
    }

    /// It does any one thing that the program can; see there.
    pub fn line(mut self, line: &Value) -> Self {
        self.push(line);
        self
    }

    /// It tells something.
    pub fn tells(mut self, method: &str, params: Value) -> Self {
        self.notifies(method, params);
        self
    }

    /// It lets a turn begin, and is silent then.
    pub fn begins_turn(mut self, number: usize) -> Self {
        let turn = turn(number, "inProgress");
        self.answer("turn/start", json!({ "turn": turn }));
        self.notifies("turn/started", json!({ "threadId": THREAD, "turn": turn }));
        self
    }

    /// It lets a turn begin and completes it with a short answer, in the messages of a real one.
    pub fn completes_turn(self, number: usize) -> Self {
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
    pub fn script(self) -> String {
        self.0
    }

    fn answer(&mut self, method: &str, result: Value) {
        self.push(&json!({ "expect": { "method": method } }));
        self.push(&json!({ "send": { "id": "$id", "result": result } }));
    }

    fn notifies(&mut self, method: &str, params: Value) {
        self.push(&json!({ "send": { "method": method, "params": params } }));
    }

    fn push(&mut self, line: &Value) {
        writeln!(self.0, "{line}").expect("a string takes everything");
    }
}

/// A command that begins in the turn, as Codex tells of it.
pub fn command_begins(turn: usize, number: usize) -> Value {
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
