//! What the real Codex makes of scripted replies.

use serde_json::json;
use testkit::gate::Gate;
use testkit::model::{
    FakeModel, Script, StepStatus, Usage, patches, plans, reply, runs, says, thinks,
};

use crate::support::{app_server, exec, home_for, items, start_turn, stop};

const PATCH: &str = "*** Begin Patch\n*** Add File: made.txt\n+hello\n*** End Patch\n";

#[tokio::test]
async fn a_text_turn_carries_thinking_commentary_answer_and_usage() {
    let usage = Usage { input: 100, cached_input: 60, output: 20, reasoning_output: 7 };
    let model = FakeModel::start([thinks("hm").comments("On it.").says("pong").usage(usage)]);
    let home = home_for(&model);
    let events = exec(&home, &[], "ping").await;

    assert_eq!(items(&events, "reasoning")[0]["text"], "hm");
    let messages: Vec<_> =
        items(&events, "agent_message").iter().map(|item| item["text"].clone()).collect();
    assert_eq!(messages, ["On it.", "pong"]);
    let expected = json!({
        "input_tokens": 100, "cached_input_tokens": 60, "cache_write_input_tokens": 0,
        "output_tokens": 20, "reasoning_output_tokens": 7,
    });
    assert_eq!(events.last().unwrap()["usage"], expected);
    assert_eq!(model.captured()[0].prompt(), "ping");
    assert_eq!(model.captured()[0].headers["authorization"], "Bearer dummy");
    model.finish();
}

#[tokio::test]
async fn two_commands_in_one_reply_run_and_their_output_goes_back() {
    let model = FakeModel::start([runs("echo one").runs("echo two"), says("done")]);
    let home = home_for(&model);
    let events = exec(&home, &[], "run").await;

    assert_eq!(items(&events, "command_execution").len(), 2);
    let last = &model.captured()[1];
    assert!(last.tool_output("call_1").unwrap().contains("one"));
    assert!(last.tool_output("call_2").unwrap().contains("two"));
    model.finish();
}

#[tokio::test]
async fn a_patch_changes_the_workspace() {
    let model = FakeModel::start([patches(PATCH), says("done")]);
    let home = home_for(&model).with_git();
    let events = exec(&home, &[], "patch").await;

    assert_eq!(items(&events, "file_change")[0]["status"], "completed");
    assert_eq!(home.git(&["status", "--short"]), "?? made.txt\n");
    assert!(model.captured()[0].tools().contains(&"apply_patch"));
    model.finish();
}

#[tokio::test]
async fn a_plan_arrives_where_the_tool_is_enabled() {
    let steps = [("look", StepStatus::Completed), ("leap", StepStatus::InProgress)];
    let model = FakeModel::start([plans("because", &steps), says("done")]);
    let home = home_for(&model);
    let events = exec(&home, &["-c", "tools.update_plan.enabled=true"], "plan").await;

    let list = json!([{"text": "look", "completed": true}, {"text": "leap", "completed": false}]);
    assert_eq!(items(&events, "todo_list")[0]["items"], list);
    model.finish();
}

#[tokio::test]
async fn a_held_stream_goes_on_when_its_gate_opens() {
    let gate = Gate::new("middle");
    let model = FakeModel::start([reply().streams("po").holds(&gate).streams("ng")]);
    let home = home_for(&model);
    let (mut codex, thread) = app_server(&home).await;
    start_turn(&mut codex, &thread, "ping").await;

    gate.reached().await;
    assert_eq!(codex.incoming("item/agentMessage/delta").await["params"]["delta"], "po");
    assert!(codex.received("turn/completed").is_empty());
    gate.open();
    assert_eq!(codex.incoming("item/agentMessage/delta").await["params"]["delta"], "ng");
    let completed = codex.incoming("turn/completed").await;
    let answer = &completed["params"]["turn"]["items"][0];
    assert_eq!((&answer["text"], &answer["phase"]), (&json!("pong"), &json!("final_answer")));
    stop(codex).await;
    model.finish();
}

#[tokio::test]
async fn an_interrupt_abandons_the_held_stream() {
    let gate = Gate::new("middle");
    let model = FakeModel::start([reply().streams("po").holds(&gate)]);
    let home = home_for(&model);
    let (mut codex, thread) = app_server(&home).await;
    let turn = start_turn(&mut codex, &thread, "ping").await;

    gate.reached().await;
    codex.request("turn/interrupt", json!({"threadId": thread, "turnId": turn})).await;
    gate.abandoned().await;
    assert_eq!(codex.incoming("turn/completed").await["params"]["turn"]["status"], "interrupted");
    stop(codex).await;
    model.finish();
}

#[tokio::test]
async fn threads_side_by_side_get_the_replies_kept_for_their_prompts() {
    let (red, blue) = (Gate::new("red"), Gate::new("blue"));
    let model = FakeModel::start([
        reply().holds(&blue).says("blue it is").when("blue"),
        reply().holds(&red).says("red it is").when("red"),
    ]);
    let home = home_for(&model);
    let (mut codex, first) = app_server(&home).await;
    let started = codex.request("thread/start", json!({"cwd": home.workspace()})).await;
    let second = started["result"]["thread"]["id"].as_str().unwrap().to_owned();
    start_turn(&mut codex, &first, "red please").await;
    start_turn(&mut codex, &second, "blue please").await;

    red.reached().await;
    blue.reached().await;
    for (gate, thread, text) in [(red, first, "red it is"), (blue, second, "blue it is")] {
        gate.open();
        let completed = codex.incoming("turn/completed").await;
        assert_eq!(completed["params"]["threadId"], thread);
        assert_eq!(completed["params"]["turn"]["items"][0]["text"], text);
    }
    stop(codex).await;
    model.finish();
}

#[tokio::test]
async fn a_repeated_reply_answers_every_request_and_the_configuration_stays_as_it_was() {
    let model = FakeModel::start(Script::always(says("pong")).without_capture());
    let home = home_for(&model);
    let before = home.config_text();
    let (mut codex, thread) = app_server(&home).await;
    for _ in 0..3 {
        start_turn(&mut codex, &thread, "ping").await;
        assert_eq!(codex.incoming("turn/completed").await["params"]["turn"]["status"], "completed");
    }
    stop(codex).await;
    model.wait_for_requests(3).await;
    assert!(model.captured().is_empty());
    assert_eq!(home.config_text(), before);
    model.finish();
}

#[tokio::test]
async fn a_request_after_an_interrupted_command_keeps_the_rules() {
    let model = FakeModel::start([runs("sleep 600"), says("pong")]);
    let home = home_for(&model);
    let (mut codex, thread) = app_server(&home).await;
    let turn = start_turn(&mut codex, &thread, "run").await;
    codex
        .find("the command", |message| message["params"]["item"]["type"] == "commandExecution")
        .await;
    codex.request("turn/interrupt", json!({"threadId": thread, "turnId": turn})).await;
    codex.incoming("turn/completed").await;

    start_turn(&mut codex, &thread, "ping").await;
    assert_eq!(codex.incoming("turn/completed").await["params"]["turn"]["status"], "completed");
    assert!(model.captured()[1].tool_output("call_1").is_some());
    stop(codex).await;
    model.finish();
}

#[tokio::test]
async fn response_headers_reach_codex() {
    let model = FakeModel::start([says("pong")
        .header("x-codex-primary-used-percent", "42")
        .header("x-codex-primary-window-minutes", "300")]);
    let home = home_for(&model);
    let (mut codex, thread) = app_server(&home).await;
    start_turn(&mut codex, &thread, "ping").await;
    let limits = codex.incoming("account/rateLimits/updated").await;
    assert_eq!(limits["params"]["rateLimits"]["primary"]["usedPercent"], 42);
    codex.incoming("turn/completed").await;
    stop(codex).await;
    model.finish();
}
