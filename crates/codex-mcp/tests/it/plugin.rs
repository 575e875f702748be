//! The plugin in the real Claude Code: that it can be installed, and that its commands and its agent do what they say.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::expect_file;
use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::claude::{self, ClaudeCode};
use testkit::gate::Gate;
use testkit::messages::{self, FakeMessages, MessagesRequest, calls_tool, calls_tool_with};
use testkit::model::{StepStatus, plans, reply, runs, says};
use testkit::normalise::Normaliser;
use testkit::tools;

use crate::bridge::{Setup, TestBridge, launch, text};

/// How long `claude plugin …` may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The plugin's directory.
pub(crate) fn plugin() -> PathBuf {
    tools::workspace_root().join("plugin")
}

/// A tool of the server by its name in the plugin.
pub(crate) fn tool(name: &str) -> String {
    format!("mcp__plugin_codex_codex__{name}")
}

/// The server as the plugin starts it, with the state directory of the bridge's own: both clients have one engine.
pub(crate) fn server(
    bridge: &TestBridge,
    variables: &[(&'static str, &str)],
) -> testkit::process::Launch {
    let state = bridge.home.home().join(".local/state/codex-mcp");
    let variables = variables.iter().map(|(name, value)| (*name, (*value).into()));
    let variables = variables.chain([("CODEX_MCP_STATE_DIR", state.into_os_string())]).collect();
    launch(&bridge.home, Setup { variables, ..Setup::default() })
}

/// What the model of Claude Code saw: what a command made of the user's words, and these parts of the results.
fn shown(bridge: &TestBridge, requests: &[MessagesRequest], parts: &[&str]) -> String {
    let mut normaliser = Normaliser::for_home(&bridge.home);
    let last = requests.last().expect("the model was asked");
    let mut said = last.prompt();
    said.retain(|block| !block.starts_with("<system-reminder>"));
    let mut page = normaliser.text(&said.join("\n"));
    let results = last.tool_results();
    assert_eq!(results.len(), parts.len(), "{results:#?}");
    for (result, part) in results.iter().zip(parts) {
        let data = match result.json().pointer(part) {
            Some(data) => normaliser.json(data).to_string(),
            None => normaliser.text(&result.text),
        };
        let mark = if result.is_error { "error" } else { "result" };
        writeln!(page, "\n--- {mark} {part}\n{data}").expect("a string takes all");
    }
    page
}

/// Runs a command of the plugin in Claude Code, whose model makes these calls. No tool was allowed beforehand.
async fn run(
    bridge: &TestBridge,
    words: &str,
    calls: Vec<messages::Reply>,
    parts: &[&str],
) -> String {
    let script = calls.into_iter().chain([messages::says("That is it.")]);
    let model = FakeMessages::start(script).await;
    let claude = ClaudeCode::with_plugin(&bridge.home, &model, &server(bridge, &[]), &plugin());
    let run = claude.ask(words).await;
    assert!(run.status.success(), "{run:#?}");
    assert_eq!(run.event("result")["result"], "That is it.", "{run:#?}");
    shown(bridge, &model.finish(), parts)
}

#[tokio::test]
async fn delegate() {
    let bridge = TestBridge::start([says("Both locks are taken in the other order.")]).await;
    let attachments = json!([{ "path": "README.md" }]);
    let arguments = json!({ "prompt": "Why does it hang?", "attachments": attachments });
    let calls = vec![calls_tool(tool("codex"), arguments)];
    let page = run(&bridge, "/codex:delegate find the race", calls, &["/content"]).await;
    let asked = bridge.model.captured()[0].prompt();
    assert!(asked.contains("<attachment path=\"README.md\">\n# Example\n"), "{asked}");
    expect_file!["plugin/delegate.txt"].assert_eq(&page);
    bridge.finish().await;
}

#[tokio::test]
async fn propose() {
    let bridge =
        TestBridge::start([runs("echo more >> README.md"), says("It is longer now.")]).await;
    let calls = vec![
        calls_tool(tool("codex"), json!({ "prompt": "Longer.", "changes": "propose" })),
        calls_tool_with(
            tool("codex_patch_preview"),
            |request| json!({ "patchId": request.tool_results()[0].json()["patch"]["patchId"] }),
        ),
    ];
    let words = "/codex:propose make README.md longer";
    let page = run(&bridge, words, calls, &["/patch/paths", "/diff"]).await;
    expect_file!["plugin/propose.txt"].assert_eq(&page);
    let readme = fs::read_to_string(bridge.home.workspace().join("README.md")).unwrap();
    assert_eq!(readme, "# Example\n", "the user's file was written");
    bridge.finish().await;
}

#[tokio::test]
async fn review() {
    let verdict = json!({ "verdict": "approve", "summary": "Well.", "findings": [] });
    let bridge = TestBridge::start([says(verdict.to_string())]).await;
    fs::write(bridge.home.workspace().join("new.txt"), "new\n").unwrap();
    let calls = vec![calls_tool(tool("codex_review"), json!({ "baseBranch": "main" }))];
    let page = run(&bridge, "/codex:review main", calls, &["/verdict"]).await;
    expect_file!["plugin/review.txt"].assert_eq(&page);
    bridge.finish().await;
}

#[tokio::test]
async fn plan() {
    let steps = [("read", StepStatus::Completed), ("write", StepStatus::Pending)];
    let bridge = TestBridge::start([plans("Two steps.", &steps), says("That is the plan.")]).await;
    let calls = vec![
        calls_tool(tool("codex"), json!({ "prompt": "Make a plan." })),
        calls_tool_with(
            tool("codex_plan_get"),
            |request| json!({ "threadId": request.tool_results()[0].json()["threadId"] }),
        ),
    ];
    let page = run(&bridge, "/codex:plan a cache", calls, &["/content", "/steps"]).await;
    expect_file!["plugin/plan.txt"].assert_eq(&page);
    bridge.finish().await;
}

#[tokio::test]
async fn status() {
    let gate = Gate::new("a turn that runs");
    let mut bridge = TestBridge::start([reply().holds(&gate).says("late")]).await;
    let started = bridge.call("codex", json!({ "prompt": "Long.", "background": true })).await;
    gate.reached().await;
    let calls = vec![
        calls_tool(tool("codex_health"), json!({})),
        calls_tool(tool("codex_thread_list"), json!({})),
    ];
    let parts = ["/healthy", "/threads/0/status"];
    let page = run(&bridge, "/codex:status", calls, &parts).await;
    expect_file!["plugin/status.txt"].assert_eq(&page);
    gate.open();
    let thread = &started["structuredContent"]["threadId"];
    bridge.call("codex.wait", json!({ "threadId": thread })).await;
    bridge.finish().await;
}

#[tokio::test]
async fn resume() {
    let mut bridge = TestBridge::start([says("The first."), says("The second.")]).await;
    bridge.thread("Count.").await;
    let calls = vec![
        calls_tool(tool("codex_thread_list"), json!({ "text": "Count" })),
        calls_tool_with(tool("codex-reply"), |request| {
            let found = request.tool_results()[0].json();
            json!({ "threadId": found["threads"][0]["threadId"], "prompt": "And on." })
        }),
    ];
    let words = "/codex:resume Count: and on";
    let page = run(&bridge, words, calls, &["/threads/0/threadId", "/content"]).await;
    expect_file!["plugin/resume.txt"].assert_eq(&page);
    bridge.finish().await;
}

#[tokio::test]
async fn cancel() {
    let gate = Gate::new("a turn that is stopped");
    let mut bridge = TestBridge::start([reply().holds(&gate).says("late")]).await;
    bridge.call("codex", json!({ "prompt": "Long.", "background": true })).await;
    gate.reached().await;
    let calls = vec![
        calls_tool(tool("codex_thread_list"), json!({})),
        calls_tool_with(tool("codex_cancel"), |request| {
            let found = request.tool_results()[0].json();
            json!({ "threadId": found["threads"][0]["threadId"] })
        }),
    ];
    let parts = ["/threads/0/threadId", "/turn/status"];
    let page = run(&bridge, "/codex:cancel", calls, &parts).await;
    expect_file!["plugin/cancel.txt"].assert_eq(&page);
    gate.abandoned().await;
    bridge.finish().await;
}

#[tokio::test]
async fn setup() {
    let bridge = TestBridge::start([]).await;
    let calls = vec![
        calls_tool(tool("codex_health"), json!({})),
        calls_tool("Bash", json!({ "command": "codex-mcp doctor --help", "description": "Help" })),
    ];
    let page = run(&bridge, "/codex:setup", calls, &["/healthy", "/none"]).await;
    expect_file!["plugin/setup.txt"].assert_eq(&page);
    bridge.finish().await;
}

#[tokio::test]
async fn the_agent_delegates() {
    let bridge = TestBridge::start([says("Both locks are taken in the other order.")]).await;
    let ask = json!({
        "subagent_type": "codex:delegate", "description": "Find the race", "prompt": "Why does it hang?",
        "run_in_background": false,
    });
    let agent = [
        calls_tool(tool("codex"), json!({ "prompt": "Why does it hang?" })),
        messages::says("Codex says: the order of the locks."),
    ];
    let main = [calls_tool("Agent", ask), messages::says("That is it.")];
    let phrase = "You pass work to Codex";
    let model = FakeMessages::start_with_agent(main, phrase, agent).await;
    let claude = ClaudeCode::with_plugin(&bridge.home, &model, &server(&bridge, &[]), &plugin());
    let run = claude.allow(&[&tool("codex")]).ask("Let Codex find it.").await;
    assert!(run.status.success(), "{run:#?}");
    let requests = model.finish();
    let (agents, mains): (Vec<_>, Vec<_>) =
        requests.into_iter().partition(|request| request.system().contains(phrase));
    let asked = agents.last().expect("the agent ran").tool_results();
    assert_eq!(asked[0].json()["content"], "Both locks are taken in the other order.");
    let told = mains.last().expect("the main conversation ran").tool_results();
    assert!(told[0].text.contains("Codex says: the order of the locks."), "{told:#?}");
    bridge.finish().await;
}

#[tokio::test]
async fn the_end_of_a_background_turn_wakes_an_idle_session() {
    let gate = Gate::new("a turn in the background");
    let says = "Both locks are taken in the other order.";
    let bridge = TestBridge::start([reply().holds(&gate).says(says)]).await;
    let model = FakeMessages::start([
        calls_tool(tool("codex"), json!({ "prompt": "Find the race", "background": true })),
        messages::says("Waiting."),
        messages::says("Seen."),
    ])
    .await;
    let (server, plugin) = (server(&bridge, &[]), plugin());
    let parts = (&server, plugin.as_path());
    let prompt = "Let Codex find the race.";
    let mut claude =
        ClaudeCode::in_terminal(&bridge.home, &model, parts, &[&tool("codex")], prompt);
    claude.shows("Waiting.").await;
    gate.open();
    claude.shows("Seen.").await;
    // Nothing of it is left even so: the monitor and the server find their pipes closed.
    claude.end(Signal::KILL).await;
    let requests = model.finish();
    assert_eq!(requests.len(), 3, "it was woken once");
    let woken = requests.last().expect("the model was asked");
    assert_eq!(woken.context().matches("Codex turn ended").count(), 1, "{}", woken.context());
    let notice = Normaliser::for_home(&bridge.home).text(&woken.latest());
    let (before, rest) = notice.split_once("<task-id>").expect("it names its task");
    let (_, after) = rest.split_once("</task-id>").expect("the name ends");
    let page = format!("{before}<task-id>[task]</task-id>{after}\n");
    expect_file!["plugin/monitor.txt"].assert_eq(&page);
    bridge.finish().await;
}

/// All files of a directory, with their texts.
fn texts(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

#[test]
fn every_tool_that_it_names_exists() {
    let reference = fs::read_to_string(tools::workspace_root().join("docs/tools.md")).unwrap();
    let headings =
        reference.lines().filter_map(|line| line.strip_prefix("## `")?.split('`').next());
    let tools: Vec<_> = headings.collect();
    let names: Vec<_> = tools.iter().map(|name| tool(&name.replace('.', "_"))).collect();
    let mut files = Vec::new();
    texts(&plugin(), &mut files);
    let mut seen = 0;
    for (path, text) in files {
        let part = |char: char| !(char.is_ascii_alphanumeric() || "._-".contains(char));
        for word in text.split(part).map(|word| word.trim_end_matches('.')) {
            let (known, list) = match word {
                word if word.starts_with("mcp__") => {
                    (names.iter().any(|name| name == word), "names")
                }
                // Not for models, so not in the reference.
                "codex.hook" => (path.ends_with("hooks/hooks.json"), "tools for models"),
                word if word.starts_with("codex.") => (tools.contains(&word), "tools"),
                _ => continue,
            };
            assert!(known, "{}: {word} is not among the {list}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} tools were found in the plugin");
}

#[test]
fn it_has_the_version_of_the_program() {
    let manifest = fs::read_to_string(plugin().join(".claude-plugin/plugin.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn the_plugin_and_its_marketplace_are_valid() {
    let bridge = TestBridge::start([]).await;
    let own = claude::own_directory(&bridge.home);
    for path in [tools::workspace_root(), plugin()] {
        let claude = claude::command(&bridge.home, &own);
        let validate = claude.arguments(["plugin", "validate", "--strict"]).arguments([&path]);
        let ended = validate.run(LIMIT).await;
        assert!(ended.status.success(), "{ended:#?}");
    }
    bridge.finish().await;
}

/// By what the README says, in a home in which nothing was installed.
#[tokio::test]
async fn it_is_installed_used_and_removed() {
    let bridge = TestBridge::start([]).await;
    let own = claude::own_directory(&bridge.home);
    let root = tools::workspace_root();
    let root = root.to_str().expect("the path is UTF-8");
    let plugin = async |words: &[&str]| {
        let claude = claude::command(&bridge.home, &own);
        claude.arguments(["plugin"]).arguments(words).run(LIMIT).await.success()
    };
    plugin(&["marketplace", "add", root]).await;
    plugin(&["install", "codex@codex-mcp"]).await;

    let script = [calls_tool(tool("codex_health"), json!({})), messages::says("That is it.")];
    let model = FakeMessages::start(script).await;
    let claude = ClaudeCode::of_user(&bridge.home, &model, &server(&bridge, &[]), &own);
    let run = claude.ask("/codex:status").await;
    assert!(run.status.success(), "{run:#?}");
    let requests = model.finish();
    let health = requests.last().expect("the model was asked").tool_results().remove(0);
    assert_eq!(health.json()["healthy"], true, "{}", health.text);

    let opening = run.event("system");
    let of_plugin = |list: &Value| -> Vec<String> {
        let names = list.as_array().into_iter().flatten().map(text);
        names.filter(|name| name.starts_with("codex:")).collect()
    };
    let mut commands = of_plugin(&opening["slash_commands"]);
    commands.sort();
    let expected = [
        "codex:cancel",
        "codex:delegate",
        "codex:plan",
        "codex:propose",
        "codex:resume",
        "codex:review",
        "codex:setup",
        "codex:status",
        "codex:working-with-codex",
    ];
    assert_eq!(commands, expected);
    assert_eq!(of_plugin(&opening["agents"]), ["codex:delegate"]);

    plugin(&["uninstall", "codex@codex-mcp"]).await;
    plugin(&["marketplace", "remove", "codex-mcp"]).await;
    let left = plugin(&["list"]).await;
    assert!(!left.contains("codex"), "{left}");
    bridge.finish().await;
}
