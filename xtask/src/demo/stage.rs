//! The client's side of the demo: it calls tools, shows what comes back as it comes, and lets the model go on.
//!
//! It speaks MCP over the server's pipes, as any client does. It knows no story.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use testkit::mcp::McpDriver;
use testkit::model::FakeModel;
use testkit::peer::Peer;
use testkit::process::Launch;

use super::screen::Screen;
use super::script::{self, Act, Cue};

/// How long nothing may come from the server. It sends news of a running turn every 15 seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long Codex may take for one act of its model.
const ACT_LIMIT: Duration = Duration::from_secs(20);

/// What every turn begins with.
const AT_WORK: &str = "Codex is at work";

/// A client with its server and the model behind that. Dropped in this order.
pub(super) struct Stage {
    pub(super) client: McpDriver,
    pub(super) model: FakeModel,
    pub(super) screen: Screen,
    pace: Duration,
    /// How long the server took from its start to the answer to `initialize`.
    pub(super) greeted_in: Duration,
    /// What the server says of itself.
    pub(super) version: String,
}

/// A call that is not answered yet.
pub(super) struct Call {
    id: u64,
    begun: Instant,
    /// Its answer says where to go on.
    opens_a_thread: bool,
    /// A text that may still grow, and when it came.
    growing: Option<(Duration, String)>,
}

/// What comes of a call.
enum Next {
    Progress(String),
    Reply(Value),
}

impl Stage {
    /// Starts the server and shakes hands with it.
    pub(super) async fn open(
        screen: Screen,
        launch: &Launch,
        model: FakeModel,
        pace: Duration,
    ) -> Self {
        let begun = Instant::now();
        let peer = Peer::spawn(launch).with_patience(PATIENCE);
        let form = json!({ "elicitation": { "form": {} } });
        let mut client = McpDriver::over(peer).with_capabilities(form);
        let reply = client.initialize_legacy("2025-11-25").await;
        Self {
            client,
            model,
            screen,
            pace,
            greeted_in: begun.elapsed(),
            version: text(&reply["result"]["serverInfo"]["version"]),
        }
    }

    /// Lets a reader follow.
    pub(super) async fn pause(&self) {
        tokio::time::sleep(self.pace).await;
    }

    /// Calls a tool and shows that.
    pub(super) async fn call(&mut self, tool: &str, arguments: Value) -> Call {
        self.screen.request(tool, &arguments);
        Call {
            id: self.client.start_call(tool, arguments).await,
            begun: Instant::now(),
            opens_a_thread: tool == "codex",
            growing: None,
        }
    }

    /// Calls a tool and returns its structured result, without showing anything.
    pub(super) async fn ask(&mut self, tool: &str, arguments: Value) -> Result<Value> {
        let mut reply = self.client.call_tool(tool, arguments).await;
        if reply["result"]["isError"] == true || reply.get("error").is_some() {
            bail!("{tool} failed: {reply}");
        }
        Ok(reply["result"]["structuredContent"].take())
    }

    /// Teaches the model its acts, which must happen before Codex asks it.
    pub(super) fn prepare(&self, acts: &[Act]) -> Vec<Cue> {
        let (replies, cues) = script::prepare(acts);
        self.model.add(replies);
        cues
    }

    /// Plays the acts of a running turn: each begins when the news of the one before are shown.
    pub(super) async fn play(&mut self, call: &mut Call, cues: Vec<Cue>) -> Result<()> {
        for Cue { act, gate } in cues {
            self.pause().await;
            gate.open();
            if let Some(message) = act.shown() {
                self.show_until(call, &message).await?;
            }
        }
        Ok(())
    }

    /// Begins a turn, plays its acts, and leaves it running.
    pub(super) async fn begin(
        &mut self,
        tool: &str,
        arguments: Value,
        acts: &[Act],
    ) -> Result<Call> {
        let cues = self.prepare(acts);
        let mut call = self.call(tool, arguments).await;
        self.show_until(&mut call, AT_WORK).await?;
        self.play(&mut call, cues).await?;
        Ok(call)
    }

    /// Plays a whole turn: the call, the acts, the answer.
    pub(super) async fn turn(
        &mut self,
        tool: &str,
        arguments: Value,
        acts: &[Act],
    ) -> Result<Value> {
        let mut call = self.begin(tool, arguments, acts).await?;
        self.answer(&mut call).await
    }

    /// Shows the news of a call until this message has come.
    async fn show_until(&mut self, call: &mut Call, awaited: &str) -> Result<()> {
        let showing = self.show_all_until(call, awaited);
        match tokio::time::timeout(ACT_LIMIT, showing).await {
            Ok(shown) => shown,
            Err(_) => bail!("{awaited:?} did not come within {ACT_LIMIT:?}"),
        }
    }

    async fn show_all_until(&mut self, call: &mut Call, awaited: &str) -> Result<()> {
        loop {
            match self.next(call).await {
                Next::Progress(message) => {
                    let found = message == awaited;
                    self.show(call, message);
                    if found {
                        self.show_growing(call);
                        return Ok(());
                    }
                }
                Next::Reply(reply) => bail!("the call ended before {awaited:?}: {reply}"),
            }
        }
    }

    /// Shows the news of a call until it is answered, and returns the whole result.
    pub(super) async fn end(&mut self, call: &mut Call) -> Result<Value> {
        loop {
            match self.next(call).await {
                Next::Progress(message) => self.show(call, message),
                Next::Reply(mut reply) => {
                    // What was about to be said is the answer itself.
                    if !is(&call.growing, "says:") {
                        self.show_growing(call);
                    }
                    if reply.get("error").is_some() {
                        bail!("a protocol error: {reply}");
                    }
                    return Ok(reply["result"].take());
                }
            }
        }
    }

    /// Waits for the whole result of a call of which enough was shown.
    pub(super) async fn finish(&mut self, call: Call) -> Result<Value> {
        let mut reply = self.client.peer.reply(call.id).await;
        if reply.get("error").is_some() {
            bail!("a protocol error: {reply}");
        }
        Ok(reply["result"].take())
    }

    /// Waits for the answer of a turn that is meant to complete, shows it, and returns its data.
    pub(super) async fn answer(&mut self, call: &mut Call) -> Result<Value> {
        let mut result = self.end(call).await?;
        let data = result["structuredContent"].take();
        let took = call.begun.elapsed().as_secs_f64();
        if data["status"] != "completed" {
            bail!("the turn did not complete: {data:#}");
        }
        let mut state = format!("completed in {took:.1} s");
        if call.opens_a_thread {
            state = format!("{state}, threadId {}", text(&data["threadId"]));
        }
        self.screen.answer(&state, &text(&data["content"]));
        Ok(data)
    }

    /// Calls a tool that asks first, shows the question, and says yes. `place` is where the project lies.
    pub(super) async fn agree(
        &mut self,
        tool: &str,
        arguments: Value,
        place: &str,
    ) -> Result<Value> {
        let mut call = self.call(tool, arguments).await;
        let asked = self.client.peer.incoming("elicitation/create").await;
        let question = text(&asked["params"]["message"]).replace(place, "the project");
        self.screen.fact("asked", &question);
        self.pause().await;
        self.screen.fact("you", "yes");
        let yes = json!({ "action": "accept", "content": {} });
        self.client.peer.respond(&asked["id"], yes).await;
        let result = self.end(&mut call).await?;
        let data = &result["structuredContent"];
        self.screen.answer(&text(&data["action"]), &text(&data["files"][0]["path"]));
        Ok(result)
    }

    /// The app-server's process id.
    pub(super) async fn app_server(&mut self) -> Result<i32> {
        let health = self.ask("codex.health", json!({})).await?;
        let pid = health["process"]["pid"].as_i64();
        match pid.and_then(|pid| i32::try_from(pid).ok()) {
            Some(pid) => Ok(pid),
            None => bail!("codex.health names no process: {health:#}"),
        }
    }

    async fn next(&mut self, call: &Call) -> Next {
        let id = call.id;
        let concerns = |message: &Value| match message["method"].as_str() {
            Some("notifications/progress") => message["params"]["progressToken"] == id,
            Some(_) => false,
            None => message["id"] == id,
        };
        let message = self.client.peer.find("news of the call", concerns).await;
        match message.get("method") {
            Some(_) => Next::Progress(text(&message["params"]["message"])),
            None => Next::Reply(message),
        }
    }

    /// Shows a message. A text that may grow waits until it does no more.
    fn show(&self, call: &mut Call, message: String) {
        let at = call.begun.elapsed();
        let grows = message.starts_with("thinking:") || message.starts_with("says:");
        let grown = match &call.growing {
            // Of a long text only the end is sent.
            Some((_, before)) => {
                message.starts_with(before.as_str()) || grows && message.contains('…')
            }
            None => false,
        };
        if !grown {
            self.show_growing(call);
        }
        if grows {
            call.growing = Some((at, message));
        } else {
            self.screen.news(at, &message);
        }
    }

    fn show_growing(&self, call: &mut Call) {
        if let Some((at, message)) = call.growing.take() {
            self.screen.news(at, &message);
        }
    }
}

fn is(growing: &Option<(Duration, String)>, kind: &str) -> bool {
    growing.as_ref().is_some_and(|(_, message)| message.starts_with(kind))
}

/// A string of an answer; empty if there is none.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
