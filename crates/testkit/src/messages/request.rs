//! What Claude Code sent to the model: the tools on offer, and the results of those that were
//! called.

use serde_json::{Value, json};

/// One request to `/v1/messages`.
#[derive(Clone, Debug)]
pub struct MessagesRequest {
    /// The JSON body; null if it was not JSON.
    pub body: Value,
}

/// What the model was shown of the result of a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// The text, its blocks joined with line feeds.
    pub text: String,
    /// The blocks, in order.
    pub blocks: Vec<Value>,
    /// Whether it was marked as an error.
    pub is_error: bool,
}

impl ToolResult {
    /// The last block as JSON, null if it is none: links and images stand before the data.
    pub fn json(&self) -> Value {
        let last = self.blocks.last().and_then(|block| block["text"].as_str());
        serde_json::from_str(last.unwrap_or_default()).unwrap_or_default()
    }
}

impl MessagesRequest {
    pub(super) fn parse(body: &[u8]) -> Self {
        Self { body: serde_json::from_slice(body).unwrap_or_default() }
    }

    /// How many messages the model has sent in this conversation.
    pub fn turn(&self) -> usize {
        let by_model = |message: &&Value| message["role"] == "assistant";
        self.messages().iter().filter(by_model).count()
    }

    /// The definitions of the tools on offer, in order: each with `name`, `description` and
    /// `input_schema`.
    pub fn tools(&self) -> &[Value] {
        list(&self.body["tools"])
    }

    /// The names of the tools on offer.
    pub fn tool_names(&self) -> Vec<&str> {
        let names = self.tools().iter().map(|tool| tool["name"].as_str());
        names.map(Option::unwrap_or_default).collect()
    }

    /// What the model was shown of all tool calls so far, in order.
    pub fn tool_results(&self) -> Vec<ToolResult> {
        let blocks = self.messages().iter().flat_map(|message| list(&message["content"]));
        blocks
            .filter(|block| block["type"] == "tool_result")
            .map(|block| ToolResult {
                text: text_of(&block["content"]),
                blocks: blocks_of(&block["content"]),
                is_error: block["is_error"] == true,
            })
            .collect()
    }

    /// Everything that is not of the model: the system prompt, and the system and user messages.
    pub fn context(&self) -> String {
        let others = self.messages().iter().filter(|message| message["role"] != "assistant");
        let texts = others.map(|message| text_of(&message["content"]));
        std::iter::once(self.system()).chain(texts).collect::<Vec<_>>().join("\n")
    }

    /// What hooks told the model, in order, each as `EVENT hook additional context: TEXT`.
    pub fn told_by_hooks(&self) -> Vec<String> {
        const MARK: &str = " hook additional context: ";
        let others = self.messages().iter().filter(|message| message["role"] != "assistant");
        let mut told: Vec<String> = Vec::new();
        for text in others.map(|message| text_of(&message["content"])) {
            for part in text.split("\n\n") {
                let is_first_line = part.lines().next().is_some_and(|line| line.contains(MARK));
                match (is_first_line, told.last_mut()) {
                    (true, _) => told.push(part.trim().to_owned()),
                    (false, Some(last)) if part.starts_with("Codex's plan of thread") => {
                        *last += "\n\n";
                        *last += part.trim();
                    }
                    (false, _) => {}
                }
            }
        }
        told
    }

    /// The system prompt.
    pub fn system(&self) -> String {
        text_of(&self.body["system"])
    }

    /// What the user said last before the model's first message, a text for each block.
    pub fn prompt(&self) -> Vec<String> {
        let until = self.messages().iter().take_while(|message| message["role"] != "assistant");
        let users = until.filter(|message| message["role"] == "user");
        let content = users.last().map_or(&Value::Null, |message| &message["content"]);
        match content.as_str() {
            Some(text) => vec![text.to_owned()],
            None => list(content)
                .iter()
                .map(|block| text_of(&Value::from([block.clone()].as_slice())))
                .collect(),
        }
    }

    /// What came after the model's last message.
    pub fn latest(&self) -> String {
        let newest =
            self.messages().iter().rev().take_while(|message| message["role"] != "assistant");
        let mut texts: Vec<_> = newest.map(|message| text_of(&message["content"])).collect();
        texts.reverse();
        texts.join("\n")
    }

    fn messages(&self) -> &[Value] {
        list(&self.body["messages"])
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The blocks of a content, which is a list of them or a text.
fn blocks_of(content: &Value) -> Vec<Value> {
    match content.as_str() {
        Some(text) => vec![json!({"type": "text", "text": text})],
        None => list(content).to_vec(),
    }
}

/// The text of a content, which is a string or a list of blocks.
fn text_of(content: &Value) -> String {
    if let Some(text) = content.as_str() {
        return text.to_owned();
    }
    let texts = list(content).iter().filter_map(|block| block["text"].as_str());
    texts.collect::<Vec<_>>().join("\n")
}
