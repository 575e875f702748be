//! `codex.plan.update`: a client's version of the plan, which Codex's model reads once.

use expect_test::expect;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::{CapturedRequest, StepStatus, plans, reply, runs, says};

use crate::bridge::{Setup, TestBridge, content, error_code, result_of, text};

const UPDATED: &str = "notifications/resources/updated";

/// How often a request to the model tells this version of the plan, over the whole history of its thread.
fn told(request: &CapturedRequest, version: u64) -> usize {
    let note = format!("<plan_update version=\"{version}\">");
    request.texts("user").iter().map(|text| text.matches(&note).count()).sum()
}

fn steps(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "step": name })).collect()
}

async fn update(bridge: &mut TestBridge, thread: &str, names: &[&str]) -> Value {
    let arguments = json!({ "threadId": thread, "steps": steps(names) });
    bridge.call("codex.plan.update", arguments).await["structuredContent"].take()
}

async fn reply_to(bridge: &mut TestBridge, thread: &str, prompt: &str) -> Value {
    bridge.call("codex-reply", json!({ "threadId": thread, "prompt": prompt })).await
}

#[tokio::test]
async fn the_next_turn_reads_it_once() {
    let first = [("read", StepStatus::Completed), ("write", StepStatus::InProgress)];
    let script = [plans("Go.", &first), says("One."), says("Two."), says("Three.")];
    let mut bridge = TestBridge::start(script).await;
    let started = bridge.call("codex", json!({ "prompt": "Begin." })).await;
    let plan = &started["structuredContent"]["plan"];
    assert_eq!((&plan["version"], &plan["steps"][1]["id"]), (&json!(1), &json!("s2")), "{plan}");
    let thread = text(&started["structuredContent"]["threadId"]);
    let made = update(&mut bridge, &thread, &["read", "write </plan_update> it", "ship"]).await;
    assert_eq!((&made["version"], &made["changed"]), (&json!(2), &json!(true)), "{made}");
    assert_eq!(made["steps"][0]["status"], "completed", "it is as far as it was: {made}");
    assert!(made.get("toldAt").is_none(), "{made}");
    let second = reply_to(&mut bridge, &thread, "Go on.").await;
    reply_to(&mut bridge, &thread, "And on.").await;
    let requests = bridge.model.captured();
    let counts: Vec<_> = requests.iter().map(|request| told(request, 2)).collect();
    assert_eq!(counts, [0, 0, 1, 1], "the third and its history");
    expect![[r#"
        <plan_update version="2">
        The client that you work for has changed the plan of this thread. It is now:
        {"explanation":null,"plan":[{"step":"read","status":"completed"},{"step":"write \u003c/plan_update> it","status":"pending"},{"step":"ship","status":"pending"}]}
        Go on by this plan. If you made one of your own meanwhile, bring both together with update_plan; a plan that says just this needs no update.
        </plan_update>
        Go on."#]].assert_eq(&requests[2].prompt());
    let shown = bridge.call("codex.plan.get", json!({ "threadId": thread })).await;
    let shown = &shown["structuredContent"];
    assert_eq!(shown["toldIn"], second["structuredContent"]["turnId"], "{shown}");
    // What the user said is shown without the note, also from what Codex itself keeps.
    let elsewhere = bridge.home.root().join("another-state").into_os_string();
    let variables = vec![("CODEX_MCP_STATE_DIR", elsewhere)];
    let mut other = bridge.beside(Setup { variables, ..Setup::default() }).await;
    let read = result_of(other.call_tool("codex.thread.read", json!({ "threadId": thread })).await);
    let said: Vec<_> = read["structuredContent"]["entries"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| text(&entry["text"]))
        .collect();
    assert_eq!(said, ["Begin.", "One.", "Go on.", "Two.", "And on.", "Three."], "{read}");
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_running_turn_reads_it_at_once() {
    let gate = Gate::new("before the answer");
    let script = [
        says("Ready."),
        reply().streams("I will ").holds(&gate).streams("go on."),
        says("By the plan."),
        says("Three."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Are you ready?").await;
    let uri = format!("codex://threads/{thread}/plan");
    bridge.client.request("resources/subscribe", json!({ "uri": uri })).await;
    let turn = bridge.begin("codex-reply", json!({ "prompt": "Go.", "threadId": thread })).await;
    gate.reached().await;
    let made = update(&mut bridge, &thread, &["read", "write"]).await;
    assert!(made["sentTo"].is_string() && made.get("toldIn").is_none(), "{made}");
    let heard = bridge.client.peer.incoming(UPDATED).await;
    assert_eq!(heard["params"]["uri"], json!(uri));
    gate.open();
    let answer = bridge.result(turn).await;
    assert_eq!(content(&answer), "By the plan.");
    assert_eq!(answer["structuredContent"]["turnId"], made["sentTo"]);
    reply_to(&mut bridge, &thread, "And on.").await;
    let requests = bridge.model.captured();
    let counts: Vec<_> = requests.iter().map(|request| told(request, 1)).collect();
    assert_eq!(counts, [0, 0, 1, 1]);
    let read = result_of(bridge.client.request("resources/read", json!({ "uri": uri })).await);
    let plan: Value = serde_json::from_str(&text(&read["contents"][0]["text"])).unwrap();
    assert_eq!((&plan["version"], &plan["steps"][1]["id"]), (&json!(1), &json!("s2")), "{plan}");
    assert_eq!(plan["toldIn"], made["sentTo"], "{plan}");
    bridge.finish().await;
}

#[tokio::test]
async fn what_codex_repeats_is_no_version_and_comes_back_to_nobody() {
    let same = [("read", StepStatus::Pending), ("write", StepStatus::Pending)];
    let mut bridge =
        TestBridge::start([says("Ready."), plans("", &same), says("Two."), says("Three.")]).await;
    let thread = bridge.thread("Are you ready?").await;
    update(&mut bridge, &thread, &["read", "write"]).await;
    let answer = reply_to(&mut bridge, &thread, "Go on.").await;
    assert_eq!(answer["structuredContent"]["plan"]["version"], 1, "it said nothing new: {answer}");
    let again = update(&mut bridge, &thread, &["read", "write"]).await;
    assert_eq!(again["changed"], false, "{again}");
    assert_eq!(again["version"], 1, "{again}");
    reply_to(&mut bridge, &thread, "And on.").await;
    let requests = bridge.model.captured();
    let counts: Vec<_> = requests.iter().map(|request| told(request, 1)).collect();
    assert_eq!(counts, [0, 1, 1, 1]);
    assert_eq!(content(&answer), "Two.");
    bridge.finish().await;
}

#[tokio::test]
async fn the_next_engine_tells_what_a_killed_one_did_not() {
    let script = [says("One."), says("Two."), says("Three.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Begin.").await;
    update(&mut bridge, &thread, &["read"]).await;
    update(&mut bridge, &thread, &["read", "write"]).await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    // A client that is there could still send into the connection of the dead.
    bridge.restart_all(Setup::default()).await;
    assert_eq!(content(&reply_to(&mut bridge, &thread, "Go on.").await), "Two.");
    assert_eq!(content(&reply_to(&mut bridge, &thread, "And on.").await), "Three.");
    let requests = bridge.model.captured();
    let counts: Vec<_> =
        requests.iter().map(|request| (told(request, 1), told(request, 2))).collect();
    assert_eq!(counts, [(0, 0), (0, 1), (0, 1)], "only the newest is told, and once");
    bridge.finish().await;
}

#[tokio::test]
async fn what_codex_took_from_an_engine_that_lost_its_records_is_not_told_again() {
    let mut bridge = TestBridge::start([says("One."), says("Two."), says("Three.")]).await;
    let thread = bridge.thread("Begin.").await;
    update(&mut bridge, &thread, &["read"]).await;
    bridge.leave().await;
    let store = bridge.home.home().join(".local/state/codex-mcp/store.sqlite3");
    let before = std::fs::read(&store).unwrap();
    bridge.restart(Setup::default()).await;
    let told_in = reply_to(&mut bridge, &thread, "Go on.").await;
    bridge.leave().await;
    // As if the engine had been killed after Codex took the plan, and before that was recorded.
    std::fs::write(&store, before).unwrap();
    bridge.restart(Setup::default()).await;
    assert_eq!(content(&reply_to(&mut bridge, &thread, "And on.").await), "Three.");
    let requests = bridge.model.captured();
    let counts: Vec<_> = requests.iter().map(|request| told(request, 1)).collect();
    assert_eq!(counts, [0, 1, 1]);
    let shown = bridge.call("codex.plan.get", json!({ "threadId": thread })).await;
    let turn = &told_in["structuredContent"]["turnId"];
    assert_eq!(&shown["structuredContent"]["toldIn"], turn, "{shown}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_change_of_an_older_version_gets_both_sides_and_a_proposal() {
    let first = [("read", StepStatus::Pending), ("write", StepStatus::Pending)];
    let second = [
        ("read", StepStatus::Completed),
        ("write", StepStatus::Pending),
        ("test", StepStatus::Pending),
    ];
    let script = [plans("", &first), plans("", &second), says("One.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Begin.").await;
    let change = json!({
        "threadId": thread,
        "changes": [{ "id": "s1", "status": "in_progress" }, { "id": "s2", "step": "write it all" }],
        "expectedVersion": 1,
    });
    let refused = bridge.call("codex.plan.update", change.clone()).await;
    assert_eq!(error_code(&refused), "plan_conflict");
    let mut page = bridge.show(&refused);
    page = page.replace(&text(&refused["structuredContent"]["conflict"]["theirs"]["at"]), "[time]");
    expect![[r#"
        Error plan_conflict: version 2, by codex, is newer than version 1, so nothing was changed
        What to do: The proposal has both; give it as `steps` with `expectedVersion: 2`. Nothing was changed. Look at the newest version with `codex.plan.get`, and make the change for that one.
        Retry: only after changing the call.

        Proposal: [{"id":"s1","step":"read","status":"completed"},{"id":"s2","step":"write it all","status":"pending"},{"id":"s3","step":"test","status":"pending"}]
        Both changed: s1
        Yours: [{"id":"s1","step":"read","status":"in_progress"},{"id":"s2","step":"write it all","status":"pending"}]
        Theirs: [{"id":"s1","step":"read","status":"completed"},{"id":"s2","step":"write","status":"pending"},{"id":"s3","step":"test","status":"pending"}]
        ---
        {
          "conflict": {
            "conflicts": [
              {
                "base": {
                  "id": "s1",
                  "status": "pending",
                  "step": "read"
                },
                "id": "s1",
                "theirs": {
                  "id": "s1",
                  "status": "completed",
                  "step": "read"
                },
                "yours": {
                  "id": "s1",
                  "status": "in_progress",
                  "step": "read"
                }
              }
            ],
            "proposal": [
              {
                "id": "s1",
                "status": "completed",
                "step": "read"
              },
              {
                "id": "s2",
                "status": "pending",
                "step": "write it all"
              },
              {
                "id": "s3",
                "status": "pending",
                "step": "test"
              }
            ],
            "theirs": {
              "at": "[time]",
              "author": "codex",
              "steps": [
                {
                  "id": "s1",
                  "status": "completed",
                  "step": "read"
                },
                {
                  "id": "s2",
                  "status": "pending",
                  "step": "write"
                },
                {
                  "id": "s3",
                  "status": "pending",
                  "step": "test"
                }
              ],
              "threadId": "[thread-1]",
              "version": 2
            },
            "yours": [
              {
                "id": "s1",
                "status": "in_progress",
                "step": "read"
              },
              {
                "id": "s2",
                "status": "pending",
                "step": "write it all"
              }
            ]
          },
          "error": {
            "code": "plan_conflict",
            "message": "version 2, by codex, is newer than version 1, so nothing was changed",
            "remedy": "The proposal has both; give it as `steps` with `expectedVersion: 2`. Nothing was changed. Look at the newest version with `codex.plan.get`, and make the change for that one.",
            "retryable": false
          }
        }
    "#]].assert_eq(&page);
    let proposal = &refused["structuredContent"]["conflict"]["proposal"];
    let again = json!({ "threadId": thread, "steps": proposal, "expectedVersion": 2 });
    let made = bridge.call("codex.plan.update", again).await;
    assert_eq!(made["structuredContent"]["version"], 3, "{made}");
    // The same once more, though it was made for an older version, asks for what is there.
    let again = json!({ "threadId": thread, "steps": proposal, "expectedVersion": 2 });
    let made = bridge.call("codex.plan.update", again).await;
    assert_eq!(made["structuredContent"]["changed"], false, "{made}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_bad_change_is_refused_and_loses_nothing() {
    let mut bridge = TestBridge::start([says("One.")]).await;
    let thread = bridge.thread("Begin.").await;
    update(&mut bridge, &thread, &["read", "read", "</plan_update>\u{0}\u{202e}"]).await;
    let long = "x".repeat(1_001);
    let many: Vec<_> = (0..1_000).map(|number| format!("step {number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let mut page = String::new();
    for mut arguments in [
        json!({}),
        json!({ "steps": [], "changes": [] }),
        json!({ "steps": steps(&many) }),
        json!({ "steps": steps(&[" "]) }),
        json!({ "steps": steps(&[&long]) }),
        json!({ "steps": [{ "id": "s1", "step": "a" }, { "id": "s1", "step": "b" }] }),
        json!({ "steps": [{ "id": "s9", "step": "a" }] }),
        json!({ "steps": [{ "id": "one", "step": "a" }] }),
        json!({ "steps": [{ "step": "a", "status": "done" }] }),
        json!({ "steps": [{ "step": "a" }], "explanation": long }),
        json!({ "steps": [{ "step": "a" }], "expectedVersion": 7 }),
        json!({ "changes": [{ "id": "s1" }] }),
        json!({ "changes": [{ "status": "completed" }] }),
        json!({ "changes": [{ "id": "s1", "remove": true, "step": "a" }] }),
        json!({ "changes": [{ "id": "s1", "remove": true }, { "id": "s1", "step": "a" }] }),
    ] {
        arguments["threadId"] = json!(thread);
        let refused = bridge.call("codex.plan.update", arguments).await;
        assert_eq!(error_code(&refused), "invalid_arguments", "{refused}");
        let message = text(&refused["structuredContent"]["error"]["message"]);
        page += &format!("{message}\n");
    }
    expect![[r#"
        argument `steps`: both or neither of `steps` and `changes` are given; allowed: one of them
        argument `steps`: both or neither of `steps` and `changes` are given; allowed: one of them
        argument `steps`: the plan would have 1000 steps; allowed: at most 200
        argument `step`: it is empty; allowed: a text with at least one visible character
        argument `step`: it has 1001 characters; allowed: at most 1000
        argument `id`: step s1 is named twice; allowed: each step once
        argument `id`: the plan has no step s9; allowed: an `id` of the newest version, which codex.plan.get gives
        argument `id`: "one"; allowed: a step's `id` as codex.plan.get gives it, such as `s3`
        argument `steps[0].status`: unknown value `done`, expected one of `pending`, `in_progress`, `completed`
        argument `explanation`: it has 1001 characters; allowed: at most 1000
        argument `expectedVersion`: there is no version 7; allowed: 1 to 1
        argument `changes`: a change changes nothing; allowed: `id` with `step` or `status` or `remove: true`, or `step` alone for a new one
        argument `changes`: a new step has no `step`; allowed: `id` with `step` or `status` or `remove: true`, or `step` alone for a new one
        argument `changes`: what is removed has something else to say, or no `id`; allowed: `id` with `step` or `status` or `remove: true`, or `step` alone for a new one
        argument `id`: step s1 is named twice; allowed: each step once
    "#]].assert_eq(&page);
    let shown = bridge.call("codex.plan.get", json!({ "threadId": thread })).await;
    assert_eq!(shown["structuredContent"]["version"], 1, "{shown}");
    assert_eq!(shown["structuredContent"]["steps"].as_array().map(Vec::len), Some(3), "{shown}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_turn_with_an_app_server_of_its_own_reads_it_too() {
    let gate = Gate::new("held");
    let script = [
        says("Ready."),
        reply().streams("I will ").holds(&gate).streams("go on."),
        says("By the plan."),
    ];
    let arguments = vec!["--isolation=thread".into()];
    let mut bridge = TestBridge::start_with(script, Setup { arguments, ..Setup::default() }).await;
    let thread = bridge.thread("Are you ready?").await;
    let turn = bridge.begin("codex-reply", json!({ "prompt": "Go.", "threadId": thread })).await;
    gate.reached().await;
    // Another client than the one whose turn it is.
    let mut other = bridge.beside(Setup::default()).await;
    let arguments = json!({ "threadId": thread, "steps": steps(&["read"]) });
    let made = result_of(other.call_tool("codex.plan.update", arguments).await);
    assert!(made["structuredContent"]["sentTo"].is_string(), "{made}");
    gate.open();
    assert_eq!(content(&bridge.result(turn).await), "By the plan.");
    let counts: Vec<_> = bridge.model.captured().iter().map(|request| told(request, 1)).collect();
    assert_eq!(counts, [0, 0, 1]);
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn what_a_turn_had_not_read_when_it_was_stopped_the_next_one_reads() {
    let script = [says("Ready."), runs("sleep 600"), says("By the plan."), says("Four.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Are you ready?").await;
    let turn = bridge.begin("codex-reply", json!({ "prompt": "Go.", "threadId": thread })).await;
    bridge.news(turn, "command").await;
    let made = update(&mut bridge, &thread, &["read", "write"]).await;
    assert!(made["sentTo"].is_string(), "{made}");
    // Codex has accepted it, and loses it with the turn: the command goes on.
    bridge.call("codex.cancel", json!({ "threadId": thread })).await;
    bridge.result(turn).await;
    let shown = bridge.call("codex.plan.get", json!({ "threadId": thread })).await;
    assert!(shown["structuredContent"].get("toldIn").is_none(), "{shown}");
    reply_to(&mut bridge, &thread, "Go on.").await;
    reply_to(&mut bridge, &thread, "And on.").await;
    let counts: Vec<_> = bridge.model.captured().iter().map(|request| told(request, 1)).collect();
    assert_eq!(counts, [0, 0, 1, 1]);
    bridge.finish().await;
}

#[tokio::test]
async fn a_turn_that_is_run_again_reads_it_once() {
    let gate = Gate::new("held");
    let script = [says("Ready."), reply().holds(&gate), says("Again."), says("Four.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Are you ready?").await;
    update(&mut bridge, &thread, &["read"]).await;
    let turn = bridge.begin("codex-reply", json!({ "prompt": "Go.", "threadId": thread })).await;
    gate.reached().await;
    kill_process(bridge.app_server(), Signal::KILL).unwrap();
    assert_eq!(content(&bridge.result(turn).await), "Again.");
    reply_to(&mut bridge, &thread, "And on.").await;
    let counts: Vec<_> = bridge.model.captured().iter().map(|request| told(request, 1)).collect();
    assert_eq!(counts, [0, 1, 1, 1]);
    bridge.finish().await;
}
