//! Limits: reaching one says which it is, its value, where it is set and what to do; `codex.health` shows all of them.

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::{Value, json};
use testkit::model::{Script, says};

use crate::bridge::{Setup, TestBridge, text};

/// All limits as small as the cases below need them.
fn small() -> Setup {
    let variables = vec![
        ("CODEX_MCP_MAX_PROMPT_CHARS", "100".into()),
        ("CODEX_MCP_MAX_INSTRUCTIONS_CHARS", "10".into()),
        ("CODEX_MCP_MAX_OBJECT_BYTES", "40".into()),
        ("CODEX_MCP_MAX_ARGUMENT_BYTES", "300".into()),
    ];
    let arguments = vec!["--max-client-turns-per-minute=1".into()];
    Setup { variables, arguments, ..Setup::default() }
}

#[tokio::test]
async fn reaching_one_says_which_its_value_and_where_it_is_set() {
    let mut bridge = TestBridge::start_with(Script::always(says("Well.")), small()).await;
    let schema = json!({ "type": "object", "description": "x".repeat(40) });
    let thread = bridge.thread("One turn, with as much as the limits allow.").await;
    let cases = [
        ("codex", json!({ "prompt": "é".repeat(101) })),
        ("codex-reply", json!({ "prompt": "é".repeat(101), "threadId": thread })),
        ("codex.steer", json!({ "prompt": "é".repeat(101), "threadId": thread })),
        ("codex", json!({ "prompt": "x", "developer-instructions": "é".repeat(11) })),
        ("codex", json!({ "prompt": "x", "base-instructions": "é".repeat(11) })),
        ("codex", json!({ "prompt": "x", "compact-prompt": "é".repeat(11) })),
        ("codex", json!({ "prompt": "x", "config": { "personality": "x".repeat(40) } })),
        ("codex", json!({ "prompt": "x", "outputSchema": schema })),
        ("codex-reply", json!({ "prompt": "x", "threadId": thread, "outputSchema": schema })),
        ("codex.health", json!({ "x": "x".repeat(300) })),
        ("codex", json!({ "prompt": "x", "developer-instructions": "é".repeat(10) })),
    ];
    let mut shown = String::new();
    for (tool, arguments) in cases {
        let answer = bridge.call(tool, arguments).await;
        let error = text(&answer["content"][0]["text"]);
        let error: Vec<&str> = error.lines().take(2).collect();
        writeln!(shown, "{tool}: {}", error.join("\n    ")).unwrap();
    }
    expect![[r#"
        codex: Error prompt_too_large: the prompt has 101 characters; the limit is 100
            What to do: The limit is `max_prompt_chars`, a key of the configuration file, or `CODEX_MCP_MAX_PROMPT_CHARS`, or `--max-prompt-chars`; `codex.health` tells who set it. Shorten it, or write the text to a file in the workspace and ask Codex to read that.
        codex-reply: Error prompt_too_large: the prompt has 101 characters; the limit is 100
            What to do: The limit is `max_prompt_chars`, a key of the configuration file, or `CODEX_MCP_MAX_PROMPT_CHARS`, or `--max-prompt-chars`; `codex.health` tells who set it. Shorten it, or write the text to a file in the workspace and ask Codex to read that.
        codex.steer: Error prompt_too_large: the prompt has 101 characters; the limit is 100
            What to do: The limit is `max_prompt_chars`, a key of the configuration file, or `CODEX_MCP_MAX_PROMPT_CHARS`, or `--max-prompt-chars`; `codex.health` tells who set it. Shorten it, or write the text to a file in the workspace and ask Codex to read that.
        codex: Error argument_too_large: argument `developer-instructions` has 11 characters; the limit is 10
            What to do: The limit is `max_instructions_chars`, a key of the configuration file, or `CODEX_MCP_MAX_INSTRUCTIONS_CHARS`, or `--max-instructions-chars`; `codex.health` tells who set it. Shorten it, or write it to a file in the workspace and name that in the prompt.
        codex: Error argument_too_large: argument `base-instructions` has 11 characters; the limit is 10
            What to do: The limit is `max_instructions_chars`, a key of the configuration file, or `CODEX_MCP_MAX_INSTRUCTIONS_CHARS`, or `--max-instructions-chars`; `codex.health` tells who set it. Shorten it, or write it to a file in the workspace and name that in the prompt.
        codex: Error argument_too_large: argument `compact-prompt` has 11 characters; the limit is 10
            What to do: The limit is `max_instructions_chars`, a key of the configuration file, or `CODEX_MCP_MAX_INSTRUCTIONS_CHARS`, or `--max-instructions-chars`; `codex.health` tells who set it. Shorten it, or write it to a file in the workspace and name that in the prompt.
        codex: Error argument_too_large: argument `config` has 58 bytes; the limit is 40
            What to do: The limit is `max_object_bytes`, a key of the configuration file, or `CODEX_MCP_MAX_OBJECT_BYTES`, or `--max-object-bytes`; `codex.health` tells who set it. Shorten it, or write it to a file in the workspace and name that in the prompt.
        codex: Error argument_too_large: argument `outputSchema` has 74 bytes; the limit is 40
            What to do: The limit is `max_object_bytes`, a key of the configuration file, or `CODEX_MCP_MAX_OBJECT_BYTES`, or `--max-object-bytes`; `codex.health` tells who set it. Shorten it, or write it to a file in the workspace and name that in the prompt.
        codex-reply: Error argument_too_large: argument `outputSchema` has 74 bytes; the limit is 40
            What to do: The limit is `max_object_bytes`, a key of the configuration file, or `CODEX_MCP_MAX_OBJECT_BYTES`, or `--max-object-bytes`; `codex.health` tells who set it. Shorten it, or write it to a file in the workspace and name that in the prompt.
        codex.health: Error argument_too_large: the arguments of the call have 308 bytes; the limit is 300
            What to do: The limit is `max_argument_bytes`, a key of the configuration file, or `CODEX_MCP_MAX_ARGUMENT_BYTES`, or `--max-argument-bytes`; `codex.health` tells who set it. Shorten it, or write it to a file in the workspace and name that in the prompt.
        codex: Error too_many_turns: 1 turns were asked for by this client within a minute
            What to do: The limit is `max_client_turns_per_minute`, a key of the configuration file, or `CODEX_MCP_MAX_CLIENT_TURNS_PER_MINUTE`, or `--max-client-turns-per-minute`; `codex.health` tells who set it. Wait as long as is said, and ask for more in one turn: an agent that calls in a loop is what this stops.
    "#]].assert_eq(&shown);
    bridge.finish().await;
}

#[tokio::test]
async fn health_shows_each_with_its_value_and_who_set_it() {
    let mut bridge = TestBridge::start_with([], small()).await;
    let health = bridge.call("codex.health", json!({})).await;
    let limits = health["structuredContent"]["limits"].as_object().unwrap();
    let line = |(name, limit): (&String, &Value)| {
        format!("{name} = {} # {}\n", limit["value"], text(&limit["setBy"]))
    };
    let shown: String = limits.iter().map(line).collect();
    expect![[r#"
        approval_deadline_seconds = 300 # default
        command_output_chars = 4000 # default
        command_time_limit_seconds = 300 # default
        exec_cpu_seconds = 3600 # default
        exec_file_megabytes = 1024 # default
        exec_memory_megabytes = 4096 # default
        idle_stop_seconds = 900 # default
        max_argument_bytes = 300 # CODEX_MCP_MAX_ARGUMENT_BYTES
        max_attachment_bytes = 67108864 # default
        max_attachment_tokens = 32000 # default
        max_attachments = 100 # fixed
        max_client_turns_per_minute = 1 # --max-client-turns-per-minute
        max_clients = 256 # fixed
        max_codex_megabytes = 2048 # default
        max_codex_processes = 8 # default
        max_depth = 1 # default
        max_instructions_chars = 10 # CODEX_MCP_MAX_INSTRUCTIONS_CHARS
        max_line_bytes = 67108864 # default
        max_loaded_threads = 64 # default
        max_object_bytes = 40 # CODEX_MCP_MAX_OBJECT_BYTES
        max_output_megabytes = 10 # default
        max_plan_steps = 200 # fixed
        max_plan_text_chars = 1000 # fixed
        max_prompt_chars = 100 # CODEX_MCP_MAX_PROMPT_CHARS
        max_queue_per_thread = 16 # default
        max_running_turns = 16 # default
        max_turns_per_minute = 30 # default
        provider_retry_limit_seconds = 120 # default
        request_deadline_seconds = 30 # default
        scratch_days = 14 # default
        scratch_max_count = 20 # default
        scratch_max_files = 200000 # default
        scratch_max_megabytes = 4096 # default
        silence_limit_seconds = 600 # default
        start_deadline_seconds = 20 # default
        stop_gate_reviews = 3 # default
        stop_gate_time_limit_seconds = 240 # default
        store_archived_days = 30 # default
        store_max_megabytes = 1024 # default
        store_output_days = 30 # default
        store_thread_days = 180 # default
        test_cpu_seconds = 3600 # default
        test_file_megabytes = 1024 # default
        test_memory_megabytes = 4096 # default
        test_processes = 2048 # default
        thread_idle_seconds = 600 # default
        turn_time_limit_seconds = 3600 # default
    "#]]
    .assert_eq(&shown);
    bridge.finish().await;
}
