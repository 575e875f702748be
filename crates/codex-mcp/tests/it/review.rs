//! `codex.review`: good answers and bad ones, and what is done with what they say of places.

mod native;

use std::fs;

use expect_test::{expect, expect_file};
use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::{Reply, Script, fails, patches, reply, says};

use crate::bridge::{Setup, TestBridge, error_code, text};
use crate::repository::{make, run, traces};

const START: &str =
    "git init -q; seq 1 30 >a; git add .; git commit -qm 1; sed -i 's/^5$/five/' a; echo x >new";

fn finding(severity: &str, title: &str, file: &str, lines: (u64, u64)) -> Value {
    json!({
        "severity": severity, "title": title, "body": "It breaks.", "file": file, "startLine": lines.0,
        "endLine": lines.1, "confidence": 0.9, "recommendation": "Mend it.",
    })
}

fn answer(verdict: &str, findings: &[Value]) -> Reply {
    says(json!({ "verdict": verdict, "summary": "Well.", "findings": findings }).to_string())
}

async fn bridge(script: impl Into<Script>, setup: Setup) -> TestBridge {
    let bridge = TestBridge::start_with(script, setup).await;
    fs::remove_dir_all(bridge.home.workspace().join(".git")).unwrap();
    make(&bridge.home, "r", START);
    bridge
}

async fn review(bridge: &mut TestBridge, mut arguments: Value) -> Value {
    if arguments.get("cwd").is_none() {
        arguments["cwd"] = json!("r");
    }
    bridge.call("codex.review", arguments).await
}

/// The diff that the model was shown in its so manieth request.
fn shown(bridge: &TestBridge, request: usize) -> String {
    let captured = bridge.model.captured();
    let prompt = captured[request].texts("user").pop().unwrap();
    prompt.split("=====DIFF=====").nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn findings_are_checked_against_the_changes() {
    let findings = [
        finding("low", "Elsewhere", "a", (20, 21)),
        finding("high", "Here", "b/a", (5, 5)),
        finding("critical", "No such file", "zzz", (1, 1)),
        finding("medium", "By its whole path", "/somewhere/r/new", (1, 1)),
    ];
    let mut bridge = bridge([answer("requestChanges", &findings)], Setup::default()).await;
    let before = traces(&bridge.home.workspace());
    let answer = review(&mut bridge, json!({ "instructions": "Look at names." })).await;
    expect_file!["review/findings.txt"].assert_eq(&bridge.show(&answer));
    assert_eq!(traces(&bridge.home.workspace()), before, "something was written");
    let captured = bridge.model.captured();
    let prompt = captured[0].texts("user").pop().unwrap();
    assert!(
        prompt.contains("Look at names.") && prompt.contains("+five") && prompt.contains("b/new"),
        "{prompt}"
    );
    bridge.finish().await;
}

#[tokio::test]
async fn each_target_shows_its_own_changes() {
    let mut bridge = bridge(Script::always(answer("approve", &[])), Setup::default()).await;
    let more =
        "git branch base; git commit -qam 2; seq 1 3 >b; git add b; git commit -qm 3; echo y >>b";
    run(&bridge.home, &bridge.home.workspace().join("r"), more);
    let mut seen = Vec::new();
    for arguments in [
        json!({}),
        json!({ "baseBranch": "base" }),
        json!({ "commit": "HEAD" }),
        json!({ "commit": "HEAD~2" }),
        json!({ "range": "HEAD~2..HEAD~1" }),
        json!({ "diff": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n" }),
        json!({ "paths": ["new"] }),
    ] {
        let answer = review(&mut bridge, arguments.clone()).await;
        assert_eq!(answer["structuredContent"]["verdict"], "approve", "{arguments}: {answer}");
        let diff = shown(&bridge, seen.len());
        let files = diff.lines().filter(|line| line.starts_with("+++ "));
        seen.push(format!("{arguments}: {}", files.collect::<Vec<_>>().join(" ")));
    }
    expect![[r#"
        {}: +++ b/b +++ b/new
        {"baseBranch":"base"}: +++ b/a +++ b/b +++ b/new
        {"commit":"HEAD"}: +++ b/b
        {"commit":"HEAD~2"}: +++ b/a
        {"range":"HEAD~2..HEAD~1"}: +++ b/a
        {"diff":"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"}: +++ b/x
        {"paths":["new"]}: +++ b/new"#]]
    .assert_eq(&seen.join("\n"));
    bridge.finish().await;
}

#[tokio::test]
async fn nothing_to_review_costs_no_turn() {
    let mut bridge = bridge([], Setup::default()).await;
    for arguments in
        [json!({ "range": "HEAD..HEAD" }), json!({ "diff": " \n" }), json!({ "paths": ["none"] })]
    {
        let answer = review(&mut bridge, arguments).await;
        assert_eq!(answer["structuredContent"]["verdict"], "nothingToReview", "{answer}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn what_cannot_be_reviewed_is_refused() {
    let mut bridge = bridge([], Setup::default()).await;
    for (arguments, says) in [
        (json!({ "commit": "nowhere" }), "`commit`"),
        (json!({ "commit": "worktree" }), "`commit`"),
        (json!({ "baseBranch": "index" }), "`baseBranch`"),
        (json!({ "range": "HEAD" }), "`range`"),
        (json!({ "range": "HEAD..nowhere" }), "nowhere"),
        (json!({ "diff": "Dear reviewer" }), "`diff`"),
        (json!({ "diff": "", "commit": "HEAD" }), "only one of"),
        (json!({ "diff": "x", "paths": ["a"] }), "`paths`"),
        (json!({ "instructions": 1 }), "`instructions`"),
        (json!({ "target": "all" }), "target"),
        (json!({ "timeLimitSeconds": 0 }), "timeLimitSeconds"),
    ] {
        let answer = review(&mut bridge, arguments.clone()).await;
        assert_eq!(error_code(&answer), "invalid_arguments", "{arguments}");
        assert!(answer.to_string().contains(says), "{arguments}: {answer}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn a_long_diff_is_reviewed_in_parts_and_what_fails_is_named() {
    let found = |file: &str| answer("approve", &[finding("low", file, file, (1, 1))]);
    let script = [found("file100"), says("Looks good."), found("file120"), fails("cyber_policy")];
    let arguments = vec!["--max-prompt-chars=12000".into()];
    let mut bridge = bridge(script, Setup { arguments, ..Setup::default() }).await;
    let many = "for i in $(seq 100 160); do seq $i $((i + 200)) >file$i; done; git add .";
    run(&bridge.home, &bridge.home.workspace().join("r"), many);
    let answer = review(&mut bridge, json!({})).await;
    let page = &answer["structuredContent"];
    let warnings = page["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2, "{page}");
    assert!(
        text(&warnings[0]).starts_with("part 2 of 8 was not reviewed: the review cannot be read"),
        "{page}"
    );
    assert!(text(&warnings[1]).starts_with("part 4 of 8 was not reviewed"), "{page}");
    let left_out = page["leftOut"].as_array().unwrap();
    assert!(left_out.contains(&json!("file160")) && !left_out.contains(&json!("a")), "{page}");
    assert_eq!(page["findings"].as_array().unwrap().len(), 2, "{page}");
    assert_eq!(bridge.model.captured().len(), 4);
    bridge.finish().await;
}

/// A reviewer that tries to write is kept from it.
#[tokio::test]
async fn a_review_never_writes() {
    let patch = "*** Begin Patch\n*** Add File: pwned\n+x\n*** End Patch";
    let script = [patches(patch), reply().runs("touch pwned; echo x >a"), answer("approve", &[])];
    let mut bridge = bridge(script, Setup::default()).await;
    let before = traces(&bridge.home.workspace().join("r"));
    let answer = review(&mut bridge, json!({})).await;
    assert_eq!(answer["structuredContent"]["verdict"], "approve", "{answer}");
    assert_eq!(traces(&bridge.home.workspace().join("r")), before, "something was written");
    bridge.finish().await;
}

#[tokio::test]
async fn a_review_that_is_cancelled_stops_its_turn() {
    let gate = Gate::new("held");
    let mut bridge = bridge([reply().holds(&gate).says("late")], Setup::default()).await;
    let call = bridge.begin("codex.review", json!({ "cwd": "r" })).await;
    gate.reached().await;
    bridge.client.cancel(call, "user").await;
    let health = bridge.call("codex.health", json!({})).await;
    assert_eq!(health["isError"], false, "{health}");
    bridge.finish().await;
}
