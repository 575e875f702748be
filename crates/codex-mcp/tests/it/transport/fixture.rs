//! A connection to the dummy, with the test at its other end.

use codex_mcp::mcp::connection::{EndReason, Limits, ServeError, serve_within};
use serde_json::{Value, json};
use testkit::mcp::McpDriver;
use testkit::peer::Peer;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::dummy::Dummy;

/// The handshake version that most tests use.
pub(super) const LEGACY: &str = "2025-11-25";
/// What each direction holds while nobody reads.
const PIPE_BYTES: usize = 64 * 1024;

/// One connection, not yet opened.
pub(super) struct Fixture {
    pub(super) client: McpDriver,
    pub(super) dummy: Dummy,
    pub(super) shutdown: CancellationToken,
    server: JoinSet<Result<EndReason, ServeError>>,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::within(Limits::default())
    }

    pub(super) fn within(limits: Limits) -> Self {
        let dummy = Dummy::new();
        let shutdown = CancellationToken::new();
        // A duplex for each direction, because only dropping a whole one closes it.
        let (to_server, server_reads) = tokio::io::duplex(PIPE_BYTES);
        let (server_writes, from_server) = tokio::io::duplex(PIPE_BYTES);
        let mut server = JoinSet::new();
        server.spawn(serve_within(
            limits,
            dummy.clone(),
            server_reads,
            server_writes,
            shutdown.clone(),
        ));
        Self {
            client: McpDriver::over(Peer::over(from_server, to_server)),
            dummy,
            shutdown,
            server,
        }
    }

    /// A connection opened by `initialize`.
    pub(super) async fn legacy() -> Self {
        let mut fixture = Self::new();
        fixture.client.initialize_legacy(LEGACY).await;
        fixture
    }

    /// A connection opened by `server/discover`.
    pub(super) async fn modern() -> Self {
        let mut fixture = Self::new();
        fixture.client.discover().await;
        fixture
    }

    /// Waits until the server's side has returned.
    pub(super) async fn ended(&mut self) -> Result<EndReason, ServeError> {
        let ended = self.server.join_next().await;
        ended.expect("it ends once").expect("it does not panic")
    }

    /// Sends a line as it is and returns what comes back before the answer to a `ping` sent after it.
    pub(super) async fn answers_to(&mut self, line: &str) -> Vec<Value> {
        let peer = &mut self.client.peer;
        peer.send_raw(format!("{line}\n").as_bytes()).await;
        let ping = json!({"jsonrpc": "2.0", "id": "ping", "method": "ping"});
        peer.send(&ping).await;
        let mut answers = Vec::new();
        loop {
            let message = peer.next().await.expect("the connection stays open");
            if message["id"] == "ping" {
                return answers;
            }
            answers.push(message);
        }
    }
}
