//! The server under test: the built program, a real Codex, a scripted model, and a client that sees raw lines.

use std::ffi::OsString;
use std::time::Duration;

use rustix::process::Pid;
use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::leaks::{Process, programs_under};
use testkit::mcp::McpDriver;
use testkit::model::{FakeModel, Script};
use testkit::normalise::Normaliser;
use testkit::peer::Line;
use testkit::poll;
use testkit::process::{Ended, Launch};
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
    /// The server's own program, where it is not the one that was built.
    pub(crate) program: Option<OsString>,
    /// Another provider than the scripted model.
    pub(crate) provider: Option<String>,
    /// Whether the client says that it can ask its user.
    pub(crate) elicits: bool,
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
        let provider = setup.provider.clone().unwrap_or_else(|| model.base_url());
        let home = CodexHome::new(&provider).with_config(setup.config).with_git();
        let capabilities = capabilities(&setup);
        let client = McpDriver::spawn(&launch(&home, setup)).with_capabilities(capabilities);
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

    /// A thread that `codex exec` makes in the same home: its id.
    pub(crate) fn thread_of_exec(&self, prompt: &str) -> String {
        let exec = Launch::new(tools::codex(), self.home.workspace());
        let exec = exec.environment(self.home.environment());
        let events = exec.arguments(["exec", "--json", prompt]).run_blocking().success();
        let started = events.lines().find_map(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            event["thread_id"].as_str().map(str::to_owned)
        });
        started.expect("codex exec names its thread")
    }

    /// The turn of a call, once its progress names it.
    pub(crate) async fn turn_of(&mut self, call: u64) -> String {
        loop {
            let news = self.client.progress(call).await;
            if let Some(turn) = news["_meta"]["data"]["turnId"].as_str() {
                return turn.to_owned();
            }
        }
    }

    /// Takes news of a call until one is of this kind.
    pub(crate) async fn news(&mut self, call: u64, event: &str) -> Value {
        loop {
            let news = self.client.progress(call).await;
            if news["_meta"]["event"] == event {
                return news;
            }
        }
    }

    /// Ends the server and starts another one on the same home.
    pub(crate) async fn restart(&mut self, setup: Setup) {
        self.client.peer.close_input();
        self.client.peer.wait_exit().await;
        self.client = McpDriver::spawn(&launch(&self.home, setup));
        self.client.initialize_legacy("2025-11-25").await;
    }

    /// The same, once the engine is gone too: the new server finds nothing of the old one but what is on disk.
    pub(crate) async fn restart_all(&mut self, setup: Setup) {
        self.leave().await;
        self.come_back(setup).await;
    }

    /// Ends the server, and waits until the engine is gone too.
    pub(crate) async fn leave(&mut self) {
        self.client.peer.close_input();
        self.client.peer.wait_exit().await;
        poll::until(Duration::from_secs(10), || match self.processes("daemon run").len() {
            0 => Ok(()),
            engines => Err(engines),
        })
        .await;
    }

    /// Starts a server on the same home.
    pub(crate) async fn come_back(&mut self, setup: Setup) {
        self.client = McpDriver::spawn(&launch(&self.home, setup));
        self.client.initialize_legacy("2025-11-25").await;
    }

    /// Another client on the same home. It shares the engine unless it is set up with another state directory.
    pub(crate) async fn beside(&self, setup: Setup) -> McpDriver {
        let capabilities = capabilities(&setup);
        let client = McpDriver::spawn(&launch(&self.home, setup));
        let mut client = client.with_capabilities(capabilities);
        client.initialize_legacy("2025-11-25").await;
        client
    }

    /// The engine's process.
    pub(crate) fn engine(&self) -> Pid {
        let engines = self.processes("daemon run");
        assert_eq!(engines.len(), 1, "{engines:#?}");
        Pid::from_raw(engines[0].pid).expect("a process has an id")
    }

    /// The app-server's process.
    pub(crate) fn app_server(&self) -> Pid {
        let servers = self.processes("app-server");
        assert_eq!(servers.len(), 1, "{servers:#?}");
        Pid::from_raw(servers[0].pid).expect("a process has an id")
    }

    /// Processes of this home whose command line has these words.
    pub(crate) fn processes(&self, words: &str) -> Vec<Process> {
        programs_under(self.home.root(), words)
    }

    /// Runs the program with a subcommand in this home.
    pub(crate) async fn command(&self, words: &[&str]) -> Ended {
        let setup =
            Setup { arguments: words.iter().map(OsString::from).collect(), ..Setup::default() };
        launch(&self.home, setup).run(Duration::from_secs(10)).await
    }

    /// Whether a call was answered so far.
    pub(crate) fn was_answered(&self, call: u64) -> bool {
        let is_answer = |line: &Line| match line {
            Line::Sent(_) => false,
            Line::Received(line) => {
                let message: Value = serde_json::from_str(line).unwrap_or_default();
                message["id"] == call && message.get("method").is_none()
            }
        };
        self.client.peer.transcript().iter().any(is_answer)
    }

    /// Shows data with everything that differs from run to run taken out, on one line.
    pub(crate) fn show_data(&self, data: &Value) -> String {
        Normaliser::for_home(&self.home).json(data).to_string()
    }

    /// Shows an answer with everything that differs from run to run taken out.
    pub(crate) fn show(&self, answer: &Value) -> String {
        let mut normaliser = Normaliser::for_home(&self.home);
        let data = normaliser.json(&answer["structuredContent"]);
        let text = normaliser.text(answer["content"][0]["text"].as_str().unwrap_or_default());
        let seconds =
            answer["structuredContent"]["durationMs"].as_f64().unwrap_or_default() / 1000.0;
        let text = text.replace(&format!(", {seconds:.1} s"), ", [time]");
        format!("{text}\n---\n{data:#}\n")
    }

    /// Ends the server as its client would, and checks what is left: nothing, and the configuration as it was.
    pub(crate) async fn finish(mut self) {
        self.client.peer.close_input();
        let status = self.client.peer.wait_exit().await;
        assert!(status.success(), "{status}: {}", self.client.peer.stderr());
        assert_eq!(
            self.home.config_text(),
            self.config_before,
            "the user's Codex configuration was written"
        );
        self.home.check_leaks();
        self.model.finish();
    }
}

fn capabilities(setup: &Setup) -> Value {
    match setup.elicits {
        true => json!({ "elicitation": { "form": {} } }),
        false => json!({}),
    }
}

/// The server, as a client starts it in a home.
pub(crate) fn launch(home: &CodexHome, setup: Setup) -> Launch {
    let mut environment = home.environment();
    let codex = setup.codex.unwrap_or_else(|| tools::codex().into());
    environment.push(("CODEX_MCP_CODEX_BIN".into(), codex));
    environment.push(("CODEX_MCP_ENVIRONMENT_ALLOW".into(), testkit::home::KEY_VARIABLE.into()));
    // The engine ends with its last client, so that a test sees the end of everything that it has started.
    environment.push(("CODEX_MCP_ENGINE_LINGER_SECONDS".into(), "0".into()));
    environment.extend(setup.variables.into_iter().map(|(name, value)| (name.into(), value)));
    let program = setup.program.unwrap_or_else(|| env!("CARGO_BIN_EXE_codex-mcp").into());
    Launch::new(program, home.workspace()).arguments(setup.arguments).environment(environment)
}

pub(crate) fn result_of(mut reply: Value) -> Value {
    assert!(reply.get("error").is_none(), "a protocol error: {reply}");
    reply["result"].take()
}

/// A string in an answer.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

/// The code of an answer that must be an error.
#[track_caller]
pub(crate) fn error_code(answer: &Value) -> String {
    assert_eq!(answer["isError"], true, "not an error: {answer}");
    text(&answer["structuredContent"]["error"]["code"])
}

/// The final answer of a turn that must have gone well.
#[track_caller]
pub(crate) fn content(answer: &Value) -> String {
    assert_eq!(answer["isError"], false, "an error: {answer}");
    assert_eq!(answer["structuredContent"]["status"], "completed", "{answer}");
    text(&answer["structuredContent"]["content"])
}
