//! Any Codex: everything that the pinned one can say of a turn, as its schema has it and changed in any way, in any order,
//! through the whole server. Each call is answered once, and the server goes on.
//!
//! The messages are those of the fuzzer's corpus, which a test of `codex-client` makes from the schema.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use testkit::fake_app_server::{self, Play, THREAD};
use testkit::home::CodexHome;
use testkit::peer::Line;

use crate::any_input::anything;
use crate::bridge::{Setup, TestBridge};

/// How often Codex is started with other messages.
const SCRIPTS: usize = 8;
/// What it says each time, besides what a turn needs.
const MESSAGES: usize = 60;

/// Every notification and question, by its method and with all its fields.
fn messages() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/protocol");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let message = |path| {
        let text = fs::read_to_string(path).unwrap();
        let (method, params) = text.split_once(' ')?;
        Some((method.to_owned(), serde_json::from_str(params).ok()?))
    };
    files.into_iter().filter_map(message).collect()
}

struct Any(TestRunner);

impl Any {
    fn of<T: std::fmt::Debug>(&mut self, strategy: impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.0).unwrap().current()
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.of(0..count) == 0
    }

    /// Names what there is where something is named; leaves out, replaces and repeats the rest now and then.
    fn changed(&mut self, value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let mut changed = serde_json::Map::new();
                for (name, value) in fields {
                    if self.one_in(20) {
                        continue;
                    }
                    let value = match name.as_str() {
                        "threadId" if !self.one_in(10) => json!(THREAD),
                        "turnId" if !self.one_in(10) => json!("turn-1"),
                        "itemId" if !self.one_in(4) => json!(format!("item-{}", self.of(0..3))),
                        _ => self.changed(value),
                    };
                    changed.insert(name, value);
                }
                Value::Object(changed)
            }
            Value::Array(items) => {
                let copies = self.of(0_usize..3);
                let items = std::iter::repeat_n(items, copies).flatten();
                items.map(|item| self.changed(item)).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                if self.one_in(10) { self.of(anything()) } else { value }
            }
        }
    }

    fn script(&mut self, messages: &[(String, Value)]) -> Play {
        let mut play = Play::new().begins_turn(1);
        for number in 0..MESSAGES {
            let (method, params) = &messages[self.of(0..messages.len())];
            let params = self.changed(params.clone());
            let mut message = json!({ "method": method, "params": params });
            if method.contains("request") || method.ends_with("/call") {
                message["id"] = json!(number);
            }
            play = match self.of(0..40) {
                0 => play.line(&json!({ "garbage": self.of("\\PC{0,80}") })),
                _ => play.line(&json!({ "send": message })),
            };
        }
        match self.of(0..3) {
            0 => play.line(&json!({ "exit": 3 })),
            1 => play.completes_turn(2),
            _ => play,
        }
    }
}

#[tokio::test]
async fn every_call_is_answered_once_whatever_codex_says() {
    let messages = messages();
    let mut any = Any(TestRunner::deterministic());
    let scripts: Vec<_> = (0..SCRIPTS).map(|_| any.script(&messages).script()).collect();
    // Side by side, for most of the time is spent on waiting for deadlines.
    futures_util::future::join_all(scripts.iter().map(|script| check(script))).await;
}

/// Makes calls of every kind while Codex says all this.
async fn check(script: &str) {
    let home = CodexHome::new("http://127.0.0.1:9");
    let codex = fake_app_server::install(home.root(), script);
    let flags = [
        "--exec-fallback=false",
        "--request-deadline-seconds=1",
        "--silence-limit-seconds=1",
        "--approval-deadline-seconds=1",
        "--turn-time-limit-seconds=2",
    ];
    let arguments = flags.map(Into::into).into();
    let setup = Setup { codex: Some(codex.into()), arguments, ..Setup::default() };
    let mut bridge = TestBridge::start_with([], setup).await;
    let mut calls = vec![bridge.begin("codex", json!({ "prompt": "x" })).await];
    for (tool, mut arguments) in [
        ("codex.health", json!({})),
        ("codex.wait", json!({ "waitSeconds": 1 })),
        ("codex.steer", json!({ "prompt": "x" })),
        ("codex-reply", json!({ "prompt": "x" })),
        ("codex.thread.read", json!({})),
        ("codex.cancel", json!({})),
    ] {
        if tool != "codex.health" {
            arguments["threadId"] = json!(THREAD);
        }
        calls.push(bridge.begin(tool, arguments).await);
    }
    for call in &calls {
        bridge.result(*call).await;
    }
    // Behind everything that may still have been on its way.
    bridge.call("codex.thread.list", json!({})).await;
    for call in &calls {
        let answers = bridge.client.peer.transcript().iter().filter(|line| answers(line, *call));
        assert_eq!(answers.count(), 1, "call {call} of {script}");
    }
    bridge.command(&["daemon", "stop"]).await.success();
    bridge.finish().await;
}

fn answers(line: &Line, call: u64) -> bool {
    let Line::Received(line) = line else { return false };
    let message: Value = serde_json::from_str(line).unwrap_or_default();
    message["id"] == call && message.get("method").is_none()
}
