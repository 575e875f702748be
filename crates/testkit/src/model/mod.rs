//! A scripted OpenAI Responses API on 127.0.0.1, so that the real Codex can be tested without a
//! model.
//!
//! A test writes the replies it wants ([`Script`], [`Reply`]); Codex asks `POST /v1/responses` and
//! gets them in order. Every request is kept and checked against the API's own rules (see
//! [`CapturedRequest`]). The model runs on its own thread and runtime, so it also serves callers
//! that block or that pause tokio's clock. It never invents a reply: a request that the script does
//! not cover is answered with HTTP 400 and fails the test.
//!
//! ```no_run
//! # async fn example() {
//! use testkit::gate::Gate;
//! use testkit::model::{FakeModel, reply, runs};
//! let gate = Gate::new("half of the answer");
//! let model = FakeModel::start([runs("ls"), reply().streams("po").holds(&gate).streams("ng")]);
//! // … start Codex with a provider at `model.base_url()` and send a prompt …
//! gate.reached().await;
//! gate.open();
//! model.finish();
//! # }
//! ```

mod capture;
mod fault;
mod piece;
mod reply;
mod script;
mod server;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

pub use capture::CapturedRequest;
pub use fault::{
    html, http, rate_limited, server_error, silent, unauthorized, usage_limit_reached,
};
pub use piece::{StepStatus, Usage};
pub use reply::{Reply, calls, fails, patches, plans, reply, runs, says, thinks};
pub use script::Script;
use server::Shared;

/// How long [`FakeModel::wait_for_requests`] waits before it fails the test.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running scripted model. Dropping it closes its port and every open stream.
pub struct FakeModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeModel {
    /// Starts to serve `script` on a free port of 127.0.0.1.
    ///
    /// An array of [`Reply`] is a script; see [`Script`] for more.
    pub fn start(script: impl Into<Script>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on 127.0.0.1");
        listener.set_nonblocking(true).expect("a fresh socket can be made non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::new(script.into()));
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("fake-model".to_owned())
            .spawn(move || server::run(listener, served, stopped))
            .expect("a thread for the fake model");
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The base URL for a Codex provider, `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Adds replies to the end of the script of a running model.
    pub fn add(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.add(replies);
    }

    /// Every request to `/responses` so far, in order of arrival; empty for
    /// [`Script::without_capture`].
    pub fn captured(&self) -> Vec<CapturedRequest> {
        self.shared.captured()
    }

    /// Every other request (`GET /v1/models?…`), as `METHOD path`. They all get an empty JSON
    /// object.
    pub fn other_requests(&self) -> Vec<String> {
        self.shared.other_requests()
    }

    /// Waits until `count` requests to `/responses` have arrived in all.
    ///
    /// # Panics
    /// When they have not within 20 seconds.
    pub async fn wait_for_requests(&self, count: usize) {
        let mut arrived = self.shared.arrived();
        let enough = arrived.wait_for(|arrived| *arrived >= count);
        if tokio::time::timeout(PATIENCE, enough).await.is_err() {
            panic!("the model got {} of {count} awaited requests", *self.shared.arrived().borrow());
        }
    }

    /// Ends the model and checks the whole conversation.
    ///
    /// # Panics
    /// When a request was not covered by the script, broke a rule of the API, or a scripted reply
    /// was never asked for.
    pub fn finish(self) {
        let mut problems = self.shared.take_problems();
        problems.extend(self.shared.unused());
        assert!(problems.is_empty(), "fake model: {}", problems.join("; "));
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        // The thread may be gone already only if it panicked; `join` reports that.
        self.stop.take();
        let ended = self.thread.take().map(JoinHandle::join);
        if std::thread::panicking() {
            return;
        }
        assert!(!matches!(ended, Some(Err(_))), "the fake model's thread panicked");
        let problems = self.shared.take_problems();
        assert!(problems.is_empty(), "fake model: {}", problems.join("; "));
    }
}
