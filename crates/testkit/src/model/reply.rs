//! The words in which a test writes what the model answers to one request.
//!
//! A chain of verbs is one reply: `thinks("hm").runs("ls").usage(…)`. The free functions begin a
//! reply with one verb. A reply is data; it does nothing by itself.

use std::time::Duration;

use serde_json::{Value, json};

use super::piece::{DEFAULT_USAGE, Phase, Piece, StepStatus, Usage};
use crate::gate::Gate;

/// What the model does with one request. See [`reply`], [`says`], [`http`](super::http) and the
/// other functions of this module.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) when: Option<String>,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
    pub(super) usage: Usage,
    pub(super) cut_after: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Stream(Vec<Piece>),
    Text(String),
    /// Not even headers are sent.
    Silence,
}

/// An empty streamed reply, to add verbs to.
pub fn reply() -> Reply {
    Reply {
        when: None,
        status: 200,
        headers: Vec::new(),
        body: Body::Stream(Vec::new()),
        usage: DEFAULT_USAGE,
        cut_after: None,
    }
}

/// A final answer. See [`Reply::says`].
pub fn says(text: impl Into<String>) -> Reply {
    reply().says(text)
}

/// A reasoning summary. See [`Reply::thinks`].
pub fn thinks(summary: impl Into<String>) -> Reply {
    reply().thinks(summary)
}

/// A shell command. See [`Reply::runs`].
pub fn runs(command: impl Into<String>) -> Reply {
    reply().runs(command)
}

/// A patch. See [`Reply::patches`].
pub fn patches(patch: impl Into<String>) -> Reply {
    reply().patches(patch)
}

/// A plan. See [`Reply::plans`].
pub fn plans(explanation: &str, steps: &[(&str, StepStatus)]) -> Reply {
    reply().plans(explanation, steps)
}

/// A call of any function tool. See [`Reply::calls`].
pub fn calls(tool: impl Into<String>, arguments: Value) -> Reply {
    reply().calls(tool, arguments)
}

/// A stream that ends in `response.failed`. See [`Reply::fails`].
pub fn fails(code: impl Into<String>) -> Reply {
    reply().fails(code)
}

impl Reply {
    /// Keeps this reply for requests whose newest user message contains `part`. Such replies are
    /// used in order, before the common queue, which makes several threads on one model
    /// predictable.
    pub fn when(mut self, part: impl Into<String>) -> Self {
        self.when = Some(part.into());
        self
    }

    /// Adds a response header, such as `x-codex-primary-used-percent`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the tokens of `response.completed`; otherwise 10 in, 5 out.
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    /// A whole message of phase `final_answer`, in at most eight deltas.
    pub fn says(self, text: impl Into<String>) -> Self {
        self.piece(Piece::Message { phase: Phase::FinalAnswer, chunks: chunks(&text.into()) })
    }

    /// A whole message of phase `commentary`, in at most eight deltas.
    pub fn comments(self, text: impl Into<String>) -> Self {
        self.piece(Piece::Message { phase: Phase::Commentary, chunks: chunks(&text.into()) })
    }

    /// A delta of a final answer that later `streams` continue, across [`Self::holds`] and
    /// [`Self::pauses`]. The message is completed by the next piece of another kind, or by the end
    /// of the reply.
    pub fn streams(self, delta: impl Into<String>) -> Self {
        self.piece(Piece::Delta(delta.into()))
    }

    /// `count` deltas `word-1 `, `word-2 ` … of one message with a pause of `gap` before each.
    pub fn drips(self, count: usize, gap: Duration) -> Self {
        (1..=count).fold(self, |reply, n| reply.pauses(gap).streams(format!("word-{n} ")))
    }

    /// A reasoning item with one summary part.
    pub fn thinks(self, summary: impl Into<String>) -> Self {
        self.piece(Piece::Reasoning(vec![summary.into()]))
    }

    /// An `exec_command` call.
    pub fn runs(self, command: impl Into<String>) -> Self {
        self.calls("exec_command", json!({"cmd": command.into()}))
    }

    /// An `exec_command` call that asks to leave the sandbox, which makes `on-request` policies ask
    /// the user.
    pub fn runs_escalated(self, command: impl Into<String>, why: impl Into<String>) -> Self {
        let arguments = json!({"cmd": command.into(), "sandbox_permissions": "require_escalated", "justification": why.into()});
        self.calls("exec_command", arguments)
    }

    /// An `apply_patch` call; `patch` runs from `*** Begin Patch` to `*** End Patch`.
    pub fn patches(self, patch: impl Into<String>) -> Self {
        self.piece(Piece::CustomCall { name: "apply_patch".to_owned(), input: patch.into() })
    }

    /// An `update_plan` call. Codex offers that tool only with `tools.update_plan.enabled=true`.
    pub fn plans(self, explanation: &str, steps: &[(&str, StepStatus)]) -> Self {
        let plan: Vec<_> = steps
            .iter()
            .map(|(step, status)| json!({"step": step, "status": status.wire()}))
            .collect();
        self.calls("update_plan", json!({"explanation": explanation, "plan": plan}))
    }

    /// A call of any function tool. Several calls in one reply run in parallel where Codex allows
    /// it. Call ids are `call_1`, `call_2` … in the order in which the model hands them out.
    pub fn calls(self, tool: impl Into<String>, arguments: Value) -> Self {
        self.piece(Piece::FunctionCall { name: tool.into(), arguments: arguments.to_string() })
    }

    /// Any finished output item, as is.
    pub fn item(self, item: Value) -> Self {
        self.piece(Piece::Item(item))
    }

    /// Any bytes in the stream; `data: {broken\n\n` is a malformed event.
    pub fn raw(self, bytes: impl Into<String>) -> Self {
        self.piece(Piece::Raw(bytes.into()))
    }

    /// Stops the stream here until `gate` is opened.
    pub fn holds(self, gate: &Gate) -> Self {
        self.piece(Piece::Hold(gate.clone()))
    }

    /// Stops the stream here for a length of time. For benches and watchdogs; tests prefer
    /// [`Self::holds`].
    pub fn pauses(self, length: Duration) -> Self {
        self.piece(Piece::Pause(length))
    }

    /// Ends with `response.failed` and this error code, such as `context_length_exceeded`.
    pub fn fails(self, code: impl Into<String>) -> Self {
        let code = code.into();
        self.piece(Piece::Failed { message: format!("scripted failure: {code}"), code })
    }

    /// Ends with `response.incomplete`, for a reason such as `max_output_tokens`.
    pub fn stops_short(self, reason: impl Into<String>) -> Self {
        self.piece(Piece::Incomplete(reason.into()))
    }

    /// Ends the body properly but without `response.completed`.
    pub fn ends(self) -> Self {
        self.piece(Piece::End)
    }

    /// Breaks the connection here.
    pub fn cuts(self) -> Self {
        self.piece(Piece::Cut)
    }

    /// Breaks the connection once `count` events have been sent, `response.created` being the
    /// first. A reply with no more events than that is not cut.
    pub fn cuts_after(mut self, count: usize) -> Self {
        self.cut_after = Some(count);
        self
    }

    /// Stays open here and never sends anything more. A reply of only this sends headers and
    /// `response.created`.
    pub fn hangs(self) -> Self {
        self.piece(Piece::Hang)
    }

    fn piece(mut self, piece: Piece) -> Self {
        match &mut self.body {
            Body::Stream(pieces) => pieces.push(piece),
            Body::Text(_) | Body::Silence => {
                panic!("this reply is not a stream, so it cannot have {piece:?}")
            }
        }
        self
    }
}

/// Cuts a text into at most eight deltas of at least 16 bytes, at character borders.
fn chunks(text: &str) -> Vec<String> {
    let size = text.len().div_ceil(8).max(16);
    let mut chunks = vec![String::new()];
    for character in text.chars() {
        if chunks.last().is_some_and(|chunk| chunk.len() >= size) {
            chunks.push(String::new());
        }
        chunks.last_mut().expect("there is always a last chunk").push(character);
    }
    chunks
}
