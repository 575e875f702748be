//! `codex-mcp` without a subcommand: serves MCP on standard input and output until the client goes away.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Exit;
use crate::config::{Config, Environment, Flags};
use crate::engine;
use crate::logging;
use crate::mcp::outputs::{self, Outputs};
use crate::mcp::{Server, Shared, connection, stdio};
use crate::workspace::Roots;

/// How long everything may take to end once the client is gone; the stop ladder needs a third of it at most.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// Serves, and says on standard error why that is not possible.
pub fn run(environment: &Environment, flags: &Flags) -> Exit {
    let config = match Config::load(environment, flags) {
        Ok(config) => config,
        Err(error) => return say(&error.to_string(), Exit::Configuration),
    };
    let roots = match Roots::new(&config.workspace_roots) {
        Ok(roots) => roots,
        Err(error) => return say(&format!("codex-mcp: {error}"), Exit::Configuration),
    };
    let _log = logging::start(&config);
    match serve_blocking(config, roots) {
        Ok(()) => Exit::Success,
        Err(error) => say(&format!("codex-mcp: {error:#}"), Exit::Failure),
    }
}

fn say(message: &str, exit: Exit) -> Exit {
    // Nobody reads a closed standard error.
    let _ = writeln!(io::stderr(), "{message}");
    exit
}

fn serve_blocking(config: Config, roots: Roots) -> anyhow::Result<()> {
    // One thread is enough for lines of text and has no hand-overs between threads: a call costs half as much.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime cannot be started")?;
    let served = runtime.block_on(serve(Arc::new(config), Arc::new(roots)));
    // A read from a terminal cannot be interrupted and must not keep the process.
    runtime.shutdown_background();
    served
}

async fn serve(config: Arc<Config>, roots: Arc<Roots>) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    let (input, output) = stdio::open().context("standard input and output cannot be used")?;
    let limits = connection::Limits { max_line_bytes: config.max_line_bytes, ..Default::default() };
    let engine = engine::start(config.clone(), roots.clone(), &tasks);
    let outputs = Outputs::in_memory(outputs::DEFAULT_CAPACITY);
    let outputs = Arc::new(outputs.context("the system gives no random numbers")?);
    let page_rule = config.page_rule();
    let shared = Shared { config, roots, outputs, subscriptions: Arc::default() };
    let server = Server::connect(engine.clone(), shared, page_rule).await;
    let serving = connection::serve_within(limits, server, input, output, shutdown.clone());
    let (ended, ()) = tokio::join!(
        async {
            let ended = serving.await;
            shutdown.cancel();
            ended
        },
        async {
            tokio::select! {
                () = end_signal() => shutdown.cancel(),
                () = shutdown.cancelled() => {}
            }
        },
    );
    engine.shut_down().await;
    tasks.close();
    if tokio::time::timeout(LAST_GRACE, tasks.wait()).await.is_err() {
        tracing::warn!("something did not end in time and is left to the end of the process");
    }
    let reason = ended.context("the connection failed")?;
    tracing::debug!(?reason, "the connection has ended");
    Ok(())
}

/// Resolves when the process is told to end.
async fn end_signal() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let signals = kinds.into_iter().map(|kind| {
        Box::pin(async move {
            match signal(kind) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(error) => {
                    tracing::warn!(?kind, %error, "a signal cannot be watched and ends the process at once");
                    std::future::pending().await
                }
            }
        })
    });
    futures_util::future::select_all(signals).await;
}
