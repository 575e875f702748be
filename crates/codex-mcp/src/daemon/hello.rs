//! The first lines on the socket: who comes, and whether it may stay. What follows is MCP.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Version;
use crate::config::{Config, Environment};

/// The first line of who connects.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "codexMcp", rename_all = "camelCase")]
pub enum Introduction {
    /// A front: MCP follows.
    Client(Box<Hello>),
    /// `codex-mcp monitor`: [`MonitorNews`] follow, one a line.
    Monitor(MonitorHello),
    /// `codex-mcp daemon status`.
    Status,
    /// `codex-mcp daemon stop`.
    Stop,
}

/// What the engine has to know of a client: what it would have if the engine ran inside it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The front's version.
    pub version: String,
    /// The front's process.
    pub pid: u32,
    /// Its working directory.
    pub working_directory: Option<PathBuf>,
    /// Its command line, without the program.
    pub arguments: Vec<String>,
    /// The part of its environment that the configuration and Codex read. Variables that are not Unicode are left out.
    pub environment: Vec<(String, String)>,
}

impl std::fmt::Debug for Hello {
    /// Leaves the values of variables out: they can be keys.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.environment.iter().map(|(name, _)| name).collect();
        formatter
            .debug_struct("Hello")
            .field("version", &self.version)
            .field("pid", &self.pid)
            .field("working_directory", &self.working_directory)
            .field("arguments", &self.arguments)
            .field("environment", &names)
            .finish()
    }
}

impl Hello {
    /// Introduces this process.
    #[must_use]
    pub fn of(config: &Config, arguments: &[OsString], version: Version) -> Self {
        Self {
            version: version.to_string(),
            pid: std::process::id(),
            working_directory: config.working_directory(),
            arguments: arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            environment: config
                .engine_environment()
                .into_iter()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        }
    }

    /// The environment that it brings.
    #[must_use]
    pub fn environment(&self) -> Environment {
        Environment::of_client(self.environment.iter().cloned(), self.working_directory.clone())
    }

    /// The Claude Code session that it belongs to.
    #[must_use]
    pub fn claude_session(&self) -> Option<&str> {
        let session = self.environment.iter().find(|(name, _)| name == "CLAUDE_CODE_SESSION_ID");
        session.map(|(_, value)| value.as_str())
    }
}

/// What the engine has to know of a monitor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MonitorHello {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// The Claude Code session whose news it wants.
    pub session: String,
}

/// What a monitor is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MonitorNews {
    /// One line for the session.
    pub line: String,
}

/// The engine's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "camelCase")]
pub enum Welcome {
    /// MCP follows, or the news of a monitor.
    #[serde(rename_all = "camelCase")]
    Accepted {
        /// The engine's version.
        version: String,
        /// The engine's process.
        pid: u32,
    },
    /// The engine ends to make room for a newer one.
    Retiring,
    /// The client cannot be served.
    Refused {
        /// Why.
        message: String,
    },
    /// How the engine is.
    Status(Status),
    /// The engine ends.
    #[serde(rename_all = "camelCase")]
    Stopping {
        /// The engine's process.
        pid: u32,
        /// Whether turns were cut.
        busy: bool,
    },
}

/// How an engine is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it started, as RFC 3339.
    pub started_at: String,
    /// Whether turns run or wait, or calls are not answered.
    pub busy: bool,
    /// Whether it ends at the next idle moment, for a newer version.
    pub retiring: bool,
    /// Who is connected.
    pub clients: Vec<ClientStatus>,
    /// How many monitors wait for news.
    #[serde(default)]
    pub monitors: usize,
}

/// A client of an engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientStatus {
    /// The front's process.
    pub pid: u32,
    /// The front's version.
    pub version: String,
    /// Its working directory.
    pub working_directory: Option<PathBuf>,
    /// Its Claude Code session.
    pub claude_session: Option<String>,
    /// How many app-servers of ours stand above it.
    #[serde(default)]
    pub depth: u32,
}
