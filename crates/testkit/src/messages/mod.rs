//! A scripted Anthropic Messages API on 127.0.0.1, so that the real Claude Code can be tested
//! without a model.
//!
//! Reply number N of the script answers every request whose conversation has N assistant messages,
//! so a request that is sent twice gets the same reply twice. An agent that Claude Code starts has a script of its own. Every request is kept: it shows what
//! a model is told about the tools and what it is shown of their results. A request that the script
//! does not cover is answered with HTTP 400, which Claude Code does not repeat, and fails the test.

mod reply;
mod request;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use serde_json::{Value, json};

use tokio::sync::watch;

use crate::http::LocalHttp;

pub use reply::{Reply, calls_tool, calls_tool_with, says};
pub use request::{MessagesRequest, ToolResult};

/// How long is waited for a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running scripted Messages API. Dropping it closes its port.
pub struct FakeMessages {
    http: LocalHttp,
    shared: Arc<Shared>,
}

struct Shared {
    replies: Vec<Reply>,
    agent: Option<Agent>,
    state: Mutex<Conversation>,
    /// How many requests have come.
    arrived: watch::Sender<usize>,
}

/// The script of another conversation than the main one.
struct Agent {
    /// What only its system prompt says.
    phrase: String,
    replies: Vec<Reply>,
}

#[derive(Default)]
struct Conversation {
    captured: Vec<MessagesRequest>,
    problems: Vec<String>,
}

impl FakeMessages {
    /// Starts to serve `replies` on a free port of 127.0.0.1.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::serve(replies.into_iter().collect(), None).await
    }

    /// The same, where requests with `phrase` in the system prompt are those of an agent and have replies of their own.
    pub async fn start_with_agent(
        replies: impl IntoIterator<Item = Reply>,
        phrase: &str,
        agent: impl IntoIterator<Item = Reply>,
    ) -> Self {
        let agent = Agent { phrase: phrase.to_owned(), replies: agent.into_iter().collect() };
        Self::serve(replies.into_iter().collect(), Some(agent)).await
    }

    async fn serve(replies: Vec<Reply>, agent: Option<Agent>) -> Self {
        let shared = Arc::new(Shared {
            replies,
            agent,
            state: Mutex::default(),
            arrived: watch::Sender::default(),
        });
        let router = Router::new()
            .route("/v1/messages", post(respond))
            .route("/v1/messages/count_tokens", post(count_tokens))
            .fallback(async || json_response(StatusCode::OK, &json!({})))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let http = LocalHttp::serve(router).await;
        Self { http, shared }
    }

    /// The value for `ANTHROPIC_BASE_URL`.
    pub fn base_url(&self) -> String {
        self.http.url()
    }

    /// Waits until so many requests have come.
    ///
    /// # Panics
    /// When they have not within 20 seconds.
    pub async fn wait_for_requests(&self, count: usize) {
        let mut arrived = self.shared.arrived.subscribe();
        let come = arrived.wait_for(|arrived| *arrived >= count);
        let come = tokio::time::timeout(PATIENCE, come).await;
        let arrived = *self.shared.arrived.borrow();
        assert!(come.is_ok(), "{arrived} requests came, not {count}");
    }

    /// Ends the API and returns every request to `/v1/messages`, in order of arrival.
    ///
    /// # Panics
    /// When a request was not covered by the script, or a reply was never asked for.
    pub fn finish(self) -> Vec<MessagesRequest> {
        let mut conversation = self.shared.lock();
        let captured = std::mem::take(&mut conversation.captured);
        let mut problems = std::mem::take(&mut conversation.problems);
        for (whose, replies) in self.shared.scripts() {
            let of_script = |request: &&MessagesRequest| self.shared.script(request).0 == whose;
            let asked: Vec<_> =
                captured.iter().filter(of_script).map(MessagesRequest::turn).collect();
            let unused = (0..replies.len()).filter(|turn| !asked.contains(turn));
            problems.extend(unused.map(|turn| format!("{whose} {turn} was never asked for")));
        }
        assert!(problems.is_empty(), "fake messages: {}", problems.join("; "));
        captured
    }
}

impl Shared {
    /// All scripts, each with the word for its replies.
    fn scripts(&self) -> impl Iterator<Item = (&'static str, &[Reply])> {
        let agent = self.agent.iter().map(|agent| ("the agent's reply", agent.replies.as_slice()));
        std::iter::once(("reply", self.replies.as_slice())).chain(agent)
    }

    /// The script that a request belongs to.
    fn script(&self, request: &MessagesRequest) -> (&'static str, &[Reply]) {
        match &self.agent {
            Some(agent) if request.system().contains(&agent.phrase) => {
                ("the agent's reply", &agent.replies)
            }
            _ => ("reply", &self.replies),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Conversation> {
        // A panic while the lock is held leaves plain lists, which are still worth reading.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn respond(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let request = MessagesRequest::parse(&body);
    let turn = request.turn();
    let (whose, replies) = shared.script(&request);
    let stream = replies.get(turn).map(|reply| reply.stream(&request));
    let mut conversation = shared.lock();
    conversation.captured.push(request);
    shared.arrived.send_modify(|arrived| *arrived += 1);
    match stream {
        Some(stream) => response(StatusCode::OK, "text/event-stream", stream),
        None => {
            let problem = format!("there is no {whose} {turn}");
            let error = json!({"type": "error", "error": {"type": "invalid_request_error", "message": problem}});
            conversation.problems.push(problem);
            json_response(StatusCode::BAD_REQUEST, &error)
        }
    }
}

/// Claude Code asks this before it shows a long result to the model; a token is about four bytes.
async fn count_tokens(body: Bytes) -> Response {
    json_response(StatusCode::OK, &json!({"input_tokens": body.len() / 4}))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    response(status, "application/json", body.to_string())
}

fn response(status: StatusCode, content_type: &str, body: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body))
        .expect("a status and a content type make a response")
}
