//! What is refused, what the user is asked, and what is found and not found.

use serde_json::json;

use super::{Project, all};
use crate::bridge::{Setup, error_code, text};

const MAKEFILE: &[(&str, &str)] = &[("Makefile", "test:\n\t@echo '1 passed, 0 failed'\n")];

#[tokio::test]
async fn bad_arguments_name_themselves_and_start_nothing() {
    let mut project = Project::open(MAKEFILE).await;
    for (arguments, says) in [
        (
            json!({ "runner": "cargo" }),
            "argument `runner`: \"cargo\"; allowed: make, which this project has",
        ),
        (json!({ "filter": ["x"] }), "argument `filter`: runner `make` does not take it"),
        (
            json!({ "filter": [""] }),
            "argument `filter`: \"\"; allowed: texts of 1 to 1000 characters",
        ),
        (
            json!({ "filter": vec!["x"; 101] }),
            "argument `filter`: 101 entries; allowed: at most 100",
        ),
        (json!({ "paths": ["../x"] }), "argument `paths`: \"../x\"; allowed: existing files"),
        (json!({ "paths": ["/etc"] }), "argument `paths`: \"/etc\""),
        (json!({ "paths": ["nowhere"] }), "argument `paths`: \"nowhere\""),
        (json!({ "command": [] }), "argument `command`: an empty array"),
        (
            json!({ "command": ["true"], "runner": "make" }),
            "argument `command`: given with `runner`",
        ),
        (json!({ "command": ["a\0b"] }), "argument `command`: \"a\\0b\""),
        (json!({ "timeLimitSeconds": 0 }), "argument `timeLimitSeconds`: 0"),
        (json!({ "timeLimitSeconds": 301 }), "argument `timeLimitSeconds`: 301; allowed: 1 to 300"),
        (json!({ "stop": true }), "argument `stop`: given without `runId`"),
        (json!({ "waitSeconds": 1 }), "argument `waitSeconds`: given without `runId`"),
        (json!({ "runId": "x", "cwd": "." }), "argument `cwd`: given with `runId`"),
        (json!({ "runId": "x", "patchId": "y" }), "argument `patchId`: given with `runId`"),
    ] {
        let answer = project.run(arguments.clone()).await;
        assert_eq!(error_code(&answer), "invalid_arguments", "{arguments}: {answer}");
        let message = text(&answer["structuredContent"]["error"]["message"]);
        assert!(message.starts_with(says), "{arguments}: {message}");
    }
    let outside = project.run(json!({ "cwd": "/etc" })).await;
    assert_eq!(error_code(&outside), "outside_workspace");
    project.close().await;
}

#[tokio::test]
async fn what_is_run_is_chosen_and_the_rest_is_named() {
    let package = r#"{ "scripts": { "test": "echo '3 passed, 0 failed'" } }"#;
    let mut project = Project::open(MAKEFILE).await;
    project.write(&[("package.json", package)]);
    let first = project.run(all()).await;
    let data = &first["structuredContent"];
    assert_eq!(data["runner"], "script", "{first}");
    assert_eq!(data["otherRunners"], json!(["make (`test` in Makefile)"]));
    assert_eq!(data["counts"], json!({ "passed": 3, "failed": 0, "skipped": 0 }));
    let second = project.run(json!({ "runner": "make" })).await;
    assert_eq!(second["structuredContent"]["command"], json!(["make", "test"]));
    assert_eq!(second["structuredContent"]["counts"]["passed"], 1);
    assert_eq!(
        second["content"][0]["text"].as_str().unwrap().lines().next().unwrap().split(" (").next(),
        Some("The tests passed: 1 passed, 0 failed, 0 skipped")
    );
    project.close().await;
}

#[tokio::test]
async fn the_command_of_the_configuration_runs_unasked_and_may_write_a_report() {
    let script = "printf '<testsuite><testcase name=\"a\"/><testcase name=\"b\"><failure message=\"no\"/></testcase></testsuite>' > \"$1\"; exit 1";
    let flags = ["sh", "-c", script, "sh", "{junit}"].map(|word| format!("--test-command={word}"));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut project = Project::open_with(&[], &flags).await;
    assert_eq!(project.outcome(all()).await, "failed 1/1/0\n-: b at -:null: no\n");
    project.close().await;
}

#[tokio::test]
async fn a_suite_without_tests_says_so() {
    let mut project = Project::open(&[]).await;
    for (file, text) in [
        ("Cargo.toml", "[package]\nname = \"empty\"\nedition = \"2024\"\n[workspace]\n"),
        ("src/lib.rs", "\n"),
        ("test_a.py", "\n"),
        ("package.json", r#"{ "scripts": { "test": "node --test" } }"#),
        ("Makefile", "test:\n\t@echo 'no tests ran' && exit 5\n"),
    ] {
        project.write(&[(file, text)]);
    }
    for runner in ["cargo", "node", "unittest", "make"] {
        let outcome = project.outcome(json!({ "runner": runner })).await;
        assert!(outcome.starts_with("noTests"), "{runner}: {outcome}");
    }
    project.close().await;
}

/// An own command and the network need the user: who is not there has not agreed.
#[tokio::test]
async fn an_own_command_and_the_network_need_the_user() {
    let mut project = Project::open(MAKEFILE).await;
    for arguments in [json!({ "command": ["touch", "made"] }), json!({ "network": true })] {
        let answer = project.run(arguments).await;
        assert_eq!(error_code(&answer), "consent_required", "{answer}");
    }
    assert!(!project.bridge.home.workspace().join("made").exists());
    project.close().await;
    let mut project =
        Project::set_up(MAKEFILE, &[], Setup { elicits: true, ..Setup::default() }).await;
    for (action, expected) in [("decline", "consent_required"), ("accept", "passed")] {
        let call =
            project.bridge.begin("codex.tests.run", json!({ "command": ["touch", "made"] })).await;
        let question = project.bridge.client.peer.incoming("elicitation/create").await;
        let message = text(&question["params"]["message"]);
        assert!(message.contains(r#"run ["touch", "made"] in "#), "{message}");
        project
            .bridge
            .client
            .peer
            .respond(&question["id"], json!({ "action": action, "content": {} }))
            .await;
        let answer = project.bridge.result(call).await;
        let data = &answer["structuredContent"];
        let got = data["status"].as_str().or_else(|| data["error"]["code"].as_str());
        assert_eq!(got, Some(expected), "{answer}");
        assert_eq!(project.bridge.home.workspace().join("made").exists(), action == "accept");
    }
    project.close().await;
}
