//! `codex`: a new thread and its first turn.

use expect_test::expect;
use serde_json::json;
use testkit::model::{StepStatus, Usage, patches, reply, says};

use crate::bridge::{TestBridge, content, error_code, text};

#[tokio::test]
async fn a_turn_comes_back_with_all_that_belongs_to_it() {
    let steps = [("look", StepStatus::InProgress), ("answer", StepStatus::Pending)];
    let script = [
        reply().thinks("Look first.").plans("why", &steps),
        reply().comments("I look around.").runs("printf hello"),
        says("It says hello."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let answer = bridge.call("codex", json!({ "prompt": "What does it say?" })).await;
    expect![[r#"
        It says hello.

        [thread [thread-1], turn [turn-1]: completed, gpt-5.5 medium, [time], 30 tokens in and 15 out]

        Plan, version 1:
        [>] s1: look
        [ ] s2: answer

        Commands:
        $ printf hello (exit 0)
        hello

        On the way Codex said: I look around.

        Codex thought: Look first.
        ---
        {
          "commands": [
            {
              "command": "printf hello",
              "cwd": "[workspace]",
              "durationMs": "[time]",
              "exitCode": 0,
              "output": "hello",
              "status": "completed"
            }
          ],
          "commentary": [
            "I look around."
          ],
          "content": "It says hello.",
          "durationMs": "[time]",
          "effort": "medium",
          "model": "gpt-5.5",
          "plan": {
            "explanation": "why",
            "steps": [
              {
                "id": "s1",
                "status": "in_progress",
                "step": "look"
              },
              {
                "id": "s2",
                "status": "pending",
                "step": "answer"
              }
            ],
            "version": 1
          },
          "status": "completed",
          "thinking": [
            "Look first."
          ],
          "threadId": "[thread-1]",
          "turnId": "[turn-1]",
          "usage": {
            "cachedInputTokens": 0,
            "contextWindow": 258400,
            "inputTokens": 30,
            "outputTokens": 15,
            "reasoningOutputTokens": 0,
            "threadTotalTokens": 45
          }
        }
    "#]]
    .assert_eq(&bridge.show(&answer));
    bridge.finish().await;
}

#[tokio::test]
async fn everything_that_the_official_tool_took_reaches_codex() {
    let mut bridge = TestBridge::start([says("Done.")]).await;
    let arguments = json!({
        "prompt": "Do it.",
        "model": "gpt-5.5",
        "cwd": bridge.home.workspace(),
        "approval-policy": "never",
        "sandbox": "read-only",
        "config": { "model_verbosity": "low", "tools": { "view_image": true } },
        "base-instructions": "Be the base.",
        "developer-instructions": "Be kind.",
        "compact-prompt": "Be short.",
        "effort": "high",
        "name": "A thread with a name",
        "outputSchema": { "type": "object", "properties": {}, "additionalProperties": false },
    });
    assert_eq!(content(&bridge.call("codex", arguments).await), "Done.");
    let request = &bridge.model.captured()[0];
    assert_eq!(request.prompt(), "Do it.");
    assert_eq!(request.body["model"], "gpt-5.5");
    assert_eq!(request.body["reasoning"]["effort"], "high");
    assert_eq!(request.body["text"]["verbosity"], "low");
    assert_eq!(request.body["text"]["format"]["type"], "json_schema");
    let developer = request.texts("developer").join("\n");
    assert!(developer.contains("Be kind."), "{developer}");
    let everything = request.body.to_string();
    assert!(everything.contains("Be the base."), "{everything}");
    assert!(request.tools().contains(&"update_plan"), "{everything}");
    bridge.finish().await;
}

#[tokio::test]
async fn nothing_can_be_changed_and_what_was_asked_is_declined_in_writing() {
    let patch = "*** Begin Patch\n*** Add File: made.txt\n+made\n*** End Patch";
    let script = [
        patches(patch),
        reply().runs_escalated("touch made.txt", "I need the file."),
        says("I could not."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let arguments = json!({ "prompt": "Make a file.", "approval-policy": "on-request" });
    let answer = bridge.call("codex", arguments).await;
    assert_eq!(content(&answer), "I could not.");
    let declined = &answer["structuredContent"]["declined"];
    expect![[r#"

        ---
        [
          {
            "decidedBy": "nobody",
            "decision": "decline",
            "what": "to change [workspace]/made.txt"
          },
          {
            "decidedBy": "nobody",
            "decision": "decline",
            "reason": "I need the file.",
            "what": "to run: touch made.txt"
          }
        ]
    "#]]
    .assert_eq(&bridge.show(&json!({ "structuredContent": declined })));
    assert!(!bridge.home.workspace().join("made.txt").exists());
    assert_eq!(bridge.home.git(&["status", "--porcelain"]), "");
    bridge.finish().await;
}

#[tokio::test]
async fn changes_are_refused_before_anything_starts() {
    let mut bridge = TestBridge::start([]).await;
    for (changes, sandbox, code) in [
        (None, Some("workspace-write"), "consent_required"),
        (Some("direct"), None, "consent_required"),
        (Some("direct"), Some("workspace-write"), "consent_required"),
        (None, Some("danger-full-access"), "sandbox_required"),
        (Some("direct"), Some("danger-full-access"), "sandbox_required"),
        (Some("none"), Some("workspace-write"), "invalid_arguments"),
        (Some("direct"), Some("read-only"), "invalid_arguments"),
        (Some("propose"), Some("read-only"), "invalid_arguments"),
        (Some("propose"), Some("workspace-write"), "invalid_arguments"),
        (Some("everything"), None, "invalid_arguments"),
    ] {
        let arguments = json!({ "prompt": "x", "changes": changes, "sandbox": sandbox });
        assert_eq!(error_code(&bridge.call("codex", arguments).await), code);
    }
    bridge.finish().await;
}

#[tokio::test]
async fn threads_run_side_by_side() {
    let gate = testkit::gate::Gate::new("first");
    let script = [reply().when("first").holds(&gate).says("one"), says("two").when("second")];
    let mut bridge = TestBridge::start(script).await;
    let first = bridge.begin("codex", json!({ "prompt": "first" })).await;
    gate.reached().await;
    assert_eq!(content(&bridge.call("codex", json!({ "prompt": "second" })).await), "two");
    gate.open();
    assert_eq!(content(&bridge.result(first).await), "one");
    bridge.finish().await;
}

#[tokio::test]
async fn tokens_are_those_of_the_turn() {
    let usage = Usage { input: 100, cached_input: 40, output: 10, reasoning_output: 4 };
    let mut bridge = TestBridge::start([says("one").usage(usage), says("two").usage(usage)]).await;
    let first = bridge.call("codex", json!({ "prompt": "first" })).await;
    let thread = text(&first["structuredContent"]["threadId"]);
    let second =
        bridge.call("codex-reply", json!({ "prompt": "second", "threadId": thread })).await;
    let usage = &second["structuredContent"]["usage"];
    assert_eq!(usage["inputTokens"], 100, "{usage}");
    assert_eq!(usage["cachedInputTokens"], 40, "{usage}");
    assert_eq!(usage["threadTotalTokens"], 220, "{usage}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_profile_of_the_user_holds_for_the_thread() {
    let mut bridge = TestBridge::start([says("Done.")]).await;
    let profile = "model = \"gpt-5.5\"\nmodel_reasoning_effort = \"low\"\nsandbox_mode = \"danger-full-access\"\n";
    std::fs::write(bridge.home.codex_home().join("quick.config.toml"), profile).unwrap();
    let answer = bridge.call("codex", json!({ "prompt": "Do it.", "profile": "quick" })).await;
    assert_eq!(content(&answer), "Done.");
    assert_eq!(answer["structuredContent"]["effort"], "low", "{answer}");
    assert_eq!(bridge.model.captured()[0].body["reasoning"]["effort"], "low");
    bridge.finish().await;
}
