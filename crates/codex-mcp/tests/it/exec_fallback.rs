//! Turns while no app-server can be had: through `codex exec`, which says so, and back when the app-server works again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use expect_test::expect;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::gate::Gate;
use testkit::model::{Script, StepStatus, plans, rate_limited, reply, runs, says, thinks};
use testkit::{poll, tools};

use crate::attachments::PIXEL;
use crate::bridge::{Setup, TestBridge, content, error_code, text};
use crate::inherited;

/// What a broken app-server does.
const ENDS: &str = "echo 'it is broken' >&2; exit 1";
const SPEAKS_ANOTHER_LANGUAGE: &str = "echo Welcome!; exec cat";

/// A Codex whose app-server does something else while it is broken. Everything else is the real one's.
struct Breakable(TempDir);

impl Breakable {
    fn new() -> Self {
        Self::that(ENDS)
    }

    fn that(breaks: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = app-server ] && [ -e '{broken}' ]; then\n  {breaks}\nfi\nexec '{codex}' \"$@\"\n",
            broken = directory.path().join("broken").display(),
            codex = tools::codex().display(),
        );
        let program = directory.path().join("codex");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self(directory)
    }

    fn broken() -> Self {
        let codex = Self::new();
        codex.breaks();
        codex
    }

    fn breaks(&self) {
        fs::write(self.0.path().join("broken"), "").unwrap();
    }

    fn works(&self) {
        fs::remove_file(self.0.path().join("broken")).unwrap();
    }

    fn setup(&self) -> Setup {
        Setup { codex: Some(self.0.path().join("codex").into()), ..Setup::default() }
    }

    async fn bridge(&self, script: impl Into<Script>) -> TestBridge {
        TestBridge::start_with(script, self.setup()).await
    }
}

async fn process(bridge: &mut TestBridge) -> Value {
    let health = bridge.call("codex.health", json!({})).await;
    health["structuredContent"]["process"].clone()
}

#[tokio::test]
async fn a_new_thread_looks_as_usual_and_says_how_it_ran() {
    let codex = Breakable::broken();
    let script = [
        thinks("Let me see.").comments("On it.").runs("echo hello; sleep 0.3"),
        plans("because", &[("look", StepStatus::Completed), ("leap", StepStatus::InProgress)]),
        says("Done."),
    ];
    let mut bridge = codex.bridge(script).await;
    let call = bridge.begin("codex", json!({ "prompt": "--help" })).await;
    let mut news = bridge.client.progress(call).await;
    while news["_meta"]["data"]["state"] != "runningExec" {
        news = bridge.client.progress(call).await;
    }
    let answer = bridge.result(call).await;
    expect![[r#"
        Done.

        [thread [thread-1], turn [turn-1]: completed, [time], 30 tokens in and 15 out]
        Warning: Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong.

        Plan, version 1:
        [x] s1: look
        [ ] s2: leap

        Commands:
        $ echo hello; sleep 0.3 (exit 0)
        hello

        On the way Codex said: On it.

        Codex thought: Let me see.
        ---
        {
          "commands": [
            {
              "command": "echo hello; sleep 0.3",
              "cwd": "[workspace]",
              "exitCode": 0,
              "output": "hello\n",
              "status": "completed"
            }
          ],
          "commentary": [
            "On it."
          ],
          "content": "Done.",
          "durationMs": "[time]",
          "plan": {
            "steps": [
              {
                "id": "s1",
                "status": "completed",
                "step": "look"
              },
              {
                "id": "s2",
                "status": "pending",
                "step": "leap"
              }
            ],
            "version": 1
          },
          "status": "completed",
          "thinking": [
            "Let me see."
          ],
          "threadId": "[thread-1]",
          "turnId": "[turn-1]",
          "usage": {
            "cachedInputTokens": 0,
            "inputTokens": 30,
            "outputTokens": 15,
            "reasoningOutputTokens": 0,
            "threadTotalTokens": 45
          },
          "warnings": [
            "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
          ]
        }
    "#]].assert_eq(&bridge.show(&answer));
    assert_eq!(bridge.model.captured()[0].prompt(), "--help");
    bridge.finish().await;
}

#[tokio::test]
async fn options_of_a_thread_reach_it() {
    let codex = Breakable::broken();
    let mut bridge = codex.bridge([says("{}")]).await;
    let arguments = json!({
        "prompt": "x",
        "developer-instructions": "Say \"hi\".\nTwice.",
        "config": { "model_verbosity": "low" },
        "effort": "high",
    });
    assert_eq!(content(&bridge.call("codex", arguments).await), "{}");
    let captured = bridge.model.captured();
    let body = captured[0].body.to_string();
    assert!(body.contains(r#"Say \"hi\".\nTwice."#), "{body}");
    assert_eq!(captured[0].body["reasoning"]["effort"], "high");
    assert_eq!(captured[0].body["text"]["verbosity"], "low");
    bridge.finish().await;
}

#[tokio::test]
async fn what_comes_with_a_prompt_reaches_it() {
    let codex = Breakable::broken();
    let mut bridge = codex.bridge([says("One."), says("Two.")]).await;
    fs::write(bridge.home.workspace().join("shot.png"), PIXEL).unwrap();
    let attachments = json!([{ "path": "README.md" }, { "path": "shot.png" }]);
    let arguments = json!({ "prompt": "one", "attachments": attachments });
    let answer = bridge.call("codex", arguments).await;
    assert_eq!(content(&answer), "One.");
    let thread = &answer["structuredContent"]["threadId"];
    let arguments = json!({ "threadId": thread, "prompt": "two", "attachments": attachments });
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "Two.");
    for (request, prompt) in bridge.model.captured().iter().zip(["one", "two"]) {
        let newest = request.input().iter().rfind(|item| item["role"] == "user");
        let parts = newest.expect("there is a user message")["content"].to_string();
        assert!(parts.contains("# Example"), "{parts}");
        assert!(parts.contains("data:image/png;base64,"), "{parts}");
        assert!(request.prompt().ends_with(&format!("</attachments>\n\n{prompt}")), "{parts}");
    }
    let read = bridge.call("codex.thread.read", json!({ "threadId": thread })).await;
    assert!(!read.to_string().contains("# Example"), "{read}");
    let left = fs::read_dir(bridge.home.home().join(".local/state/codex-mcp")).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.starts_with("image-")), "an image was left");
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_of_the_app_server_goes_on_where_it_works_and_comes_back() {
    let codex = Breakable::new();
    let script = [says("One."), runs("pwd; sleep 0.3"), says("Two."), says("Three.")];
    let mut bridge = codex.bridge(script).await;
    let thread = bridge.thread("one").await;
    codex.breaks();
    kill_process(bridge.app_server(), Signal::KILL).unwrap();
    let two = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(content(&two), "Two.");
    let workspace = bridge.home.workspace().display().to_string();
    let output = text(&two["structuredContent"]["commands"][0]["output"]);
    assert_eq!(output.trim(), workspace);
    assert_eq!(bridge.model.captured()[1].texts("assistant"), ["One."]);

    assert_eq!(process(&mut bridge).await["turnsRunThrough"], "codex exec");
    codex.works();
    while process(&mut bridge).await["state"] == "quarantined" {}
    let three = bridge.call("codex-reply", json!({ "prompt": "three", "threadId": thread })).await;
    assert_eq!(content(&three), "Three.");
    assert_eq!(three["structuredContent"]["warnings"], Value::Null);
    assert_eq!(process(&mut bridge).await["turnsRunThrough"], "app-server");
    let read = bridge.call("codex.thread.read", json!({ "threadId": thread })).await;
    let shown = bridge.show(&read);
    assert_eq!(shown.matches("[user]\n").count(), 3, "{shown}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_long_log_is_kept_whole() {
    let codex = Breakable::broken();
    let mut bridge = codex.bridge([runs("seq 1 5000"), says("Long.")]).await;
    let answer = bridge.call("codex", json!({ "prompt": "Run it." })).await;
    let log = &answer["structuredContent"]["artifacts"][0];
    let page = bridge.call("codex.read", json!({ "token": log["token"] })).await;
    let whole: String = (1..=5000).map(|number| format!("{number}\n")).collect();
    assert_eq!(page["structuredContent"]["content"], whole, "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn an_error_of_the_provider_keeps_its_code() {
    let codex = Breakable::broken();
    let mut bridge = codex.bridge([rate_limited(1)]).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(error_code(&answer), "rate_limited", "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_keeps_the_mcp_servers_that_it_was_given() {
    let codex = Breakable::broken();
    let setup = Setup { config: inherited::SERVERS, ..codex.setup() };
    let mut bridge = TestBridge::start_with([says("One."), says("Two.")], setup).await;
    let arguments = json!({ "prompt": "Start.", "mcpServers": ["two"] });
    let answer = bridge.call("codex", arguments).await;
    assert_eq!(content(&answer), "One.", "{answer}");
    assert_eq!(inherited::started(&bridge), ["two"]);
    let thread = text(&answer["structuredContent"]["threadId"]);
    let arguments = json!({ "prompt": "Go on.", "threadId": thread });
    assert_eq!(content(&bridge.call("codex-reply", arguments).await), "Two.");
    assert_eq!(inherited::started(&bridge), ["two"]);
    bridge.finish().await;
}

/// How long a cancel may take.
const CANCEL: Duration = Duration::from_millis(500);
/// How long something may take that nobody waits for.
const PATIENCE: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "measures how long an answer takes")]
fn now() -> Instant {
    Instant::now()
}

/// Begins a turn whose command runs, and gives its call and its thread.
async fn sleeping(bridge: &mut TestBridge) -> (u64, String) {
    let call = bridge.begin("codex", json!({ "prompt": "Sleep." })).await;
    let mut thread = None;
    loop {
        let news = bridge.client.progress(call).await;
        let named = news["_meta"]["data"]["threadId"].as_str().map(str::to_owned);
        thread = thread.or(named);
        if news["_meta"]["event"] == "command" {
            return (call, thread.unwrap());
        }
    }
}

#[tokio::test]
async fn a_stopped_turn_leaves_nothing_running_and_its_thread_goes_on() {
    let codex = Breakable::broken();
    let mut bridge = codex.bridge([runs("sleep 600"), says("I am back.")]).await;
    let (call, thread) = sleeping(&mut bridge).await;
    let began = now();
    let cancelled = bridge.call("codex.cancel", json!({ "threadId": thread })).await;
    let took = now() - began;
    assert!(took < CANCEL, "{took:?}");
    assert!(bridge.processes("sleep 600").is_empty());
    assert!(bridge.processes("exec --json").is_empty());
    assert_eq!(cancelled["structuredContent"]["turn"]["status"], "interrupted", "{cancelled}");
    assert_eq!(bridge.result(call).await["structuredContent"]["status"], "interrupted");
    let next = bridge.call("codex-reply", json!({ "prompt": "Hello?", "threadId": thread })).await;
    assert_eq!(content(&next), "I am back.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_call_that_is_given_up_ends_its_process() {
    let codex = Breakable::broken();
    let mut bridge = codex.bridge([runs("sleep 600")]).await;
    let (call, _) = sleeping(&mut bridge).await;
    bridge.client.cancel(call, "user").await;
    let gone = || match (bridge.processes("sleep 600"), bridge.processes("exec --json")) {
        (commands, runs) if commands.is_empty() && runs.is_empty() => Ok(()),
        left => Err(left),
    };
    poll::until(PATIENCE, gone).await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_running() {
    let codex = Breakable::broken();
    let mut bridge = codex.bridge([runs("sleep 600")]).await;
    sleeping(&mut bridge).await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_turn_in_the_background_is_waited_for_and_takes_no_input() {
    let codex = Breakable::broken();
    let gate = Gate::new("held");
    let mut bridge = codex.bridge([reply().holds(&gate).says("Done.")]).await;
    let begun = bridge.call("codex", json!({ "prompt": "x", "background": true })).await;
    let begun = &begun["structuredContent"];
    let (thread, turn) = (text(&begun["threadId"]), text(&begun["turnId"]));
    let steer = json!({ "threadId": thread, "prompt": "and?" });
    assert_eq!(error_code(&bridge.call("codex.steer", steer).await), "turn_not_steerable");
    gate.open();
    let wait = json!({ "threadId": thread, "turnId": turn });
    assert_eq!(content(&bridge.call("codex.wait", wait.clone()).await), "Done.");
    assert_eq!(content(&bridge.call("codex.wait", wait).await), "Done.");
    bridge.finish().await;
}

#[tokio::test]
async fn who_does_not_want_it_is_told_what_is_wrong() {
    let codex = Breakable::broken();
    let setup = Setup { arguments: vec!["--exec-fallback=false".into()], ..codex.setup() };
    let mut bridge = TestBridge::start_with([], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(error_code(&answer), "codex_start_failed");
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(error_code(&answer), "codex_quarantined");
    bridge.finish().await;
}

#[tokio::test]
async fn a_codex_whose_app_server_speaks_another_language_is_still_one() {
    let codex = Breakable::that(SPEAKS_ANOTHER_LANGUAGE);
    codex.breaks();
    let mut bridge = codex.bridge([says("Done.")]).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(content(&answer), "Done.", "{answer}");
    let health = bridge.call("codex.health", json!({})).await;
    let findings = health["structuredContent"]["findings"].to_string();
    assert!(findings.contains("is not a Codex app-server: it asked for initialize"), "{findings}");
    assert!(findings.contains("though it says that it is Codex 0."), "{findings}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_of_another_program_goes_on_that_is_in_no_record() {
    let codex = Breakable::broken();
    let script = [says("One."), runs("pwd; sleep 0.3"), says("Two.")];
    let mut bridge = codex.bridge(script).await;
    let thread = bridge.thread_of_exec("one");
    let two = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(content(&two), "Two.", "{two}");
    let workspace = bridge.home.workspace().display().to_string();
    let output = text(&two["structuredContent"]["commands"][0]["output"]);
    assert_eq!(output.trim(), workspace);
    assert_eq!(bridge.model.captured()[1].texts("assistant"), ["One."]);
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_outside_the_roots_stays_hidden_while_codex_cannot_be_asked() {
    let codex = Breakable::broken();
    let elsewhere = tempfile::tempdir().unwrap();
    let arguments = vec!["--workspace-root".into(), elsewhere.path().into()];
    let setup = Setup { arguments, ..codex.setup() };
    let mut bridge = TestBridge::start_with([says("One.")], setup).await;
    let thread = bridge.thread_of_exec("one");
    let two = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(error_code(&two), "thread_not_found", "{two}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_change_of_the_plan_reaches_it_once() {
    let codex = Breakable::broken();
    let mut bridge = codex.bridge([says("One."), says("Two."), says("Three.")]).await;
    let thread = bridge.thread("Begin.").await;
    let change = json!({ "threadId": thread, "steps": [{ "step": "read" }] });
    bridge.call("codex.plan.update", change).await;
    for (prompt, expected) in [("Go on.", "Two."), ("And on.", "Three.")] {
        let arguments = json!({ "threadId": thread, "prompt": prompt });
        assert_eq!(content(&bridge.call("codex-reply", arguments).await), expected);
    }
    let notes = |texts: Vec<String>| texts.join("\n").matches("<plan_update").count();
    let captured = bridge.model.captured();
    let counts: Vec<_> = captured.iter().map(|request| notes(request.texts("user"))).collect();
    assert_eq!(counts, [0, 1, 1]);
    let plan = bridge.call("codex.plan.get", json!({ "threadId": thread })).await;
    assert!(plan["structuredContent"]["toldIn"].is_string(), "{plan}");
    bridge.finish().await;
}

/// A turn through `codex exec` whose command takes too much of something: the answer.
pub(crate) async fn over_its_limit(
    limit: (&'static str, &str),
    command: &str,
) -> (TestBridge, Value) {
    let codex = Breakable::broken();
    let variables = vec![(limit.0, limit.1.into())];
    let setup = Setup { variables, ..codex.setup() };
    let mut bridge = TestBridge::start_with([runs(command)], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "Work." })).await;
    (bridge, answer)
}

/// What takes more memory than a test allows, and then waits.
pub(crate) const TAKES_MEMORY: &str =
    "python3 -c 'import time; taken = bytearray(b\"x\") * (256 << 20); time.sleep(600)'";

#[tokio::test]
async fn what_takes_too_much_is_stopped_with_everything() {
    for (limit, command) in [
        (("CODEX_MCP_EXEC_MEMORY_MEGABYTES", "128"), TAKES_MEMORY),
        (("CODEX_MCP_EXEC_CPU_SECONDS", "1"), "python3 -c 'while True: pass'"),
        // None of them alone.
        (
            ("CODEX_MCP_EXEC_CPU_SECONDS", "2"),
            "for i in 1 2 3 4 5 6 7 8; do timeout 0.7 python3 -c 'while True: pass'; done; sleep 600",
        ),
    ] {
        let (bridge, answer) = over_its_limit(limit, command).await;
        assert_eq!(error_code(&answer), "exec_limit", "{answer}");
        assert_eq!(bridge.processes("python3 -c").len(), 0, "something still runs");
        bridge.finish().await;
    }
}

#[tokio::test]
async fn no_file_grows_beyond_its_limit() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("large");
    let writes = format!(
        "#!/bin/sh\nif [ \"$1\" = exec ]; then python3 -c 'open(\"{}\", \"wb\").write(bytes(4 << 20))'; fi\nexit 1\n",
        file.display()
    );
    let program = directory.path().join("codex");
    fs::write(&program, writes).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let variables = vec![("CODEX_MCP_EXEC_FILE_MEGABYTES", "1".into())];
    let setup = Setup { codex: Some(program.into()), variables, ..Setup::default() };
    let mut bridge = TestBridge::start_with([], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "Write." })).await;
    assert_eq!(answer["isError"], true, "{answer}");
    assert_eq!(fs::metadata(&file).unwrap().len(), 1 << 20);
    bridge.finish().await;
}
