//! How processes end: by request, by force, on their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use codex_client::protocol::{AccountRead, AccountReadParams};
use codex_client::{Exit, Incoming};
use rustix::process::{Pid, Signal, kill_process};
use testkit::fake_app_server;
use testkit::gate::Gate;
use testkit::home::CodexHome;
use testkit::leaks::processes_under;
use testkit::model::{FakeModel, reply, runs};
use testkit::poll;

use crate::rig::{Codex, PATIENCE};

const HANDSHAKE: &str = r#"{"expect":{"method":"initialize"}}
{"send":{"id":"$id","result":{"userAgent":"fake/0.169.0 (Test)"}}}
{"expect":{"method":"initialized"}}
"#;

async fn fake(script: &str) -> Codex {
    let home = CodexHome::new("http://127.0.0.1:9/v1");
    let program = fake_app_server::install(home.root(), &format!("{HANDSHAKE}{script}"));
    Codex::start_program(program, home).await
}

fn how(exit: &Exit) -> (Option<i32>, Option<i32>) {
    (exit.code, exit.signal)
}

#[tokio::test]
async fn the_handshake_tells_who_is_there() {
    let model = FakeModel::start([]);
    let codex = Codex::start(&model).await;
    assert_eq!(codex.info.version.expect("known").to_string(), "0.169.0");
    assert!(codex.info.user_agent.starts_with("codex-client-test/0.169.0 "));
    assert_eq!(codex.info.codex_home, Some(codex.home.codex_home()));
    assert_eq!(codex.info.platform_os.as_deref(), Some("linux"));
    assert_eq!(how(&codex.stop().await), (Some(0), None));
}

#[tokio::test]
async fn stopping_within_a_turn_leaves_nothing() {
    let model = FakeModel::start([runs("sleep 600 & sleep 600")]);
    let codex = Codex::start(&model).await;
    let thread = codex.start_thread().await;
    codex.submit_turn(&thread, "wait");
    // A command whose sandbox is still being made may outlive Codex, which is no doing of ours.
    poll::until(PATIENCE, || {
        let mut running = processes_under(codex.home.root());
        running.retain(|process| process.command_line == "sleep 600");
        if running.len() == 2 { Ok(()) } else { Err(running) }
    })
    .await;
    assert_eq!(how(&codex.stop().await), (Some(0), None));
}

#[tokio::test]
async fn killing_codex_from_outside_is_an_exit() {
    let gate = Gate::new("an answer that is never finished");
    let model = FakeModel::start([reply().streams("one").holds(&gate)]);
    let mut codex = Codex::start(&model).await;
    let thread = codex.start_thread().await;
    codex.submit_turn(&thread, "count");
    codex.until_notified("item/agentMessage/delta").await;
    let pid = Pid::from_raw(i32::try_from(codex.info.pid).expect("a process id")).expect("not 0");
    kill_process(pid, Signal::KILL).expect("it runs");
    let exit = codex.server.exited().await;
    assert_eq!(how(&exit), (None, Some(9)));
    codex.expect_end(&exit).await;
}

#[tokio::test]
async fn one_that_is_deaf_is_stopped_all_the_same() {
    let codex = fake(r#"{"hang":true}"#).await;
    let exit = codex.server.stop(Duration::from_millis(20)).await;
    assert_eq!(how(&exit), (None, Some(15)));
    finish(codex, exit).await;

    let mut codex =
        fake("{\"ignore_sigterm\":true}\n{\"send\":{\"method\":\"ready\"}}\n{\"hang\":true}").await;
    codex.until_notified("ready").await;
    let exit = codex.server.stop(Duration::from_millis(20)).await;
    assert_eq!(how(&exit), (None, Some(9)));
    finish(codex, exit).await;
}

async fn finish(mut codex: Codex, exit: Exit) {
    codex.expect_end(&exit).await;
}

#[tokio::test]
async fn dropping_the_server_kills_it() {
    let Codex { server, inbox, home, .. } = fake(r#"{"hang":true}"#).await;
    drop(inbox);
    drop(server);
    poll::until(PATIENCE, || match processes_under(home.root()) {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    })
    .await;
}

#[tokio::test]
async fn what_was_written_before_the_end_arrives_before_it() {
    let mut codex = fake(
        "{\"send\":{\"method\":\"n\"},\"times\":5000}\n{\"partial\":\"{\\\"cut\"}\n{\"stderr\":\"why\"}\n{\"exit\":3}",
    )
    .await;
    let messages = codex.until(|message| matches!(message, Incoming::Malformed(_))).await;
    assert_eq!(messages.len(), 5001);
    let exit = codex.server.exited().await;
    assert_eq!((how(&exit), exit.stderr_tail.as_str()), ((Some(3), None), "why\n"));
    codex.expect_end(&exit).await;
}

#[tokio::test]
async fn a_flood_on_stderr_blocks_nothing_and_its_end_is_kept() {
    let line = "e".repeat(100);
    let codex = fake(&format!(
        "{{\"stderr\":\"{line}\",\"times\":20000}}\n{{\"stderr\":\"the end\"}}\n\
         {{\"expect\":{{\"method\":\"account/read\"}}}}\n{{\"send\":{{\"id\":\"$id\",\"result\":{{}}}}}}"
    ))
    .await;
    codex.request::<AccountRead>(AccountReadParams::default()).await;
    let tail = poll::until(PATIENCE, || match codex.server.stderr_tail() {
        tail if tail.ends_with("the end\n") => Ok(tail),
        tail => Err(tail.len()),
    })
    .await;
    // In whole lines.
    assert!((64 * 1024 - line.len()..=64 * 1024).contains(&tail.len()), "{}", tail.len());
    assert_eq!(how(&codex.stop().await), (Some(0), None));
}

#[tokio::test]
async fn output_that_ends_before_the_process_closes_the_connection() {
    let mut codex = fake("{\"close_stdout\":true}\n{\"hang\":true}").await;
    codex.until(|message| matches!(message, Incoming::Closed { .. })).await;
    codex.server.kill();
    let exit = codex.server.exited().await;
    assert_eq!(how(&exit), (None, Some(9)));
    assert!(matches!(codex.inbox.recv().await, Some(Incoming::Exited(_))));
    codex.server.joined().await;
}

/// A descendant that holds the pipes open delays the end, but not for ever.
#[tokio::test]
async fn what_a_dead_process_leaves_behind_does_not_hide_its_end() {
    for (leaves, survives) in [
        ("sleep 2 &", false),
        ("mkfifo ready; setsid sh -c 'echo >ready; exec sleep 2' & read line <ready", true),
    ] {
        let home = CodexHome::new("http://127.0.0.1:9/v1");
        let program = home.root().join("program");
        let answer = r#"{"id":1,"result":{"userAgent":"script/0.169.0"}}"#;
        let text = format!("#!/bin/sh\nread line\necho '{answer}'\nread line\n{leaves}\nexit 4\n");
        fs::write(&program, text).expect("the directory is writable");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let mut codex = Codex::start_program(program, home).await;
        let messages = codex.until(|message| matches!(message, Incoming::Exited(_))).await;
        let left = processes_under(codex.home.root());
        assert_eq!(!left.is_empty(), survives, "{left:?}");
        let Some(Incoming::Exited(exit)) = messages.last() else { unreachable!() };
        assert_eq!(how(exit), (Some(4), None));
        codex.server.joined().await;
    }
}
