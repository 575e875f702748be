//! A newer version takes over: at once from an idle engine, later from a busy one, and from several older clients at once.

use std::sync::Arc;
use std::time::Duration;

use codex_mcp::config::{Config, Environment, Flags};
use codex_mcp::daemon::{Host, Place, Start, Version};
use rustix::process::{Signal, kill_process};
use serde_json::json;
use testkit::gate::Gate;
use testkit::home::KEY_VARIABLE;
use testkit::mcp::McpDriver;
use testkit::model::{Script, reply, says};
use testkit::{poll, tools};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bridge::{Setup, TestBridge, content, result_of, text};
use crate::daemon::state;
use crate::front;

const PATIENCE: Duration = Duration::from_secs(10);

fn older() -> Version {
    Version::parse("0.0.9").unwrap()
}

/// An engine of an older version inside this test, with clients of that version.
struct Past {
    bridge: TestBridge,
    config: Arc<Config>,
    engine: JoinHandle<()>,
    fronts: TaskTracker,
}

impl Past {
    async fn new(script: impl Into<Script>) -> Self {
        let mut bridge = TestBridge::spawn(script, Setup::default());
        bridge.client.peer.close_input();
        bridge.client.peer.wait_exit().await;
        poll::until(PATIENCE, || match bridge.processes("daemon run").is_empty() {
            true => Ok(()),
            false => Err("the first engine is still there"),
        })
        .await;
        let mut variables = bridge.home.environment();
        variables.push(("CODEX_MCP_CODEX_BIN".into(), tools::codex().into()));
        variables.push(("CODEX_MCP_ENVIRONMENT_ALLOW".into(), KEY_VARIABLE.into()));
        let environment = Environment::new(variables, bridge.home.workspace());
        let config = Arc::new(Config::load(&environment, &Flags::default()).unwrap());
        let claim = Place::new(state(&bridge)).claim().unwrap().expect("nobody holds the lock");
        let host = Host::listen(claim, config.clone(), older(), PATIENCE).unwrap();
        let fronts = TaskTracker::new();
        let engine = fronts.spawn(host.run(CancellationToken::new()));
        Self { bridge, config, engine, fronts }
    }

    /// A client whose front would start an older engine, which leaves a trace.
    async fn client(&self) -> McpDriver {
        let trace = self.bridge.home.root().join("older-engines");
        let script = format!("echo >> {}; echo taken", trace.display());
        let program = front::program(&self.bridge.home, &script);
        let start = Start::Detached { program };
        let (mut client, _) =
            front::in_memory(self.config.clone(), older(), start, CancellationToken::new());
        client.initialize_legacy("2025-11-25").await;
        client
    }
}

#[tokio::test]
async fn older_clients_of_an_idle_engine_leave_the_lock_to_the_newer_one() {
    let mut past = Past::new([says("Well.")]).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(past.client().await);
    }
    past.bridge.restart(Setup::default()).await;
    past.engine.await.unwrap();
    let answer = past.bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(content(&answer), "Well.");
    let engine = past.bridge.engine();
    for client in &mut clients {
        let list = client.request("tools/list", json!({})).await;
        assert!(list["result"]["tools"].is_array(), "{list}");
    }
    assert_eq!(past.bridge.engine(), engine);
    let trace = past.bridge.home.root().join("older-engines");
    assert!(!trace.exists(), "an older engine was started beside the newer one");
    drop(clients);
    past.bridge.finish().await;
    past.fronts.close();
}

#[tokio::test]
async fn a_busy_older_engine_says_so_and_makes_room_when_it_is_idle() {
    let gate = Gate::new("held");
    let mut past = Past::new([reply().holds(&gate).says("One.")]).await;
    let mut old = past.client().await;
    let call = old.start_call("codex", json!({ "prompt": "one" })).await;
    gate.reached().await;

    past.bridge.restart(Setup::default()).await;
    // It comes by another pipe than the answer.
    let said = ["an older engine (0.0.9, process ", "version 0.1.0 takes over when it is idle"];
    poll::until(PATIENCE, || match past.bridge.client.peer.stderr() {
        stderr if said.iter().all(|words| stderr.contains(words)) => Ok(()),
        stderr => Err(stderr),
    })
    .await;
    let health = past.bridge.call("codex.health", json!({})).await;
    let found = text(&health["structuredContent"]["findings"][0]["problem"]);
    assert_eq!(found, "the engine (version 0.1.0) is older than this client's codex-mcp (0.1.0)");
    let status = past.bridge.command(&["daemon", "status"]).await.success();
    assert!(status.contains("A newer version takes its place when it is idle."), "{status}");

    gate.open();
    assert_eq!(content(&result_of(old.peer.reply(call).await)), "One.");
    past.engine.await.unwrap();
    poll::until(PATIENCE, || match past.bridge.processes("daemon run").len() {
        1 => Ok(()),
        other => Err(other),
    })
    .await;
    let health = past.bridge.call("codex.health", json!({})).await;
    assert_eq!(health["structuredContent"]["findings"], json!([]), "{health}");
    drop(old);
    past.bridge.finish().await;
    past.fronts.close();
}

#[tokio::test]
async fn a_program_that_was_replaced_starts_what_is_in_its_place() {
    let mut bridge = TestBridge::spawn([], Setup::default());
    let program = bridge.home.root().join("codex-mcp");
    let install = || {
        let new = program.with_extension("new");
        std::fs::copy(env!("CARGO_BIN_EXE_codex-mcp"), &new).unwrap();
        std::fs::rename(new, &program).unwrap();
    };
    install();
    let installed = || Setup { program: Some(program.clone().into()), ..Setup::default() };
    bridge.restart(installed()).await;
    install();
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    let list = bridge.client.request("tools/list", json!({})).await;
    assert!(list["result"]["tools"].is_array(), "{list}");
    bridge.finish().await;
}

#[tokio::test]
async fn an_engine_inside_a_server_takes_the_place_of_one_that_ended() {
    let mut bridge = TestBridge::start([says("Well.")]).await;
    let setup = Setup { arguments: vec!["--no-daemon".into()], ..Setup::default() };
    let staying = bridge.beside(setup).await;
    let mut starter = std::mem::replace(&mut bridge.client, staying);
    starter.peer.close_input();
    starter.peer.wait_exit().await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    let list = bridge.client.request("tools/list", json!({})).await;
    assert!(list["result"]["tools"].is_array(), "{list}");
    assert_eq!(content(&bridge.call("codex", json!({ "prompt": "x" })).await), "Well.");
    assert!(bridge.processes("daemon run").is_empty());
    bridge.finish().await;
}
