//! What a streamed reply is made of, and how it becomes server-sent events as Codex 0.169 reads
//! them.
//!
//! Only the events that Codex acts on are sent. Nothing here decides when a reply is used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::gate::Gate;

/// Tokens that a reply says it used, in `response.completed`.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// All input tokens, cached ones included.
    pub input: u64,
    /// Those of `input` that came from the cache.
    pub cached_input: u64,
    /// All output tokens, reasoning included.
    pub output: u64,
    /// Those of `output` that were reasoning.
    pub reasoning_output: u64,
}

/// The usage of a reply that does not set one.
pub(super) const DEFAULT_USAGE: Usage =
    Usage { input: 10, cached_input: 0, output: 5, reasoning_output: 0 };

/// The state of a step in an `update_plan` call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStatus {
    /// `pending`
    Pending,
    /// `in_progress`
    InProgress,
    /// `completed`
    Completed,
}

impl StepStatus {
    pub(super) fn wire(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Commentary,
    FinalAnswer,
}

impl Phase {
    fn wire(self) -> &'static str {
        match self {
            Self::Commentary => "commentary",
            Self::FinalAnswer => "final_answer",
        }
    }
}

/// One part of a streamed reply, in the order in which it is sent.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Message { phase: Phase, chunks: Vec<String> },
    Delta(String),
    Reasoning(Vec<String>),
    FunctionCall { name: String, arguments: String },
    CustomCall { name: String, input: String },
    Item(Value),
    Raw(String),
    Hold(Gate),
    Pause(Duration),
    Failed { code: String, message: String },
    Incomplete(String),
    End,
    Cut,
    Hang,
}

/// One act of the server while it streams a reply.
#[derive(Debug)]
pub(super) enum Step {
    Send(String),
    Hold(Gate),
    Pause(Duration),
    Cut,
    Hang,
}

/// Numbers for item and call ids, unique within one model.
#[derive(Debug, Default)]
pub(super) struct Ids(AtomicU64);

impl Ids {
    fn next(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Turns the pieces of one reply into what the server does, `response.completed` included.
pub(super) fn compile(pieces: &[Piece], usage: Usage, calls: &Ids, items: &Ids) -> Vec<Step> {
    let response = items.next("resp");
    let mut stream = Stream { steps: Vec::new(), open: None, calls, items };
    stream.send(json!({"type": "response.created", "response": {"id": response}}));
    for piece in pieces {
        if stream.add(piece, &response) == Added::Last {
            return stream.steps;
        }
    }
    stream.close_message();
    stream.send(json!({"type": "response.completed", "response": {"id": response, "usage": {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached_input},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_output},
        "total_tokens": usage.input + usage.output,
    }}}));
    stream.steps
}

#[derive(PartialEq)]
enum Added {
    More,
    Last,
}

struct Stream<'a> {
    steps: Vec<Step>,
    /// A message under way: its id and its text so far.
    open: Option<(String, String)>,
    calls: &'a Ids,
    items: &'a Ids,
}

impl Stream<'_> {
    fn add(&mut self, piece: &Piece, response: &str) -> Added {
        // A pause between two deltas lies within the message; every other piece ends it.
        let within =
            matches!(piece, Piece::Delta(_) | Piece::Hold(_) | Piece::Pause(_) | Piece::Raw(_));
        let abrupt = matches!(piece, Piece::End | Piece::Cut | Piece::Hang | Piece::Failed { .. });
        if !within && !abrupt {
            self.close_message();
        }
        match piece {
            Piece::Message { phase, chunks } => self.message(*phase, chunks),
            Piece::Delta(text) => self.delta(text),
            Piece::Reasoning(summary) => self.reasoning(summary),
            Piece::FunctionCall { name, arguments } => self.item_done(json!({
                "type": "function_call", "id": self.items.next("fc"), "call_id": self.calls.next("call"),
                "name": name, "arguments": arguments,
            })),
            Piece::CustomCall { name, input } => self.item_done(json!({
                "type": "custom_tool_call", "id": self.items.next("ctc"), "call_id": self.calls.next("call"),
                "name": name, "input": input,
            })),
            Piece::Item(item) => self.item_done(item.clone()),
            Piece::Raw(text) => self.steps.push(Step::Send(text.clone())),
            Piece::Hold(gate) => self.steps.push(Step::Hold(gate.clone())),
            Piece::Pause(length) => self.steps.push(Step::Pause(*length)),
            Piece::Failed { code, message } => {
                self.send(json!({"type": "response.failed", "response": {
                    "id": response, "status": "failed", "error": {"code": code, "message": message},
                }}));
                return Added::Last;
            }
            Piece::Incomplete(reason) => {
                self.send(json!({"type": "response.incomplete", "response": {
                    "id": response, "status": "incomplete", "incomplete_details": {"reason": reason},
                }}));
                return Added::Last;
            }
            Piece::End => return Added::Last,
            Piece::Cut => {
                self.steps.push(Step::Cut);
                return Added::Last;
            }
            Piece::Hang => {
                self.steps.push(Step::Hang);
                return Added::Last;
            }
        }
        Added::More
    }

    fn send(&mut self, event: Value) {
        let name = event["type"].as_str().expect("every event here has a type");
        self.steps.push(Step::Send(format!("event: {name}\ndata: {event}\n\n")));
    }

    fn item_done(&mut self, item: Value) {
        self.send(json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
    }

    fn message(&mut self, phase: Phase, chunks: &[String]) {
        let id = self.open_message(phase);
        for chunk in chunks {
            self.text_delta(&id, chunk);
        }
        self.message_done(&id, phase, &chunks.concat());
    }

    fn delta(&mut self, text: &str) {
        let (id, so_far) = match self.open.take() {
            Some(open) => open,
            None => (self.open_message(Phase::FinalAnswer), String::new()),
        };
        self.text_delta(&id, text);
        self.open = Some((id, so_far + text));
    }

    fn close_message(&mut self) {
        if let Some((id, text)) = self.open.take() {
            self.message_done(&id, Phase::FinalAnswer, &text);
        }
    }

    fn open_message(&mut self, phase: Phase) -> String {
        let id = self.items.next("msg");
        self.send(json!({"type": "response.output_item.added", "output_index": 0, "item": {
            "type": "message", "id": id, "role": "assistant", "phase": phase.wire(), "content": [],
        }}));
        id
    }

    fn text_delta(&mut self, id: &str, text: &str) {
        self.send(json!({
            "type": "response.output_text.delta", "item_id": id, "output_index": 0, "content_index": 0, "delta": text,
        }));
    }

    fn message_done(&mut self, id: &str, phase: Phase, text: &str) {
        self.item_done(json!({
            "type": "message", "id": id, "role": "assistant", "phase": phase.wire(),
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }));
    }

    fn reasoning(&mut self, summary: &[String]) {
        let id = self.items.next("rs");
        self.send(json!({"type": "response.output_item.added", "output_index": 0, "item": {
            "type": "reasoning", "id": id, "summary": [],
        }}));
        for (index, text) in summary.iter().enumerate() {
            self.send(json!({
                "type": "response.reasoning_summary_part.added", "item_id": id, "summary_index": index,
            }));
            self.send(json!({
                "type": "response.reasoning_summary_text.delta", "item_id": id, "summary_index": index, "delta": text,
            }));
        }
        let parts: Vec<_> =
            summary.iter().map(|text| json!({"type": "summary_text", "text": text})).collect();
        self.item_done(
            json!({"type": "reasoning", "id": id, "summary": parts, "encrypted_content": null}),
        );
    }
}
