//! A throw-away home for Codex: its own HOME, CODEX_HOME and workspace, and an environment with
//! nothing else in it.
//!
//! It lies under the workspace's `target/testkit`, never in the system's temporary folder, because
//! Codex's sandbox lets commands write there. Dropping it checks for leaked processes, then deletes
//! it.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::leaks::LeakGuard;
use crate::process::Launch;
use crate::tools::workspace_root;

/// The model that the configuration names; Codex knows its metadata, so it warns about nothing.
pub const MODEL: &str = "gpt-5.5";

/// The variable that holds the dummy API key of the provider `mock`.
pub const KEY_VARIABLE: &str = "MOCK_API_KEY";

/// A temporary home. Declare it before any process that uses it, so that it is dropped last.
#[derive(Debug)]
pub struct CodexHome {
    // Dropped in this order: no process may be left when the directory goes.
    guard: LeakGuard,
    directory: TempDir,
    config: Config,
}

impl CodexHome {
    /// A home whose only provider is at `base_url` (see `FakeModel::base_url`), with retries off.
    ///
    /// # Panics
    /// When the directory cannot be made.
    pub fn new(base_url: &str) -> Self {
        let parent = workspace_root().join("target/testkit");
        fs::create_dir_all(&parent).expect("target/testkit can be made");
        let directory = tempfile::Builder::new()
            .prefix("home-")
            .tempdir_in(&parent)
            .expect("a temporary directory");
        let config = Config {
            base_url: base_url.to_owned(),
            request_max_retries: 0,
            stream_max_retries: 0,
            more: String::new(),
        };
        let home = Self { guard: LeakGuard::new(directory.path()), directory, config };
        for path in [home.home(), home.codex_home(), home.workspace()] {
            fs::create_dir(path).expect("a directory in a fresh one");
        }
        home.write_config();
        home
    }

    /// Sets how often Codex repeats a failed request, and a broken stream, before it fails the
    /// turn.
    pub fn with_retries(mut self, requests: u32, streams: u32) -> Self {
        self.config.request_max_retries = requests;
        self.config.stream_max_retries = streams;
        self.write_config();
        self
    }

    /// Appends lines to the configuration. Write tables as dotted keys (`features.goals = false`):
    /// TOML refuses to open a table twice.
    pub fn with_config(mut self, lines: &str) -> Self {
        self.config.more.push_str(lines);
        self.config.more.push('\n');
        self.write_config();
        self
    }

    /// Makes the workspace a git repository on `main` with one commit that holds `README.md`.
    ///
    /// # Panics
    /// When git is missing or fails.
    pub fn with_git(self) -> Self {
        fs::write(self.workspace().join("README.md"), "# Example\n")
            .expect("the workspace is writable");
        self.git(&["init", "--quiet", "--initial-branch=main"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "First"]);
        self
    }

    /// Runs git in the workspace with a fixed author and no user configuration, and returns what it
    /// prints.
    ///
    /// # Panics
    /// When git fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
        let git = Launch::new("git", self.workspace()).environment(self.environment());
        git.arguments(identity).arguments(arguments).run_blocking().success()
    }

    /// The directory that holds everything else.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// `$HOME`
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// `$CODEX_HOME`
    pub fn codex_home(&self) -> PathBuf {
        self.root().join("codex-home")
    }

    /// The directory that Codex works in; empty unless [`Self::with_git`] is used.
    pub fn workspace(&self) -> PathBuf {
        self.root().join("workspace")
    }

    /// The user's `config.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.codex_home().join("config.toml")
    }

    /// What `config.toml` says now; compare it to see that nobody wrote to it.
    pub fn config_text(&self) -> String {
        fs::read_to_string(self.config_path()).expect("the configuration is readable")
    }

    /// The whole environment for a child. It has PATH, HOME, CODEX_HOME, LANG and the dummy key,
    /// and no more.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), self.home().into()),
            ("CODEX_HOME".into(), self.codex_home().into()),
            ("LANG".into(), "C.UTF-8".into()),
            (KEY_VARIABLE.into(), "dummy".into()),
        ]
    }

    /// Checks now that no process of this home is left, as its drop does later.
    ///
    /// # Panics
    /// When one is left after three seconds.
    pub fn check_leaks(&self) {
        self.guard.check();
    }

    fn write_config(&self) {
        fs::write(self.config_path(), self.config.to_string()).expect("the home is writable");
    }
}

/// What the configuration of a home says.
#[derive(Debug)]
struct Config {
    base_url: String,
    request_max_retries: u32,
    stream_max_retries: u32,
    more: String,
}

impl fmt::Display for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base_url, request_max_retries, stream_max_retries, more } = self;
        // Plugins, analytics and the update check are what would leave the machine.
        write!(
            formatter,
            r#"model = "{MODEL}"
model_provider = "mock"
check_for_update_on_startup = false
features.plugins = false
analytics.enabled = false
model_providers.mock.name = "mock"
model_providers.mock.base_url = "{base_url}"
model_providers.mock.wire_api = "responses"
model_providers.mock.env_key = "{KEY_VARIABLE}"
model_providers.mock.supports_websockets = false
model_providers.mock.request_max_retries = {request_max_retries}
model_providers.mock.stream_max_retries = {stream_max_retries}
{more}"#
        )
    }
}
