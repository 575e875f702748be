//! Turns that change files: in a copy, or in place.

use std::fs;

use expect_test::expect;
use serde_json::json;
use testkit::model::{patches, runs, says};

use crate::bridge::{Setup, TestBridge, error_code, text};

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
    expect![[r#""#]].assert_eq(&bridge.show(&answer));
    assert_eq!(fs::read_to_string(workspace.join("README.md")).unwrap(), "hello\n");
    assert!(!workspace.join("new.txt").exists());
    bridge.finish().await;
}
