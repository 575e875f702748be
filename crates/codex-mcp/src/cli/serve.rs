//! `codex-mcp` without a subcommand: serves MCP on standard input and output until the client goes away.

use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::{Exit, signal};
use crate::config::{Config, Environment, Flags};
use crate::daemon::{Front, FrontEnd, Inside, Start, Version};
use crate::logging;
use crate::mcp::stdio;
use crate::workspace::Roots;

/// Serves, and says on standard error why that is not possible. `arguments` are the words that the flags came from.
pub fn run(environment: &Environment, flags: &Flags, arguments: Vec<OsString>) -> Exit {
    let config = match Config::load(environment, flags) {
        Ok(config) => config,
        Err(error) => return say(&error.to_string(), Exit::Configuration),
    };
    if let Err(error) = Roots::new(&config.workspace_roots) {
        return say(&format!("codex-mcp: {error}"), Exit::Configuration);
    }
    let _log = logging::start_front(&config);
    match serve_blocking(config, arguments) {
        Ok(FrontEnd::Done) => Exit::Success,
        Ok(FrontEnd::NoEngine(error)) => say(&format!("codex-mcp: {error}"), Exit::Failure),
        Err(error) => say(&format!("codex-mcp: {error:#}"), Exit::Failure),
    }
}

fn say(message: &str, exit: Exit) -> Exit {
    // Nobody reads a closed standard error.
    let _ = writeln!(io::stderr(), "{message}");
    exit
}

fn serve_blocking(config: Config, arguments: Vec<OsString>) -> anyhow::Result<FrontEnd> {
    // One thread is enough for lines of text and has no hand-overs between threads: a call costs half as much.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime cannot be started")?;
    let served = runtime.block_on(serve(Arc::new(config), arguments));
    // A read from a terminal cannot be interrupted and must not keep the process.
    runtime.shutdown_timeout(Duration::ZERO);
    served
}

async fn serve(config: Arc<Config>, arguments: Vec<OsString>) -> anyhow::Result<FrontEnd> {
    let (input, output) = stdio::open().context("standard input and output cannot be used")?;
    let (told, inside) = (CancellationToken::new(), Inside::default());
    let start = match config.no_daemon {
        true => Start::Inside(inside.clone()),
        false => {
            let program = std::env::current_exe().context("this program cannot find itself")?;
            Start::Detached { program }
        }
    };
    let front = Front::new(config, arguments, Version::own(), start);
    let serving = async {
        let end = front.run(input, output, told.clone()).await;
        // An engine inside this process goes on while others need it, unless the process was told to end.
        if told.is_cancelled() {
            inside.shut_down();
        }
        inside.ended().await;
        end
    };
    let watching = async {
        signal::told_to_end().await;
        told.cancel();
        inside.shut_down();
        std::future::pending().await
    };
    tokio::select! {
        end = serving => Ok(end),
        () = watching => Ok(FrontEnd::Done),
    }
}
