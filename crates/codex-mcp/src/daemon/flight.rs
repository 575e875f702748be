//! What a front has to remember to survive the end of its engine: how the client opened, and what it still waits for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::outside::{Kind, Outside, Params, id_of};
use crate::error::{Code, ErrorResult, Problem};

/// A request that is not answered.
struct Request {
    /// Its id, in the one way in which [`id_of`] writes it.
    id: String,
    line: Vec<u8>,
    kind: Kind,
    /// How many engines were given it; those that lived long do not count for what can be made again.
    tries: u32,
}

/// What a line from the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A request: it waits for its answer from now on.
    Request,
    /// A notification: nobody answers it.
    Notice,
    /// Neither, such as an answer; the engine says what is wrong with it, if anything is.
    Unclear,
}

/// Whom a line from the engine is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The client.
    Client,
    /// The front, which made the request up.
    Front,
}

/// How long an engine lived with this client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// So short that what waits may have ended it.
    Short,
    /// Long enough that its end has other reasons.
    Long,
}

/// How many short-lived engines are given the same request: one that ends them must not do so for ever.
const MAX_TRIES: u32 = 3;

/// The memory of a front.
#[derive(Default)]
pub(super) struct Flight {
    /// The id and the line.
    initialize: Option<(String, Vec<u8>)>,
    initialized: Option<Vec<u8>>,
    log_level: Option<Vec<u8>>,
    /// Subscribed resources, by URI.
    subscriptions: BTreeMap<String, Vec<u8>>,
    /// In the order in which they came.
    waiting: Vec<Request>,
    /// Ids of requests that no client has made and that are not answered.
    own: BTreeSet<String>,
    /// How many ids were made up.
    minted: u64,
}

impl Flight {
    /// Remembers what matters of a line from the client.
    pub(super) fn sent(&mut self, line: &[u8]) -> Said {
        let Ok(outside) = serde_json::from_slice::<Outside<'_>>(line) else {
            return Said::Unclear;
        };
        let params = Params::of(&outside);
        match (outside.id, outside.method) {
            (Some(id), Some(method)) => {
                self.requested(id_of(id), &method, &params, line);
                Said::Request
            }
            (None, Some(method)) => {
                self.notified(&method, &params, line);
                Said::Notice
            }
            (Some(_) | None, None) => Said::Unclear,
        }
    }

    /// Remembers that everything that waits has reached an engine.
    pub(super) fn delivered(&mut self) {
        // Lines are delivered in their order: those that were not yet are the last ones.
        for request in self.waiting.iter_mut().rev().take_while(|request| request.tries == 0) {
            request.tries = 1;
        }
    }

    fn requested(&mut self, id: String, method: &str, params: &Params<'_>, line: &[u8]) {
        let kind = Kind::of(method, params);
        match (method, &params.uri) {
            ("initialize", _) => self.initialize = Some((id.clone(), line.to_vec())),
            ("logging/setLevel", _) => self.log_level = Some(line.to_vec()),
            ("resources/subscribe", Some(uri)) => {
                self.subscriptions.insert(uri.clone().into_owned(), line.to_vec());
            }
            ("resources/unsubscribe", Some(uri)) => drop(self.subscriptions.remove(uri.as_ref())),
            _ => {}
        }
        self.waiting.push(Request { id, line: line.to_vec(), kind, tries: 0 });
    }

    fn notified(&mut self, method: &str, params: &Params<'_>, line: &[u8]) {
        match (method, params.request_id) {
            ("notifications/initialized", _) => self.initialized = Some(line.to_vec()),
            // A cancelled request gets no answer.
            ("notifications/cancelled", Some(id)) => self.forget(&id_of(id)),
            _ => {}
        }
    }

    /// Remembers that a line from the engine answers a request, and tells whose.
    pub(super) fn received(&mut self, line: &[u8]) -> Whose {
        let outside = serde_json::from_slice::<Outside<'_>>(line);
        let Ok(Outside { id: Some(id), method: None, .. }) = outside else {
            return Whose::Client;
        };
        let id = id_of(id);
        if self.own.remove(&id) {
            return Whose::Front;
        }
        self.forget(&id);
        Whose::Client
    }

    fn forget(&mut self, id: &str) {
        self.waiting.retain(|request| request.id != id);
    }

    /// The engine is gone: answers what cannot be made again. The rest goes on waiting.
    pub(super) fn settle(&mut self, life: Life) -> Vec<Vec<u8>> {
        self.own.clear();
        let lost = Problem::new(Code::EngineLost, "the engine ended while this call ran");
        let message = format!(
            "{MAX_TRIES} engines ended soon after they were given this request, so it is not made again"
        );
        let deadly = Problem::new(Code::EngineLost, message);
        let mut answers = Vec::new();
        for mut request in std::mem::take(&mut self.waiting) {
            match (request.kind, life) {
                (Kind::Again, Life::Long) => request.tries = 0,
                (Kind::Again | Kind::Tool | Kind::Other, Life::Short | Life::Long) => {}
            }
            match (request.kind, request.tries) {
                (Kind::Tool | Kind::Other, 1..) => answers.push(refusal(&request, &lost)),
                (Kind::Again, MAX_TRIES..) => answers.push(refusal(&request, &deadly)),
                (Kind::Tool | Kind::Other | Kind::Again, _) => self.waiting.push(request),
            }
        }
        answers
    }

    /// What another engine is told: what the client had opened, and what waits.
    pub(super) fn replay(&mut self) -> Vec<u8> {
        let mut lines = Vec::new();
        // A handshake that was never answered is simply made again.
        let open = |id: &str| self.waiting.iter().any(|request| request.id == id);
        if let Some((_, line)) = self.initialize.clone().filter(|(id, _)| !open(id)) {
            lines.extend(self.renamed(&line));
            lines.extend(self.initialized.clone());
            let repeated = self.log_level.iter().chain(self.subscriptions.values());
            for line in repeated.cloned().collect::<Vec<_>>() {
                lines.extend(self.renamed(&line));
            }
        }
        for request in &mut self.waiting {
            request.tries += 1;
            lines.push(request.line.clone());
        }
        lines.concat()
    }

    /// A request of the client's, made again by the front: its answer is nobody's, and its id no other's.
    fn renamed(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let mut message: Value = serde_json::from_slice(line).ok()?;
        let (id, key) = loop {
            self.minted += 1;
            let id = json!(format!("codex-mcp-front-{}", self.minted));
            let key = id.to_string();
            if !self.waiting.iter().any(|request| request.id == key) {
                break (id, key);
            }
        };
        self.own.insert(key);
        message["id"] = id;
        line_of(&message)
    }

    /// Answers everything that waits: there will be no other engine.
    pub(super) fn give_up(&mut self, problem: &Problem) -> Vec<Vec<u8>> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.iter().map(|request| refusal(request, problem)).collect()
    }
}

/// An answer in the shape that the client expects for this request.
fn refusal(request: &Request, problem: &Problem) -> Vec<u8> {
    let id: Value = serde_json::from_str(&request.id).unwrap_or_default();
    let error = ErrorResult::from(problem);
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

    use super::{Flight, Life, Said, Whose};
    use crate::error::{Code, Problem};

    /// Plays lines: `> ` from the client, `< ` from the engine, `x ` the engine's end after a short or a long life.
    /// Shows what the front says by itself: answers to the client, and what the next engine is told.
    fn check(lines: &str, expected: Expect) {
        let mut flight = Flight::default();
        let mut shown = String::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_at(2) {
                ("> ", line) => {
                    flight.sent(format!("{line}\n").as_bytes());
                    flight.delivered();
                }
                ("x ", life) => {
                    let life = if life == "short" { Life::Short } else { Life::Long };
                    show("answer", &flight.settle(life).concat(), &mut shown);
                    show("tell", &flight.replay(), &mut shown);
                }
                (_, line) => {
                    if flight.received(line.as_bytes()) == Whose::Front {
                        show("swallow", line.as_bytes(), &mut shown);
                    }
                }
            }
        }
        expected.assert_eq(&shown.replace(r"\n", " | "));
    }

    fn show(title: &str, lines: &[u8], shown: &mut String) {
        for line in String::from_utf8_lossy(lines).lines() {
            *shown += &format!("{title} {line}\n");
        }
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
            x short
            "#,
            expect![[r#"
                answer {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"Error engine_lost: the engine ended while this call ran | What to do: Look first at what became of it: `codex.wait` gives the newest turn of a thread, `codex.thread.list` the newest threads. Send the prompt again only if it did not run. | Retry: only if it did not run."}],"structuredContent":{"error":{"code":"engine_lost","message":"the engine ended while this call ran","remedy":"Look first at what became of it: `codex.wait` gives the newest turn of a thread, `codex.thread.list` the newest threads. Send the prompt again only if it did not run.","retryable":false}},"isError":true}}
                answer {"jsonrpc":"2.0","id":4,"error":{"code":-32603,"message":"Error engine_lost: the engine ended while this call ran | What to do: Look first at what became of it: `codex.wait` gives the newest turn of a thread, `codex.thread.list` the newest threads. Send the prompt again only if it did not run. | Retry: only if it did not run.","data":{"code":"engine_lost","message":"the engine ended while this call ran","remedy":"Look first at what became of it: `codex.wait` gives the newest turn of a thread, `codex.thread.list` the newest threads. Send the prompt again only if it did not run.","retryable":false}}}
                tell {"jsonrpc":"2.0","id":"codex-mcp-front-1","method":"initialize","params":{}}
                tell {"jsonrpc":"2.0","method":"notifications/initialized"}
                tell {"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"codex.wait","arguments":{}}}
            "#]],
        );
    }

    #[test]
    fn each_line_that_the_front_says_again_has_an_id_of_its_own() {
        check(
            r#"
            > {"id":0,"method":"initialize"}
            < {"id":0,"result":{}}
            > {"id":1,"method":"resources/subscribe","params":{"uri":"codex://threads"}}
            < {"id":1,"result":{}}
            > {"id":2,"method":"resources/subscribe","params":{"uri":"codex://threads/1"}}
            < {"id":2,"result":{}}
            > {"id":"codex-mcp-front-2","method":"ping"}
            x short
            < {"id":"codex-mcp-front-1","result":{}}
            < {"id":"codex-mcp-front-3","result":{}}
            < {"id":"codex-mcp-front-2","result":{}}
            < {"id":"codex-mcp-front-3","result":{}}
            x short
            < {"id":"codex-mcp-front-4","result":{}}
            "#,
            expect![[r#"
                tell {"id":"codex-mcp-front-1","method":"initialize"}
                tell {"id":"codex-mcp-front-3","method":"resources/subscribe","params":{"uri":"codex://threads"}}
                tell {"id":"codex-mcp-front-4","method":"resources/subscribe","params":{"uri":"codex://threads/1"}}
                tell {"id":"codex-mcp-front-2","method":"ping"}
                swallow {"id":"codex-mcp-front-1","result":{}}
                swallow {"id":"codex-mcp-front-3","result":{}}
                tell {"id":"codex-mcp-front-5","method":"initialize"}
                tell {"id":"codex-mcp-front-6","method":"resources/subscribe","params":{"uri":"codex://threads"}}
                tell {"id":"codex-mcp-front-7","method":"resources/subscribe","params":{"uri":"codex://threads/1"}}
            "#]],
        );
    }

    #[test]
    fn what_ends_engines_is_not_made_again_for_ever() {
        check(
            r#"
            > {"id":1,"method":"ping"}
            x long
            x long
            x short
            x short
            > {"id":2,"method":"ping"}
            x short
            "#,
            expect![[r#"
                tell {"id":1,"method":"ping"}
                tell {"id":1,"method":"ping"}
                tell {"id":1,"method":"ping"}
                tell {"id":1,"method":"ping"}
                answer {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Error engine_lost: 3 engines ended soon after they were given this request, so it is not made again | What to do: Look first at what became of it: `codex.wait` gives the newest turn of a thread, `codex.thread.list` the newest threads. Send the prompt again only if it did not run. | Retry: only if it did not run.","data":{"code":"engine_lost","message":"3 engines ended soon after they were given this request, so it is not made again","remedy":"Look first at what became of it: `codex.wait` gives the newest turn of a thread, `codex.thread.list` the newest threads. Send the prompt again only if it did not run.","retryable":false}}}
                tell {"id":2,"method":"ping"}
            "#]],
        );
    }

    #[test]
    fn an_open_handshake_is_made_again_as_any_request() {
        check(
            r#"
            > {"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}
            x short
            "#,
            expect![[r#"
                tell {"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}
            "#]],
        );
    }

    #[test]
    fn an_id_is_the_same_however_it_is_written() {
        check(
            r#"
            > {"id":"\u0061/b","method":"ping"}
            < {"id":"a\/b","result":{}}
            x short
            "#,
            expect![[""]],
        );
    }

    #[test]
    fn what_no_engine_was_given_is_not_lost() {
        let mut flight = Flight::default();
        let call = br#"{"id":1,"method":"tools/call","params":{"name":"codex"}}"#;
        assert_eq!(flight.sent(call), Said::Request);
        assert!(flight.settle(Life::Short).is_empty());
        assert_eq!(flight.replay(), call);
        assert_eq!(flight.settle(Life::Short).len(), 1);
        assert!(flight.give_up(&Problem::new(Code::NoEngine, "none")).is_empty());
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
            x short
            "#,
            expect![[""]],
        );
    }
}
