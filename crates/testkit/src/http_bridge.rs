//! Puts an MCP server that speaks on its pipes behind streamable HTTP, for clients that speak only
//! that.
//!
//! `POST /mcp` takes one message. A session begins with `initialize`, has a server of its own and is
//! named by `Mcp-Session-Id`. Requests outside a session, as all are in 2026-07-28, share one more
//! server, and their errors get the HTTP status that this version asks for. The bridge forwards
//! messages as they are and checks none of what the HTTP transport asks of headers. A server gets
//! the next request when the one before is answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use serde_json::{Value, json};

use crate::http::LocalHttp;
use crate::peer::Peer;
use crate::process::Launch;

const SESSION: &str = "mcp-session-id";
/// Where the server of requests outside sessions is kept; no session is named so.
const NO_SESSION: &str = "";

/// A server behind HTTP. End it with [`Self::finish`], which ends the servers too.
pub struct HttpBridge {
    http: LocalHttp,
    shared: Arc<Shared>,
}

struct Shared {
    server: Launch,
    sessions: Mutex<HashMap<String, Session>>,
}

/// One request at a time.
type Session = Arc<tokio::sync::Mutex<Peer>>;

impl HttpBridge {
    /// Starts to listen on a free port of 127.0.0.1. Servers are started when they are needed.
    pub async fn start(server: Launch) -> Self {
        let shared = Arc::new(Shared { server, sessions: Mutex::default() });
        let router = Router::new()
            .route("/mcp", post(receive).delete(end_session))
            .with_state(Arc::clone(&shared));
        let http = LocalHttp::serve(router).await;
        Self { http, shared }
    }

    /// `http://127.0.0.1:PORT/mcp`
    pub fn url(&self) -> String {
        format!("{}/mcp", self.http.url())
    }

    /// Ends every session that its client has left open.
    pub async fn finish(self) {
        let open = std::mem::take(&mut *self.shared.sessions());
        for session in open.into_values() {
            end(&mut *session.lock().await).await;
        }
    }
}

impl Shared {
    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        // A panic while the lock is held leaves a plain map.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_session(&self) -> (String, Session) {
        let peer = Peer::spawn(&self.server);
        let name = format!("session-{}", peer.pid());
        let session = Arc::new(tokio::sync::Mutex::new(peer));
        self.sessions().insert(name.clone(), Arc::clone(&session));
        (name, session)
    }

    /// The server of all requests outside sessions.
    fn no_session(&self) -> Session {
        let mut sessions = self.sessions();
        let start = || Arc::new(tokio::sync::Mutex::new(Peer::spawn(&self.server)));
        Arc::clone(sessions.entry(NO_SESSION.to_owned()).or_insert_with(start))
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        let error =
            json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "not JSON"}});
        return respond(StatusCode::BAD_REQUEST, "application/json", error.to_string());
    };
    if let Some(name) = headers.get(SESSION).and_then(|name| name.to_str().ok()) {
        let session = shared.sessions().get(name).cloned();
        return match session {
            Some(session) => forward(&mut *session.lock().await, &message).await.into(),
            None => status(StatusCode::NOT_FOUND),
        };
    }
    if message["method"] == "initialize" {
        let (name, session) = shared.open_session();
        let forwarded = forward(&mut *session.lock().await, &message).await;
        let mut response = Response::from(forwarded);
        let name = name.parse().expect("a session's name is plain text");
        response.headers_mut().insert(SESSION, name);
        return response;
    }
    let session = shared.no_session();
    let forwarded = forward(&mut *session.lock().await, &message).await;
    let status = forwarded.modern_status();
    let mut response = Response::from(forwarded);
    *response.status_mut() = status;
    response
}

async fn end_session(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let name = headers.get(SESSION).and_then(|name| name.to_str().ok());
    let session = name.and_then(|name| shared.sessions().remove(name));
    match session {
        Some(session) => {
            end(&mut *session.lock().await).await;
            status(StatusCode::NO_CONTENT)
        }
        None => status(StatusCode::NOT_FOUND),
    }
}

/// What became of a message.
enum Forwarded {
    /// It was a request, and this is its reply, with what came before that.
    Reply { before: Vec<Value>, reply: Value },
    /// It asked for no reply.
    Accepted,
    /// The server ended.
    Ended,
}

async fn forward(server: &mut Peer, message: &Value) -> Forwarded {
    server.send(message).await;
    if message.get("id").is_none() || message.get("method").is_none() {
        return Forwarded::Accepted;
    }
    let mut before = Vec::new();
    while let Some(received) = server.next().await {
        if received["id"] == message["id"] && received.get("method").is_none() {
            let reply = received;
            return Forwarded::Reply { before, reply };
        }
        before.push(received);
    }
    Forwarded::Ended
}

impl Forwarded {
    /// The HTTP status of a request outside a session.
    fn modern_status(&self) -> StatusCode {
        match self {
            Self::Reply { reply, .. } => match reply["error"]["code"].as_i64() {
                Some(-32601) => StatusCode::NOT_FOUND,
                Some(-32022..=-32020) => StatusCode::BAD_REQUEST,
                Some(_) | None => StatusCode::OK,
            },
            Self::Accepted => StatusCode::ACCEPTED,
            Self::Ended => StatusCode::BAD_GATEWAY,
        }
    }
}

/// A lone reply goes out as JSON, one with something before it as an event stream.
impl From<Forwarded> for Response {
    fn from(forwarded: Forwarded) -> Self {
        match forwarded {
            Forwarded::Reply { before, reply } if before.is_empty() => {
                respond(StatusCode::OK, "application/json", reply.to_string())
            }
            Forwarded::Reply { before, reply } => {
                let messages = before.iter().chain(std::iter::once(&reply));
                let stream = messages.map(|message| format!("event: message\ndata: {message}\n\n"));
                respond(StatusCode::OK, "text/event-stream", stream.collect())
            }
            Forwarded::Accepted => status(StatusCode::ACCEPTED),
            Forwarded::Ended => status(StatusCode::BAD_GATEWAY),
        }
    }
}

/// Ends a server as a client on its pipes would.
async fn end(server: &mut Peer) {
    server.close_input();
    server.wait_exit().await;
}

fn status(status: StatusCode) -> Response {
    respond(status, "text/plain", String::new())
}

fn respond(status: StatusCode, content_type: &str, body: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body))
        .expect("a status and a content type make a response")
}
