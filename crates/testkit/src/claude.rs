//! Runs the real Claude Code, pinned, with one MCP server and a scripted model.
//!
//! It gets a home of its own and an environment in which nothing leads off this machine. No session
//! is kept and no setting of a user is read.

use std::fs;
use std::process::ExitStatus;
use std::time::Duration;

use serde_json::{Value, json};

use crate::home::CodexHome;
use crate::messages::FakeMessages;
use crate::peer::Peer;
use crate::process::Launch;
use crate::tools;

/// The name of the MCP server: its tools are offered as `mcp__x__…`.
pub const SERVER_NAME: &str = "x";

const LIMIT: Duration = Duration::from_secs(30);

/// Claude Code in print mode, ready to be started.
#[derive(Debug)]
pub struct ClaudeCode {
    launch: Launch,
}

/// How a run ended and what it reported.
#[derive(Debug)]
pub struct ClaudeRun {
    /// The lines of its stream-json output.
    pub events: Vec<Value>,
    /// The exit status.
    pub status: ExitStatus,
    /// All of stderr.
    pub stderr: String,
}

impl ClaudeCode {
    /// Claude Code in the workspace of `home`, whose model is `messages` and whose MCP server is
    /// what `server` says. The server gets Claude's environment and that of `server`.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn new(home: &CodexHome, messages: &FakeMessages, server: &Launch) -> Self {
        // Several may share a home, each with a directory of its own.
        let mut names = (0..).map(|number| home.root().join(format!("claude-{number}")));
        let own = names.find(|name| !name.exists()).expect("numbers do not end");
        fs::create_dir(&own).expect("a new directory in a home");
        let config = own.join("mcp.json");
        let servers = json!({ "mcpServers": { SERVER_NAME: server.mcp_config() } });
        fs::write(&config, servers.to_string()).expect("a file in a fresh directory");
        let launch = Launch::new(tools::claude(), home.workspace())
            .environment([
                ("PATH", "/usr/bin:/bin"),
                ("TERM", "xterm"),
                ("LANG", "C.UTF-8"),
                ("ANTHROPIC_API_KEY", "sk-ant-dummy"),
                ("DISABLE_TELEMETRY", "1"),
                ("DISABLE_AUTOUPDATER", "1"),
                ("DISABLE_ERROR_REPORTING", "1"),
                ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ])
            .environment([("ANTHROPIC_BASE_URL", messages.base_url())])
            .environment([("HOME", &own)])
            .arguments(["--strict-mcp-config", "--no-session-persistence"])
            .arguments(["--output-format", "stream-json", "--verbose"])
            .arguments(["--setting-sources", ""])
            .arguments(["--allowedTools", &format!("mcp__{SERVER_NAME}__*")])
            .arguments(["--mcp-config".as_ref(), config.as_os_str()]);
        Self { launch }
    }

    /// Negotiates by `initialize` alone, as versions before 2026-07-28 of the protocol do. Without
    /// this, Claude Code tries `server/discover` first.
    pub fn legacy(mut self) -> Self {
        self.launch = self.launch.environment([("MCP_PROTOCOL_NEGOTIATION", "legacy")]);
        self
    }

    /// Switches Claude Code's own tools off. All MCP tools are then offered at once, because the
    /// one to search for them is missing.
    pub fn without_own_tools(mut self) -> Self {
        self.launch = self.launch.arguments(["--tools", ""]);
        self
    }

    /// Gives one prompt and runs to the end.
    ///
    /// # Panics
    /// When that takes longer than 30 seconds.
    pub async fn ask(self, prompt: &str) -> ClaudeRun {
        // Options that take a list would take the prompt too, so that another one comes between.
        let launch = self.launch.arguments(["--print", prompt]);
        let ended = launch.run(LIMIT).await;
        let events = ended.stdout.lines().map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"))
        });
        ClaudeRun { events: events.collect(), status: ended.status, stderr: ended.stderr }
    }

    /// Starts a conversation by lines: [`user_message`] and [`interrupt`] go in, events come out.
    pub fn converse(self) -> Peer {
        let launch = self.launch.arguments(["--print", "--input-format", "stream-json"]);
        Peer::spawn(&launch)
    }
}

impl ClaudeRun {
    /// The first event of this type.
    ///
    /// # Panics
    /// When there is none.
    pub fn event(&self, kind: &str) -> &Value {
        let found = self.events.iter().find(|event| event["type"] == kind);
        found.unwrap_or_else(|| panic!("no {kind:?} event in {self:#?}"))
    }
}

/// A line by which a host hands a prompt to Claude Code.
pub fn user_message(text: &str) -> Value {
    json!({"type": "user", "message": {"role": "user", "content": text}})
}

/// A line by which a host answers what an MCP server asked through Claude Code; `request` is the line that asked.
pub fn answer(request: &Value, response: Value) -> Value {
    json!({"type": "control_response", "response": {
        "subtype": "success", "request_id": request["request_id"], "response": response
    }})
}

/// A line by which a host stops what Claude Code is doing.
pub fn interrupt() -> Value {
    json!({"type": "control_request", "request_id": "interrupt", "request": {"subtype": "interrupt"}})
}
