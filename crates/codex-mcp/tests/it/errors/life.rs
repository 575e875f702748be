//! Errors that take more than one call: threads and turns that end in other ways, and servers that do.

use std::ffi::OsString;
use std::time::Duration;

use codex_mcp::engine::Room;
use codex_mcp::error::ErrorResult;
use codex_mcp::mcp::paging::{OutputId, ResumeToken};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::home::CodexHome;
use testkit::mcp::McpDriver;
use testkit::model::{FakeModel, reply, says};
use testkit::peer::Peer;
use testkit::process::Launch;
use testkit::tools;

use super::stage::{Told, close};
use crate::bridge::{Setup, TestBridge, launch, result_of, text};
use crate::connections::House;
use crate::exec_fallback::{TAKES_MEMORY, over_its_limit};

/// A thread that nobody has.
const UNKNOWN: &str = "01a205a5-c192-74e0-9472-ab51cb27f43e";

/// What the last of some calls about a thread with one answered turn says.
pub(super) async fn after_a_turn(calls: &[(&str, Value)]) -> Told {
    let mut bridge = TestBridge::start([says("Blue.")]).await;
    let thread = bridge.thread("Name a colour.").await;
    let mut answer = Value::Null;
    for (tool, arguments) in calls {
        let mut arguments = arguments.clone();
        arguments["threadId"] = json!(thread);
        answer = bridge.call(tool, arguments).await;
    }
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn a_thread_that_is_put_away() -> Told {
    let archive = ("codex.thread.archive", json!({}));
    after_a_turn(&[archive, ("codex-reply", json!({ "prompt": "x" }))]).await
}

pub(super) async fn a_turn_that_is_not_there() -> Told {
    after_a_turn(&[("codex.wait", json!({ "turnId": UNKNOWN }))]).await
}

pub(super) async fn a_thread_that_is_not_there() -> Told {
    let mut bridge = TestBridge::start([]).await;
    let reply = json!({ "prompt": "x", "threadId": UNKNOWN });
    let answer = bridge.call("codex-reply", reply).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn a_key_for_something_else() -> Told {
    let mut bridge = TestBridge::start([says("Blue.")]).await;
    let mut answer = Value::Null;
    for prompt in ["Name a colour.", "Name another one."] {
        let arguments = json!({ "prompt": prompt, "idempotencyKey": "k" });
        answer = bridge.call("codex", arguments).await;
    }
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn a_client_inside_codex() -> Told {
    let variables = vec![("CODEX_MCP_DEPTH", OsString::from("1"))];
    let setup = Setup { variables, ..Setup::default() };
    let bridge = TestBridge::start([]).await;
    let mut nested = bridge.beside(setup).await;
    let reply = nested.call_tool("codex", json!({ "prompt": "x" })).await;
    let told = Told::of(&bridge, &reply["result"]);
    nested.peer.close_input();
    nested.peer.wait_exit().await;
    bridge.finish().await;
    told
}

/// A fork is made by another program: a Codex of its own on the same home.
pub(super) async fn a_thread_that_was_forked() -> Told {
    let setup = Setup { arguments: vec!["--destructive-operations".into()], ..Setup::default() };
    let mut bridge = TestBridge::start_with([says("Blue.")], setup).await;
    let thread = bridge.thread("Name a colour.").await;
    let codex = Launch::new(tools::codex(), bridge.home.workspace()).arguments(["app-server"]);
    let mut codex = Peer::spawn(&codex.environment(bridge.home.environment()));
    let client = json!({ "clientInfo": { "name": "testkit", "title": null, "version": "0" } });
    codex.request("initialize", client).await;
    codex.notify("initialized", json!({})).await;
    let fork = codex.request("thread/fork", json!({ "threadId": thread })).await;
    assert!(fork["error"].is_null(), "{fork}");
    codex.close_input();
    codex.wait_exit().await;
    let delete = json!({ "threadId": thread, "action": "delete" });
    let answer = bridge.call("codex.thread.archive", delete).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn a_configuration_that_is_broken() -> Told {
    let config = "model_providers.mock.wire_api = \"none\"";
    let mut bridge = TestBridge::start_with([], Setup { config, ..Setup::default() }).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn a_thread_that_is_open_elsewhere() -> Told {
    let mut bridge = TestBridge::start([says("Blue.")]).await;
    let thread = bridge.thread("Name a colour.").await;
    let elsewhere = bridge.home.root().join("another-state").into_os_string();
    let setup = Setup { variables: vec![("CODEX_MCP_STATE_DIR", elsewhere)], ..Setup::default() };
    let mut other = bridge.beside(setup).await;
    let answer = other.call_tool("codex-reply", json!({ "prompt": "x", "threadId": thread })).await;
    let told = Told::of(&bridge, &result_of(answer));
    other.peer.close_input();
    assert!(other.peer.wait_exit().await.success());
    bridge.finish().await;
    told
}

pub(super) async fn a_turn_that_takes_too_long() -> Told {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().streams("As far as").holds(&gate)]).await;
    let answer = bridge.call("codex", json!({ "prompt": "x", "timeLimitSeconds": 1 })).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn what_exec_started_takes_too_much() -> Told {
    let limit = ("CODEX_MCP_EXEC_MEMORY_MEGABYTES", "128");
    let (bridge, answer) = over_its_limit(limit, TAKES_MEMORY).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn a_key_that_is_not_passed_on() -> Told {
    let variables = vec![("CODEX_MCP_ENVIRONMENT_ALLOW", OsString::from("ANOTHER_KEY"))];
    let mut bridge = TestBridge::start_with([], Setup { variables, ..Setup::default() }).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

/// A bridge with a turn that the model holds, in the background, and its thread.
async fn held(gate: &Gate, flags: &[&str]) -> (TestBridge, String) {
    let arguments = flags.iter().map(OsString::from).collect();
    let script = [reply().streams("Half").holds(gate)];
    let mut bridge = TestBridge::start_with(script, Setup { arguments, ..Setup::default() }).await;
    let turn = bridge.call("codex", json!({ "prompt": "x", "background": true })).await;
    gate.reached().await;
    (bridge, text(&turn["structuredContent"]["threadId"]))
}

/// What a call says about a thread on which a turn runs.
pub(super) async fn during_a_turn(flags: &[&str], tool: &str, mut arguments: Value) -> Told {
    let gate = Gate::new("held");
    let (mut bridge, thread) = held(&gate, flags).await;
    arguments["threadId"] = json!(thread);
    let answer = bridge.call(tool, arguments).await;
    let told = Told::of(&bridge, &answer);
    close(bridge).await;
    told
}

pub(super) async fn a_queue_that_is_full() -> Told {
    let gate = Gate::new("held");
    let (mut bridge, thread) = held(&gate, &["--max-queue-per-thread=1"]).await;
    let next = json!({ "prompt": "x", "threadId": thread, "background": true });
    bridge.call("codex-reply", next.clone()).await;
    let answer = bridge.call("codex-reply", next).await;
    let told = Told::of(&bridge, &answer);
    close(bridge).await;
    told
}

pub(super) async fn a_turn_whose_engine_is_killed() -> Told {
    let gate = Gate::new("held");
    let (mut bridge, thread) = held(&gate, &[]).await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    let answer = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn a_waiting_turn_whose_engine_is_killed() -> Told {
    let gate = Gate::new("held");
    let (mut bridge, thread) = held(&gate, &[]).await;
    let next = json!({ "prompt": "x", "threadId": thread, "background": true });
    bridge.call("codex-reply", next).await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    let answer = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn a_call_whose_engine_is_killed() -> Told {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate)]).await;
    let call = bridge.begin("codex", json!({ "prompt": "x" })).await;
    gate.reached().await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    let answer = bridge.result(call).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

pub(super) async fn an_engine_that_is_told_to_end() -> Told {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate)]).await;
    let call = bridge.begin("codex", json!({ "prompt": "x" })).await;
    gate.reached().await;
    bridge.command(&["daemon", "stop"]).await.success();
    let answer = bridge.result(call).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

/// The error of a client whose state directory is unusable: the fields stand in a protocol error.
pub(super) async fn an_engine_that_cannot_start() -> Told {
    let bridge = TestBridge::start([]).await;
    let broken = bridge.home.root().join("broken");
    std::fs::create_dir_all(broken.join("engine.lock")).unwrap();
    let variables = vec![("CODEX_MCP_STATE_DIR", broken.into_os_string())];
    let setup = Setup { variables, ..Setup::default() };
    let mut client = McpDriver::spawn(&launch(&bridge.home, setup));
    let answer = client.call_tool("codex", json!({ "prompt": "x" })).await;
    let told = Told::of(&bridge, &result_of(answer));
    client.peer.close_input();
    client.peer.wait_exit().await;
    bridge.finish().await;
    told
}

/// What a client in this process is told of a call to a tool.
async fn in_house(house: House, home: &CodexHome, tool: &str, arguments: Value) -> Told {
    let mut client = house.client().await;
    let answer = result_of(client.call_tool(tool, arguments).await);
    let told = Told::of_result(home, &answer);
    drop(client);
    house.close().await;
    home.check_leaks();
    told
}

/// A token of this server for an output that it does not have.
fn token(house: &House) -> Value {
    let token = ResumeToken { output: OutputId([1; 16]), offset: 0, page: 2 };
    json!({ "token": token.seal(house.shared.outputs.token_key()) })
}

pub(super) async fn an_output_that_is_gone() -> Told {
    let home = CodexHome::new("http://127.0.0.1:9").with_git();
    let house = House::open(&home).await;
    let arguments = token(&house);
    in_house(house, &home, "codex.read", arguments).await
}

pub(super) async fn records_that_are_broken() -> Told {
    let home = CodexHome::new("http://127.0.0.1:9").with_git();
    // In the place of the database lies something else.
    std::fs::create_dir_all(home.home().join(".local/state/codex-mcp/store.sqlite3")).unwrap();
    let house = House::open(&home).await;
    let arguments = token(&house);
    in_house(house, &home, "codex.read", arguments).await
}

pub(super) async fn a_server_without_places() -> Told {
    let home = CodexHome::new("http://127.0.0.1:9").with_git();
    let room = Room::new(0).with_patience(Duration::ZERO);
    let house = House::open_with_room(&home, room).await;
    in_house(house, &home, "codex", json!({ "prompt": "x" })).await
}

/// A client that gives a call up gets no answer to it, so this asks the engine itself.
pub(super) async fn a_call_that_is_given_up() -> Told {
    let model = FakeModel::start([]);
    let home = CodexHome::new(&model.base_url()).with_git();
    let house = House::open(&home).await;
    let problem = house.give_up_a_call().await;
    let data = json!(ErrorResult::from(&problem));
    house.close().await;
    home.check_leaks();
    Told { text: problem.to_string(), data }
}
