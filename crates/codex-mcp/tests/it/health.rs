//! `codex.health`: what is well, and what to do about the rest.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;
use serde_json::json;
use testkit::fake_app_server::{self, Play};
use testkit::model::usage_limit_reached;

use crate::bridge::{Setup, TestBridge, error_code, text};

#[tokio::test]
async fn a_good_installation_is_healthy() {
    let mut bridge = TestBridge::start([]).await;
    let answer = bridge.call("codex.health", json!({})).await;
    assert_eq!(answer["structuredContent"]["healthy"], true, "{answer}");
    assert_eq!(answer["structuredContent"]["sandboxWorks"], true, "{answer}");
    assert_eq!(answer["structuredContent"]["process"]["state"], "ready", "{answer}");
    assert_eq!(answer["structuredContent"]["login"]["required"], false, "{answer}");
    assert_eq!(
        answer["structuredContent"]["limits"]["max_queue_per_thread"]["value"], 16,
        "{answer}"
    );
    bridge.finish().await;
}

#[tokio::test]
async fn a_missing_login_is_a_finding() {
    let setup = Setup { config: "model_provider = \"openai\"", ..Setup::default() };
    let mut bridge = TestBridge::start_with([], setup).await;
    let answer = bridge.call("codex.health", json!({})).await;
    assert_eq!(answer["structuredContent"]["healthy"], false, "{answer}");
    assert!(text(&answer["content"][0]["text"]).contains("codex login"), "{answer}");
    bridge.finish().await;
}

/// A program in the place of Codex, what a turn says of it, and what health says.
async fn check(program: impl Into<OsString>, code: &str, expected: expect_test::Expect) {
    let program = program.into();
    let shown_program = program.to_string_lossy().into_owned();
    let setup = Setup { codex: Some(program), ..Setup::default() };
    let mut bridge = TestBridge::start_with([], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(error_code(&answer), code, "{answer}");
    let health = bridge.call("codex.health", json!({})).await;
    assert_eq!(health["structuredContent"]["healthy"], false, "{health}");
    let shown =
        bridge.show(&json!({ "structuredContent": health["structuredContent"]["findings"] }));
    expected.assert_eq(&shown.replace(&shown_program, "[codex]"));
    bridge.finish().await;
}

#[tokio::test]
async fn a_program_that_is_not_there() {
    check("/nowhere/codex", "codex_not_found", expect![[r#"

        ---
        [
          {
            "problem": "[codex] is not an executable file; set --codex-bin or CODEX_MCP_CODEX_BIN to the Codex program",
            "remedy": "Install it with `npm install -g @openai/codex`, or name it with `--codex-bin` or `CODEX_MCP_CODEX_BIN`."
          }
        ]
    "#]]).await;
}

#[tokio::test]
async fn a_program_that_is_no_program() {
    check("/etc/hostname", "codex_not_executable", expect![[r#"

        ---
        [
          {
            "problem": "[codex] cannot be executed: Exec format error (os error 8)",
            "remedy": "Check the file's permissions and that it was built for this system, or name another with `--codex-bin`."
          }
        ]
    "#]]).await;
}

#[tokio::test]
async fn a_program_that_is_not_codex() {
    let home = testkit::home::CodexHome::new("http://127.0.0.1:9");
    let program = home.root().join("codex");
    std::fs::write(&program, "#!/bin/sh\necho Hello!\nexec cat\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    check(program, "not_codex", expect![[r#"

        ---
        [
          {
            "problem": "[codex] is not a Codex app-server: it asked for initialize instead of answering",
            "remedy": "Point `--codex-bin` at the Codex CLI; `codex --version` tells whether it is one."
          }
        ]
    "#]]).await;
}

#[tokio::test]
async fn a_program_that_ends_at_once() {
    check("/bin/false", "codex_start_failed", expect![[r#"

        ---
        [
          {
            "problem": "the app-server cannot be used, so turns run through `codex exec`: they cannot be steered and ask for no approval",
            "remedy": "Nothing for now: the app-server is tried again when its rest is over. Run `codex app-server` in a terminal to see what it says."
          },
          {
            "problem": "[codex] exited with code 1 before it was ready; that was failure 3 in a row",
            "remedy": "Run `codex app-server` in a terminal to see what it says: a broken Codex configuration file is the usual cause. Check that `codex_bin` names the Codex CLI. The next start is tried when the time to wait is over."
          }
        ]
    "#]]).await;
}

#[tokio::test]
async fn a_codex_that_is_too_old() {
    let home = testkit::home::CodexHome::new("http://127.0.0.1:9");
    let initialized =
        json!({ "send": { "id": "$id", "result": { "userAgent": "codex-mcp/0.101.0 (Linux)" } } });
    let script = format!(
        "{}\n{initialized}\n{}\n",
        json!({ "expect": { "method": "initialize" } }),
        json!({ "hang": true })
    );
    let program = fake_app_server::install(home.root(), &script);
    check(
        program,
        "codex_too_old",
        expect![[r#"

        ---
        [
          {
            "problem": "Codex [version] is too old: [version] is the oldest that works",
            "remedy": "Upgrade it with `npm install -g @openai/codex@latest`."
          }
        ]
    "#]],
    )
    .await;
}

/// Codex's message about a usage limit often tells no time; what it has told of the account's limits does.
#[tokio::test]
async fn what_is_used_up_and_when_it_is_there_again() {
    let home = testkit::home::CodexHome::new("http://127.0.0.1:9");
    let window = |used: u32, at: u64| json!({ "usedPercent": used, "windowDurationMins": 300, "resetsAt": at });
    let limits =
        json!({ "primary": window(100, 4_102_444_800), "secondary": window(42, 4_102_531_200) });
    let error = json!({
        "message": "You've hit your usage limit.", "codexErrorInfo": "usageLimitExceeded", "additionalDetails": null,
    });
    let play = Play::new()
        .begins_turn(1)
        .tells("account/rateLimits/updated", json!({ "rateLimits": limits }))
        // What most providers say: nothing.
        .tells("account/rateLimits/updated", json!({ "rateLimits": {} }))
        .fails_turn(1, &error)
        .answers("account/read", json!({ "account": null, "requiresOpenaiAuth": false }))
        .answers("command/exec", json!({ "exitCode": 0, "stdout": "", "stderr": "" }));
    let program = fake_app_server::install(home.root(), &play.script());
    let setup = Setup { codex: Some(program.into()), ..Setup::default() };
    let mut bridge = TestBridge::start_with([], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(error_code(&answer), "usage_limit", "{answer}");
    let told = text(&answer["content"][0]["text"]);
    assert!(told.contains("What is used up is there again at 2100-01-01T00:00:00Z."), "{told}");
    let error = &answer["structuredContent"]["error"];
    assert!(error["retryAfterSeconds"].as_u64().unwrap() > 86_400, "{error}");
    let health = bridge.call("codex.health", json!({})).await;
    assert_eq!(
        health["structuredContent"]["usage"],
        json!([
            { "usedPercent": 100, "windowMinutes": 300, "resetsAt": "2100-01-01T00:00:00Z" },
            { "usedPercent": 42, "windowMinutes": 300, "resetsAt": "2100-01-02T00:00:00Z" },
        ])
    );
    let shown = text(&health["content"][0]["text"]);
    let line = "Usage limit: 100 % used of 300 minutes, begins anew at 2100-01-01T00:00:00Z";
    assert!(shown.contains(line), "{shown}");
    bridge.finish().await;
}

/// The same of the real Codex, whose provider tells it in the headers of its answer.
#[tokio::test]
async fn what_the_provider_tells_of_a_used_up_limit() {
    let answer = usage_limit_reached(3600)
        .header("x-codex-primary-used-percent", "100")
        .header("x-codex-primary-window-minutes", "300")
        .header("x-codex-primary-reset-at", "4102444800");
    let mut bridge = TestBridge::start([answer]).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(error_code(&answer), "usage_limit", "{answer}");
    let told = text(&answer["content"][0]["text"]);
    assert!(told.contains("What is used up is there again at 2100-01-01T00:00:00Z."), "{told}");
    bridge.finish().await;
}
