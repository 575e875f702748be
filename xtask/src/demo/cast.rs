//! Who takes part in the demo: the server, the scripted model, a throw-away home for Codex with the scratch project.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use testkit::home::{CodexHome, KEY_VARIABLE};
use testkit::leaks::processes_under;
use testkit::model::{FakeModel, Script};
use testkit::poll;
use testkit::process::Launch;
use testkit::tools;

use super::project;
use super::screen::Screen;
use super::stage::Stage;

/// Whether a command is a process.
#[derive(Clone, Copy)]
pub(super) enum Presence {
    Running,
    Gone,
}

/// How long a command may take to be a process, or to be one no more.
const COMMAND_LIMIT: Duration = Duration::from_secs(5);

/// Everything that runs. Fields are dropped in this order: the server, then what it uses.
pub(super) struct Cast {
    pub(super) stage: Stage,
    pub(super) home: CodexHome,
    config_before: String,
}

impl Cast {
    /// Starts the server in a fresh home. Nothing of the user's configuration or login is seen by it.
    pub(super) async fn gather(screen: Screen, server: &Path, pace: Duration) -> Result<Self> {
        let model = FakeModel::start(Script::default());
        let home = CodexHome::new(&model.base_url()).with_git();
        project::write(&home)?;
        let launch =
            Launch::new(server, home.workspace()).environment(home.environment()).environment([
                ("CODEX_MCP_CODEX_BIN", tools::codex().into_os_string()),
                ("CODEX_MCP_ENVIRONMENT_ALLOW", KEY_VARIABLE.into()),
                ("CODEX_MCP_TEST_COMMAND", "sh test.sh".into()),
                // The engine is to end with its client, before the viewer's eyes.
                ("CODEX_MCP_ENGINE_LINGER_SECONDS", "0".into()),
            ]);
        let stage = Stage::open(screen, &launch, model, pace).await;
        let config_before = home.config_text();
        Ok(Self { stage, home, config_before })
    }

    /// Waits until a command of this line is a process, or is one no more.
    pub(super) async fn wait_for(&self, command: &str, wanted: Presence) {
        let probe = || {
            let processes = processes_under(self.home.root());
            let runs = processes.iter().any(|process| process.command_line == command);
            match (runs, wanted) {
                (true, Presence::Running) | (false, Presence::Gone) => Ok(()),
                (true, Presence::Gone) | (false, Presence::Running) => Err(processes),
            }
        };
        poll::until(COMMAND_LIMIT, probe).await;
    }

    /// Ends the server as a client does, by closing its input, and checks what is left.
    pub(super) async fn leave(mut self) -> Result<()> {
        let screen = self.stage.screen;
        let peer = &mut self.stage.client.peer;
        peer.close_input();
        let status = peer.wait_exit().await;
        let root = self.home.root().to_owned();
        wait_for_end(&root).await;
        screen.check(
            "the client closed the pipe: the server and Codex ended by themselves",
            status.success(),
        )?;
        screen.check(
            "Codex's configuration is as it was, byte for byte",
            self.home.config_text() == self.config_before,
        )?;
        self.stage.model.finish();
        drop(self.home);
        let left =
            root.try_exists().with_context(|| format!("cannot look for {}", root.display()))?;
        screen.check("nothing is left: no process, no scratch folder", !left)
    }
}

/// Waits until no process of a home is left: the engine ends after its last client.
pub(super) async fn wait_for_end(home: &Path) {
    let probe = || match processes_under(home) {
        processes if processes.is_empty() => Ok(()),
        processes => Err(processes),
    };
    poll::until(COMMAND_LIMIT, probe).await;
}
