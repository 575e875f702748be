//! `codex.plan.get`: what the plan is, what changed, and who made which version.

use expect_test::expect;
use serde_json::json;
use testkit::model::{StepStatus, plans, says};

use crate::bridge::{Setup, TestBridge, error_code, text};

#[tokio::test]
async fn a_plan_is_shown_with_its_changes_and_its_history() {
    let script = [
        plans("First things.", &[("read", StepStatus::InProgress), ("write", StepStatus::Pending)]),
        plans("Go.", &[("read", StepStatus::Completed), ("write tests", StepStatus::InProgress)]),
        says("Half done."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Do it.").await;
    let add = json!({ "threadId": thread, "changes": [{ "step": "ship" }, { "id": "s1", "remove": true }] });
    bridge.call("codex.plan.update", add).await;
    // Nothing runs any more, and nothing is started.
    bridge.restart_all(Setup::default()).await;
    let arguments = json!({ "threadId": thread, "since": 1, "history": true });
    let shown = bridge.call("codex.plan.get", arguments).await;
    let times: Vec<_> = shown["structuredContent"]["history"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|version| text(&version["at"]))
        .collect();
    let mut page = bridge.show(&shown);
    for time in times {
        page = page.replace(&time, "[time]");
    }
    expect![[r#"
        Version 3 of the plan of thread [thread-1], by client at [time]. Codex has not read it yet.
        [>] s2: write tests
        [ ] s3: ship

        Changes:
        changed [ ] s2: write => [>] s2: write tests
        added [ ] s3: ship
        removed [>] s1: read

        Versions:
        3: by client at [time], 2 steps
        2: by codex at [time], 2 steps: Go.
        1: by codex at [time], 2 steps: First things.
        ---
        {
          "at": "[time]",
          "author": "client",
          "changes": [
            {
              "change": "changed",
              "id": "s2",
              "now": {
                "id": "s2",
                "status": "in_progress",
                "step": "write tests"
              },
              "was": {
                "id": "s2",
                "status": "pending",
                "step": "write"
              }
            },
            {
              "change": "added",
              "id": "s3",
              "now": {
                "id": "s3",
                "status": "pending",
                "step": "ship"
              }
            },
            {
              "change": "removed",
              "id": "s1",
              "was": {
                "id": "s1",
                "status": "in_progress",
                "step": "read"
              }
            }
          ],
          "history": [
            {
              "at": "[time]",
              "author": "client",
              "steps": 2,
              "version": 3
            },
            {
              "at": "[time]",
              "author": "codex",
              "explanation": "Go.",
              "steps": 2,
              "version": 2
            },
            {
              "at": "[time]",
              "author": "codex",
              "explanation": "First things.",
              "steps": 2,
              "version": 1
            }
          ],
          "steps": [
            {
              "id": "s2",
              "status": "in_progress",
              "step": "write tests"
            },
            {
              "id": "s3",
              "status": "pending",
              "step": "ship"
            }
          ],
          "threadId": "[thread-1]",
          "version": 3
        }
    "#]]
    .assert_eq(&page);
    let first = bridge.call("codex.plan.get", json!({ "threadId": thread, "version": 1 })).await;
    assert_eq!(first["structuredContent"]["steps"][1]["step"], "write", "{first}");
    for arguments in [json!({ "version": 4 }), json!({ "since": 9 }), json!({ "version": -1 })] {
        let mut arguments = arguments;
        arguments["threadId"] = json!(thread);
        let refused = bridge.call("codex.plan.get", arguments).await;
        assert_eq!(error_code(&refused), "invalid_arguments", "{refused}");
    }
    assert_eq!(bridge.model.captured().len(), 3, "a turn was spent");
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_without_a_plan_says_so() {
    let mut bridge = TestBridge::start([says("Blue.")]).await;
    let thread = bridge.thread("Name a colour.").await;
    let shown = bridge.call("codex.plan.get", json!({ "threadId": thread, "since": 0 })).await;
    assert_eq!(shown["structuredContent"]["version"], 0, "{shown}");
    assert!(text(&shown["content"][0]["text"]).contains("has no plan"), "{shown}");
    let refused = bridge.call("codex.plan.get", json!({ "threadId": thread, "version": 1 })).await;
    assert_eq!(error_code(&refused), "invalid_arguments", "{refused}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_plan_of_a_thousand_steps_is_read_on() {
    let names: Vec<_> =
        (0..1_000).map(|number| format!("step {number} {}", "x".repeat(60))).collect();
    let steps: Vec<_> = names.iter().map(|name| (name.as_str(), StepStatus::Pending)).collect();
    let mut bridge = TestBridge::start([plans("Many.", &steps), says("Planned.")]).await;
    let thread = bridge.thread("Plan it.").await;
    let shown = bridge.call("codex.plan.get", json!({ "threadId": thread, "since": 0 })).await;
    let data = &shown["structuredContent"];
    let count = data["steps"].as_array().map_or(0, Vec::len);
    assert!(count > 50 && count < 1_000, "{count} of 1000 are shown");
    assert!(data.to_string().len() < 40_000, "{}", data.to_string().len());
    let token = json!({ "token": data["more"][0]["token"] });
    let next = bridge.call("codex.read", token).await;
    let first = text(&next["structuredContent"]["content"]);
    assert!(first.starts_with(&format!("[ ] s{}: step {count} ", count + 1)), "{first:.100}");
    // Its turn names it too, and one step of it can be changed.
    let change =
        json!({ "threadId": thread, "changes": [{ "id": "s1000", "status": "completed" }] });
    let changed = bridge.call("codex.plan.update", change).await;
    assert_eq!(changed["structuredContent"]["version"], 2, "{changed:.300}");
    bridge.finish().await;
}
