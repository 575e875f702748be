//! What the model answers to one request: a text, or the call of a tool.

use serde_json::{Value, json};

use super::MessagesRequest;

/// One assistant message. See [`says`], [`calls_tool`] and [`calls_tool_with`].
pub struct Reply(Content);

enum Content {
    Text(String),
    ToolCall { name: String, input: Input },
}

type Input = Box<dyn Fn(&MessagesRequest) -> Value + Send + Sync>;

/// A text, which ends the turn.
pub fn says(text: impl Into<String>) -> Reply {
    Reply(Content::Text(text.into()))
}

/// The call of a tool, by the name under which it is offered, such as `mcp__codex__codex-reply`.
pub fn calls_tool(name: impl Into<String>, input: Value) -> Reply {
    calls_tool_with(name, move |_| input.clone())
}

/// The same with an input that is computed from the request, where earlier results can be read.
pub fn calls_tool_with(
    name: impl Into<String>,
    input: impl Fn(&MessagesRequest) -> Value + Send + Sync + 'static,
) -> Reply {
    Reply(Content::ToolCall { name: name.into(), input: Box::new(input) })
}

impl Reply {
    /// The whole event stream. Ids count the turns of the conversation.
    pub(super) fn stream(&self, request: &MessagesRequest) -> String {
        let turn = request.turn();
        let (block, delta, stop_reason) = match &self.0 {
            Content::Text(text) => (
                json!({"type": "text", "text": ""}),
                json!({"type": "text_delta", "text": text}),
                "end_turn",
            ),
            Content::ToolCall { name, input } => (
                json!({"type": "tool_use", "id": format!("toolu_{turn}"), "name": name, "input": {}}),
                json!({"type": "input_json_delta", "partial_json": input(request).to_string()}),
                "tool_use",
            ),
        };
        let message = json!({
            "id": format!("msg_{turn}"), "type": "message", "role": "assistant", "model": request.body["model"],
            "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": {"input_tokens": 10, "output_tokens": 1},
        });
        let events = [
            json!({"type": "message_start", "message": message}),
            json!({"type": "content_block_start", "index": 0, "content_block": block}),
            json!({"type": "content_block_delta", "index": 0, "delta": delta}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({
                "type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": null},
                "usage": {"output_tokens": 5},
            }),
            json!({"type": "message_stop"}),
        ];
        let lines = events.iter().map(|event| {
            let kind = event["type"].as_str().expect("every event has a type");
            format!("event: {kind}\ndata: {event}\n\n")
        });
        lines.collect()
    }
}
