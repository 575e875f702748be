//! Calls that are refused for what they ask, or for where a thread stands.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use testkit::fake_app_server::Play;
use testkit::home::CodexHome;
use testkit::model::Reply;

use super::stage::{Stage, Told};
use crate::bridge::{TestBridge, text};

/// What a call says that asks for something wrong.
pub(super) async fn asked(tool: &str, arguments: Value, flags: &[&str]) -> Told {
    let mut stage = Stage::open(&Play::new(), flags).await;
    let answer = stage.bridge.call(tool, arguments).await;
    let told = stage.told(&answer);
    stage.close().await;
    told
}

/// What a call says that is about a thread on which Codex plays a turn.
pub(super) async fn thread_call(play: &Play, tool: &str, mut arguments: Value) -> Told {
    let mut stage = Stage::open(play, &[]).await;
    let turn = json!({ "prompt": "x", "background": true });
    let turn = stage.bridge.call("codex", turn).await;
    let thread = text(&turn["structuredContent"]["threadId"]);
    arguments["threadId"] = json!(thread);
    let answer = stage.bridge.call(tool, arguments).await;
    let told = stage.told(&answer);
    stage.close().await;
    told
}

/// What is said of a repository where git is too old.
pub(super) async fn of_an_old_git() -> Told {
    let home = CodexHome::new("http://127.0.0.1:9");
    let git = home.root().join("git");
    fs::write(&git, "#!/bin/sh\necho git version 2.30.9\n").unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    asked("codex.repo.status", json!({}), &[&format!("--git-bin={}", git.display())]).await
}

/// What a review says whose model answers like this.
pub(super) async fn of_a_review(answer: Reply) -> Told {
    let mut bridge = TestBridge::start([answer]).await;
    let diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";
    let answer = bridge.call("codex.review", json!({ "diff": diff })).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

/// What a call for a test run says when as many are under way as may be.
pub(super) async fn more_runs_than_may_be() -> Told {
    let mut stage = Stage::open(&Play::new(), &["--test-command=sleep", "--test-command=60"]).await;
    let run = json!({ "background": true });
    let mut answer = Value::Null;
    for _ in 0..9 {
        answer = stage.bridge.call("codex.tests.run", run.clone()).await;
    }
    let told = stage.told(&answer);
    stage.close().await;
    told
}
