//! A front whose engines are played by the test: they end, hang, refuse, and each request gets one answer all the same.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use codex_mcp::config::{Config, Environment, Flags};
use codex_mcp::daemon::{self, Claim, Front, FrontEnd, Introduction, Place, Start, Version};
use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::mcp::McpDriver;
use testkit::peer::{Line, Peer};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bridge::{error_code, result_of, text};

/// What a pipe in memory holds.
const PIPE_BYTES: usize = 64 << 10;

/// A client with its front, in a state directory whose lock the test holds.
struct Stage {
    client: McpDriver,
    listener: Option<UnixListener>,
    claim: Claim,
    front: JoinHandle<FrontEnd>,
    shutdown: CancellationToken,
    home: CodexHome,
}

impl Stage {
    /// The front would start this script if it found no engine.
    fn open(script: &str) -> Self {
        let home = CodexHome::new("http://127.0.0.1:9");
        let environment = Environment::new(home.environment(), home.workspace());
        let config = Arc::new(Config::load(&environment, &Flags::default()).unwrap());
        let claim = Place::new(&config.state_dir).claim().unwrap().expect("nobody holds the lock");
        let start = Start::Detached { program: program(&home, script) };
        let shutdown = CancellationToken::new();
        let (client, front) = in_memory(config, Version::own(), start, shutdown.clone());
        let listener = Some(claim.listen().unwrap());
        Self { client, listener, claim, front, shutdown, home }
    }

    /// The front's connection to its next engine, with the engine's answer to the introduction.
    async fn engine(&self, answer: Value) -> Peer {
        let listener = self.listener.as_ref().expect("somebody listens");
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, writer) = tokio::io::split(stream);
        let mut engine = Peer::over(reader, writer);
        let introduction = engine.next().await.expect("the front introduces itself");
        assert_eq!(introduction["codexMcp"], "client", "{introduction}");
        engine.send(&answer).await;
        engine
    }

    /// An engine that has taken the client in.
    async fn willing(&self) -> Peer {
        self.engine(json!({ "answer": "accepted", "version": "0.1.0", "pid": 1 })).await
    }

    /// An engine that has shaken hands with the client.
    async fn familiar(&mut self) -> Peer {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {} });
        let handshake = self.client.start("initialize", params).await;
        let mut engine = self.willing().await;
        engine.incoming("initialize").await;
        engine.respond(&json!(handshake), json!({})).await;
        self.client.peer.reply(handshake).await;
        self.client.peer.notify("notifications/initialized", json!({})).await;
        engine.incoming("notifications/initialized").await;
        engine
    }

    /// Lets the time pass in which a front does not look again for an engine. The clock is paused: it moves once nothing
    /// is under way any more.
    async fn later(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    async fn call(&mut self, tool: &str) -> u64 {
        self.client.start("tools/call", json!({ "name": tool, "arguments": {} })).await
    }

    fn answers(&self, id: u64) -> usize {
        let is_answer = |line: &Line| match line {
            Line::Sent(_) => false,
            Line::Received(line) => serde_json::from_str::<Value>(line).unwrap()["id"] == id,
        };
        self.client.peer.transcript().iter().filter(|line| is_answer(line)).count()
    }

    /// Ends the client, and gives what the front says of its own end.
    async fn close(self) -> FrontEnd {
        drop(self.client);
        let end = self.front.await.unwrap();
        self.claim.close();
        self.home.check_leaks();
        end
    }
}

/// A front inside this process, and its client.
pub(crate) fn in_memory(
    config: Arc<Config>,
    version: Version,
    start: Start,
    shutdown: CancellationToken,
) -> (McpDriver, JoinHandle<FrontEnd>) {
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    let front = Front::new(config, Vec::new(), version, start);
    let (input, output) = tokio::io::split(theirs);
    let front = TaskTracker::new().spawn(front.run(input, output, shutdown));
    let (output, input) = tokio::io::split(ours);
    (McpDriver::over(Peer::over(output, input)), front)
}

/// A program for a front to start.
pub(crate) fn program(home: &CodexHome, script: &str) -> PathBuf {
    let path = home.root().join("engine.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[tokio::test]
async fn each_request_is_answered_once_however_many_engines_end() {
    let mut stage = Stage::open("echo no engine starts here");
    let mut first = stage.familiar().await;
    let (codex, wait) = (stage.call("codex").await, stage.call("codex.wait").await);
    for _ in 0..2 {
        first.incoming("tools/call").await;
    }
    drop(first);
    // The second one ends before it has read a word.
    drop(stage.willing().await);
    let mut third = stage.willing().await;
    let handshake = third.incoming("initialize").await["id"].take();
    third.incoming("notifications/initialized").await;
    let again = third.incoming("tools/call").await;
    assert_eq!((&again["id"], &again["params"]["name"]), (&json!(wait), &json!("codex.wait")));
    third.respond(&handshake, json!({})).await;
    third.respond(&json!(wait), json!({ "isError": false })).await;
    let lost = result_of(stage.client.peer.reply(codex).await);
    assert_eq!(error_code(&lost), "engine_lost");
    let remedy = text(&lost["structuredContent"]["error"]["remedy"]);
    assert!(remedy.contains("codex.thread.list"), "{remedy}");
    assert_eq!(lost["structuredContent"]["error"]["retryable"], false, "{lost}");
    assert_eq!(result_of(stage.client.peer.reply(wait).await)["isError"], false);
    // A further answer comes after everything that was said before.
    let ping = stage.client.start("ping", json!({})).await;
    third.incoming("ping").await;
    third.respond(&json!(ping), json!({})).await;
    stage.client.peer.reply(ping).await;
    assert_eq!([codex, wait, ping].map(|id| stage.answers(id)), [1, 1, 1]);
    drop(third);
    stage.close().await;
}

#[tokio::test]
async fn a_request_that_ends_engines_is_not_made_for_ever() {
    let mut stage = Stage::open("echo no engine starts here");
    let mut engine = stage.familiar().await;
    let deadly = stage.client.start("tools/list", json!({})).await;
    for _ in 0..3 {
        engine.incoming("tools/list").await;
        drop(engine);
        engine = stage.willing().await;
    }
    let reply = stage.client.peer.reply(deadly).await;
    assert_eq!(reply["error"]["data"]["code"], "engine_lost", "{reply}");
    let ping = stage.client.start("ping", json!({})).await;
    engine.incoming("ping").await;
    assert!(engine.received("tools/list").is_empty());
    engine.respond(&json!(ping), json!({})).await;
    stage.client.peer.reply(ping).await;
    drop(engine);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_not_given_engines_without_end() {
    let mut stage = Stage::open("echo no engine starts here");
    drop(stage.familiar().await);
    for _ in 0..3 {
        drop(stage.willing().await);
    }
    // Nobody comes any more until the client speaks, and then somebody does.
    stage.later().await;
    let ping = stage.client.start("ping", json!({})).await;
    let mut engine = stage.willing().await;
    engine.incoming("ping").await;
    engine.respond(&json!(ping), json!({})).await;
    stage.client.peer.reply(ping).await;
    drop(engine);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_refused_asks_again_with_its_next_request() {
    let mut stage = Stage::open("echo no engine starts here");
    let first = stage.client.start("ping", json!({})).await;
    drop(stage.engine(json!({ "answer": "refused", "message": "all seats are taken" })).await);
    let refusal = stage.client.peer.reply(first).await;
    assert_eq!(refusal["error"]["data"]["code"], "no_engine", "{refusal}");
    assert!(text(&refusal["error"]["message"]).contains("all seats are taken"), "{refusal}");
    // A call that no engine was given is not lost.
    stage.later().await;
    let call = stage.call("codex").await;
    let mut engine = stage.willing().await;
    engine.incoming("tools/call").await;
    engine.respond(&json!(call), json!({ "isError": false })).await;
    assert_eq!(result_of(stage.client.peer.reply(call).await)["isError"], false);
    drop(engine);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_is_said_and_does_not_hold_the_client() {
    let mut stage = Stage::open("echo no engine starts here");
    let reply = stage.client.request("ping", json!({})).await;
    let message = text(&reply["error"]["message"]);
    assert!(message.contains("does not answer; `codex-mcp daemon stop` ends it"), "{message}");
    let place = stage.claim.place().clone();
    let asked = daemon::ask(&place, &Introduction::Status).await.expect_err("nobody answers");
    assert_eq!(asked.kind(), ErrorKind::TimedOut);
    // Being told to end is heard meanwhile.
    stage.later().await;
    stage.client.start("ping", json!({})).await;
    let before = tokio::time::Instant::now();
    stage.shutdown.cancel();
    assert!(matches!(stage.close().await, FrontEnd::NoEngine(_)));
    assert!(before.elapsed().as_secs() < 1, "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_start_in_vain_leaves_the_last_words_of_others() {
    let mut stage = Stage::open("echo I write to my log >&2; echo the engine is not well");
    let words = stage.claim.place().directory().join("engine.err");
    std::fs::write(&words, "a panic\n").unwrap();
    stage.listener = None;
    stage.claim.close();
    let reply = stage.client.request("ping", json!({})).await;
    assert!(text(&reply["error"]["message"]).contains("the engine is not well"), "{reply}");
    assert_eq!(std::fs::read_to_string(words).unwrap(), "a panic\nI write to my log\n");
    stage.close().await;
}
