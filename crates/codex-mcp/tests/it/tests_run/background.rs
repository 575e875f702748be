//! Runs that somebody comes back to, gives up, stops or loses, and what is told while they go.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::poll;

use super::{Project, all};
use crate::bridge::{Setup, error_code, text};

/// Tells of two tests and then waits for ever.
const WAITS: &[(&str, &str)] = &[(
    "Makefile",
    "test:\n\t@trap '' TERM; echo 'ok 1 - a'; echo 'not ok 2 - b'; sleep 1000 & wait\n",
)];

async fn ends(project: &Project, what: &str) {
    poll::until(Duration::from_secs(10), || match project.bridge.processes(what).len() {
        0 => Ok(()),
        _ => Err(project.bridge.processes(what)),
    })
    .await;
}

async fn begins(project: &Project, what: &str) {
    poll::until(Duration::from_secs(10), || match project.bridge.processes(what).len() {
        0 => Err("it has not begun"),
        _ => Ok(()),
    })
    .await;
}

/// The call's news, until the two tests are told of.
async fn told(project: &mut Project, call: u64) -> Value {
    loop {
        let news = project.bridge.client.progress(call).await;
        if news["_meta"]["data"]["failed"] == 1 {
            return news;
        }
    }
}

#[tokio::test]
async fn it_is_told_how_it_goes_and_a_cancelled_call_ends_everything() {
    let mut project = Project::open(WAITS).await;
    let call = project.bridge.begin("codex.tests.run", all()).await;
    let first = project.bridge.client.progress(call).await;
    assert_eq!(first["message"], "running: make test", "{first}");
    let news = told(&mut project, call).await;
    assert_eq!(news["message"], "running: 1 passed, 1 failed, 0 skipped: not ok 2 - b", "{news}");
    assert_eq!(news["_meta"]["event"], "progress");
    assert!(!project.bridge.processes("sleep 1000").is_empty());
    project.bridge.client.cancel(call, "enough").await;
    ends(&project, "sleep 1000").await;
    assert!(!project.bridge.was_answered(call));
    project.close().await;
}

#[tokio::test]
async fn a_run_in_the_background_is_collected_later_and_can_be_stopped() {
    let mut project = Project::open(WAITS).await;
    let begun = project.run(json!({ "background": true })).await;
    assert_eq!(begun["structuredContent"]["status"], "running", "{begun}");
    let run = begun["structuredContent"]["runId"].clone();
    let looked = project.run(json!({ "runId": run, "waitSeconds": 0 })).await;
    assert_eq!(looked["structuredContent"]["status"], "running", "{looked}");
    // A call that waits and is given up changes nothing.
    let call = project.bridge.begin("codex.tests.run", json!({ "runId": run })).await;
    told(&mut project, call).await;
    project.bridge.client.cancel(call, "enough").await;
    let looked = project.run(json!({ "runId": run, "waitSeconds": 0 })).await;
    assert_eq!(
        looked["structuredContent"]["counts"],
        json!({ "passed": 1, "failed": 1, "skipped": 0 })
    );
    // Another client of the same project has it too; one of another has not.
    let mut other = project.bridge.beside(Setup::default()).await;
    let stopped = other.call_tool("codex.tests.run", json!({ "runId": run, "stop": true })).await;
    let stopped = &stopped["result"]["structuredContent"];
    assert_eq!(stopped["status"], "stopped", "{stopped}");
    assert!(text(&stopped["log"]).contains("not ok 2 - b"), "{stopped}");
    other.peer.close_input();
    other.peer.wait_exit().await;
    let root = project.bridge.home.home().into_os_string();
    let elsewhere =
        Setup { variables: vec![("CODEX_MCP_WORKSPACE_ROOTS", root)], ..Setup::default() };
    let mut stranger = project.bridge.beside(elsewhere).await;
    let refused = stranger.call_tool("codex.tests.run", json!({ "runId": run })).await;
    assert_eq!(error_code(&refused["result"]), "run_not_found");
    stranger.peer.close_input();
    stranger.peer.wait_exit().await;
    project.close().await;
}

/// A client that vanishes takes its own runs with it, but not those in the background.
#[tokio::test]
async fn a_client_that_vanishes_takes_its_own_run_with_it() {
    let mut project = Project::open(WAITS).await;
    let mut other = project.bridge.beside(Setup::default()).await;
    let call = other.start_call("codex.tests.run", all()).await;
    other.progress(call).await;
    begins(&project, "sleep 1000").await;
    other.peer.close_input();
    other.peer.wait_exit().await;
    ends(&project, "sleep 1000").await;
    let pong = project.bridge.client.request("ping", json!({})).await;
    assert!(pong["error"].is_null(), "{pong}");
    project.close().await;
}

/// Makes a call while engines come and go: one that reached an ending engine is lost, and made again.
async fn again(project: &mut Project, arguments: Value) -> Value {
    loop {
        let answer = project.run(arguments.clone()).await;
        if answer["structuredContent"]["error"]["code"] != "engine_lost" {
            return answer;
        }
    }
}

/// The engine that ends takes all runs with it, and the next one removes what a killed one has left.
#[tokio::test]
async fn an_engine_that_ends_or_is_killed_leaves_no_run() {
    let mut project = Project::open(WAITS).await;
    project.run(json!({ "background": true })).await;
    begins(&project, "sleep 1000").await;
    project.bridge.command(&["daemon", "stop"]).await.success();
    ends(&project, "sleep 1000").await;
    let answer = again(&mut project, json!({ "background": true })).await;
    assert_eq!(answer["structuredContent"]["status"], "running", "{answer}");
    begins(&project, "sleep 1000").await;
    let engine = project.bridge.engine();
    rustix::process::kill_process(engine, rustix::process::Signal::KILL).unwrap();
    ends(&project, "sleep 1000").await;
    let run = answer["structuredContent"]["runId"].clone();
    let lost = again(&mut project, json!({ "runId": run })).await;
    assert_eq!(error_code(&lost), "run_not_found", "{lost}");
    // Who would have taken away what Codex leaves in the project was killed. It is empty.
    for name in [".codex", ".agents", ".aws"] {
        let _ = std::fs::remove_dir(project.bridge.home.workspace().join(name));
    }
    project.close().await;
}
