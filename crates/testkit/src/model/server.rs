//! The HTTP side of the scripted model: one route that streams replies, and a harmless answer to
//! all else.

use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use axum::serve::ListenerExt;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};

use super::piece::{Ids, Step, compile};
use super::reply::Body as ReplyBody;
use super::script::Capture;
use super::{CapturedRequest, Reply, Script};

/// What the server's thread and the test both see.
pub(super) struct Shared {
    state: Mutex<Conversation>,
    arrived: watch::Sender<usize>,
    calls: Ids,
    items: Ids,
}

struct Conversation {
    script: Script,
    captured: Vec<CapturedRequest>,
    other: Vec<String>,
    problems: Vec<String>,
}

impl Shared {
    pub(super) fn new(script: Script) -> Self {
        let conversation =
            Conversation { script, captured: Vec::new(), other: Vec::new(), problems: Vec::new() };
        let (calls, items) = (Ids::default(), Ids::default());
        Self { state: Mutex::new(conversation), arrived: watch::Sender::new(0), calls, items }
    }

    pub(super) fn add(&self, replies: impl IntoIterator<Item = Reply>) {
        self.lock().script.add(replies);
    }

    pub(super) fn captured(&self) -> Vec<CapturedRequest> {
        self.lock().captured.clone()
    }

    pub(super) fn other_requests(&self) -> Vec<String> {
        self.lock().other.clone()
    }

    pub(super) fn arrived(&self) -> watch::Receiver<usize> {
        self.arrived.subscribe()
    }

    pub(super) fn take_problems(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().problems)
    }

    pub(super) fn unused(&self) -> Option<String> {
        let left = self.lock().script.left();
        (left > 0).then(|| format!("{left} scripted replies were never asked for"))
    }

    fn lock(&self) -> MutexGuard<'_, Conversation> {
        // A panic while the lock is held leaves plain lists, which are still worth reading.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records and checks a request, and picks its reply.
    fn answer(&self, headers: &HeaderMap, body: &Bytes) -> Option<Reply> {
        let mut conversation = self.lock();
        let number = *self.arrived.borrow() + 1;
        let capture = conversation.script.capture == Capture::Everything;
        let request =
            (capture || conversation.script.reads_prompts()).then(|| parse(headers, body));
        let prompt = request.as_ref().map(CapturedRequest::prompt).unwrap_or_default();
        if let Some(request) = request.filter(|_| capture) {
            let broken =
                request.violations().into_iter().map(|rule| format!("request {number}: {rule}"));
            conversation.problems.extend(broken);
            conversation.captured.push(request);
        }
        let reply = conversation.script.take(&prompt);
        if reply.is_none() {
            conversation
                .problems
                .push(format!("request {number} is not in the script, its prompt: {prompt:?}"));
        }
        // Counted under the lock, so that numbers are unique and waiters find the request captured.
        self.arrived.send_replace(number);
        reply
    }
}

/// Serves until `stop` is sent or dropped. Open streams are dropped with the runtime.
pub(super) fn run(listener: TcpListener, shared: Arc<Shared>, stop: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime for the fake model");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("the socket is non-blocking");
        // Events must leave at once: Nagle's delay would be measured as Codex's.
        let listener = listener.tap_io(|socket| {
            let _ = socket.set_nodelay(true);
        });
        let router = Router::new()
            .route("/v1/responses", post(respond))
            .fallback(other)
            .layer(DefaultBodyLimit::disable())
            .with_state(shared);
        tokio::select! {
            _ = stop => {}
            ended = axum::serve(listener, router).into_future() => ended.expect("the accept loop never ends"),
        }
    });
}

async fn respond(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(reply) = shared.answer(&headers, &body) else {
        let error = json!({"error": {"code": "script_exhausted", "message": "the fake model has no reply left"}});
        return response(StatusCode::BAD_REQUEST, &[], Body::from(error.to_string()));
    };
    let status = StatusCode::from_u16(reply.status).expect("a script uses real HTTP statuses");
    match reply.body {
        ReplyBody::Text(text) => response(status, &reply.headers, Body::from(text)),
        ReplyBody::Silence => std::future::pending().await,
        ReplyBody::Stream(pieces) => {
            let mut steps = compile(&pieces, reply.usage, &shared.calls, &shared.items);
            if let Some(count) = reply.cut_after {
                cut_after(&mut steps, count);
            }
            let mut answer = response(status, &reply.headers, play(steps));
            let event_stream = header::HeaderValue::from_static("text/event-stream");
            answer.headers_mut().entry(header::CONTENT_TYPE).or_insert(event_stream);
            answer
        }
    }
}

async fn other(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.lock().other.push(format!("{} {}", request.method(), request.uri()));
    response(
        StatusCode::OK,
        &[("content-type".to_owned(), "application/json".to_owned())],
        Body::from("{}"),
    )
}

fn response(status: StatusCode, headers: &[(String, String)], body: Body) -> Response {
    let named =
        headers.iter().fold(Response::builder().status(status), |builder, (name, value)| {
            builder.header(name.as_str(), value.as_str())
        });
    named.body(body).expect("a script uses valid header names and values")
}

fn parse(headers: &HeaderMap, body: &Bytes) -> CapturedRequest {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    CapturedRequest {
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: serde_json::from_slice(body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned())),
    }
}

fn cut_after(steps: &mut Vec<Step>, count: usize) {
    let mut sends = steps.iter().enumerate().filter(|(_, step)| matches!(step, Step::Send(_)));
    if let Some((index, _)) = sends.nth(count) {
        steps.truncate(index);
        steps.push(Step::Cut);
    }
}

/// A body that performs the steps as the client reads it, and stops when the client goes away.
fn play(steps: Vec<Step>) -> Body {
    Body::from_stream(stream::unfold(VecDeque::from(steps), |mut steps| async move {
        loop {
            match steps.pop_front()? {
                Step::Send(text) => return Some((Ok(Bytes::from(text)), steps)),
                Step::Hold(gate) => gate.pass().await,
                Step::Pause(length) => tokio::time::sleep(length).await,
                Step::Hang => std::future::pending().await,
                Step::Cut => {
                    // One turn of the scheduler lets the events before the cut reach the
                    // socket.
                    tokio::task::yield_now().await;
                    return Some((Err(io::Error::other("cut by the script")), steps));
                }
            }
        }
    }))
}
