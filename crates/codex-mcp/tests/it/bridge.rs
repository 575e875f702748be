//! The server under test: the built program, a real Codex, a scripted model, and a client that sees raw lines.

use std::ffi::OsString;

use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::mcp::McpDriver;
use testkit::model::{FakeModel, Script};
use testkit::process::Launch;
use testkit::tools;

/// Everything that one test needs. Fields are dropped in this order: the server, then what it uses.
pub(crate) struct TestBridge {
    pub(crate) client: McpDriver,
    pub(crate) home: CodexHome,
    pub(crate) model: FakeModel,
    config_before: String,
}

/// What differs from the usual.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) arguments: Vec<OsString>,
    pub(crate) variables: Vec<(&'static str, OsString)>,
    pub(crate) config: &'static str,
    pub(crate) codex: Option<OsString>,
}

impl TestBridge {
    /// A server whose client has shaken hands by 2025-11-25.
    pub(crate) async fn start(script: impl Into<Script>) -> Self {
        Self::start_with(script, Setup::default()).await
    }

    /// The same, set up in another way.
    pub(crate) async fn start_with(script: impl Into<Script>, setup: Setup) -> Self {
        let mut bridge = Self::spawn(script, setup);
        bridge.client.initialize_legacy("2025-11-25").await;
        bridge
    }

    /// A server to which nothing was said yet.
    pub(crate) fn spawn(script: impl Into<Script>, setup: Setup) -> Self {
        let model = FakeModel::start(script);
        let home = CodexHome::new(&model.base_url()).with_config(setup.config).with_git();
        let client = McpDriver::spawn(&launch(&home, setup));
        let config_before = home.config_text();
        Self { client, home, model, config_before }
    }

    /// Calls a tool and gives its whole result.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let reply = self.client.call_tool(tool, arguments).await;
        result_of(reply)
    }

    /// Starts a call that reports progress, and gives its number.
    pub(crate) async fn begin(&mut self, tool: &str, arguments: Value) -> u64 {
        self.client.start_call(tool, arguments).await
    }

    /// The result of a call that was begun.
    pub(crate) async fn result(&mut self, call: u64) -> Value {
        result_of(self.client.peer.reply(call).await)
    }

    /// A thread with one answered turn: its id.
    pub(crate) async fn thread(&mut self, prompt: &str) -> String {
        let result = self.call("codex", json!({ "prompt": prompt })).await;
        text(&result["structuredContent"]["threadId"])
    }

    /// Ends the server as its client would, and checks what is left: nothing, and the configuration as it was.
    pub(crate) async fn finish(mut self) {
        self.client.peer.close_input();
        let status = self.client.peer.wait_exit().await;
        assert!(status.success(), "{status}: {}", self.client.peer.stderr());
        assert_eq!(self.home.config_text(), self.config_before, "the user's Codex configuration was written");
        self.home.check_leaks();
        self.model.finish();
    }
}

fn launch(home: &CodexHome, setup: Setup) -> Launch {
    let mut environment = home.environment();
    let codex = setup.codex.unwrap_or_else(|| tools::codex().into());
    environment.push(("CODEX_MCP_CODEX_BIN".into(), codex));
    environment.push(("CODEX_MCP_ENVIRONMENT_ALLOW".into(), testkit::home::KEY_VARIABLE.into()));
    environment.extend(setup.variables.into_iter().map(|(name, value)| (name.into(), value)));
    Launch::new(env!("CARGO_BIN_EXE_codex-mcp"), home.workspace()).arguments(setup.arguments).environment(environment)
}

fn result_of(mut reply: Value) -> Value {
    assert!(reply.get("error").is_none(), "a protocol error: {reply}");
    reply["result"].take()
}

/// A string in an answer.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}
