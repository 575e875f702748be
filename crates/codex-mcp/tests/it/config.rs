//! Configuration: the layers, their order, and everything that can be wrong with them.

use std::fs;

use codex_mcp::config::{self, Config, Environment};
use expect_test::{Expect, expect, expect_file};

use crate::home::Home;

impl Home {
    /// Compares what is not at its default, or all problems.
    fn check(&self, flags: &[&str], expected: Expect) {
        let text = match self.load(flags) {
            Ok(config) => config
                .settings()
                .iter()
                .filter(|setting| setting.origin != config::Origin::Default)
                .map(|setting| {
                    format!("{} = {} # {}\n", setting.key, setting.value, setting.origin)
                })
                .collect(),
            Err(error) => format!("{error}\n"),
        };
        expected.assert_eq(&self.shown(&text));
    }
}

#[test]
fn the_reference_is_up_to_date() {
    expect_file!["../../../../docs/config.md"].assert_eq(&config::reference_markdown());
}

#[test]
fn everything_has_a_default() {
    let home = Home::new();
    let config = home.load(&[]).unwrap();
    let text: String = config
        .settings()
        .iter()
        .map(|setting| format!("{} = {}\n", setting.key, setting.value))
        .collect();
    expect![[r#"
        codex_bin = "codex"
        git_bin = "git"
        state_dir = "$TEST/.local/state/codex-mcp"
        workspace_roots = ["$TEST/work"]
        log_level = "warn"
        verbose = false
        max_prompt_chars = 1000000
        max_instructions_chars = 200000
        max_object_bytes = 262144
        max_argument_bytes = 8388608
        max_attachment_tokens = 32000
        max_attachment_bytes = 67108864
        max_queue_per_thread = 16
        max_running_turns = 16
        max_turns_per_minute = 30
        max_client_turns_per_minute = 30
        turn_time_limit_seconds = 3600
        silence_limit_seconds = 600
        provider_retry_limit_seconds = 120
        approvals = []
        destructive_operations = false
        danger_full_access = false
        scratch_max_files = 200000
        scratch_max_megabytes = 4096
        scratch_max_count = 20
        scratch_days = 14
        stop_gate = false
        stop_gate_reviews = 3
        stop_gate_time_limit_seconds = 240
        approval_deadline_seconds = 300
        request_deadline_seconds = 30
        start_deadline_seconds = 20
        exec_fallback = true
        exec_memory_megabytes = 4096
        exec_cpu_seconds = 3600
        exec_file_megabytes = 1024
        idle_stop_seconds = 900
        isolation = "shared"
        max_codex_processes = 8
        max_codex_megabytes = 2048
        max_loaded_threads = 64
        thread_idle_seconds = 600
        max_line_bytes = 67108864
        command_time_limit_seconds = 300
        test_command = []
        test_memory_megabytes = 4096
        test_cpu_seconds = 3600
        test_file_megabytes = 1024
        test_processes = 2048
        command_output_chars = 4000
        store_thread_days = 180
        store_archived_days = 30
        max_output_megabytes = 10
        store_output_days = 30
        store_max_megabytes = 1024
        no_daemon = false
        engine_linger_seconds = 60
        result_page_chars = "auto"
        max_depth = 1
        config_allow = []
        environment_allow = []
    "#]]
    .assert_eq(&home.shown(&text));
}

#[test]
fn a_later_layer_overrides_an_earlier_one() {
    Home::new()
        .file(
            "log_level = 'info'\nmax_queue_per_thread = 1\nverbose = true\nidle_stop_seconds = 0\n",
        )
        .variables(&["CODEX_MCP_LOG_LEVEL=debug", "CODEX_MCP_MAX_QUEUE_PER_THREAD=2"])
        .check(
            &["--log-level", "trace", "--verbose=false"],
            expect![[r#"
            log_level = "trace" # --log-level
            verbose = false # --verbose
            max_queue_per_thread = 2 # CODEX_MCP_MAX_QUEUE_PER_THREAD
            idle_stop_seconds = 0 # $TEST/.config/codex-mcp/config.toml:4
        "#]],
        );
}

#[test]
fn every_kind_of_value_is_read_from_a_file() {
    Home::new()
        .file(
            "codex_bin = '~/bin/codex'\nstate_dir = '$TEST/state'\nworkspace_roots = ['$TEST/work/sub', '~/work']\n\
             verbose = true\nmax_line_bytes = 0x100000\nenvironment_allow = ['MY_KEY', 'CORP_*']\n",
        )
        .check(&[], expect![[r#"
            codex_bin = "$TEST/bin/codex" # $TEST/.config/codex-mcp/config.toml:1
            state_dir = "$TEST/state" # $TEST/.config/codex-mcp/config.toml:2
            workspace_roots = ["$TEST/work/sub", "$TEST/work"] # $TEST/.config/codex-mcp/config.toml:3
            verbose = true # $TEST/.config/codex-mcp/config.toml:4
            max_line_bytes = 1048576 # $TEST/.config/codex-mcp/config.toml:5
            environment_allow = ["MY_KEY", "CORP_*"] # $TEST/.config/codex-mcp/config.toml:6
        "#]]);
}

#[test]
fn every_kind_of_value_is_read_from_variables() {
    Home::new()
        .variables(&[
            "CODEX_MCP_CODEX_BIN=bin/codex",
            "CODEX_MCP_STATE_DIR=state",
            "CODEX_MCP_WORKSPACE_ROOTS=sub:$TEST/work",
            "CODEX_MCP_VERBOSE=true",
            "CODEX_MCP_IDLE_STOP_SECONDS=0",
            "CODEX_MCP_ENVIRONMENT_ALLOW=MY_KEY, CORP_*",
        ])
        .check(
            &[],
            expect![[r#"
            codex_bin = "$TEST/work/bin/codex" # CODEX_MCP_CODEX_BIN
            state_dir = "$TEST/work/state" # CODEX_MCP_STATE_DIR
            workspace_roots = ["$TEST/work/sub", "$TEST/work"] # CODEX_MCP_WORKSPACE_ROOTS
            verbose = true # CODEX_MCP_VERBOSE
            idle_stop_seconds = 0 # CODEX_MCP_IDLE_STOP_SECONDS
            environment_allow = ["MY_KEY", "CORP_*"] # CODEX_MCP_ENVIRONMENT_ALLOW
        "#]],
        );
}

#[test]
fn every_kind_of_value_is_read_from_flags() {
    Home::new().check(
        &[
            "--codex-bin=my-codex",
            "--state-dir=~/state",
            "--workspace-root=sub",
            "--workspace-root=$TEST",
            "--verbose",
            "--turn-time-limit-seconds=60",
            "--environment-allow=MY_KEY",
            "--environment-allow=CORP_*",
        ],
        expect![[r#"
            codex_bin = "my-codex" # --codex-bin
            state_dir = "$TEST/state" # --state-dir
            workspace_roots = ["$TEST/work/sub", "$TEST"] # --workspace-root
            verbose = true # --verbose
            turn_time_limit_seconds = 60 # --turn-time-limit-seconds
            environment_allow = ["MY_KEY", "CORP_*"] # --environment-allow
        "#]],
    );
}

#[test]
fn an_argument_array_is_never_taken_apart_by_a_shell() {
    let file = "test_command = ['sh', '-c', 'a b']\n";
    Home::new().file(file).check(
        &[],
        expect![[r#"
        test_command = ["sh", "-c", "a b"] # $TEST/.config/codex-mcp/config.toml:1
    "#]],
    );
    let variable = r#"CODEX_MCP_TEST_COMMAND=["make", "my check"]"#;
    Home::new().file(file).variables(&[variable]).check(
        &[],
        expect![[r#"
        test_command = ["make", "my check"] # CODEX_MCP_TEST_COMMAND
    "#]],
    );
    let variable = "CODEX_MCP_TEST_COMMAND= make  check ";
    Home::new().variables(&[variable]).check(
        &[],
        expect![[r#"
        test_command = ["make", "check"] # CODEX_MCP_TEST_COMMAND
    "#]],
    );
    let flags = ["--test-command=make", "--test-command=--", "--test-command="];
    Home::new().check(
        &flags,
        expect![[r#"
        test_command = ["make", "--", ""] # --test-command
    "#]],
    );
    Home::new().file("test_command = 'make check'\n").check(&[], expect![[r#"
        the configuration is not valid
        - $TEST/.config/codex-mcp/config.toml:1: test_command: expected a program and its arguments, without NUL bytes, got "make check"
    "#]]);
    Home::new().variables(&[r#"CODEX_MCP_TEST_COMMAND=[""]"#]).check(&[], expect![[r#"
        the configuration is not valid
        - CODEX_MCP_TEST_COMMAND: expected a program and its arguments, without NUL bytes, got "[\"\"]"
    "#]]);
}

#[test]
fn directories_of_the_system_are_honoured() {
    let home = Home::new().write("etc/codex-mcp/config.toml", "verbose = true").variables(&[
        "XDG_CONFIG_HOME=$TEST/etc",
        "XDG_STATE_HOME=$TEST/var",
        "CLAUDE_PROJECT_DIR=$TEST/work/sub",
    ]);
    home.check(
        &[],
        expect![[r#"
        workspace_roots = ["$TEST/work/sub"] # CLAUDE_PROJECT_DIR
        verbose = true # $TEST/etc/codex-mcp/config.toml:1
    "#]],
    );
    assert_eq!(home.load(&[]).unwrap().state_dir, home.path().join("var/codex-mcp"));
}

#[test]
fn relative_directories_of_the_system_are_ignored() {
    let home = Home::new().variables(&["XDG_CONFIG_HOME=etc", "XDG_STATE_HOME=var"]);
    assert_eq!(home.load(&[]).unwrap().state_dir, home.path().join(".local/state/codex-mcp"));
}

#[test]
fn variables_set_to_nothing_and_those_of_codex_are_not_ours() {
    Home::new()
        .variables(&[
            "CODEX_MCP_LOG_LEVEL=",
            "CODEX_MCP_WHATEVER=",
            "CODEX_MCP_PROTOCOL_VERSION=2025-06-18",
        ])
        .check(&[], expect![""]);
}

#[test]
fn all_problems_are_reported_together() {
    Home::new()
        .file("# a comment\n\nlog_level = 'loud'\nturn_time_limit_seconds = '60'\nmax_queue_per_thread = -1\n")
        .variables(&["CODEX_MCP_VERBOSE=yes", "CODEX_MCP_MAX_LINE_BYTES=12MB", "CODEX_MCP_LOG_LEVEL=info"])
        .check(
            &["--turn-time-limit-seconds=90000", "--max-queue-per-thread", "-5", "--workspace-root=nowhere"],
            expect![[r#"
                the configuration is not valid
                - $TEST/.config/codex-mcp/config.toml:3: log_level: expected one of error, warn, info, debug, trace, got "loud"
                - $TEST/.config/codex-mcp/config.toml:4: turn_time_limit_seconds: expected an integer from 1 to 86400, got "60"
                - $TEST/.config/codex-mcp/config.toml:5: max_queue_per_thread: expected an integer from 1 to 256, got -1
                - CODEX_MCP_MAX_LINE_BYTES: expected an integer from 1048576 to 1073741824, got "12MB"
                - CODEX_MCP_VERBOSE: expected true or false, got "yes"
                - --max-queue-per-thread: expected an integer from 1 to 256, got "-5"
                - --turn-time-limit-seconds: expected an integer from 1 to 86400, got "90000"
                - --workspace-root: the workspace root "$TEST/work/nowhere" does not exist
            "#]],
        );
}

#[test]
fn the_size_of_a_page_is_a_number_or_left_to_the_client() {
    Home::new()
        .file("result_page_chars = 5000")
        .variables(&["CODEX_MCP_RESULT_PAGE_CHARS=auto"])
        .check(
            &["--result-page-chars=2000"],
            expect![[r"
                result_page_chars = 2000 # --result-page-chars
            "]],
        );
    Home::new()
        .file("result_page_chars = '5000'")
        .variables(&["CODEX_MCP_RESULT_PAGE_CHARS=Auto"])
        .check(&["--result-page-chars=1999"], expect![[r#"
            the configuration is not valid
            - $TEST/.config/codex-mcp/config.toml:1: result_page_chars: expected `auto` or an integer from 2000 to 380000, got "5000"
            - CODEX_MCP_RESULT_PAGE_CHARS: expected `auto` or an integer from 2000 to 380000, got "Auto"
            - --result-page-chars: expected `auto` or an integer from 2000 to 380000, got "1999"
        "#]]);
}

#[test]
fn what_the_client_shows_is_a_hint_and_no_setting() {
    for (value, tokens) in [("25000", Some(25_000)), (" 7 ", Some(7)), ("many", None), ("", None)] {
        let variable = format!("MAX_MCP_OUTPUT_TOKENS={value}");
        let config = Home::new().variables(&[&variable]).load(&[]).unwrap();
        assert_eq!(config.page_rule().output_tokens, tokens, "{value:?}");
    }
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_one() {
    Home::new()
        .file("log-level = 'info'\nturn_time_limit = 60\n\n[colours]\nlog = 'red'\n")
        .variables(&["CODEX_MCP_STATEDIR=/x", "CODEX_MCP_Verbose=true", "CODEX_MCP_X=1"])
        .check(&[], expect![[r#"
            the configuration is not valid
            - $TEST/.config/codex-mcp/config.toml:1: `log-level`: there is no such key; did you mean `log_level`?
            - $TEST/.config/codex-mcp/config.toml:2: `turn_time_limit`: there is no such key; did you mean `turn_time_limit_seconds`?
            - $TEST/.config/codex-mcp/config.toml:4: `colours`: there is no such key; the keys are codex_bin, git_bin, state_dir, workspace_roots, log_level, verbose, max_prompt_chars, max_instructions_chars, max_object_bytes, max_argument_bytes, max_attachment_tokens, max_attachment_bytes, max_queue_per_thread, max_running_turns, max_turns_per_minute, max_client_turns_per_minute, turn_time_limit_seconds, silence_limit_seconds, provider_retry_limit_seconds, approvals, destructive_operations, danger_full_access, scratch_max_files, scratch_max_megabytes, scratch_max_count, scratch_days, stop_gate, stop_gate_reviews, stop_gate_time_limit_seconds, approval_deadline_seconds, request_deadline_seconds, start_deadline_seconds, exec_fallback, exec_memory_megabytes, exec_cpu_seconds, exec_file_megabytes, idle_stop_seconds, isolation, max_codex_processes, max_codex_megabytes, max_loaded_threads, thread_idle_seconds, max_line_bytes, command_time_limit_seconds, test_command, test_memory_megabytes, test_cpu_seconds, test_file_megabytes, test_processes, command_output_chars, store_thread_days, store_archived_days, max_output_megabytes, store_output_days, store_max_megabytes, no_daemon, engine_linger_seconds, result_page_chars, max_depth, config_allow, environment_allow
            - CODEX_MCP_STATEDIR: there is no such key; did you mean `CODEX_MCP_STATE_DIR`?
            - CODEX_MCP_Verbose: there is no such key; did you mean `CODEX_MCP_VERBOSE`?
            - CODEX_MCP_X: there is no such key; the keys are CODEX_MCP_CODEX_BIN, CODEX_MCP_GIT_BIN, CODEX_MCP_STATE_DIR, CODEX_MCP_WORKSPACE_ROOTS, CODEX_MCP_LOG_LEVEL, CODEX_MCP_VERBOSE, CODEX_MCP_MAX_PROMPT_CHARS, CODEX_MCP_MAX_INSTRUCTIONS_CHARS, CODEX_MCP_MAX_OBJECT_BYTES, CODEX_MCP_MAX_ARGUMENT_BYTES, CODEX_MCP_MAX_ATTACHMENT_TOKENS, CODEX_MCP_MAX_ATTACHMENT_BYTES, CODEX_MCP_MAX_QUEUE_PER_THREAD, CODEX_MCP_MAX_RUNNING_TURNS, CODEX_MCP_MAX_TURNS_PER_MINUTE, CODEX_MCP_MAX_CLIENT_TURNS_PER_MINUTE, CODEX_MCP_TURN_TIME_LIMIT_SECONDS, CODEX_MCP_SILENCE_LIMIT_SECONDS, CODEX_MCP_PROVIDER_RETRY_LIMIT_SECONDS, CODEX_MCP_APPROVALS, CODEX_MCP_DESTRUCTIVE_OPERATIONS, CODEX_MCP_DANGER_FULL_ACCESS, CODEX_MCP_SCRATCH_MAX_FILES, CODEX_MCP_SCRATCH_MAX_MEGABYTES, CODEX_MCP_SCRATCH_MAX_COUNT, CODEX_MCP_SCRATCH_DAYS, CODEX_MCP_STOP_GATE, CODEX_MCP_STOP_GATE_REVIEWS, CODEX_MCP_STOP_GATE_TIME_LIMIT_SECONDS, CODEX_MCP_APPROVAL_DEADLINE_SECONDS, CODEX_MCP_REQUEST_DEADLINE_SECONDS, CODEX_MCP_START_DEADLINE_SECONDS, CODEX_MCP_EXEC_FALLBACK, CODEX_MCP_EXEC_MEMORY_MEGABYTES, CODEX_MCP_EXEC_CPU_SECONDS, CODEX_MCP_EXEC_FILE_MEGABYTES, CODEX_MCP_IDLE_STOP_SECONDS, CODEX_MCP_ISOLATION, CODEX_MCP_MAX_CODEX_PROCESSES, CODEX_MCP_MAX_CODEX_MEGABYTES, CODEX_MCP_MAX_LOADED_THREADS, CODEX_MCP_THREAD_IDLE_SECONDS, CODEX_MCP_MAX_LINE_BYTES, CODEX_MCP_COMMAND_TIME_LIMIT_SECONDS, CODEX_MCP_TEST_COMMAND, CODEX_MCP_TEST_MEMORY_MEGABYTES, CODEX_MCP_TEST_CPU_SECONDS, CODEX_MCP_TEST_FILE_MEGABYTES, CODEX_MCP_TEST_PROCESSES, CODEX_MCP_COMMAND_OUTPUT_CHARS, CODEX_MCP_STORE_THREAD_DAYS, CODEX_MCP_STORE_ARCHIVED_DAYS, CODEX_MCP_MAX_OUTPUT_MEGABYTES, CODEX_MCP_STORE_OUTPUT_DAYS, CODEX_MCP_STORE_MAX_MEGABYTES, CODEX_MCP_NO_DAEMON, CODEX_MCP_ENGINE_LINGER_SECONDS, CODEX_MCP_RESULT_PAGE_CHARS, CODEX_MCP_MAX_DEPTH, CODEX_MCP_CONFIG_ALLOW, CODEX_MCP_ENVIRONMENT_ALLOW
        "#]]);
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_its_lines() {
    Home::new()
        .file("log_level = info\nverbose = true\nverbose = false\nstate_dir = \"\n")
        .check(
            &["--log-level=loud"],
            expect![[r#"
                the configuration is not valid
                - $TEST/.config/codex-mcp/config.toml:1: not TOML: invalid float, expected `inf`, in `log_level = info`
                - $TEST/.config/codex-mcp/config.toml:3: not TOML: duplicate key, in `verbose = false`
                - $TEST/.config/codex-mcp/config.toml:4: not TOML: invalid basic string, expected `"`, in `state_dir = "`
                - --log-level: expected one of error, warn, info, debug, trace, got "loud"
            "#]],
        );
}

#[test]
fn values_of_the_wrong_type_are_refused() {
    Home::new()
        .file(
            "codex_bin = 1\nstate_dir = ['/x']\nworkspace_roots = '/x'\nlog_level = 3\nverbose = 'true'\n\
             max_prompt_chars = 1048577\nidle_stop_seconds = 1.5\nenvironment_allow = [1]\n",
        )
        .check(&[], expect![[r#"
            the configuration is not valid
            - $TEST/.config/codex-mcp/config.toml:1: codex_bin: expected the name of a program on PATH, or a path that is absolute or begins with `~/` (relative paths only in variables and flags), got 1
            - $TEST/.config/codex-mcp/config.toml:2: state_dir: expected a path that is absolute or begins with `~/` (relative paths only in variables and flags), got ["/x"]
            - $TEST/.config/codex-mcp/config.toml:3: workspace_roots: expected one or more existing directories, each a path that is absolute or begins with `~/` (relative paths only in variables and flags), got "/x"
            - $TEST/.config/codex-mcp/config.toml:4: log_level: expected one of error, warn, info, debug, trace, got 3
            - $TEST/.config/codex-mcp/config.toml:5: verbose: expected true or false, got "true"
            - $TEST/.config/codex-mcp/config.toml:6: max_prompt_chars: expected an integer from 1 to 1048576, got 1048577
            - $TEST/.config/codex-mcp/config.toml:7: idle_stop_seconds: expected an integer from 0 to 86400 (0 is never), got 1.5
            - $TEST/.config/codex-mcp/config.toml:8: environment_allow: expected names of variables (letters, digits, `_`), each with or without a trailing `*`, got [1]
        "#]]);
}

#[test]
fn relative_paths_in_a_file_are_refused() {
    Home::new()
        .file("codex_bin = 'bin/codex'\nstate_dir = ''\nworkspace_roots = ['.']\n")
        .check(&[], expect![[r#"
            the configuration is not valid
            - $TEST/.config/codex-mcp/config.toml:1: codex_bin: expected the name of a program on PATH, or a path that is absolute or begins with `~/` (relative paths only in variables and flags), got "bin/codex"
            - $TEST/.config/codex-mcp/config.toml:2: state_dir: expected a path that is absolute or begins with `~/` (relative paths only in variables and flags), got ""
            - $TEST/.config/codex-mcp/config.toml:3: workspace_roots: expected one or more existing directories, each a path that is absolute or begins with `~/` (relative paths only in variables and flags), got ["."]
        "#]]);
}

#[test]
fn what_is_never_passed_to_codex_cannot_be_listed() {
    let home = Home::new();
    home.check(&["--environment-allow=ANTHROPIC_API_KEY"], expect![[r#"
        the configuration is not valid
        - --environment-allow: `ANTHROPIC_API_KEY` is never passed to Codex; pass the value under another name
    "#]]);
    home.check(
        &["--environment-allow=CLAUDE*"],
        expect![[r#"
        the configuration is not valid
        - --environment-allow: `CLAUDE*` is never passed to Codex; pass the value under another name
    "#]],
    );
    home.check(&["--environment-allow=*"], expect![[r#"
        the configuration is not valid
        - --environment-allow: expected names of variables (letters, digits, `_`), each with or without a trailing `*`, got "*"
    "#]]);
    home.check(&["--environment-allow=A B"], expect![[r#"
        the configuration is not valid
        - --environment-allow: expected names of variables (letters, digits, `_`), each with or without a trailing `*`, got "A B"
    "#]]);
}

#[test]
fn directories_that_cannot_be_used_are_refused() {
    Home::new()
        .write(".config", "a file where a directory should be")
        .write("file", "")
        .variables(&["CODEX_MCP_STATE_DIR=$TEST/file"])
        .check(&["--workspace-root=$TEST/file"], expect![[r#"
            the configuration is not valid
            - $TEST/.config/codex-mcp/config.toml: the file cannot be read: Not a directory (os error 20)
            - CODEX_MCP_STATE_DIR: "$TEST/file" cannot be used as a directory: Not a directory (os error 20)
            - --workspace-root: the workspace root "$TEST/file" is not a directory
        "#]]);
    let home = Home::new();
    fs::create_dir_all(home.path().join(".config/codex-mcp/config.toml")).unwrap();
    home.check(
        &[],
        expect![[r#"
            the configuration is not valid
            - $TEST/.config/codex-mcp/config.toml: the file cannot be read: it is no regular file
        "#]],
    );
}

#[test]
fn values_that_are_overridden_need_not_exist() {
    Home::new().file("workspace_roots = ['/does/not/exist']\n").check(
        &["--workspace-root=sub"],
        expect![[r#"
            workspace_roots = ["$TEST/work/sub"] # --workspace-root
        "#]],
    );
}

#[test]
fn without_a_home_the_state_directory_must_be_named() {
    let work = tempfile::tempdir().unwrap();
    let environment = Environment::new([("PATH", "/usr/bin")], work.path());
    let error = Config::load(&environment, &config::Flags::default()).unwrap_err();
    expect![[r#"
        the configuration is not valid
        - default: state_dir: there is no default, because neither XDG_STATE_HOME nor HOME is set; set --state-dir"#]].assert_eq(&error.to_string());
}

#[test]
fn debug_output_of_the_environment_has_no_values() {
    let home = Home::new().variables(&["OPENAI_API_KEY=sk-secret"]);
    let text = format!("{:?}", home.load(&[]).unwrap());
    assert!(text.contains("OPENAI_API_KEY") && !text.contains("sk-secret"), "{text}");
}
