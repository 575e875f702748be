//! The stop gate: when Codex is asked, what becomes of its verdict, and that it never holds anything up by failing.

use std::fs;
use std::path::Path;

use expect_test::{Expect, expect, expect_file};
use serde_json::{Value, json};
use testkit::claude::ClaudeCode;
use testkit::gate::Gate;
use testkit::messages::{self, FakeMessages, calls_tool};
use testkit::model::{Reply, reply, says};
use testkit::normalise::Normaliser;

use crate::bridge::{Setup, TestBridge, result_of, text};
use crate::plugin::{plugin, server};

/// A session with the gate open or shut.
async fn session(replies: Vec<Reply>, settings: &[(&'static str, &str)]) -> TestBridge {
    let settings = settings.iter().map(|(name, value)| (*name, (*value).into()));
    let variables = settings.chain([("CLAUDE_CODE_SESSION_ID", "a".into())]).collect();
    let mut bridge = TestBridge::spawn(replies, Setup { variables, ..Setup::default() });
    bridge.client.initialize_legacy("2025-11-25").await;
    bridge
}

const ON: (&str, &str) = ("CODEX_MCP_STOP_GATE", "true");

async fn hook(bridge: &mut TestBridge, arguments: Value) -> Value {
    let result = result_of(bridge.client.call_tool("codex.hook", arguments).await);
    serde_json::from_str(&text(&result["content"][0]["text"])).expect("a hook answers with JSON")
}

async fn stop(bridge: &mut TestBridge) -> Value {
    hook(bridge, json!({ "event": "Stop", "stopHookActive": "false" })).await
}

async fn user_speaks(bridge: &mut TestBridge) {
    assert_eq!(hook(bridge, json!({ "event": "UserPromptSubmit" })).await, json!({}));
}

fn change(folder: &Path, words: &str) {
    fs::write(folder.join("new.txt"), words).unwrap();
}

fn asks_for_changes() -> Reply {
    let finding = json!({
        "severity": "high", "title": "It says nothing", "body": "The file has no content that anybody needs.",
        "file": "new.txt", "startLine": 1, "endLine": 1, "confidence": 0.9, "recommendation": "Say something.",
    });
    says(
        json!({ "verdict": "requestChanges", "summary": "One thing.", "findings": [finding] })
            .to_string(),
    )
}

fn approves() -> Reply {
    says(json!({ "verdict": "approve", "summary": "Well.", "findings": [] }).to_string())
}

/// A text with what differs from run to run taken out.
fn normalised(bridge: &TestBridge, text: &str) -> String {
    let text = Normaliser::for_home(&bridge.home).text(text);
    let is_time =
        |words: &str| words.strip_suffix(" s").is_some_and(|time| time.parse::<u64>().is_ok());
    let parts = text.split(", ").map(|part| if is_time(part) { "[time]" } else { part });
    parts.collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(bridge: &TestBridge, answer: &Value, expected: Expect) {
    let shown = serde_json::to_string_pretty(answer).unwrap().replace("\\n", "\n");
    expected.assert_eq(&normalised(bridge, &shown));
}

#[tokio::test]
async fn it_is_shut_unless_somebody_opens_it() {
    let mut bridge = session(Vec::new(), &[]).await;
    user_speaks(&mut bridge).await;
    change(&bridge.home.workspace(), "words\n");
    assert_eq!(stop(&mut bridge).await, json!({}));
    bridge.finish().await;
}

#[tokio::test]
async fn it_asks_codex_only_about_what_is_new() {
    let mut bridge = session(vec![asks_for_changes(), approves()], &[ON]).await;
    let folder = bridge.home.workspace();
    assert_eq!(stop(&mut bridge).await, json!({}), "nothing is uncommitted");
    change(&folder, "of the user\n");
    user_speaks(&mut bridge).await;
    assert_eq!(stop(&mut bridge).await, json!({}), "nothing was done");
    change(&folder, "\n");
    let again = hook(&mut bridge, json!({ "event": "Stop", "stopHookActive": "true" })).await;
    assert_eq!(again, json!({}), "it was held up already");
    let answer = stop(&mut bridge).await;
    check(
        &bridge,
        &answer,
        expect![[r#"
            {
              "hookSpecificOutput": {
                "hookEventName": "Stop",
                "additionalContext": "Before you stop: Codex has reviewed what was changed and asks for changes (15 tokens, [time], review 1 of 3 of this session). These are findings, not orders: check each against the code, mend what is right, and tell the user what you leave and why.

            Verdict: request changes (what is not committed, 1 file).
            One thing.

            [high] It says nothing (new.txt:1-1; confidence 0.9)
            The file has no content that anybody needs.
            Recommendation: Say something.
            [threadId [uuid-1]]"
              },
              "systemMessage": "Codex asks for changes before the end (15 tokens, [time], review 1 of 3 of this session)."
            }"#]],
    );
    assert_eq!(stop(&mut bridge).await, json!({}), "that was reviewed");
    change(&folder, "something\n");
    let answer = stop(&mut bridge).await;
    check(
        &bridge,
        &answer,
        expect![[r#"
            {
              "systemMessage": "Codex has reviewed the changes and asks for none (15 tokens, [time], review 2 of 3 of this session)."
            }"#]],
    );
    bridge.finish().await;
}

#[tokio::test]
async fn it_has_a_budget() {
    let budget = ("CODEX_MCP_STOP_GATE_REVIEWS", "1");
    let mut bridge = session(vec![approves()], &[ON, budget]).await;
    change(&bridge.home.workspace(), "one\n");
    assert!(stop(&mut bridge).await["systemMessage"].is_string());
    change(&bridge.home.workspace(), "two\n");
    assert_eq!(stop(&mut bridge).await, json!({}));
    bridge.finish().await;
}

#[tokio::test]
async fn it_lets_go_at_its_deadline() {
    let gate = Gate::new("a review without an end");
    let deadline = ("CODEX_MCP_STOP_GATE_TIME_LIMIT_SECONDS", "1");
    let mut bridge = session(vec![reply().holds(&gate).says("late")], &[ON, deadline]).await;
    change(&bridge.home.workspace(), "one\n");
    let answer = stop(&mut bridge).await;
    check(
        &bridge,
        &answer,
        expect![[r#"
        {
          "systemMessage": "Codex did not review the changes within 1 s (`stop_gate_time_limit_seconds`), so nothing was held up."
        }"#]],
    );
    gate.abandoned().await;
    bridge.finish().await;
}

#[tokio::test]
async fn what_goes_wrong_holds_nothing_up_and_is_said_once() {
    let mut bridge = session(vec![says("No JSON."), says("None again.")], &[ON]).await;
    change(&bridge.home.workspace(), "one\n");
    let answer = stop(&mut bridge).await;
    check(
        &bridge,
        &answer,
        expect![[r#"
        {
          "systemMessage": "Codex did not review the changes: Error review_unreadable: the review cannot be read: expected value at line 1 column 1. It says: No JSON.
        What to do: The review's thread is [uuid-1]. Read its own words with `codex.thread.read`, or ask for the review again, perhaps with another `model`.
        Retry: only after changing the call."
        }"#]],
    );
    change(&bridge.home.workspace(), "two\n");
    assert_eq!(stop(&mut bridge).await, json!({}));
    bridge.finish().await;
}

/// Claude's model leaves a file, is held up once with what Codex found, mends it, and may stop.
#[tokio::test]
async fn claude_code_goes_on_with_what_codex_found() {
    let bridge = TestBridge::start([asks_for_changes()]).await;
    let writes = |words: &str| {
        let command = format!("echo {words} > new.txt");
        calls_tool("Bash", json!({ "command": command, "description": "Write" }))
    };
    let script =
        [writes(""), messages::says("Done."), writes("something"), messages::says("Mended.")];
    let model = FakeMessages::start(script).await;
    let claude = ClaudeCode::with_plugin(&bridge.home, &model, &server(&bridge, &[ON]), &plugin());
    let run = claude.allow(&["Bash"]).ask("Write a file.").await;
    assert!(run.status.success(), "{run:#?}");
    assert_eq!(run.event("result")["result"], "Mended.");
    let requests = model.finish();
    let after = requests[2].context();
    let found = after.find("Before you stop:").expect("the model was told");
    let told = normalised(&bridge, &after[found..]) + "\n";
    expect_file!["plugin/stop_gate.txt"].assert_eq(&told);
    assert_eq!(after.matches("Before you stop:").count(), 1);
    bridge.finish().await;
}
