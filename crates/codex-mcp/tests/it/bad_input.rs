//! Arguments as they should not be: each is refused with its name, what was given and what is allowed.

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::{Value, json};

use crate::bridge::{Setup, TestBridge, error_code, text};

#[tokio::test]
async fn every_bad_argument_is_named() {
    let setup = Setup { arguments: vec!["--max-prompt-chars=100".into()], ..Setup::default() };
    let mut bridge = TestBridge::start_with([], setup).await;
    let thread = "01a205a5-c192-74e0-9472-ab51cb27f43e";
    let cases: Vec<(&str, Value)> = vec![
        ("codex", json!({})),
        ("codex", json!({ "prompt": "" })),
        ("codex", json!({ "prompt": " \n\t" })),
        ("codex", json!({ "prompt": 3 })),
        ("codex", json!({ "prompt": ["x"] })),
        ("codex", json!({ "prompt": "x".repeat(101) })),
        ("codex", json!({ "promt": "x" })),
        ("codex", json!({ "prompt": "x", "colour": "blue" })),
        ("codex", json!({ "prompt": "x", "threadId": thread })),
        ("codex", json!({ "prompt": "x", "model": "" })),
        ("codex", json!({ "prompt": "x", "model": "--config" })),
        ("codex", json!({ "prompt": "x", "model": "a b" })),
        ("codex", json!({ "prompt": "x", "effort": "banana" })),
        ("codex", json!({ "prompt": "x", "sandbox": "none" })),
        ("codex", json!({ "prompt": "x", "approval-policy": "always" })),
        ("codex", json!({ "prompt": "x", "timeLimitSeconds": 0 })),
        ("codex", json!({ "prompt": "x", "timeLimitSeconds": 86401 })),
        ("codex", json!({ "prompt": "x", "timeLimitSeconds": -1 })),
        ("codex", json!({ "prompt": "x", "timeLimitSeconds": "60" })),
        ("codex", json!({ "prompt": "x", "background": "yes" })),
        ("codex", json!({ "prompt": "x", "outputSchema": "object" })),
        ("codex", json!({ "prompt": "x", "cwd": "" })),
        ("codex", json!({ "prompt": "x", "cwd": "nowhere" })),
        ("codex", json!({ "prompt": "x", "cwd": "README.md" })),
        ("codex", json!({ "prompt": "x", "cwd": "/etc" })),
        ("codex", json!({ "prompt": "x", "cwd": ".." })),
        ("codex", json!({ "prompt": "x", "cwd": "~" })),
        ("codex", json!({ "prompt": "x", "cwd": "a\u{0}b" })),
        ("codex", json!({ "prompt": "x", "profile": "../x" })),
        ("codex", json!({ "prompt": "x", "profile": "missing" })),
        ("codex", json!({ "prompt": "x", "config": { "sandbox_mode": "danger-full-access" } })),
        (
            "codex",
            json!({ "prompt": "x", "config": { "mcp_servers": { "x": { "command": "sh" } } } }),
        ),
        ("codex", json!({ "prompt": "x", "config": { "tools": { "shell": true } } })),
        ("codex", json!({ "prompt": "x", "config": { "notify": ["touch", "x"] } })),
        ("codex", json!({ "prompt": "x", "config": [] })),
        ("codex-reply", json!({ "prompt": "x" })),
        ("codex-reply", json!({ "prompt": "x", "threadId": "" })),
        ("codex-reply", json!({ "prompt": "x", "threadId": "../../etc/passwd" })),
        ("codex-reply", json!({ "prompt": "x", "threadId": "not-a-uuid" })),
        ("codex-reply", json!({ "prompt": "x", "threadId": thread, "conversationId": thread })),
        ("codex-reply", json!({ "prompt": "x", "threadId": thread, "cwd": "/" })),
        ("codex.steer", json!({ "threadId": thread })),
        ("codex.steer", json!({ "threadId": thread, "prompt": "" })),
        ("codex.wait", json!({})),
        ("codex.wait", json!({ "threadId": thread, "waitSeconds": 3601 })),
        ("codex.wait", json!({ "threadId": thread, "turnId": "" })),
        ("codex.wait", json!({ "threadId": thread, "waitSeconds": 0 })),
        ("codex.cancel", json!({ "threadId": thread })),
        ("codex.health", json!({ "verbose": true })),
    ];
    let mut shown = String::new();
    for (tool, arguments) in cases {
        let given: String = arguments.to_string().chars().take(90).collect();
        let answer = bridge.call(tool, arguments).await;
        error_code(&answer);
        let error = text(&answer["content"][0]["text"]);
        writeln!(shown, "{tool} {given}\n    {}", error.lines().next().unwrap_or_default())
            .unwrap();
    }
    let shown = shown.replace(&bridge.home.workspace().display().to_string(), "[workspace]");
    let shown = shown.replace(&bridge.home.codex_home().display().to_string(), "[codex-home]");
    let shown = shown.replace(&bridge.home.root().display().to_string(), "[root]");
    expect![[r#"
        codex {}
            Error invalid_arguments: missing argument `prompt`
        codex {"prompt":""}
            Error invalid_arguments: argument `prompt`: it is empty; allowed: a text with at least one visible character
        codex {"prompt":" \n\t"}
            Error invalid_arguments: argument `prompt`: it is empty; allowed: a text with at least one visible character
        codex {"prompt":3}
            Error invalid_arguments: argument `prompt`: invalid type: integer `3`, expected a string
        codex {"prompt":["x"]}
            Error invalid_arguments: argument `prompt`: invalid type: array, expected a string
        codex {"prompt":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
            Error prompt_too_large: the prompt has 101 characters; the limit is 100
        codex {"promt":"x"}
            Error invalid_arguments: unknown argument `promt`, expected one of `prompt`, `model`, `effort`, `cwd`, `name`, `attachments`, `attachmentTokens`, `outputSchema`, `background`, `idempotencyKey`, `timeLimitSeconds`, `changes`, `sandbox`, `approval-policy`, `profile`, `config`, `mcpServers`, `developer-instructions`, `base-instructions`, `compact-prompt`
        codex {"prompt":"x","colour":"blue"}
            Error invalid_arguments: unknown argument `colour`, expected one of `prompt`, `model`, `effort`, `cwd`, `name`, `attachments`, `attachmentTokens`, `outputSchema`, `background`, `idempotencyKey`, `timeLimitSeconds`, `changes`, `sandbox`, `approval-policy`, `profile`, `config`, `mcpServers`, `developer-instructions`, `base-instructions`, `compact-prompt`
        codex {"prompt":"x","threadId":"01a205a5-c192-74e0-9472-ab51cb27f43e"}
            Error invalid_arguments: unknown argument `threadId`, expected one of `prompt`, `model`, `effort`, `cwd`, `name`, `attachments`, `attachmentTokens`, `outputSchema`, `background`, `idempotencyKey`, `timeLimitSeconds`, `changes`, `sandbox`, `approval-policy`, `profile`, `config`, `mcpServers`, `developer-instructions`, `base-instructions`, `compact-prompt`
        codex {"prompt":"x","model":""}
            Error invalid_arguments: argument `model`: ""; allowed: a model's name, such as `gpt-5.5`: letters, digits and `-_.:/@+`
        codex {"prompt":"x","model":"--config"}
            Error invalid_arguments: argument `model`: "--config"; allowed: a model's name, such as `gpt-5.5`: letters, digits and `-_.:/@+`
        codex {"prompt":"x","model":"a b"}
            Error invalid_arguments: argument `model`: "a b"; allowed: a model's name, such as `gpt-5.5`: letters, digits and `-_.:/@+`
        codex {"prompt":"x","effort":"banana"}
            Error invalid_arguments: argument `effort`: unknown value `banana`, expected one of `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, `ultra`
        codex {"prompt":"x","sandbox":"none"}
            Error invalid_arguments: argument `sandbox`: unknown value `none`, expected one of `read-only`, `workspace-write`, `danger-full-access`
        codex {"prompt":"x","approval-policy":"always"}
            Error invalid_arguments: argument `approval-policy`: unknown value `always`, expected one of `untrusted`, `on-failure`, `on-request`, `never`
        codex {"prompt":"x","timeLimitSeconds":0}
            Error invalid_arguments: argument `timeLimitSeconds`: 0; allowed: 1 to 86400
        codex {"prompt":"x","timeLimitSeconds":86401}
            Error invalid_arguments: argument `timeLimitSeconds`: 86401; allowed: 1 to 86400
        codex {"prompt":"x","timeLimitSeconds":-1}
            Error invalid_arguments: argument `timeLimitSeconds`: invalid value: integer `-1`, expected a whole number that is not negative
        codex {"prompt":"x","timeLimitSeconds":"60"}
            Error invalid_arguments: argument `timeLimitSeconds`: invalid type: string "60", expected a whole number that is not negative
        codex {"prompt":"x","background":"yes"}
            Error invalid_arguments: argument `background`: invalid type: string "yes", expected a boolean
        codex {"prompt":"x","outputSchema":"object"}
            Error invalid_arguments: argument `outputSchema`: invalid type: string "object", expected an object
        codex {"prompt":"x","cwd":""}
            Error directory_not_found: `cwd`: the path is empty; leave it out to work in [workspace]
        codex {"prompt":"x","cwd":"nowhere"}
            Error directory_not_found: `cwd`: "nowhere" does not exist (looked for [workspace]/nowhere); give an existing directory in one of [workspace]
        codex {"prompt":"x","cwd":"README.md"}
            Error directory_not_found: `cwd`: "README.md" is not a directory ([workspace]/README.md); give an existing directory in one of [workspace]
        codex {"prompt":"x","cwd":"/etc"}
            Error outside_workspace: `cwd`: "/etc" is /etc, outside the workspace roots [workspace]; give a directory in one of them, or start the server with --workspace-root for it
        codex {"prompt":"x","cwd":".."}
            Error outside_workspace: `cwd`: ".." is [root], outside the workspace roots [workspace]; give a directory in one of them, or start the server with --workspace-root for it
        codex {"prompt":"x","cwd":"~"}
            Error directory_not_found: `cwd`: `~` is not expanded in "~"; give an absolute path, or one relative to [workspace]
        codex {"prompt":"x","cwd":"a\u0000b"}
            Error directory_not_found: `cwd`: the path "a\0b" has a NUL byte in it
        codex {"prompt":"x","profile":"../x"}
            Error invalid_arguments: argument `profile`: "../x"; allowed: a profile's name: letters, digits, `-` and `_`
        codex {"prompt":"x","profile":"missing"}
            Error invalid_arguments: argument `profile`: there is no profile "missing"; allowed: a profile with a file [codex-home]/missing.config.toml
        codex {"prompt":"x","config":{"sandbox_mode":"danger-full-access"}}
            Error config_key_refused: `config` may not set "sandbox_mode"; it may set compact_prompt, hide_agent_reasoning, model, model_auto_compact_token_limit, model_context_window, model_reasoning_effort, model_reasoning_summary, model_supports_reasoning_summaries, model_verbosity, personality, plan_mode_reasoning_effort, project_doc_max_bytes, service_tier, show_raw_agent_reasoning, tool_output_token_limit, tools.update_plan, tools.view_image, tools.web_search, web_search
        codex {"prompt":"x","config":{"mcp_servers":{"x":{"command":"sh"}}}}
            Error config_key_refused: `config` may not set "mcp_servers"; it may set compact_prompt, hide_agent_reasoning, model, model_auto_compact_token_limit, model_context_window, model_reasoning_effort, model_reasoning_summary, model_supports_reasoning_summaries, model_verbosity, personality, plan_mode_reasoning_effort, project_doc_max_bytes, service_tier, show_raw_agent_reasoning, tool_output_token_limit, tools.update_plan, tools.view_image, tools.web_search, web_search
        codex {"prompt":"x","config":{"tools":{"shell":true}}}
            Error config_key_refused: `config` may not set "tools.shell"; it may set compact_prompt, hide_agent_reasoning, model, model_auto_compact_token_limit, model_context_window, model_reasoning_effort, model_reasoning_summary, model_supports_reasoning_summaries, model_verbosity, personality, plan_mode_reasoning_effort, project_doc_max_bytes, service_tier, show_raw_agent_reasoning, tool_output_token_limit, tools.update_plan, tools.view_image, tools.web_search, web_search
        codex {"prompt":"x","config":{"notify":["touch","x"]}}
            Error config_key_refused: `config` may not set "notify"; it may set compact_prompt, hide_agent_reasoning, model, model_auto_compact_token_limit, model_context_window, model_reasoning_effort, model_reasoning_summary, model_supports_reasoning_summaries, model_verbosity, personality, plan_mode_reasoning_effort, project_doc_max_bytes, service_tier, show_raw_agent_reasoning, tool_output_token_limit, tools.update_plan, tools.view_image, tools.web_search, web_search
        codex {"prompt":"x","config":[]}
            Error invalid_arguments: argument `config`: invalid type: array, expected an object
        codex-reply {"prompt":"x"}
            Error invalid_arguments: argument `threadId`: it is missing; allowed: the `threadId` that `codex` returned (`conversationId` is accepted too)
        codex-reply {"prompt":"x","threadId":""}
            Error invalid_arguments: argument `threadId`: ""; allowed: a `threadId` that `codex` returned
        codex-reply {"prompt":"x","threadId":"../../etc/passwd"}
            Error invalid_arguments: argument `threadId`: "../../etc/passwd"; allowed: a `threadId` that `codex` returned
        codex-reply {"prompt":"x","threadId":"not-a-uuid"}
            Error thread_not_found: there is no thread not-a-uuid in the workspace roots
        codex-reply {"prompt":"x","threadId":"01a205a5-c192-74e0-9472-ab51cb27f43e","conversationId":"01a205a5
            Error invalid_arguments: argument `threadId` was given twice, once as `conversationId`
        codex-reply {"prompt":"x","threadId":"01a205a5-c192-74e0-9472-ab51cb27f43e","cwd":"/"}
            Error invalid_arguments: unknown argument `cwd`, expected one of `prompt`, `threadId`, `model`, `effort`, `attachments`, `attachmentTokens`, `outputSchema`, `background`, `idempotencyKey`, `timeLimitSeconds`, `changes`, `sandbox`, `approval-policy`
        codex.steer {"threadId":"01a205a5-c192-74e0-9472-ab51cb27f43e"}
            Error invalid_arguments: missing argument `prompt`
        codex.steer {"threadId":"01a205a5-c192-74e0-9472-ab51cb27f43e","prompt":""}
            Error invalid_arguments: argument `prompt`: it is empty; allowed: a text with at least one visible character
        codex.wait {}
            Error invalid_arguments: missing argument `threadId`
        codex.wait {"threadId":"01a205a5-c192-74e0-9472-ab51cb27f43e","waitSeconds":3601}
            Error invalid_arguments: argument `waitSeconds`: 3601; allowed: 0 to 3600
        codex.wait {"threadId":"01a205a5-c192-74e0-9472-ab51cb27f43e","turnId":""}
            Error invalid_arguments: argument `turnId`: ""; allowed: a `turnId` that `codex` or `codex-reply` returned
        codex.wait {"threadId":"01a205a5-c192-74e0-9472-ab51cb27f43e","waitSeconds":0}
            Error thread_not_found: there is no thread 01a205a5-c192-74e0-9472-ab51cb27f43e in the workspace roots
        codex.cancel {"threadId":"01a205a5-c192-74e0-9472-ab51cb27f43e"}
            Error thread_not_found: there is no thread 01a205a5-c192-74e0-9472-ab51cb27f43e in the workspace roots
        codex.health {"verbose":true}
            Error invalid_arguments: unknown argument `verbose`, there are none
    "#]].assert_eq(&shown);
    assert!(bridge.model.captured().is_empty(), "something reached the model");
    bridge.finish().await;
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error_that_lists_the_tools() {
    let mut bridge = TestBridge::start([]).await;
    let reply = bridge.client.call_tool("codex.plan", json!({})).await;
    assert_eq!(reply["error"]["code"], -32602, "{reply}");
    assert!(text(&reply["error"]["message"]).contains("codex-reply"), "{reply}");
    bridge.finish().await;
}
