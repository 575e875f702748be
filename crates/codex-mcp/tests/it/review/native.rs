//! `codex.review` with `native`: Codex's own review, whose turn has two names and whose findings are text.

use expect_test::{expect, expect_file};
use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::{Reply, Script, fails, patches, reply, says};

use super::{bridge, review};
use crate::bridge::{Setup, TestBridge, error_code, text};
use crate::repository::{run, traces};

async fn native(bridge: &mut TestBridge, mut arguments: Value) -> Value {
    arguments["native"] = json!(true);
    review(bridge, arguments).await
}

/// An answer in the form that Codex asks its reviewer for, with these findings in files of the workspace.
fn answer(bridge: &TestBridge, findings: &[(&str, &str, (u64, u64))]) -> Reply {
    let workspace = bridge.home.workspace().canonicalize().unwrap();
    let finding = |(title, file, (start, end)): &(&str, &str, (u64, u64))| {
        json!({
            "title": title, "body": "It breaks.\n\nTwice.", "confidence_score": 0.9, "priority": 1,
            "code_location": {
                "absolute_file_path": workspace.join(file), "line_range": { "start": start, "end": end },
            },
        })
    };
    let findings: Vec<_> = findings.iter().map(finding).collect();
    says(
        json!({
            "findings": findings, "overall_correctness": "patch is incorrect", "overall_explanation": "Because.",
            "overall_confidence_score": 0.8,
        })
        .to_string(),
    )
}

#[tokio::test]
async fn findings_are_read_and_nothing_is_written() {
    let config = "review_model = \"gpt-5.1\"";
    let mut bridge = bridge([], Setup { config, ..Setup::default() }).await;
    let patch = "*** Begin Patch\n*** Add File: pwned\n+x\n*** End Patch";
    let found = [("[P3] Elsewhere", "r/a", (20, 21)), ("[P1] Here", "r/a", (5, 5))];
    let tries = [patches(patch), reply().runs("touch pwned; echo x >a")];
    bridge.model.add(tries.into_iter().chain([answer(&bridge, &found), says("As I said.")]));
    let before = traces(&bridge.home.workspace());
    let answer = native(&mut bridge, json!({ "model": "gpt-5.5", "effort": "high" })).await;
    expect_file!["native.txt"].assert_eq(&bridge.show(&answer));
    assert_eq!(traces(&bridge.home.workspace()), before, "something was written");
    let asked = &bridge.model.captured()[0].body;
    assert_eq!(
        (&asked["model"], &asked["reasoning"]["effort"]),
        (&json!("gpt-5.5"), &json!("high"))
    );
    let thread = text(&answer["structuredContent"]["threadId"]);
    let turn = json!({ "threadId": thread, "prompt": "Why?" });
    let answer = bridge.call("codex-reply", turn).await;
    assert_eq!(answer["structuredContent"]["content"], "As I said.", "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn each_target_is_told_to_codex() {
    let mut bridge = bridge(Script::always(says("Looks good to me.")), Setup::default()).await;
    let more = "git branch base; git commit -qam 2; echo y >>a";
    run(&bridge.home, &bridge.home.workspace().join("r"), more);
    let mut seen = Vec::new();
    for arguments in [
        json!({}),
        json!({ "baseBranch": "base" }),
        json!({ "commit": "HEAD" }),
        json!({ "baseBranch": "base", "instructions": " " }),
        json!({ "instructions": "Look at names." }),
    ] {
        let answer = native(&mut bridge, arguments.clone()).await;
        let page = &answer["structuredContent"];
        assert_eq!(page["verdict"], "notGiven", "{arguments}: {answer}");
        assert_eq!(page["summary"], "Looks good to me.", "{arguments}: {answer}");
        assert_eq!(page["warnings"].as_array().unwrap().len(), 1, "{arguments}: {answer}");
        let prompt = bridge.model.captured()[seen.len()].prompt();
        seen.push(format!("{arguments}: {} | {prompt}", text(&page["reviewed"])));
    }
    expect![[r#"
        {}: what is not committed | Review the current code changes (staged, unstaged, and untracked files) and provide prioritized findings.
        {"baseBranch":"base"}: what was changed since base, uncommitted changes too | Review the code changes against the base branch 'base'. The merge base commit for this comparison is 031ddfd25b4d6834eda29a5c9f7b33e39b22403e. Run `git diff 031ddfd25b4d6834eda29a5c9f7b33e39b22403e` to inspect the changes relative to base. Provide prioritized, actionable findings.
        {"commit":"HEAD"}: commit HEAD | Review the code changes introduced by commit HEAD. Provide prioritized, actionable findings.
        {"baseBranch":"base","instructions":" "}: what was changed since base, uncommitted changes too | Review the code changes against the base branch 'base'. The merge base commit for this comparison is 031ddfd25b4d6834eda29a5c9f7b33e39b22403e. Run `git diff 031ddfd25b4d6834eda29a5c9f7b33e39b22403e` to inspect the changes relative to base. Provide prioritized, actionable findings.
        {"instructions":"Look at names."}: what the instructions say | Look at names."#]].assert_eq(&seen.join("\n"));
    bridge.finish().await;
}

#[tokio::test]
async fn what_codex_cannot_review_is_refused() {
    let mut bridge = bridge([], Setup::default()).await;
    for (arguments, says) in [
        (json!({ "baseBranch": "nowhere" }), "`baseBranch`"),
        (json!({ "commit": "nowhere" }), "`commit`"),
        (json!({ "range": "HEAD..HEAD" }), "`range`"),
        (json!({ "diff": "" }), "`diff`"),
        (json!({ "patchId": "p" }), "`patchId`"),
        (json!({ "paths": ["a"] }), "`paths`"),
        (json!({ "commit": "HEAD", "instructions": "x" }), "`instructions`: `native` is given too"),
    ] {
        let answer = native(&mut bridge, arguments.clone()).await;
        assert_eq!(error_code(&answer), "invalid_arguments", "{arguments}: {answer}");
        assert!(answer.to_string().contains(says), "{arguments}: {answer}");
    }
    bridge.finish().await;
}

/// Codex itself would review it.
#[tokio::test]
async fn a_folder_of_no_repository_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = vec![format!("--workspace-root={}", folder.path().display()).into()];
    let mut bridge = TestBridge::start_with([], Setup { arguments, ..Setup::default() }).await;
    let answer = bridge.call("codex.review", json!({ "native": true })).await;
    assert_eq!(error_code(&answer), "not_a_repository", "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_reviewer_that_fails_or_says_nothing_is_an_error() {
    let mut bridge = bridge([fails("cyber_policy"), says("")], Setup::default()).await;
    let answer = native(&mut bridge, json!({})).await;
    assert_eq!(error_code(&answer), "content_refused", "{answer}");
    let answer = native(&mut bridge, json!({})).await;
    assert_eq!(error_code(&answer), "review_unreadable", "{answer}");
    bridge.finish().await;
}

/// The thread of a call, as soon as Codex has taken the review.
async fn thread_of(bridge: &mut TestBridge, call: u64) -> String {
    loop {
        let news = bridge.client.progress(call).await;
        if let Some(thread) = news["_meta"]["data"]["threadId"].as_str() {
            return thread.to_owned();
        }
    }
}

#[tokio::test]
async fn a_review_takes_no_input_and_leaves_nothing_running() {
    let gate = Gate::new("held");
    let script = [
        reply().calls("exec_command", json!({ "cmd": "sleep 1000", "yield_time_ms": 250 })),
        reply().holds(&gate).says("late"),
    ];
    let mut bridge = bridge(script, Setup::default()).await;
    let call = bridge.begin("codex.review", json!({ "cwd": "r", "native": true })).await;
    let thread = thread_of(&mut bridge, call).await;
    gate.reached().await;
    assert!(!bridge.processes("sleep 1000").is_empty());
    let answer =
        bridge.call("codex.steer", json!({ "threadId": thread, "prompt": "Hurry!" })).await;
    assert_eq!(error_code(&answer), "turn_not_steerable", "{answer}");
    let answer = bridge.call("codex.cancel", json!({ "threadId": thread })).await;
    assert_eq!(answer["structuredContent"]["turn"]["status"], "interrupted", "{answer}");
    assert_eq!(error_code(&bridge.result(call).await), "call_cancelled");
    assert!(bridge.processes("sleep 1000").is_empty());
    bridge.finish().await;
}

/// Codex has taken it and not yet said by which name it can be interrupted.
#[tokio::test]
async fn a_review_is_cancelled_at_its_very_beginning() {
    let mut bridge = bridge(Script::always(says("Too late.")), Setup::default()).await;
    let call = bridge.begin("codex.review", json!({ "cwd": "r", "native": true })).await;
    let thread = thread_of(&mut bridge, call).await;
    let app_server = bridge.app_server();
    let answer = bridge.call("codex.cancel", json!({ "threadId": thread })).await;
    assert_eq!(answer["isError"], false, "{answer}");
    bridge.result(call).await;
    assert_eq!(bridge.app_server(), app_server, "it had to be killed");
    bridge.finish().await;
}
