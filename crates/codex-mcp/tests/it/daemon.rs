//! One engine for all clients of a state directory: shared, outliving, replaced, and never in the way.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use expect_test::expect;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::mcp::McpDriver;
use testkit::model::{reply, says};
use testkit::normalise::Normaliser;
use testkit::poll;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::bridge::{Setup, TestBridge, content, error_code, launch, result_of, text};

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn state(bridge: &TestBridge) -> PathBuf {
    bridge.home.home().join(".local/state/codex-mcp")
}

/// A client that goes away without a word.
async fn vanish(mut client: McpDriver) {
    client.peer.signal(Signal::KILL);
    client.peer.wait_exit().await;
}

/// A client that ends as it should.
async fn leave(mut client: McpDriver) {
    client.peer.close_input();
    assert!(client.peer.wait_exit().await.success(), "{}", client.peer.stderr());
}

#[tokio::test]
async fn clients_share_an_engine_and_leave_each_other_alone() {
    let gates = [Gate::new("first"), Gate::new("second")];
    let script = [
        reply().when("first").holds(&gates[0]).says("one"),
        reply().when("second").holds(&gates[1]).says("two"),
    ];
    let mut bridge = TestBridge::start(script).await;
    let mut other = bridge.beside(Setup::default()).await;
    other.start_call("codex", json!({ "prompt": "first" })).await;
    let second = bridge.begin("codex", json!({ "prompt": "second" })).await;
    gates[0].reached().await;
    gates[1].reached().await;
    assert_eq!(bridge.processes("daemon run").len(), 1);
    assert_eq!(bridge.processes("app-server").len(), 1);
    vanish(other).await;
    gates[0].abandoned().await;
    gates[1].open();
    assert_eq!(content(&bridge.result(second).await), "two");
    bridge.finish().await;
}

#[tokio::test]
async fn many_clients_at_once_start_one_engine() {
    let bridge = TestBridge::spawn([], Setup::default());
    let spawn = || McpDriver::spawn(&launch(&bridge.home, Setup::default()));
    let mut clients: Vec<_> = std::iter::repeat_with(spawn).take(12).collect();
    for client in &mut clients {
        let reply = client.initialize_legacy("2025-11-25").await;
        assert_eq!(reply["result"]["protocolVersion"], "2025-11-25", "{reply}");
    }
    poll::until(PATIENCE, || match bridge.processes("daemon run") {
        engines if engines.len() == 1 => Ok(()),
        engines => Err(engines),
    })
    .await;
    for client in clients {
        leave(client).await;
    }
    bridge.finish().await;
}

#[tokio::test]
async fn a_background_turn_outlives_its_client_and_the_next_one_reads_it() {
    let gate = Gate::new("held");
    let linger = || Setup {
        variables: vec![("CODEX_MCP_ENGINE_LINGER_SECONDS", "0".into())],
        ..Setup::default()
    };
    let mut bridge = TestBridge::start_with([reply().holds(&gate).says("Done.")], linger()).await;
    let mut starter = bridge.beside(linger()).await;
    let arguments = json!({ "prompt": "Think.", "background": true });
    let started = result_of(starter.call_tool("codex", arguments).await);
    let thread = text(&started["structuredContent"]["threadId"]);
    gate.reached().await;
    vanish(starter).await;
    gate.open();
    let wait = json!({ "threadId": thread, "waitSeconds": 10 });
    assert_eq!(content(&bridge.call("codex.wait", wait).await), "Done.");
    bridge.finish().await;
}

#[tokio::test]
async fn an_engine_without_clients_stays_for_its_background_turn() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate).says("Done.")]).await;
    let arguments = json!({ "prompt": "Think.", "background": true });
    let started = bridge.call("codex", arguments).await;
    let thread = text(&started["structuredContent"]["threadId"]);
    gate.reached().await;
    let engine = bridge.engine();
    bridge.client.peer.signal(Signal::KILL);
    bridge.client.peer.wait_exit().await;
    assert_eq!(bridge.engine(), engine, "nobody is connected, but a turn runs");
    gate.open();
    poll::until(PATIENCE, || match bridge.processes("daemon run").is_empty() {
        true => Ok(()),
        false => Err("the engine has nothing left to do"),
    })
    .await;
    bridge.restart(Setup::default()).await;
    let wait = json!({ "threadId": thread, "waitSeconds": 10 });
    assert_eq!(content(&bridge.call("codex.wait", wait).await), "Done.");
    bridge.finish().await;
}

#[tokio::test]
async fn an_engine_inside_a_server_is_shared_as_well() {
    let setup = || Setup { arguments: vec!["--no-daemon".into()], ..Setup::default() };
    let mut bridge = TestBridge::start_with([says("One."), says("Two.")], setup()).await;
    assert!(bridge.processes("daemon run").is_empty());
    let thread = bridge.thread("one").await;
    let mut other = bridge.beside(setup()).await;
    let next = json!({ "prompt": "two", "threadId": thread });
    assert_eq!(content(&result_of(other.call_tool("codex-reply", next).await)), "Two.");
    assert_eq!(bridge.processes("app-server").len(), 1);
    leave(other).await;
    bridge.finish().await;
}

#[tokio::test]
async fn an_idle_engine_that_is_killed_is_not_missed() {
    let mut bridge = TestBridge::start([says("One."), says("Two.")]).await;
    let thread = bridge.thread("one").await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    let list = bridge.client.request("tools/list", json!({})).await;
    assert!(list["result"]["tools"].is_array(), "{list}");
    let next = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(content(&next), "Two.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_wait_outlives_the_engine() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().streams("Half").holds(&gate)]).await;
    let started = bridge.call("codex", json!({ "prompt": "x", "background": true })).await;
    let thread = text(&started["structuredContent"]["threadId"]);
    gate.reached().await;
    let wait = bridge.begin("codex.wait", json!({ "threadId": thread })).await;
    bridge.client.progress(wait).await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    let answer = bridge.result(wait).await;
    assert_eq!(error_code(&answer), "turn_cut", "{answer}");
    assert_eq!(answer["structuredContent"]["status"], "interrupted");
    bridge.finish().await;
}

/// What the engine says to a first line.
async fn first_line(bridge: &TestBridge, line: &[u8]) -> String {
    let mut stream = UnixStream::connect(state(bridge).join("engine.sock")).await.unwrap();
    // The engine may have closed before it has read everything.
    let _ = stream.write_all(line).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn hostile_first_lines_are_refused_and_harm_nobody() {
    let mut bridge = TestBridge::start([says("Well.")]).await;
    let mut shown = String::new();
    let huge = vec![b'x'; 300 << 10];
    let bad_flags = json!({
        "codexMcp": "client", "version": "0.1.0", "pid": 1, "workingDirectory": "/",
        "arguments": ["--no-such-flag"], "environment": [["HOME", "/"]],
    });
    let bad_config = json!({
        "codexMcp": "client", "version": "0.1.0", "pid": 1, "workingDirectory": "/",
        "arguments": ["--log-level", "loud"], "environment": [["HOME", "/"]],
    });
    let lines: [&[u8]; 8] = [
        b"nonsense\n",
        b"\0\0\0\n",
        b"{}\n",
        b"{\"codexMcp\":\"cook\"}\n",
        b"{\"codexMcp\":\"client\"}\n",
        &huge,
        format!("{bad_flags}\n").into_bytes().leak(),
        format!("{bad_config}\n").into_bytes().leak(),
    ];
    for line in lines {
        let answer: Value = serde_json::from_str(&first_line(&bridge, line).await).unwrap();
        assert_eq!(answer["answer"], "refused", "{answer}");
        let message = text(&answer["message"]);
        shown += &format!("{}\n", message.lines().next().unwrap_or_default());
    }
    expect![[r#"
        the introduction is not understood: expected ident at line 1 column 2
        the introduction is not understood: expected value at line 1 column 1
        the introduction is not understood: missing field `codexMcp` at line 1 column 2
        the introduction is not understood: unknown variant `cook`, expected one of `client`, `monitor`, `status`, `stop` at line 1 column 18
        the introduction is not understood: missing field `version`
        the introduction is no line of at most 262144 bytes
        error: unexpected argument '--no-such-flag' found
        the configuration is not valid
    "#]]
    .assert_eq(&shown);
    assert_eq!(content(&bridge.call("codex", json!({ "prompt": "x" })).await), "Well.");
    bridge.finish().await;
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let bridge = TestBridge::start([]).await;
    let answer = first_line(&bridge, b"{\"codexMcp\":").await;
    assert!(answer.contains("no introduction came in time"), "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn the_socket_and_the_lock_are_for_their_owner_alone() {
    let bridge = TestBridge::start([]).await;
    let mode = |name: &str| {
        let path = state(&bridge).join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    for name in ["engine.sock", "engine.lock", "engine.err", "store.sqlite3"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn a_dead_socket_is_replaced() {
    let mut bridge = TestBridge::spawn([], Setup::default());
    bridge.client.peer.close_input();
    bridge.client.peer.wait_exit().await;
    let place = state(&bridge);
    std::fs::create_dir_all(&place).unwrap();
    let socket = place.join("engine.sock");
    let _ = std::fs::remove_file(&socket);
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    bridge.restart(Setup::default()).await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_state_directory_with_a_long_name_works() {
    let mut bridge = TestBridge::spawn([], Setup::default());
    let long = bridge.home.root().join("a-name-that-is-quite-long".repeat(5));
    let setup = Setup {
        variables: vec![("CODEX_MCP_STATE_DIR", long.into_os_string())],
        ..Setup::default()
    };
    bridge.restart(setup).await;
    bridge.finish().await;
}

#[tokio::test]
async fn an_engine_that_cannot_start_is_said_to_every_request() {
    let mut bridge = TestBridge::spawn([], Setup::default());
    let broken = bridge.home.root().join("broken");
    std::fs::create_dir_all(broken.join("engine.lock")).unwrap();
    let variables = vec![("CODEX_MCP_STATE_DIR", broken.into_os_string())];
    let mut client =
        McpDriver::spawn(&launch(&bridge.home, Setup { variables, ..Setup::default() }));
    let reply = client.initialize_legacy("2025-11-25").await;
    let error = &reply["error"];
    assert_eq!(error["data"]["code"], "no_engine", "{reply}");
    assert!(text(&error["message"]).contains("engine.lock"), "{reply}");
    client.peer.close_input();
    assert_eq!(client.peer.wait_exit().await.code(), Some(1));
    assert!(client.peer.stderr().contains("engine.lock"), "{}", client.peer.stderr());
    bridge.client.initialize_legacy("2025-11-25").await;
    bridge.finish().await;
}

#[tokio::test]
async fn an_engine_that_hangs_is_ended_by_force() {
    let mut bridge = TestBridge::start([]).await;
    let engine = bridge.engine();
    kill_process(engine, Signal::STOP).unwrap();
    let stopped = bridge.command(&["daemon", "stop"]).await.success();
    let pid = engine.as_raw_nonzero();
    let expected = format!("The engine (process {pid}) did not answer and was ended.\n");
    assert_eq!(stopped, expected);
    let list = bridge.client.request("tools/list", json!({})).await;
    assert!(list["result"]["tools"].is_array(), "{list}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_person_can_look_at_the_engine_and_end_it() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate)]).await;
    let call = bridge.begin("codex", json!({ "prompt": "x" })).await;
    gate.reached().await;
    let status = bridge.command(&["daemon", "status"]).await.success();
    let mut normaliser = Normaliser::for_home(&bridge.home);
    let shown = normaliser.text(&status);
    let shown = shown.lines().map(|line| mask_numbers(line) + "\n").collect::<String>();
    expect![[r#"
        The engine [version] (process #) runs since [time] and is at work.
        Client # (version [version]) in [workspace]
    "#]]
    .assert_eq(&shown);
    let status: Value =
        serde_json::from_str(&bridge.command(&["daemon", "status", "--json"]).await.success())
            .unwrap();
    assert_eq!(status["busy"], true, "{status}");
    let stopped = bridge.command(&["daemon", "stop"]).await.success();
    assert!(stopped.contains("turns that ran were interrupted"), "{stopped}");
    let answer = bridge.result(call).await;
    assert_eq!(answer["isError"], true, "{answer}");
    let logs = bridge.command(&["daemon", "logs", "--lines", "3"]).await.success();
    assert!(logs.lines().next().is_some_and(|path| path.ends_with(".log")), "{logs}");
    bridge.finish().await;
}

#[tokio::test]
async fn without_an_engine_a_person_is_told_so() {
    let mut bridge = TestBridge::spawn([], Setup::default());
    bridge.client.peer.close_input();
    bridge.client.peer.wait_exit().await;
    poll::until(PATIENCE, || match bridge.processes("daemon run").is_empty() {
        true => Ok(()),
        false => Err("the engine is still there"),
    })
    .await;
    let status = bridge.command(&["daemon", "status"]).await;
    assert_eq!(status.status.code(), Some(1));
    assert!(status.stdout.starts_with("No engine runs in "), "{}", status.stdout);
    let stop = bridge.command(&["daemon", "stop"]).await.success();
    assert!(stop.starts_with("No engine runs in "), "{stop}");
    bridge.finish().await;
}

/// Numbers differ from run to run.
fn mask_numbers(line: &str) -> String {
    let mut shown = String::new();
    for character in line.chars() {
        match character {
            '0'..='9' if shown.ends_with('#') => {}
            '0'..='9' => shown.push('#'),
            character => shown.push(character),
        }
    }
    shown
}
