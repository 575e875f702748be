//! Who is measured: our server, a bare app-server, and Codex started anew for each turn.
//!
//! They do the same turn on the same kind of thread, with the same configuration and model.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use testkit::home::{CodexHome, KEY_VARIABLE};
use testkit::tools;

use super::line_client::LineClient;

/// What is asked in each turn.
pub(super) const PROMPT: &str = "ping";

/// Our server, with a client.
pub(super) struct Ours {
    pub(super) client: LineClient,
}

/// The command that starts our server in a home.
pub(super) fn server_command(server: &Path, home: &CodexHome, codex: &Path) -> Command {
    let mut command = Command::new(server);
    command.env_clear().envs(home.environment()).current_dir(home.workspace());
    command.env("CODEX_MCP_CODEX_BIN", codex);
    command.env("CODEX_MCP_ENVIRONMENT_ALLOW", KEY_VARIABLE);
    // A measurement asks for more turns than a person or a model would.
    command.env("CODEX_MCP_MAX_TURNS_PER_MINUTE", "100000");
    command.env("CODEX_MCP_MAX_CLIENT_TURNS_PER_MINUTE", "100000");
    // Nothing is to be left of one measurement when the next begins.
    command.env("CODEX_MCP_ENGINE_LINGER_SECONDS", "0");
    command
}

/// The params of `initialize`.
pub(super) fn greeting() -> Value {
    let client = json!({ "name": "bench", "version": "0" });
    json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client })
}

impl Ours {
    /// Starts the server and shakes hands with it.
    pub(super) fn start(server: &Path, home: &CodexHome) -> Result<Self> {
        Self::start_with(server, home, &tools::codex())
    }

    /// The same with another program in the place of Codex.
    pub(super) fn start_with(server: &Path, home: &CodexHome, codex: &Path) -> Result<Self> {
        let mut client = LineClient::spawn(&mut server_command(server, home, codex))?;
        client.request("initialize", greeting())?;
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        Ok(Self { client })
    }

    /// Begins a call that reports progress, as those of real clients do.
    pub(super) fn begin(&mut self, tool: &str, arguments: Value) -> Result<u64> {
        let meta = json!({ "progressToken": tool });
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        self.client.start("tools/call", params)
    }

    /// Calls a tool and returns its structured result.
    pub(super) fn call(&mut self, tool: &str, arguments: Value) -> Result<Value> {
        let id = self.begin(tool, arguments)?;
        Ok(self.client.reply(id)?["structuredContent"].take())
    }

    /// Starts a thread with one turn, and returns its id.
    pub(super) fn new_thread(&mut self) -> Result<String> {
        let result = self.call("codex", json!({ "prompt": PROMPT }))?;
        text(&result["threadId"])
    }

    /// The next turn of a thread.
    pub(super) fn turn(&mut self, thread: &str) -> Result<()> {
        self.call("codex-reply", json!({ "threadId": thread, "prompt": PROMPT }))?;
        Ok(())
    }

    /// The process id of its app-server.
    pub(super) fn app_server(&mut self) -> Result<u32> {
        let health = self.call("codex.health", json!({}))?;
        let pid = health["process"]["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
        pid.with_context(|| format!("codex.health names no process: {health}"))
    }
}

/// An app-server that is driven without anything between.
pub(super) struct Bare {
    pub(super) client: LineClient,
}

impl Bare {
    /// Starts Codex and shakes hands with it.
    pub(super) fn start(home: &CodexHome) -> Result<Self> {
        Self::start_with(home, &tools::codex())
    }

    /// The same with another program in the place of Codex.
    pub(super) fn start_with(home: &CodexHome, codex: &Path) -> Result<Self> {
        let mut command = Command::new(codex);
        command
            .arg("app-server")
            .env_clear()
            .envs(home.environment())
            .current_dir(home.workspace());
        let mut client = LineClient::spawn(&mut command)?;
        // What our server does not want to hear either, where a turn would bring it.
        let unheard = ["thread/settings/updated", "account/rateLimits/updated"];
        let capabilities = json!({ "experimentalApi": true, "optOutNotificationMethods": unheard });
        let info = json!({ "name": "bench", "version": "0" });
        client
            .request("initialize", json!({ "clientInfo": info, "capabilities": capabilities }))?;
        client.send(&json!({ "method": "initialized" }))?;
        Ok(Self { client })
    }

    /// Starts a thread with one turn, and returns its id.
    pub(super) fn new_thread(&mut self, home: &CodexHome) -> Result<String> {
        let config = json!({ "tools.update_plan.enabled": true });
        let params = json!({ "cwd": home.workspace(), "sandbox": "read-only", "config": config });
        let started = self.client.request("thread/start", params)?;
        let thread = text(&started["thread"]["id"])?;
        self.turn(&thread)?;
        Ok(thread)
    }

    /// The next turn of a thread.
    pub(super) fn turn(&mut self, thread: &str) -> Result<()> {
        let input = json!([{ "type": "text", "text": PROMPT }]);
        let sandbox = json!({ "type": "readOnly" });
        let params = json!({ "threadId": thread, "input": input, "sandboxPolicy": sandbox });
        self.client.start("turn/start", params)?;
        let completed = self.client.wait_for("\"turn/completed\"")?;
        if !completed.contains("\"status\":\"completed\"") {
            bail!("a turn failed: {completed}");
        }
        Ok(())
    }
}

/// How a process per turn is started.
#[derive(Clone, Copy)]
pub(super) enum OneShot {
    /// The native program by itself.
    Native,
    /// As an installed `codex` is: a shell, node, the npm package's script, and then the native program.
    Shell,
}

impl OneShot {
    /// Starts a thread with one turn, and returns its id.
    pub(super) fn new_thread(self, home: &CodexHome) -> Result<String> {
        let output = self.command(home, &["exec", "--json", PROMPT]).output();
        let output = output.context("cannot start Codex")?;
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let started = lines.lines().find(|line| line.contains("\"thread.started\""));
        let started = started.with_context(|| format!("no thread was started: {lines}"))?;
        text(&serde_json::from_str::<Value>(started)?["thread_id"])
    }

    /// The next turn of a thread, ready to be started.
    pub(super) fn turn(self, home: &CodexHome, thread: &str) -> Command {
        let mut command = self.command(home, &["exec", "resume", thread, PROMPT]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn command(self, home: &CodexHome, arguments: &[&str]) -> Command {
        let mut command = match self {
            Self::Native => {
                let mut command = Command::new(tools::codex());
                command.args(arguments);
                command
            }
            Self::Shell => {
                let mut command = Command::new("sh");
                let (node, shim) = (tools::node(), tools::codex_shim());
                let (node, shim) = (node.display(), shim.display());
                // The second command keeps the shell from becoming the first one.
                let line = format!("'{node}' '{shim}' {}; exit $?", arguments.join(" "));
                command.args(["-c", &line]);
                command
            }
        };
        command.env_clear().envs(home.environment()).current_dir(home.workspace());
        command.stdin(Stdio::null());
        command
    }
}

/// Runs a turn's process to its end.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot start Codex")?;
    if !status.success() {
        bail!("a turn failed: {status}");
    }
    Ok(())
}

/// A string of an answer.
pub(super) fn text(value: &Value) -> Result<String> {
    let text = value.as_str().with_context(|| format!("not a text: {value}"))?;
    Ok(text.to_owned())
}
