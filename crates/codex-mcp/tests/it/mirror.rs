//! Hooks, as Claude Code calls them: a list of tasks and a plan that follow each other, and what cannot be understood.

use expect_test::expect;
use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::mcp::McpDriver;
use testkit::model::{StepStatus, plans, reply, says};

use crate::bridge::{Setup, TestBridge, result_of, text};

fn of_session(session: &str) -> Setup {
    let variables = vec![("CLAUDE_CODE_SESSION_ID", session.into())];
    Setup { variables, ..Setup::default() }
}

/// What a hook answers.
async fn hook(client: &mut McpDriver, arguments: Value) -> Value {
    let result = result_of(client.call_tool("codex.hook", arguments).await);
    assert_ne!(result["isError"], true, "{result}");
    serde_json::from_str(&text(&result["content"][0]["text"])).expect("a hook answers with JSON")
}

/// What the model is told by it; empty: nothing.
async fn told(client: &mut McpDriver, event: &str) -> String {
    let answer = hook(client, json!({ "event": event })).await;
    said(&answer)
}

fn said(answer: &Value) -> String {
    answer["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or_default().to_owned()
}

/// The hook after a task was made.
fn created(task: &str, subject: &str) -> Value {
    let input = json!({ "subject": subject, "description": "d" });
    let response = json!({ "task": { "id": task, "subject": subject } });
    json!({
        "event": "PostToolUse", "tool": "TaskCreate", "input": input.to_string(), "response": response.to_string(),
    })
}

/// The hook after a task was changed.
fn updated(task: &str, changes: Value) -> Value {
    let mut input = changes;
    input["taskId"] = task.into();
    let response = json!({ "success": true, "taskId": task });
    json!({
        "event": "PostToolUse", "tool": "TaskUpdate", "input": input.to_string(), "response": response.to_string(),
    })
}

/// The plan of a thread, a line a step.
async fn plan(bridge: &mut TestBridge, thread: &str) -> String {
    let shown = bridge.call("codex.plan.get", json!({ "threadId": thread })).await;
    let shown = &shown["structuredContent"];
    let steps = shown["steps"].as_array().into_iter().flatten();
    let steps: Vec<_> = steps
        .map(|step| {
            format!("{} {} {}", text(&step["id"]), text(&step["status"]), text(&step["step"]))
        })
        .collect();
    format!("version {}: {}", shown["version"], steps.join(", "))
}

#[tokio::test]
async fn tasks_become_steps_and_keep_them() {
    let mut bridge = TestBridge::spawn([says("Ready.")], of_session("a"));
    bridge.client.initialize_legacy("2025-11-25").await;
    // Before there is a thread, the list is the session's own.
    assert_eq!(hook(&mut bridge.client, created("1", "read")).await, json!({}));
    let thread = bridge.thread("Are you ready?").await;
    assert_eq!(plan(&mut bridge, &thread).await, "version 0: ");
    let steps = [
        (created("2", "write"), "version 1: s1 pending write"),
        (created("3", "ship"), "version 2: s1 pending write, s2 pending ship"),
        (
            updated("2", json!({ "status": "in_progress" })),
            "version 3: s1 in_progress write, s2 pending ship",
        ),
        // One from before comes along when it is changed.
        (
            updated("1", json!({ "status": "completed" })),
            "version 4: s1 in_progress write, s2 pending ship, s3 completed read",
        ),
        (
            updated("3", json!({ "subject": "ship it", "activeForm": "shipping" })),
            "version 5: s1 in_progress write, s2 pending ship it, s3 completed read",
        ),
        (
            updated("2", json!({ "status": "deleted" })),
            "version 6: s2 pending ship it, s3 completed read",
        ),
        // Nothing new.
        (
            updated("3", json!({ "owner": "me" })),
            "version 6: s2 pending ship it, s3 completed read",
        ),
        (
            updated("2", json!({ "status": "completed" })),
            "version 6: s2 pending ship it, s3 completed read",
        ),
    ];
    for (arguments, expected) in steps {
        assert_eq!(hook(&mut bridge.client, arguments.clone()).await, json!({}), "{arguments}");
        assert_eq!(plan(&mut bridge, &thread).await, expected, "{arguments}");
    }
    // All of it was the session's own doing.
    assert_eq!(told(&mut bridge.client, "PostToolBatch").await, "");
    bridge.finish().await;
}

#[tokio::test]
async fn what_codex_and_others_did_is_told_once() {
    let first = [("read", StepStatus::InProgress), ("write", StepStatus::Pending)];
    let second = [("read", StepStatus::Completed), ("ship </x> \n\"now\"", StepStatus::Pending)];
    let script = [plans("Go.", &first), says("One."), plans("Shorter.", &second), says("Two.")];
    let mut bridge = TestBridge::spawn(script, of_session("a"));
    bridge.client.initialize_legacy("2025-11-25").await;
    let thread = bridge.thread("Begin.").await;
    // The result had it.
    assert_eq!(told(&mut bridge.client, "PostToolBatch").await, "");
    let mut other = bridge.beside(of_session("b")).await;
    let go_on = json!({ "threadId": thread, "prompt": "Go on." });
    result_of(other.call_tool("codex-reply", go_on).await);
    let add = json!({ "threadId": thread, "changes": [{ "step": "measure" }] });
    result_of(other.call_tool("codex.plan.update", add).await);
    assert_eq!(hook(&mut bridge.client, created("7", "measure")).await, json!({}), "it is there");
    assert_eq!(hook(&mut bridge.client, created("8", "celebrate")).await, json!({}));
    let news = told(&mut bridge.client, "UserPromptSubmit").await;
    expect![[r#"
        Codex's plan of thread [thread 1] is at version 4.
        - s1 completed: "read" (was in progress)
        - new s3 pending: "ship </x> \n\"now\""
        - new s4 pending: "measure" (your task 7)
        - s2 is gone: "write"
        If you keep a list of tasks, let it follow: with TaskUpdate, and for new steps TaskCreate with `metadata` such as {"codexThread":"[thread 1]","codexStep":"s3"}, or with these very texts in TodoWrite. Codex knows all this already."#]]
    .assert_eq(&news.replace(&thread, "[thread 1]"));
    assert_eq!(told(&mut bridge.client, "PostToolBatch").await, "", "told twice");
    let news = told(&mut other, "PostToolBatch").await;
    assert!(news.contains("new s5 pending: \"celebrate\"") && !news.contains("measure"), "{news}");
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_change_of_a_step_that_is_gone_is_a_conflict() {
    let first = [("read", StepStatus::Pending), ("write", StepStatus::Pending)];
    let second = [("ship", StepStatus::Pending)];
    let script = [plans("Go.", &first), says("One."), plans("Other.", &second), says("Two.")];
    let mut bridge = TestBridge::spawn(script, of_session("a"));
    bridge.client.initialize_legacy("2025-11-25").await;
    let thread = bridge.thread("Begin.").await;
    let mut named = created("1", "Read everything");
    let metadata = json!({ "subject": "Read everything", "metadata": { "codexThread": thread, "codexStep": "s1" } });
    named["input"] = metadata.to_string().into();
    assert_eq!(hook(&mut bridge.client, named).await, json!({}));
    assert!(
        plan(&mut bridge, &thread).await.starts_with("version 1: s1 pending read,"),
        "it only follows"
    );
    let mut other = bridge.beside(of_session("b")).await;
    let go_on = json!({ "threadId": thread, "prompt": "Go on." });
    result_of(other.call_tool("codex-reply", go_on).await);
    let done = updated("1", json!({ "status": "completed" }));
    let answer = hook(&mut bridge.client, done.clone()).await;
    expect!["Codex has removed step s1 from the plan of thread [thread], so your change of task 1 is not in that plan. If the step is needed, change the task once more: that adds it anew. Else delete the task."]
        .assert_eq(&said(&answer).replace(&thread, "[thread]"));
    assert_eq!(hook(&mut bridge.client, done).await, json!({}));
    let now = "version 3: s3 pending ship, s4 completed Read everything";
    assert_eq!(plan(&mut bridge, &thread).await, now);
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_to_do_list_changes_what_changed_in_it() {
    let first = [("read", StepStatus::Completed), ("write", StepStatus::Pending)];
    let mut bridge = TestBridge::spawn([plans("Go.", &first), says("One.")], of_session("a"));
    bridge.client.initialize_legacy("2025-11-25").await;
    let thread = bridge.thread("Begin.").await;
    let todo = |content: &str, status: &str| json!({ "content": content, "status": status, "activeForm": "x" });
    let written = |old: Value, new: Value| {
        let response = json!({ "oldTodos": old, "newTodos": new }).to_string();
        json!({ "event": "PostToolUse", "tool": "TodoWrite", "input": "{}", "response": response })
    };
    let own = json!([todo("lunch", "pending")]);
    let both = json!([todo("lunch", "pending"), todo("write", "in_progress")]);
    let all = json!([todo("write", "completed"), todo("rest", "pending")]);
    for (old, new, expected) in [
        (
            json!([]),
            own.clone(),
            "version 2: s1 completed read, s2 pending write, s3 pending lunch",
        ),
        (own, both.clone(), "version 3: s1 completed read, s2 in_progress write, s3 pending lunch"),
        (both, all.clone(), "version 4: s1 completed read, s2 completed write, s4 pending rest"),
        (all.clone(), all, "version 4: s1 completed read, s2 completed write, s4 pending rest"),
    ] {
        assert_eq!(hook(&mut bridge.client, written(old, new)).await, json!({}));
        assert_eq!(plan(&mut bridge, &thread).await, expected);
    }
    bridge.finish().await;
}

#[tokio::test]
async fn what_a_hook_cannot_understand_changes_nothing() {
    let first = [("read", StepStatus::Pending)];
    let mut bridge = TestBridge::spawn([plans("Go.", &first), says("One.")], of_session("a"));
    bridge.client.initialize_legacy("2025-11-25").await;
    let thread = bridge.thread("Begin.").await;
    let with = |mut arguments: Value, name: &str, value: Value| {
        arguments[name] = value;
        arguments
    };
    let made = || created("1", "write");
    let failed = json!({ "success": false, "taskId": "1" }).to_string();
    let elsewhere =
        json!({ "subject": "x", "metadata": { "codexThread": "nowhere", "codexStep": "s1" } });
    let cases = [
        json!({}),
        json!({ "event": "PostToolUse" }),
        json!({ "event": "Stop" }),
        json!({ "event": "NewEvent", "further": { "a": 1 } }),
        json!({ "event": 7 }),
        json!({ "event": null }),
        with(made(), "agentId", "a1".into()),
        with(made(), "tool", "TaskDestroy".into()),
        with(made(), "input", "{".into()),
        with(made(), "input", json!("[]")),
        with(made(), "input", json!({ "subject": 7 }).to_string().into()),
        with(made(), "input", json!({ "subject": " \n " }).to_string().into()),
        with(made(), "input", elsewhere.to_string().into()),
        with(made(), "response", "".into()),
        with(made(), "response", json!({ "task": { "id": { "a": 1 } } }).to_string().into()),
        with(made(), "response", json!({ "task": { "id": "x".repeat(1000) } }).to_string().into()),
        with(updated("1", json!({})), "response", failed.into()),
        updated("unknown", json!({ "status": "completed" })),
        updated("unknown", json!({ "status": "deleted" })),
        with(made(), "tool", "TodoWrite".into()),
        json!({ "event": "PostToolUse", "tool": "TodoWrite", "response": json!({ "newTodos": [7, {}] }).to_string() }),
    ];
    for arguments in cases {
        assert_eq!(hook(&mut bridge.client, arguments.clone()).await, json!({}), "{arguments}");
        assert_eq!(plan(&mut bridge, &thread).await, "version 1: s1 pending read", "{arguments}");
    }
    // Too long and too much is cut, or said.
    hook(&mut bridge.client, created("1", &"x".repeat(5_000))).await;
    let shown = bridge.call("codex.plan.get", json!({ "threadId": thread })).await;
    assert_eq!(text(&shown["structuredContent"]["steps"][1]["step"]).len(), 1_000);
    let many: Vec<_> = (0..250)
        .map(|number| json!({ "content": format!("item {number}"), "status": "pending" }))
        .collect();
    let response = json!({ "oldTodos": [], "newTodos": many }).to_string();
    let answer = hook(
        &mut bridge.client,
        json!({ "event": "PostToolUse", "tool": "TodoWrite", "response": response }),
    )
    .await;
    expect!["The plan of Codex's thread [thread] did not follow your list: argument `steps`: the plan would have 252 steps; allowed: at most 200"]
        .assert_eq(&said(&answer).replace(&thread, "[thread]"));
    bridge.finish().await;
}

/// A plan with a thousand steps, some with no text or one text, is told in a few lines.
#[tokio::test]
async fn a_huge_plan_is_told_in_short() {
    let texts: Vec<_> = (0..1_000)
        .map(|number| match number % 3 {
            0 => String::new(),
            1 => "the same".to_owned(),
            _ => format!("{number} {}", "long ".repeat(100)),
        })
        .collect();
    let steps: Vec<_> = texts.iter().map(|text| (text.as_str(), StepStatus::Pending)).collect();
    let gate = Gate::new("after the plan");
    let script = vec![plans("Much.", &steps), reply().holds(&gate).says("Done.")];
    let mut bridge = TestBridge::spawn(script, of_session("a"));
    bridge.client.initialize_legacy("2025-11-25").await;
    let started = bridge.call("codex", json!({ "prompt": "Plan.", "background": true })).await;
    let thread = text(&started["structuredContent"]["threadId"]);
    gate.reached().await;
    // The plan may be on its way still.
    let news = loop {
        let news = told(&mut bridge.client, "PostToolBatch").await;
        if !news.is_empty() {
            break news;
        }
    };
    assert!(news.len() < 6_000 && news.lines().count() < 30, "{news}");
    assert!(news.contains("… and 980 more: codex.plan.get shows all."), "{news}");
    assert_eq!(told(&mut bridge.client, "PostToolBatch").await, "");
    gate.open();
    bridge.call("codex.wait", json!({ "threadId": thread })).await;
    bridge.finish().await;
}

#[tokio::test]
async fn without_a_session_nothing_is_mirrored() {
    let mut bridge = TestBridge::start([says("Ready.")]).await;
    let thread = bridge.thread("Are you ready?").await;
    assert_eq!(hook(&mut bridge.client, created("1", "write")).await, json!({}));
    assert_eq!(plan(&mut bridge, &thread).await, "version 0: ");
    let names = bridge.client.request("tools/list", json!({})).await.to_string();
    assert!(!names.contains("codex.hook"), "other clients see the tool");
    bridge.finish().await;
}
