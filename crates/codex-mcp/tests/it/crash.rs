//! The engine, the app-server, or both are killed at each step of a turn: every thread is there, every turn says what
//! became of it, and the next one goes on.

use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde_json::json;
use testkit::gate::Gate;
use testkit::model::{Reply, reply, says};
use testkit::poll;

use crate::bridge::{TestBridge, content, error_code, text};

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Engine,
    AppServer,
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing runs.
    Idle,
    /// Codex waits for the first word of its model.
    Starting,
    /// An answer is half there.
    Streaming,
    /// A command runs.
    Command,
    /// Codex has asked for something and was told no.
    Asked,
    /// A turn runs and a background turn waits behind it.
    Queued,
}

impl Step {
    /// The turn that is cut, as its model would have it.
    fn turn(self, gate: &Gate) -> Vec<Reply> {
        match self {
            Self::Idle => vec![],
            Self::Starting | Self::Queued => vec![reply().holds(gate)],
            Self::Streaming => vec![reply().streams("Half an ans").holds(gate)],
            Self::Command => vec![reply().runs("sleep 600").holds(gate)],
            Self::Asked => {
                vec![reply().runs_escalated("touch x", "to see"), reply().holds(gate)]
            }
        }
    }
}

impl Step {
    /// The news that say that the turn has come this far.
    fn shows(self) -> Option<&'static str> {
        match self {
            Self::Idle | Self::Starting | Self::Queued => None,
            Self::Streaming => Some("result"),
            Self::Command => Some("command"),
            Self::Asked => Some("approval"),
        }
    }
}

/// Kills, and waits until another app-server is there where the engine starts one by itself: what is sent before the
/// engine has noticed meets the dead one, and is told so.
async fn kill(bridge: &TestBridge, victim: Victim) {
    let engine = matches!(victim, Victim::Engine | Victim::Both).then(|| bridge.engine());
    let server = matches!(victim, Victim::AppServer | Victim::Both).then(|| bridge.app_server());
    for process in [engine, server].into_iter().flatten() {
        // The one may have taken the other along.
        let _ = kill_process(process, Signal::KILL);
    }
    if let (Victim::AppServer, Some(old)) = (victim, server) {
        poll::until(PATIENCE, || match bridge.processes("app-server").as_slice() {
            [new] if new.pid != old.as_raw_nonzero().get() => Ok(()),
            other => Err(other.len()),
        })
        .await;
    }
}

/// The code of the newest turn, and its status.
async fn newest(bridge: &mut TestBridge, thread: &str) -> (String, String) {
    let answer = bridge.call("codex.wait", json!({ "threadId": thread, "waitSeconds": 5 })).await;
    let data = &answer["structuredContent"];
    (text(&data["status"]), data["error"]["code"].as_str().unwrap_or("-").to_owned())
}

async fn check(victim: Victim, step: Step) {
    let gate = Gate::new("held");
    // What was cut before its model had said a word is run again, where the engine lives to do it.
    let runs_again = victim == Victim::AppServer && matches!(step, Step::Starting | Step::Queued);
    let mut script = vec![says("Zero.")];
    script.extend(step.turn(&gate));
    if runs_again {
        script.push(says("Again."));
    }
    if step == Step::Queued && victim == Victim::AppServer {
        script.push(says("Waited."));
    }
    script.push(says("Whole."));
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("zero").await;
    let before = records(&bridge).await;

    let mut cut = None;
    if step != Step::Idle {
        let arguments = json!({ "prompt": "one", "threadId": thread });
        let call = bridge.begin("codex-reply", arguments).await;
        gate.reached().await;
        if let Some(event) = step.shows() {
            bridge.news(call, event).await;
        }
        cut = Some(call);
    }
    if step == Step::Command {
        poll::until(PATIENCE, || match bridge.processes("sleep 600").is_empty() {
            true => Err("the command does not run"),
            false => Ok(()),
        })
        .await;
    }
    if step == Step::Queued {
        let queued = json!({ "prompt": "two", "threadId": thread, "background": true });
        let answer = bridge.call("codex-reply", queued).await;
        assert_eq!(answer["structuredContent"]["status"], "queued", "{answer}");
    }

    kill(&bridge, victim).await;

    if let Some(call) = cut {
        let answer = bridge.result(call).await;
        let data = &answer["structuredContent"];
        if runs_again {
            assert_eq!(content(&answer), "Again.");
            assert!(text(&data["warnings"][0]).contains("run again"), "{answer}");
        } else {
            let code = if victim == Victim::AppServer { "codex_exited" } else { "engine_lost" };
            assert_eq!(error_code(&answer), code, "{answer}");
            // Whether the engine had begun the turn is for its client to find out.
            assert_eq!(data["error"]["retryable"], code == "codex_exited", "{answer}");
        }
    }
    let expected = match (step, victim) {
        (Step::Idle, _) => ("completed", "-"),
        (Step::Starting | Step::Queued, Victim::AppServer) => ("completed", "-"),
        (Step::Queued, _) => ("interrupted", "turn_never_started"),
        (_, Victim::AppServer) => ("interrupted", "codex_exited"),
        (_, _) => ("interrupted", "turn_cut"),
    };
    let found = newest(&mut bridge, &thread).await;
    assert_eq!((found.0.as_str(), found.1.as_str()), expected);
    let after = records(&bridge).await;
    let lost: Vec<_> = before.iter().filter(|record| !after.contains(record)).collect();
    assert!(lost.is_empty(), "changed or lost: {lost:#?}");
    let whole = json!({ "threadId": thread });
    let read = bridge.call("codex.thread.read", whole).await;
    let said = read["structuredContent"]["entries"].as_array().expect("entries");
    let said: Vec<_> = said.iter().map(|entry| text(&entry["text"])).collect();
    assert_eq!(said[..2], ["zero", "Zero."], "the turn before the kill is not whole");
    assert_eq!(step == Step::Idle, said.len() == 2, "{said:?}");

    let next = bridge.call("codex-reply", json!({ "prompt": "on", "threadId": thread })).await;
    assert_eq!(content(&next), "Whole.");
    let requests = bridge.model.captured();
    let last = requests.last().expect("the last turn reached the model");
    assert!(last.texts("assistant").iter().any(|said| said == "Zero."), "the thread is whole");
    bridge.finish().await;
}

/// Every record but the thread's own, which tells when it was last used.
async fn records(bridge: &TestBridge) -> Vec<String> {
    let export = bridge.command(&["store", "export"]).await.success();
    let records = export.lines().filter(|line| !line.contains(r#""table":"threads""#));
    records.map(str::to_owned).collect()
}

/// A kill somewhere on a long answer's way to the disk: it is there as a whole, or the turn says that it was cut.
async fn check_while_writing(victim: Victim) {
    let long = "All work and no play. ".repeat(20_000);
    let gate = Gate::new("held");
    let script = [says("Zero."), reply().holds(&gate).says(&long), says("Whole.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("zero").await;
    let before = records(&bridge).await;
    let arguments = json!({ "prompt": "one", "threadId": thread, "background": true });
    bridge.call("codex-reply", arguments).await;
    gate.reached().await;
    gate.open();
    kill(&bridge, victim).await;
    let (status, code) = newest(&mut bridge, &thread).await;
    let after = records(&bridge).await;
    let whole = |record: &String| record.contains(&long);
    match (status.as_str(), code.as_str()) {
        ("completed", "-") => assert!(after.iter().any(whole), "the answer is not whole"),
        ("interrupted", "turn_cut") => {}
        other => panic!("{other:?}"),
    }
    assert!(before.iter().all(|record| after.contains(record)), "changed or lost: {before:#?}");
    let check = bridge.command(&["store", "check"]).await.success();
    assert!(check.ends_with("Sound.\n"), "{check}");
    let next = bridge.call("codex-reply", json!({ "prompt": "on", "threadId": thread })).await;
    assert_eq!(content(&next), "Whole.");
    bridge.finish().await;
}

#[tokio::test]
async fn an_engine_that_writes() {
    check_while_writing(Victim::Engine).await;
}

#[tokio::test]
async fn both_while_the_engine_writes() {
    check_while_writing(Victim::Both).await;
}

macro_rules! matrix {
    ($($name:ident: $victim:ident $step:ident;)+) => {
        $(#[tokio::test]
        async fn $name() {
            check(Victim::$victim, Step::$step).await;
        })+
    };
}

matrix! {
    an_idle_engine: Engine Idle;
    an_engine_with_a_turn_that_starts: Engine Starting;
    an_engine_with_a_turn_that_streams: Engine Streaming;
    an_engine_with_a_command: Engine Command;
    an_engine_after_a_question: Engine Asked;
    an_engine_with_a_queue: Engine Queued;
    an_idle_app_server: AppServer Idle;
    an_app_server_with_a_turn_that_starts: AppServer Starting;
    an_app_server_with_a_turn_that_streams: AppServer Streaming;
    an_app_server_with_a_command: AppServer Command;
    an_app_server_after_a_question: AppServer Asked;
    an_app_server_with_a_queue: AppServer Queued;
    both_idle: Both Idle;
    both_with_a_turn_that_starts: Both Starting;
    both_with_a_turn_that_streams: Both Streaming;
    both_with_a_command: Both Command;
    both_after_a_question: Both Asked;
    both_with_a_queue: Both Queued;
}
