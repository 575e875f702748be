//! `cargo xtask demo --live`: the first scene with the user's own Codex, login and model.
//!
//! The question is harmless and the sandbox read-only. Codex keeps the thread in its history, as always; the project, the
//! server's logs and the working directory lie in a scratch folder.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::model::{FakeModel, Script};
use testkit::process::Launch;
use testkit::tools;

use super::cast::wait_for_end;
use super::project;
use super::screen::Screen;
use super::stage::{Stage, text};

const PROMPT: &str = "`sh test.sh` fails. Find out why, and tell me in at most three short sentences. \
    Change nothing.";

/// Asks the user's own Codex.
pub(super) async fn play(screen: Screen, server: &Path) -> Result<()> {
    // Only the folders of this home are used: its provider is never asked.
    let home = CodexHome::new("http://127.0.0.1:9/v1").with_git();
    project::write(&home)?;
    screen.title("codex-mcp: an MCP client works with your own Codex");
    let unused = FakeModel::start(Script::default());
    let mut stage = Stage::open(screen, &launch(server, &home), unused, Duration::ZERO).await;
    let health = stage.ask("codex.health", json!({})).await?;
    require_login(&health)?;
    screen.gap();
    screen.fact("server", &format!("codex-mcp {}", stage.version));
    screen.fact("Codex", &format!("{}, {}", text(&health["versions"]["codex"]), login(&health)));
    screen.fact("project", project::ABOUT);
    screen.scene(1, "Ask Codex");
    let mut call = stage.call("codex", json!({ "prompt": PROMPT })).await;
    stage.answer(&mut call).await?;
    let untouched = project::is_untouched(&home);
    screen.check("the project is untouched (git status is empty)", untouched)?;
    stage.client.peer.close_input();
    let ended = stage.client.peer.wait_exit().await;
    wait_for_end(home.root()).await;
    screen.check("the server and Codex ended by themselves", ended.success())?;
    screen.gap();
    Ok(())
}

/// The server with everything that this program was given, as an MCP client passes it on.
fn launch(server: &Path, home: &CodexHome) -> Launch {
    let mut ours: Vec<(OsString, OsString)> = vec![
        ("CODEX_MCP_STATE_DIR".into(), home.root().join("state").into()),
        ("CODEX_MCP_WORKSPACE_ROOTS".into(), home.workspace().into()),
        ("CODEX_MCP_ENGINE_LINGER_SECONDS".into(), "0".into()),
    ];
    if !is_on_path("codex") {
        ours.push(("CODEX_MCP_CODEX_BIN".into(), tools::codex().into()));
    }
    Launch::new(server, home.workspace()).environment(env::vars_os()).environment(ours)
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.is_absolute() && folder.join(program).is_file())
}

fn require_login(health: &Value) -> Result<()> {
    let login = &health["login"];
    if login["required"] == true && login["kind"].is_null() {
        bail!(
            "nobody is logged in to Codex here: run `codex login`, then this again. Without `--live` the demo needs \
             no login"
        );
    }
    Ok(())
}

fn login(health: &Value) -> String {
    match health["login"]["kind"].as_str() {
        Some(kind) => format!("logged in ({kind})"),
        None => "with a provider that needs no login".to_owned(),
    }
}
