//! What goes wrong around a turn, and what its call is told: each a typed error, never silence.

use expect_test::expect;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use testkit::gate::Gate;
use testkit::model::{FakeModel, reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code};

/// The process id of the app-server.
async fn app_server(bridge: &mut TestBridge) -> Pid {
    let health = bridge.call("codex.health", json!({})).await;
    let pid = health["structuredContent"]["process"]["pid"].as_i64().expect("the app-server runs");
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

#[tokio::test]
async fn a_killed_app_server_is_said_and_the_thread_goes_on() {
    let gate = Gate::new("held");
    let script = [says("Zero."), reply().streams("Half of an ans").holds(&gate), says("Whole.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("zero").await;
    let call = bridge.begin("codex-reply", json!({ "prompt": "one", "threadId": thread })).await;
    gate.reached().await;
    let process = app_server(&mut bridge).await;
    kill_process(process, Signal::KILL).unwrap();
    let answer = bridge.result(call).await;
    assert_eq!(error_code(&answer), "codex_exited");
    expect![[r#"
        Error codex_exited: the app-server was killed by signal 9 (SIGKILL)
        What to do: If nobody ended it, the system may have run out of memory. Send the prompt again with `codex-reply` on the same thread: earlier turns are kept and a new process is started.
        Retry: yes, at once.

        Half of an ans

        [thread [thread-1], turn [turn-1]: interrupted, gpt-5.5 medium, [time]]
        Warning: `content` was cut off in the middle.
        ---
        {
          "content": "Half of an ans",
          "durationMs": "[time]",
          "effort": "medium",
          "error": {
            "code": "codex_exited",
            "message": "the app-server was killed by signal 9 (SIGKILL)",
            "remedy": "If nobody ended it, the system may have run out of memory. Send the prompt again with `codex-reply` on the same thread: earlier turns are kept and a new process is started.",
            "retryAfterSeconds": 0,
            "retryable": true
          },
          "model": "gpt-5.5",
          "status": "interrupted",
          "threadId": "[thread-1]",
          "turnId": "[turn-1]",
          "warnings": [
            "`content` was cut off in the middle"
          ]
        }
    "#]].assert_eq(&bridge.show(&answer));
    let next = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(content(&next), "Whole.");
    assert_eq!(bridge.model.captured()[2].texts("assistant"), ["Zero."]);
    bridge.finish().await;
}

#[tokio::test]
async fn a_turn_that_waited_runs_after_the_crash() {
    let gate = Gate::new("held");
    let script = [says("Zero."), reply().streams("On").holds(&gate), says("Two.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("zero").await;
    let one = bridge.begin("codex-reply", json!({ "prompt": "one", "threadId": thread })).await;
    bridge.news(one, "result").await;
    let two = bridge.begin("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    bridge.client.progress(two).await;
    let process = app_server(&mut bridge).await;
    kill_process(process, Signal::KILL).unwrap();
    assert_eq!(error_code(&bridge.result(one).await), "codex_exited");
    assert_eq!(content(&bridge.result(two).await), "Two.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_stopped_app_server_is_ended_and_replaced() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([says("Zero."), reply().holds(&gate), says("Two.")]).await;
    let thread = bridge.thread("zero").await;
    let one = bridge.begin("codex-reply", json!({ "prompt": "one", "threadId": thread })).await;
    gate.reached().await;
    let process = app_server(&mut bridge).await;
    kill_process(process, Signal::STOP).unwrap();
    let cancelled = bridge.call("codex.cancel", json!({ "threadId": thread })).await;
    assert_eq!(cancelled["isError"], false, "{cancelled}");
    assert_eq!(bridge.result(one).await["structuredContent"]["status"], "interrupted");
    let next = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(content(&next), "Two.");
    bridge.finish().await;
}

#[tokio::test]
async fn an_unreachable_provider_is_an_error_in_time() {
    let closed = {
        let model = FakeModel::start([]);
        model.base_url()
    };
    let setup = Setup {
        arguments: vec!["--provider-retry-limit-seconds=1".into()],
        provider: Some(closed),
        ..Setup::default()
    };
    let mut bridge = TestBridge::start_with([], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(error_code(&answer), "provider_unreachable");
    bridge.finish().await;
}

#[tokio::test]
async fn a_turn_ends_at_its_time_limit() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().streams("As far as").holds(&gate)]).await;
    let answer = bridge.call("codex", json!({ "prompt": "x", "timeLimitSeconds": 1 })).await;
    assert_eq!(error_code(&answer), "turn_time_limit");
    assert_eq!(answer["structuredContent"]["content"], "As far as", "{answer}");
    bridge.finish().await;
}
