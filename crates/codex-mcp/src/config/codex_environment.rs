//! The complete environment of a Codex process: what is on the list, and nothing else.
//!
//! This process inherits everything that its client has, the client's keys and tokens included. Codex runs commands
//! that a model wrote, so it is given only what it and the usual tool chains need.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use codex_client::{ancestry, orphan};

use super::keys::Config;
use super::names::matches;

/// What Codex is given, by what it is for.
pub(super) const PASSED: [(&str, &[&str]); 7] = [
    (
        "the user and the system",
        &[
            "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TZ", "LANG", "LANGUAGE",
            "LC_*", "XDG_*",
        ],
    ),
    (
        "Codex and its own providers",
        &[
            "CODEX_*",
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
            "OPENAI_ORGANIZATION",
            "OPENAI_PROJECT",
            "AZURE_OPENAI_*",
        ],
    ),
    (
        "proxies",
        &[
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "NO_PROXY",
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "no_proxy",
        ],
    ),
    ("certificates", &["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"]),
    // Nothing that points Git at a repository (GIT_DIR, GIT_INDEX_FILE): a client started from a Git hook has those.
    (
        "Git and SSH",
        &[
            "SSH_AUTH_SOCK",
            "GIT_AUTHOR_*",
            "GIT_COMMITTER_*",
            "GIT_CONFIG_GLOBAL",
            "GIT_CONFIG_SYSTEM",
            "GIT_SSH",
            "GIT_SSH_COMMAND",
        ],
    ),
    (
        "tool chains",
        &[
            "CARGO_HOME",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "GOPATH",
            "GOROOT",
            "GOCACHE",
            "GOMODCACHE",
            "NVM_DIR",
            "VOLTA_HOME",
            "PNPM_HOME",
            "BUN_INSTALL",
            "JAVA_HOME",
            "GRADLE_USER_HOME",
            "ANDROID_HOME",
            "DOTNET_ROOT",
            "VIRTUAL_ENV",
            "CONDA_PREFIX",
            "PYENV_ROOT",
            "UV_CACHE_DIR",
            "RBENV_ROOT",
            "GEM_HOME",
            "ASDF_DIR",
            "ASDF_DATA_DIR",
            "MISE_DATA_DIR",
        ],
    ),
    // Codex reads this one; the prefix is ours by accident.
    ("Codex, under our prefix", &[CODEX_OWN_UNDER_OUR_PREFIX]),
];

/// What `CODEX_*` does not cover: a Codex that started our client would describe its own sandbox, thread, network
/// proxy and packaging to a stranger, and `CODEX_EXEC_SERVER_URL` moves commands out of the workspace.
pub(super) const WITHHELD: &[&str] = &[
    "CODEX_SANDBOX*",
    "CODEX_THREAD_ID",
    "CODEX_NETWORK_*",
    "CODEX_MANAGED_*",
    "CODEX_INTERNAL_ORIGINATOR_OVERRIDE",
    "CODEX_EXEC_SERVER_URL",
];

/// What Codex is not given even if the user lists it: the client's own, and ours.
pub(super) const NEVER: &[&str] = &["ANTHROPIC*", "CLAUDE*", "AI_AGENT", "CODEX_MCP_*"];

/// A variable of Codex that begins with the prefix of our own.
pub(super) const CODEX_OWN_UNDER_OUR_PREFIX: &str = "CODEX_MCP_PROTOCOL_VERSION";

/// What an app-server of ours is told, and may pass on to a client of ours: no setting.
const OF_APP_SERVERS: [&str; 2] = [ancestry::VARIABLE, orphan::VARIABLE];

/// What an engine needs of its client besides what Codex may get: where things lie, and who asks.
const FOR_ENGINE: &[&str] =
    &["CODEX_MCP_*", "CLAUDE_PROJECT_DIR", "CLAUDE_CODE_SESSION_ID", "MAX_MCP_OUTPUT_TOKENS"];

impl Config {
    /// Builds the complete environment for a Codex process, by name; it must inherit nothing besides.
    pub fn codex_environment(&self) -> Vec<(OsString, OsString)> {
        self.environment
            .variables()
            .filter(|(name, _)| self.is_passed(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Returns the part of the environment that an engine is told: what the configuration reads and what Codex may get.
    /// Nothing of the client's own keys and tokens is among it.
    pub(crate) fn engine_environment(&self) -> Vec<(OsString, OsString)> {
        let ours = self.environment.variables().filter(|(name, _)| any(FOR_ENGINE, name));
        // An engine is no part of the app-server below which its first client runs, and must outlive it.
        let ours = ours.filter(|(name, _)| *name != orphan::VARIABLE);
        let ours = ours.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.codex_environment().into_iter().chain(ours).collect()
    }

    /// Returns the Claude Code session that the program was started in.
    pub(crate) fn claude_session(&self) -> Option<&str> {
        self.environment
            .get("CLAUDE_CODE_SESSION_ID")?
            .to_str()
            .filter(|session| !session.is_empty())
    }

    /// Returns the directory in which the program was started.
    pub(crate) fn working_directory(&self) -> Option<PathBuf> {
        self.environment.working_directory().map(ToOwned::to_owned)
    }

    /// Returns the folder of the user's Codex configuration; `None` if neither `CODEX_HOME` nor `HOME` says where.
    pub fn codex_home(&self) -> Option<PathBuf> {
        self.environment.base_directory("CODEX_HOME", ".codex")
    }

    /// How many app-servers of ours stand above the client.
    pub(crate) fn depth(&self) -> u32 {
        self.environment.depth()
    }

    /// Whether the client stands below so many that it may not start a further one.
    pub(crate) fn is_too_deep(&self) -> bool {
        usize::try_from(self.depth()).is_ok_and(|depth| depth >= self.max_depth)
    }

    fn is_passed(&self, name: &OsStr) -> bool {
        let listed_by_user = || self.environment_allow.iter().any(|pattern| pattern.matches(name));
        let listed_by_us = || PASSED.iter().any(|(_, patterns)| any(patterns, name));
        !is_never_passed(name) && (listed_by_user() || (listed_by_us() && !any(WITHHELD, name)))
    }
}

/// Whether a variable begins with the prefix of our settings without being one.
pub(super) fn is_no_setting(name: &str) -> bool {
    name == CODEX_OWN_UNDER_OUR_PREFIX || OF_APP_SERVERS.contains(&name)
}

pub(super) fn is_never_passed(name: &OsStr) -> bool {
    name != CODEX_OWN_UNDER_OUR_PREFIX && any(NEVER, name)
}

fn any(patterns: &[&str], name: &OsStr) -> bool {
    patterns.iter().any(|pattern| matches(pattern, name))
}
