//! What a front has to remember to survive the end of its engine: how the client opened, and what it still waits for.
//!
//! It looks at the outside of messages only: id, method and the name of a tool.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::error::Problem;

/// The outside of a message.
#[derive(Deserialize)]
struct Outside<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    #[serde(borrow)]
    name: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    uri: Option<std::borrow::Cow<'a, str>>,
}

/// A request that is not answered.
struct Request {
    /// Its id, as the client wrote it.
    id: String,
    line: Vec<u8>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Asking again changes nothing.
    Again,
    /// A tool that does something.
    Tool,
    /// Another request that does something.
    Other,
}

/// Tools that only read, so that their calls can be made again. The list of tools says the same with `readOnlyHint`.
const READING_TOOLS: &[&str] =
    &["codex.health", "codex.read", "codex.thread.list", "codex.thread.read", "codex.wait"];

/// Requests without effects.
const READING: &[&str] = &[
    "ping",
    "server/discover",
    "tools/list",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
];

/// What becomes of requests when their engine is gone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Aftermath {
    /// Lines that open the new connection. The first is a request whose answer is not the client's, if `handshake` is.
    pub(super) opening: Vec<Vec<u8>>,
    /// The id of the handshake that was repeated.
    pub(super) handshake: Option<String>,
    /// Requests to be made again.
    pub(super) again: Vec<Vec<u8>>,
    /// Answers to the others.
    pub(super) answers: Vec<Vec<u8>>,
}

/// The memory of a front.
#[derive(Default)]
pub(super) struct Flight {
    initialize: Option<(String, Vec<u8>)>,
    initialized: Option<Vec<u8>>,
    log_level: Option<Vec<u8>>,
    /// Subscribed resources, by URI.
    subscriptions: BTreeMap<String, Vec<u8>>,
    /// In the order in which they came.
    waiting: Vec<Request>,
}

impl Flight {
    /// Remembers what matters of a line from the client.
    pub(super) fn sent(&mut self, line: &[u8]) {
        let Ok(outside) = serde_json::from_slice::<Outside<'_>>(line) else {
            return; // The engine says what is wrong with it.
        };
        let Some(method) = outside.method else {
            return;
        };
        let params = outside.params.and_then(|params| serde_json::from_str(params.get()).ok());
        let params = params.unwrap_or(Params { name: None, request_id: None, uri: None });
        match outside.id {
            Some(id) => self.requested(id.get(), &method, &params, line),
            None => self.notified(&method, &params, line),
        }
    }

    fn requested(&mut self, id: &str, method: &str, params: &Params<'_>, line: &[u8]) {
        let tool = params.name.as_deref().unwrap_or_default();
        let kind = match method {
            "tools/call" if READING_TOOLS.contains(&tool) => Kind::Again,
            "tools/call" => Kind::Tool,
            method if READING.contains(&method) => Kind::Again,
            "initialize" => {
                self.initialize = Some((id.to_owned(), line.to_vec()));
                Kind::Again
            }
            _ => Kind::Other,
        };
        match (method, &params.uri) {
            ("logging/setLevel", _) => self.log_level = Some(line.to_vec()),
            ("resources/subscribe", Some(uri)) => {
                self.subscriptions.insert(uri.clone().into_owned(), line.to_vec());
            }
            ("resources/unsubscribe", Some(uri)) => drop(self.subscriptions.remove(uri.as_ref())),
            _ => {}
        }
        self.waiting.push(Request { id: id.to_owned(), line: line.to_vec(), kind });
    }

    fn notified(&mut self, method: &str, params: &Params<'_>, line: &[u8]) {
        match (method, params.request_id) {
            ("notifications/initialized", _) => self.initialized = Some(line.to_vec()),
            // A cancelled request gets no answer.
            ("notifications/cancelled", Some(id)) => self.forget(id.get()),
            _ => {}
        }
    }

    /// Remembers that a line from the engine answers a request.
    pub(super) fn received(&mut self, line: &[u8]) {
        let outside = serde_json::from_slice::<Outside<'_>>(line);
        if let Ok(Outside { id: Some(id), method: None, .. }) = outside {
            self.forget(id.get());
        }
    }

    fn forget(&mut self, id: &str) {
        self.waiting.retain(|request| request.id != id);
    }

    /// Whether a line is the answer to this request.
    pub(super) fn answers(line: &[u8], request: &str) -> bool {
        match serde_json::from_slice::<Outside<'_>>(line) {
            Ok(Outside { id: Some(id), method: None, .. }) => id.get() == request,
            Ok(_) | Err(_) => false,
        }
    }

    /// Decides what becomes of everything that waits, now that its engine is gone and another one is there. What is
    /// answered here is not waited for any more.
    pub(super) fn aftermath(&mut self, problem: &Problem) -> Aftermath {
        let mut aftermath = Aftermath::default();
        // A handshake that was never answered is simply made again.
        let open = |id: &str| self.waiting.iter().any(|request| request.id == id);
        if let Some((id, line)) = self.initialize.as_ref().filter(|(id, _)| !open(id)) {
            aftermath.handshake = Some(id.clone());
            aftermath.opening.push(line.clone());
            aftermath.opening.extend(self.initialized.clone());
            // Their answers are nobody's: these ids are not the client's.
            let repeated = self.log_level.iter().chain(self.subscriptions.values());
            aftermath.opening.extend(repeated.filter_map(|line| renamed(line)));
        }
        for request in std::mem::take(&mut self.waiting) {
            match request.kind {
                Kind::Again => {
                    aftermath.again.push(request.line.clone());
                    self.waiting.push(request);
                }
                Kind::Tool | Kind::Other => aftermath.answers.push(refusal(&request, problem)),
            }
        }
        aftermath
    }

    /// Answers everything that waits: there will be no other engine.
    pub(super) fn give_up(&mut self, problem: &Problem) -> Vec<Vec<u8>> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.iter().map(|request| refusal(request, problem)).collect()
    }
}

/// The prefix of ids that a front makes up itself.
const OWN_ID: &str = "codex-mcp-front";

/// Whether a line answers a request that no client has made.
pub(super) fn is_own(line: &[u8]) -> bool {
    match serde_json::from_slice::<Outside<'_>>(line) {
        Ok(Outside { id: Some(id), method: None, .. }) => id.get().contains(OWN_ID),
        Ok(_) | Err(_) => false,
    }
}

fn renamed(line: &[u8]) -> Option<Vec<u8>> {
    let mut message: Value = serde_json::from_slice(line).ok()?;
    message["id"] = json!(OWN_ID);
    line_of(&message)
}

/// An answer in the shape that the client expects for this request.
fn refusal(request: &Request, problem: &Problem) -> Vec<u8> {
    let id: Value = serde_json::from_str(&request.id).unwrap_or_default();
    let entry = problem.code.entry();
    let error = json!({
        "code": entry.name,
        "message": problem.message,
        "remedy": problem.remedy(),
        "retryable": problem.retry_after().is_some(),
        "retryAfterSeconds": problem.retry_after().map(|pause| pause.as_secs()),
    });
    let message = match request.kind {
        Kind::Tool => json!({
            "jsonrpc": "2.0",
            "id": id,
            "result": {
                "content": [{ "type": "text", "text": problem.to_string() }],
                "structuredContent": { "error": error },
                "isError": true,
            },
        }),
        Kind::Again | Kind::Other => json!({
            "jsonrpc": "2.0",
            "id": id,
            "error": { "code": -32603, "message": problem.to_string(), "data": error },
        }),
    };
    line_of(&message).expect("a message of strings and numbers serialises")
}

fn line_of(message: &Value) -> Option<Vec<u8>> {
    let mut line = serde_json::to_vec(message).ok()?;
    line.push(b'\n');
    Some(line)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::Flight;
    use crate::error::{Code, Problem};

    /// Plays lines (`>` from the client, `<` from the engine), and shows what becomes of the rest.
    fn check(lines: &str, expected: Expect) {
        let mut flight = Flight::default();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_at(2) {
                ("> ", line) => flight.sent(line.as_bytes()),
                (_, line) => flight.received(line.as_bytes()),
            }
        }
        let aftermath = flight.aftermath(&Problem::new(Code::EngineLost, "it was killed"));
        let show = |title: &str, lines: &[Vec<u8>]| {
            lines
                .iter()
                .map(|line| format!("{title} {}\n", String::from_utf8_lossy(line).trim_end()))
                .collect::<String>()
        };
        let shown = show("open", &aftermath.opening)
            + &show("again", &aftermath.again)
            + &show("answer", &aftermath.answers);
        expected.assert_eq(&shown.replace(r"\n", " | "));
    }

    #[test]
    fn calls_that_do_something_are_answered_and_the_others_made_again() {
        check(
            r#"
            > {"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}
            < {"jsonrpc":"2.0","id":0,"result":{}}
            > {"jsonrpc":"2.0","method":"notifications/initialized"}
            > {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"codex","arguments":{"name":"codex.wait"}}}
            > {"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"codex.wait","arguments":{}}}
            > {"jsonrpc":"2.0","id":3,"method":"tools/list"}
            < {"jsonrpc":"2.0","id":3,"result":{}}
            > {"jsonrpc":"2.0","id":4,"method":"something/new"}
            > {"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"codex"}}
            > {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}
            > {"jsonrpc":"2.0","id":6,"method":"resources/subscribe","params":{"uri":"codex://threads"}}
            < {"jsonrpc":"2.0","id":6,"result":{}}
            "#,
            expect![[r#"
                open {"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}
                open {"jsonrpc":"2.0","method":"notifications/initialized"}
                open {"jsonrpc":"2.0","id":"codex-mcp-front","method":"resources/subscribe","params":{"uri":"codex://threads"}}
                again {"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"codex.wait","arguments":{}}}
                answer {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"Error engine_lost: it was killed | What to do: Look with `codex.wait` (newest turn of the thread) at what became of it, then send the prompt again if it did not run. | Retry: yes, at once."}],"structuredContent":{"error":{"code":"engine_lost","message":"it was killed","remedy":"Look with `codex.wait` (newest turn of the thread) at what became of it, then send the prompt again if it did not run.","retryable":true,"retryAfterSeconds":0}},"isError":true}}
                answer {"jsonrpc":"2.0","id":4,"error":{"code":-32603,"message":"Error engine_lost: it was killed | What to do: Look with `codex.wait` (newest turn of the thread) at what became of it, then send the prompt again if it did not run. | Retry: yes, at once.","data":{"code":"engine_lost","message":"it was killed","remedy":"Look with `codex.wait` (newest turn of the thread) at what became of it, then send the prompt again if it did not run.","retryable":true,"retryAfterSeconds":0}}}
            "#]],
        );
    }

    #[test]
    fn an_open_handshake_is_made_again_as_any_request() {
        check(
            r#"> {"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#,
            expect![[r#"
                again {"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}
            "#]],
        );
    }

    #[test]
    fn the_tools_that_only_read_are_those_that_say_so() {
        assert_eq!(crate::mcp::reading_tools(), super::READING_TOOLS);
    }

    #[test]
    fn what_is_no_message_is_no_matter() {
        check(
            r#"
            > nonsense
            > [1]
            > {"id":1}
            < {"id":null}
            < nonsense
            "#,
            expect![[""]],
        );
    }
}
