//! An MCP client for tests, at the level of lines: it can send what no SDK would, and sees every
//! byte.
//!
//! It speaks both eras: `initialize` (2024-11-05 to 2025-11-25), and 2026-07-28, where each request
//! carries its protocol version and client in `_meta`. It does not check what the server answers.

use serde_json::{Map, Value, json};

use crate::peer::Peer;
use crate::process::Launch;

/// The newest protocol version, the only one without a handshake.
pub const MODERN_VERSION: &str = "2026-07-28";

/// A client of one MCP server.
pub struct McpDriver {
    /// The pipe: raw lines, the transcript, signals, end of input and exit.
    pub peer: Peer,
    capabilities: Value,
    era: Era,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Era {
    Legacy,
    Modern,
}

impl McpDriver {
    /// Starts a server and drives its pipes. Nothing is sent yet.
    pub fn spawn(launch: &Launch) -> Self {
        Self::over(Peer::spawn(launch))
    }

    /// Drives a server at the other end of any peer, such as one in this process.
    pub fn over(peer: Peer) -> Self {
        Self { peer, capabilities: json!({}), era: Era::Legacy }
    }

    /// Sets what the client declares that it can do, such as `{"elicitation": {}}`; nothing
    /// otherwise.
    pub fn with_capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Opens the connection as clients before 2026-07-28 do, and returns the whole reply to
    /// `initialize`.
    pub async fn initialize_legacy(&mut self, version: &str) -> Value {
        self.era = Era::Legacy;
        let params = json!({
            "protocolVersion": version, "capabilities": self.capabilities, "clientInfo": client_info(),
        });
        let reply = self.peer.request("initialize", params).await;
        self.peer.notify("notifications/initialized", json!({})).await;
        reply
    }

    /// From here on, sends 2026-07-28's `_meta` with every request. No handshake is needed.
    pub fn use_modern(&mut self) {
        self.era = Era::Modern;
    }

    /// Opens the connection as 2026-07-28 clients do, and returns the whole reply to
    /// `server/discover`.
    pub async fn discover(&mut self) -> Value {
        self.use_modern();
        self.request("server/discover", json!({})).await
    }

    /// Sends a request in the way of the era and returns its id.
    ///
    /// # Panics
    /// When `params` is not an object.
    pub async fn start(&mut self, method: &str, mut params: Value) -> u64 {
        if self.era == Era::Modern {
            let meta = params.as_object_mut().expect("params is an object").entry("_meta");
            let meta =
                meta.or_insert_with(|| json!({})).as_object_mut().expect("_meta is an object");
            meta.extend(self.modern_meta());
        }
        self.peer.start(method, params).await
    }

    /// Sends a request in the way of the era and waits for its whole reply.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.start(method, params).await;
        self.peer.reply(id).await
    }

    /// Calls a tool without a progress token and waits for its whole reply.
    pub async fn call_tool(&mut self, name: &str, arguments: Value) -> Value {
        self.request("tools/call", json!({"name": name, "arguments": arguments})).await
    }

    /// Calls a tool with a progress token, which equals the request id that it returns.
    pub async fn start_call(&mut self, name: &str, arguments: Value) -> u64 {
        let token = self.peer.next_id();
        let params =
            json!({"name": name, "arguments": arguments, "_meta": {"progressToken": token}});
        self.start("tools/call", params).await
    }

    /// Takes the oldest unclaimed progress notification of a call, or waits for one; returns its
    /// params.
    pub async fn progress(&mut self, call: u64) -> Value {
        let is_progress = |message: &Value| {
            message["method"] == "notifications/progress"
                && message["params"]["progressToken"] == call
        };
        self.peer.find(&format!("progress of call {call}"), is_progress).await["params"].take()
    }

    /// The params of every progress notification of a call so far, claimed or not.
    pub fn progress_so_far(&self, call: u64) -> Vec<Value> {
        let all = self.peer.received("notifications/progress").into_iter();
        all.map(|mut message| message["params"].take())
            .filter(|params| params["progressToken"] == call)
            .collect()
    }

    /// Tells the server that nobody waits for a request any more.
    pub async fn cancel(&mut self, request: u64, reason: &str) {
        self.peer
            .notify("notifications/cancelled", json!({"requestId": request, "reason": reason}))
            .await;
    }

    fn modern_meta(&self) -> Map<String, Value> {
        [
            ("io.modelcontextprotocol/protocolVersion", json!(MODERN_VERSION)),
            ("io.modelcontextprotocol/clientInfo", client_info()),
            ("io.modelcontextprotocol/clientCapabilities", self.capabilities.clone()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
    }
}

fn client_info() -> Value {
    json!({"name": "testkit", "version": "0"})
}
