//! Turns that change files: in a copy, or in place.

use std::fs;

use expect_test::expect;
use serde_json::json;
use testkit::model::{patches, runs, says};

use crate::bridge::TestBridge;

#[tokio::test]
async fn a_proposal_leaves_the_users_files_alone() {
    let script = [
        runs(
            "printf 'from the shell\\n' > new.txt && git add -A && git -c user.name=n -c user.email=e@x commit -qm inside && git log --oneline | wc -l",
        ),
        patches(
            "*** Begin Patch\n*** Update File: README.md\n@@\n-hello\n+hello, patched\n*** End Patch",
        ),
        says("Done."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let workspace = bridge.home.workspace().to_owned();
    fs::write(workspace.join("README.md"), "hello\n").unwrap();
    let answer =
        bridge.call("codex", json!({ "prompt": "Change it.", "changes": "propose" })).await;
    expect![[r#"
        Done.

        [thread [thread-1], turn [turn-1]: completed, gpt-5.5 medium, [time], 30 tokens in and 15 out]
        Patch [patch-1]: 2 files, +2 -1. See it with codex.patch.preview.

        Commands:
        $ printf 'from the shell\\n' > new.txt && git add -A && git -c user.name=n -c user.email=e@x commit -qm inside && git log --oneline | wc -l (exit 0)
        2
        ---
        {
          "commands": [
            {
              "command": "printf 'from the shell\\\\n' > new.txt && git add -A && git -c user.name=n -c user.email=e@x commit -qm inside && git log --oneline | wc -l",
              "cwd": "[workspace]",
              "durationMs": "[time]",
              "exitCode": 0,
              "output": "2\n",
              "status": "completed"
            }
          ],
          "content": "Done.",
          "durationMs": "[time]",
          "effort": "medium",
          "model": "gpt-5.5",
          "patch": {
            "added": 2,
            "files": 2,
            "inPlace": false,
            "patchId": "[patch-1]",
            "paths": [
              "README.md",
              "new.txt"
            ],
            "removed": 1
          },
          "status": "completed",
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
    "#]].assert_eq(&bridge.show(&answer));
    assert_eq!(fs::read_to_string(workspace.join("README.md")).unwrap(), "hello\n");
    assert!(!workspace.join("new.txt").exists());
    bridge.finish().await;
}
