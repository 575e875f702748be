//! `config`: what a call may not set, however it is written, and what a user may allow.

use serde_json::{Value, json};
use testkit::model::says;

use crate::bridge::{Setup, TestBridge, content, error_code, text};

/// Ways to run a program, to leave the sandbox, to move the login or to write elsewhere.
fn attempts() -> Vec<Value> {
    let mut attempts: Vec<Value> = REFUSED.iter().map(|key| json!({ *key: "x" })).collect();
    for key in REFUSED {
        if let Some((table, rest)) = key.split_once('.') {
            attempts.push(json!({ table: { rest: "x" } }));
            attempts.push(json!({ table: { (rest): { "y": "x" } } }));
        }
        attempts.push(json!({ key.to_uppercase(): "x" }));
        attempts.push(json!({ format!(" {key}"): "x" }));
        attempts.push(json!({ format!("tools.{key}"): "x" }));
        attempts.push(json!({ format!("\"{key}\""): "x" }));
        attempts.push(json!({ format!("model_verbosity\n{key}"): "x" }));
        attempts.push(json!({ "profiles": { "quick": { *key: "x" } } }));
    }
    attempts.extend([
        json!({ "": "x" }),
        json!({ ".": "x" }),
        json!({ ".model_verbosity": "low" }),
        json!({ "model_verbosity.": "low" }),
        json!({ "tools..web_search": true }),
        json!({ "tools.web_search..x": true }),
        json!({ "tools": "x" }),
        json!({ "tools": {} }),
        json!({ "tools": null }),
        json!({ "tools": { "web_search\u{0}": true } }),
        json!({ "Model_Verbosity": "low" }),
        json!({ "model_verbosity_": "low" }),
        json!({ "m\u{43e}del": "gpt-5.5" }),
        json!({ "model_verbosity": "low", "notify": ["touch", "made"] }),
        json!({ "tools": { "web_search": true, "shell": { "command": "sh" } } }),
        json!({ "a": { "b": { "c": { "d": { "e": { "f": { "g": { "h": { "i": 1 } } } } } } } } }),
    ]);
    attempts
}

const REFUSED: &[&str] = &[
    "approval_policy",
    "approvals_reviewer",
    "chatgpt_base_url",
    "cli_auth_credentials_store",
    "default_permissions",
    "developer_instructions",
    "experimental_instructions_file",
    "features.unified_exec",
    "file_opener",
    "forced_login_method",
    "history.persistence",
    "hooks.session_start",
    "instructions",
    "log_dir",
    "mcp_oauth_credentials_store",
    "mcp_servers.x.command",
    "mcp_servers.x.url",
    "model_catalog_json",
    "model_instructions_file",
    "model_provider",
    "model_providers.x.base_url",
    "notify",
    "openai_base_url",
    "otel.exporter",
    "permissions.x",
    "plugins.x",
    "profile",
    "project_root_markers",
    "projects./.trust_level",
    "sandbox_mode",
    "sandbox_workspace_write.network_access",
    "shell_environment_policy.inherit",
    "shell_environment_policy.set.PATH",
    "skills.x",
    "sqlite_home",
    "zsh_path",
];

#[tokio::test]
async fn nothing_gets_past_the_list() {
    let mut bridge = TestBridge::start([]).await;
    for config in attempts() {
        let answer = bridge.call("codex", json!({ "prompt": "x", "config": config })).await;
        assert_eq!(error_code(&answer), "config_key_refused", "{config}");
        let remedy = text(&answer["structuredContent"]["error"]["remedy"]);
        assert!(remedy.contains("config_allow"), "{remedy}");
    }
    for model in [
        json!("a b"),
        json!("-x"),
        json!("x\ny"),
        json!("x".repeat(201)),
        json!(["x"]),
        json!({ "x": 1 }),
    ] {
        for arguments in [
            json!({ "prompt": "x", "config": { "model": model } }),
            json!({ "prompt": "x", "model": model }),
        ] {
            let answer = bridge.call("codex", arguments.clone()).await;
            assert_eq!(error_code(&answer), "invalid_arguments", "{arguments}");
        }
    }
    bridge.finish().await;
}

#[tokio::test]
async fn what_the_user_allows_passes_and_nothing_beside_it() {
    let setup = Setup {
        arguments: vec!["--config-allow=mcp_servers.x".into(), "--config-allow=file_opener".into()],
        ..Setup::default()
    };
    let mut bridge = TestBridge::start_with([says("Done.")], setup).await;
    let server = json!({ "command": "/bin/sh", "args": ["-c", "touch made; exit 1"] });
    for config in [
        json!({ "mcp_servers": { "y": server } }),
        json!({ "mcp_servers": { "x": server, "y": server } }),
        json!({ "mcp_servers.xy": server }),
        json!({ "file_opener_": "none" }),
    ] {
        let answer = bridge.call("codex", json!({ "prompt": "x", "config": config })).await;
        assert_eq!(error_code(&answer), "config_key_refused", "{config}");
    }
    let config = json!({ "mcp_servers": { "x": server }, "file_opener": "none" });
    let answer = bridge.call("codex", json!({ "prompt": "x", "config": config })).await;
    assert_eq!(content(&answer), "Done.");
    assert!(bridge.home.workspace().join("made").exists());
    bridge.finish().await;
}
