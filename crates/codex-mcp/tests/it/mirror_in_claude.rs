//! Plans that go both ways between the real Claude Code, with the plugin, and the real Codex: each model is told each
//! change once, in both negotiations, with Claude Code's task tools, with its to-do list, and with neither.

use std::io::Write as _;
use std::path::PathBuf;

use expect_test::{ExpectFile, expect_file};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use testkit::claude::ClaudeCode;
use testkit::gate::Gate;
use testkit::messages::{self, FakeMessages, MessagesRequest, calls_tool, calls_tool_with};
use testkit::model::{CapturedRequest, StepStatus, plans, reply, says};
use testkit::normalise::Normaliser;

use crate::bridge::{TestBridge, text};
use crate::plugin::{plugin, server, tool};

/// How Claude Code greets the server.
#[derive(Clone, Copy)]
enum Negotiation {
    Modern,
    Legacy,
}

fn claude(bridge: &TestBridge, model: &FakeMessages, negotiation: Negotiation) -> ClaudeCode {
    let claude = ClaudeCode::with_plugin(&bridge.home, model, &server(bridge, &[]), &plugin());
    let names = [tool("codex"), tool("codex-reply"), tool("codex_wait")];
    let names = names.iter().map(String::as_str).chain(["Bash"]);
    let claude = claude.allow(&names.collect::<Vec<_>>());
    match negotiation {
        Negotiation::Modern => claude,
        Negotiation::Legacy => claude.legacy(),
    }
}

/// A pipe in the workspace that a command of Claude's can wait at.
fn pipe(bridge: &TestBridge, name: &str) -> PathBuf {
    let path = bridge.home.root().join(name);
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a new name");
    path
}

/// Waits until the only thread has this version of its plan.
async fn has_version(bridge: &mut TestBridge, version: u64) {
    loop {
        let list = bridge.call("codex.thread.list", json!({})).await;
        let thread = list["structuredContent"]["threads"][0]["threadId"].clone();
        let plan = bridge.call("codex.plan.get", json!({ "threadId": thread })).await;
        if plan["structuredContent"]["version"] == version {
            return;
        }
    }
}

/// What hooks told the model, up to its last request.
fn told(bridge: &TestBridge, requests: &[MessagesRequest]) -> String {
    let told = requests.last().expect("the model was asked").told_by_hooks().join("\n---\n");
    Normaliser::for_home(&bridge.home).text(&told)
}

async fn codex_advances_a_plan(negotiation: Negotiation) {
    let first = [("read", StepStatus::InProgress), ("write", StepStatus::Pending)];
    let second = [("read", StepStatus::Completed), ("write", StepStatus::InProgress)];
    let (one, two) = (Gate::new("before the first plan"), Gate::new("before the second plan"));
    let mut bridge = TestBridge::start([
        reply().holds(&one).plans("Two steps.", &first),
        reply().holds(&two).plans("Half of it.", &second),
        says("Written."),
    ])
    .await;
    let waits = |path: &PathBuf| {
        let command = format!("cat {}", path.display());
        calls_tool("Bash", json!({ "command": command, "description": "Wait" }))
    };
    let pipes = [pipe(&bridge, "one"), pipe(&bridge, "two")];
    let model = FakeMessages::start([
        calls_tool(tool("codex"), json!({ "prompt": "Write it.", "background": true })),
        waits(&pipes[0]),
        waits(&pipes[1]),
        calls_tool_with(
            tool("codex_wait"),
            |request| json!({ "threadId": request.tool_results()[0].json()["threadId"] }),
        ),
        messages::says("That is it."),
    ])
    .await;
    let run = claude(&bridge, &model, negotiation).ask("Let Codex write it.");
    let steps = async {
        for (version, gate, pipe) in [(1, &one, &pipes[0]), (2, &two, &pipes[1])] {
            // Opens when Claude's command waits at the other end.
            let end = tokio::fs::OpenOptions::new().write(true).open(pipe).await;
            let mut end = end.expect("a pipe can be written").into_std().await;
            gate.reached().await;
            gate.open();
            has_version(&mut bridge, version).await;
            end.write_all(b"ready\n").expect("the command reads");
        }
    };
    let (run, ()) = tokio::join!(run, steps);
    assert!(run.status.success(), "{run:#?}");
    let requests = model.finish();
    // The request after each change has it, and the end adds nothing: its result had the plan.
    let counts: Vec<_> = requests.iter().map(|request| request.told_by_hooks().len()).collect();
    assert_eq!(counts, [0, 0, 1, 2, 2]);
    expect_file!["mirror/advances.txt"].assert_eq(&(told(&bridge, &requests) + "\n"));
    let ended = requests[4].tool_results().pop().expect("the wait was answered").json();
    assert_eq!((&ended["content"], &ended["plan"]["version"]), (&json!("Written."), &json!(2)));
    assert!(requests.iter().all(|request| !request.tool_names().join(" ").contains("hook")));
    bridge.finish().await;
}

#[tokio::test]
async fn codex_advances_a_plan_in_the_default_negotiation() {
    codex_advances_a_plan(Negotiation::Modern).await;
}

#[tokio::test]
async fn codex_advances_a_plan_in_the_legacy_negotiation() {
    codex_advances_a_plan(Negotiation::Legacy).await;
}

/// How often each request to Codex's model has a note of the plan, over its whole history.
fn notes(requests: &[CapturedRequest]) -> Vec<usize> {
    let count = |request: &CapturedRequest| {
        request.texts("user").iter().map(|text| text.matches("<plan_update").count()).sum()
    };
    requests.iter().map(count).collect()
}

/// The prompt goes on with the thread of the first result.
fn goes_on(prompt: &'static str) -> messages::Reply {
    calls_tool_with(tool("codex-reply"), move |request| {
        let thread = request.tool_results()[0].json()["threadId"].clone();
        json!({ "threadId": thread, "prompt": prompt })
    })
}

/// Claude edits its list, Codex reads that once and advances the plan, Claude's list follows, and nothing comes back.
async fn claude_edits_its_list(
    negotiation: Negotiation,
    variables: &[(&str, &str)],
    edits: Vec<messages::Reply>,
    follows: Vec<messages::Reply>,
    note: ExpectFile,
) {
    let plan = [
        ("Port the tests", StepStatus::Completed),
        ("Ship", StepStatus::Pending),
        ("Announce", StepStatus::Pending),
    ];
    let bridge = TestBridge::start([
        says("Ready."),
        plans("One more.", &plan),
        says("Ported."),
        says("Nothing else."),
    ])
    .await;
    let script = [calls_tool(tool("codex"), json!({ "prompt": "Are you ready?" }))]
        .into_iter()
        .chain(edits)
        .chain([goes_on("Go on.")])
        .chain(follows)
        .chain([goes_on("Anything else?"), messages::says("That is it.")]);
    let model = FakeMessages::start(script).await;
    let claude = claude(&bridge, &model, negotiation);
    let claude =
        variables.iter().fold(claude, |claude, (name, value)| claude.variable(name, value));
    let run = claude.ask("Do it with Codex.").await;
    assert!(run.status.success(), "{run:#?}");
    let requests = model.finish();
    let results = requests.last().expect("the model was asked").tool_results();
    assert!(results.iter().all(|result| !result.is_error), "{results:#?}");
    assert_eq!(told(&bridge, &requests), "", "what the results did not say already");
    let captured = bridge.model.captured();
    assert_eq!(notes(&captured), [0, 1, 1, 1]);
    note.assert_eq(&(captured[1].prompt() + "\n"));
    bridge.finish().await;
}

fn task(arguments: Value) -> messages::Reply {
    let name = if arguments.get("taskId").is_some() { "TaskUpdate" } else { "TaskCreate" };
    calls_tool(name, arguments)
}

async fn claude_edits_tasks(negotiation: Negotiation) {
    let edits = vec![
        task(json!({ "subject": "Port the tests", "description": "All of them" })),
        task(json!({ "subject": "Ship", "description": "To all" })),
        task(json!({ "taskId": "1", "status": "in_progress" })),
    ];
    let announce = calls_tool_with("TaskCreate", |request| {
        let thread = text(&request.tool_results()[0].json()["threadId"]);
        let metadata = json!({ "codexThread": thread, "codexStep": "s3" });
        json!({ "subject": "Tell everybody", "description": "Announce", "metadata": metadata })
    });
    let follows = vec![task(json!({ "taskId": "1", "status": "completed" })), announce];
    let variables = [("CLAUDE_CODE_ENABLE_TODO_TOOLS", "1")];
    let note = expect_file!["mirror/tasks.txt"];
    claude_edits_its_list(negotiation, &variables, edits, follows, note).await;
}

#[tokio::test]
async fn claude_edits_tasks_in_the_default_negotiation() {
    claude_edits_tasks(Negotiation::Modern).await;
}

#[tokio::test]
async fn claude_edits_tasks_in_the_legacy_negotiation() {
    claude_edits_tasks(Negotiation::Legacy).await;
}

#[tokio::test]
async fn claude_edits_its_to_do_list() {
    let writes = |items: &[(&str, &str)]| {
        let items = items.iter().map(|(content, status)| {
            json!({ "content": content, "status": status, "activeForm": "Working" })
        });
        calls_tool("TodoWrite", json!({ "todos": items.collect::<Vec<_>>() }))
    };
    let edits = vec![
        writes(&[("Port the tests", "pending"), ("Ship", "pending")]),
        writes(&[("Port the tests", "in_progress"), ("Ship", "pending")]),
    ];
    let follows = vec![writes(&[
        ("Port the tests", "completed"),
        ("Ship", "pending"),
        ("Announce", "pending"),
    ])];
    let variables = [("CLAUDE_CODE_ENABLE_TODO_TOOLS", "1"), ("CLAUDE_CODE_ENABLE_TASKS", "0")];
    let note = expect_file!["mirror/todos.txt"];
    claude_edits_its_list(Negotiation::Modern, &variables, edits, follows, note).await;
}
