//! Runs the real Claude Code, pinned, with one MCP server or a plugin and a scripted model.
//!
//! It gets a home of its own and an environment in which nothing leads off this machine. No session
//! is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use serde_json::{Value, json};

use crate::home::CodexHome;
use crate::messages::FakeMessages;
use crate::peer::Peer;
use crate::process::Launch;
use crate::terminal::Terminal;
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
        let own = own_directory(home);
        let config = own.join("mcp.json");
        let servers = json!({ "mcpServers": { SERVER_NAME: server.mcp_config() } });
        fs::write(&config, servers.to_string()).expect("a file in a fresh directory");
        let launch = in_print_mode(command(home, &own), messages)
            .arguments(["--setting-sources", "", "--strict-mcp-config"])
            .arguments(["--allowedTools", &format!("mcp__{SERVER_NAME}__*")])
            .arguments(["--mcp-config".as_ref(), config.as_os_str()]);
        Self { launch }
    }

    /// The same with a plugin, which starts `server` by its name alone, and no tool allowed beforehand.
    ///
    /// # Panics
    /// When its directory cannot be made.
    pub fn with_plugin(
        home: &CodexHome,
        messages: &FakeMessages,
        server: &Launch,
        plugin: &Path,
    ) -> Self {
        let launch = command(home, &own_directory(home)).with_program(server);
        let launch = in_print_mode(launch, messages)
            .arguments(["--setting-sources", ""])
            .arguments(["--plugin-dir".as_ref(), plugin.as_os_str()]);
        Self { launch }
    }

    /// The interactive program with a plugin, which starts `server` by its name alone, and a first prompt. These tools
    /// are allowed beforehand.
    ///
    /// # Panics
    /// When its directory cannot be made.
    pub fn in_terminal(
        home: &CodexHome,
        messages: &FakeMessages,
        (server, plugin): (&Launch, &Path),
        tools: &[&str],
        prompt: &str,
    ) -> Terminal {
        let own = own_directory(home);
        let workspace = home.workspace();
        let workspace = workspace.to_str().expect("a home of tests is UTF-8");
        // Whatever it would ask a person first.
        let answers = json!({
            "hasCompletedOnboarding": true,
            "lastOnboardingVersion": "2.1.330",
            "theme": "dark",
            "customApiKeyResponses": { "approved": ["sk-ant-dummy"], "rejected": [] },
            "projects": { workspace: { "hasTrustDialogAccepted": true } },
        });
        fs::write(own.join(".claude.json"), answers.to_string())
            .expect("a file in a new directory");
        let launch = command(home, &own)
            .with_program(server)
            .environment([("ANTHROPIC_BASE_URL", messages.base_url())])
            // Options that take a list would take the prompt too.
            .arguments([prompt, "--setting-sources", "", "--allowedTools", &tools.join(",")])
            .arguments(["--plugin-dir".as_ref(), plugin.as_os_str()]);
        Terminal::start(&launch)
    }

    /// The same with what the user of the home `own` has installed; see [`command`].
    pub fn of_user(home: &CodexHome, messages: &FakeMessages, server: &Launch, own: &Path) -> Self {
        let launch = command(home, own).with_program(server);
        Self { launch: in_print_mode(launch, messages).arguments(["--setting-sources", "user"]) }
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

    /// Lets these tools be called without a question.
    pub fn allow(mut self, tools: &[&str]) -> Self {
        self.launch = self.launch.arguments(["--allowedTools", &tools.join(",")]);
        self
    }

    /// Sets a variable of Claude Code's own.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.launch = self.launch.environment([(name, value)]);
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

/// Claude Code in the workspace of `home`, with `own` as the user's home directory and nothing that leads off this
/// machine. It lacks its arguments, such as those of `claude plugin`.
pub fn command(home: &CodexHome, own: &Path) -> Launch {
    surrounded(Launch::new(tools::claude(), home.workspace()), own)
}

/// A program that starts Claude Code by itself, surrounded as [`command`] is, and what `server` says for the server.
pub fn starter(program: &str, home: &CodexHome, server: &Launch, own: &Path) -> Launch {
    surrounded(Launch::new(program, home.workspace()), own).with_program(server)
}

fn surrounded(launch: Launch, own: &Path) -> Launch {
    launch
        .environment([
            ("PATH", "/usr/bin:/bin"),
            ("TERM", "xterm"),
            ("LANG", "C.UTF-8"),
            ("ANTHROPIC_API_KEY", "sk-ant-dummy"),
            // Nobody listens there; without it, every command waits for a name server.
            ("ANTHROPIC_BASE_URL", "http://127.0.0.1:9"),
            ("DISABLE_TELEMETRY", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
            ("DISABLE_ERROR_REPORTING", "1"),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ])
        .environment([("HOME", own)])
}

/// A home directory for one Claude Code: several may share a home of Codex.
///
/// # Panics
/// When it cannot be made.
pub fn own_directory(home: &CodexHome) -> PathBuf {
    let mut names = (0..).map(|number| home.root().join(format!("claude-{number}")));
    let own = names.find(|name| !name.exists()).expect("numbers do not end");
    fs::create_dir(&own).expect("a new directory in a home");
    own
}

fn in_print_mode(launch: Launch, messages: &FakeMessages) -> Launch {
    launch.environment([("ANTHROPIC_BASE_URL", messages.base_url())]).arguments([
        "--no-session-persistence",
        "--output-format",
        "stream-json",
        "--verbose",
    ])
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
