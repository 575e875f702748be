//! The command line: its reference, and `codex-mcp config`.

use codex_mcp::cli::{self, Subcommand};
use expect_test::{Expect, expect, expect_file};

use crate::home::Home;

#[test]
fn the_reference_is_up_to_date() {
    expect_file!["../../../../docs/cli.md"].assert_eq(&cli::reference_markdown());
}

#[test]
fn the_command_line_is_well_formed() {
    cli::command().debug_assert();
}

/// Compares what is printed and how the program ends.
fn check(home: &Home, words: &[&str], expected: Expect) {
    let words = std::iter::once("codex-mcp").chain(words.iter().copied());
    let text = match cli::parse(words.map(|word| home.filled(word))) {
        Ok(invocation) => match &invocation.command {
            Subcommand::Setup(command) => format!("{command:?}"),
            Subcommand::Serve => "serve\n".to_owned(),
            Subcommand::Monitor => "monitor\n".to_owned(),
            Subcommand::Doctor(command) => format!("{command:?}\n"),
            Subcommand::Store(command) => format!("{command:?}\n"),
            Subcommand::Limited(command) => format!("{command:?}\n"),
            Subcommand::Daemon(command) => format!("{command:?}\n"),
            Subcommand::Config(command) => {
                let mut out = Vec::new();
                let exit =
                    cli::config::run(command, &home.environment(), &invocation.flags, &mut out)
                        .unwrap();
                format!("{}exit: {exit:?}\n", String::from_utf8(out).unwrap())
            }
        },
        Err(error) => format!("{error}exit code: {}\n", error.exit_code()),
    };
    // How far a line is filled up depends on where the home is.
    let text = home.shown(&text);
    let lines = text.lines().map(|line| match line.split_once(" # ") {
        Some((setting, origin)) => format!("{} # {origin}\n", setting.trim_end()),
        None => format!("{line}\n"),
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn what_stands_before_a_test_is_hidden_and_takes_the_rest_as_it_is() {
    let home = Home::new();
    check(
        &home,
        &["limited", "--cpu-seconds=1", "--file-bytes=2", "--", "x", "--cpu-seconds=3"],
        expect![[r#"
            LimitedCommand { limits: ProcessLimits { cpu_seconds: 1, file_bytes: 2 }, program: "x", arguments: ["--cpu-seconds=3"] }
        "#]],
    );
    let help = cli::command().render_help().to_string();
    assert!(!help.contains("limited"), "{help}");
}

#[test]
fn without_a_subcommand_it_serves() {
    let home = Home::new();
    check(
        &home,
        &[],
        expect![[r#"
        serve
    "#]],
    );
    check(
        &home,
        &["--log-level", "debug", "--verbose"],
        expect![[r#"
        serve
    "#]],
    );
}

#[test]
fn what_does_not_exist_is_refused() {
    let home = Home::new();
    check(
        &home,
        &["--log-levl=debug"],
        expect![[r#"
        error: unexpected argument '--log-levl' found

          tip: a similar argument exists: '--log-level'

        Usage: codex-mcp --log-level <LEVEL>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
    check(
        &home,
        &["confg"],
        expect![[r#"
        error: unrecognized subcommand 'confg'

          tip: a similar subcommand exists: 'config'

        Usage: codex-mcp [OPTIONS] [COMMAND]

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
    check(
        &home,
        &["--log-level=info", "--log-level=debug"],
        expect![[r#"
            error: the argument '--log-level <LEVEL>' cannot be used multiple times

            Usage: codex-mcp [OPTIONS] [COMMAND]

            For more information, try '--help'.
            exit code: 2
        "#]],
    );
}

#[test]
fn show_prints_every_key_with_its_origin() {
    let home = Home::new()
        .file("\nidle_stop_seconds = 0\n")
        .variables(&["CODEX_MCP_LOG_LEVEL=info", "CLAUDE_PROJECT_DIR=$TEST/work"]);
    check(
        &home,
        &["--verbose", "config", "show", "--environment-allow", "MY_KEY"],
        expect![[r##"
            # file: $TEST/.config/codex-mcp/config.toml (read)
            codex_bin = "codex" # default
            git_bin = "git" # default
            state_dir = "$TEST/.local/state/codex-mcp" # default
            workspace_roots = ["$TEST/work"] # CLAUDE_PROJECT_DIR
            log_level = "info" # CODEX_MCP_LOG_LEVEL
            verbose = true # --verbose
            max_prompt_chars = 1000000 # default
            max_instructions_chars = 200000 # default
            max_object_bytes = 262144 # default
            max_argument_bytes = 8388608 # default
            max_attachment_tokens = 32000 # default
            max_attachment_bytes = 67108864 # default
            max_queue_per_thread = 16 # default
            max_running_turns = 16 # default
            max_turns_per_minute = 30 # default
            max_client_turns_per_minute = 30 # default
            turn_time_limit_seconds = 3600 # default
            silence_limit_seconds = 600 # default
            provider_retry_limit_seconds = 120 # default
            approvals = [] # default
            destructive_operations = false # default
            danger_full_access = false # default
            scratch_max_files = 200000 # default
            scratch_max_megabytes = 4096 # default
            scratch_max_count = 20 # default
            scratch_days = 14 # default
            stop_gate = false # default
            stop_gate_reviews = 3 # default
            stop_gate_time_limit_seconds = 240 # default
            approval_deadline_seconds = 300 # default
            request_deadline_seconds = 30 # default
            start_deadline_seconds = 20 # default
            exec_fallback = true # default
            exec_memory_megabytes = 4096 # default
            exec_cpu_seconds = 3600 # default
            exec_file_megabytes = 1024 # default
            idle_stop_seconds = 0 # $TEST/.config/codex-mcp/config.toml:2
            isolation = "shared" # default
            max_codex_processes = 8 # default
            max_codex_megabytes = 2048 # default
            max_loaded_threads = 64 # default
            thread_idle_seconds = 600 # default
            max_line_bytes = 67108864 # default
            command_time_limit_seconds = 300 # default
            test_command = [] # default
            test_memory_megabytes = 4096 # default
            test_cpu_seconds = 3600 # default
            test_file_megabytes = 1024 # default
            test_processes = 2048 # default
            command_output_chars = 4000 # default
            store_thread_days = 180 # default
            store_archived_days = 30 # default
            max_output_megabytes = 10 # default
            store_output_days = 30 # default
            store_max_megabytes = 1024 # default
            no_daemon = false # default
            engine_linger_seconds = 60 # default
            result_page_chars = "auto" # default
            max_depth = 1 # default
            config_allow = [] # default
            environment_allow = ["MY_KEY"] # --environment-allow
            exit: Success
        "##]],
    );
}

#[test]
fn what_show_prints_is_a_valid_file() {
    let home = Home::new();
    let mut shown = Vec::new();
    let show = cli::config::ConfigCommand::Show;
    cli::config::run(&show, &home.environment(), &Default::default(), &mut shown).unwrap();
    let home = home.file(&String::from_utf8(shown).unwrap());
    let config = home.load(&[]).unwrap();
    assert!(
        config
            .settings()
            .iter()
            .all(|setting| setting.origin != codex_mcp::config::Origin::Default)
    );
}

#[test]
fn show_prints_the_problems_of_a_configuration_that_is_not_valid() {
    check(
        &Home::new().file("verbose = 1"),
        &["config", "show"],
        expect![[r#"
            the configuration is not valid
            - $TEST/.config/codex-mcp/config.toml:1: verbose: expected true or false, got 1
            exit: Configuration
        "#]],
    );
}

#[test]
fn check_looks_at_the_users_configuration() {
    check(
        &Home::new(),
        &["config", "check"],
        expect![[r#"
            the configuration is valid
            file: $TEST/.config/codex-mcp/config.toml (not there)
            exit: Success
        "#]],
    );
    check(
        &Home::new().file("verbose = true"),
        &["config", "check"],
        expect![[r#"
            the configuration is valid
            file: $TEST/.config/codex-mcp/config.toml (read)
            exit: Success
        "#]],
    );
    check(
        &Home::new().file("verbos = true"),
        &["config", "check"],
        expect![[r#"
            the configuration is not valid
            - $TEST/.config/codex-mcp/config.toml:1: `verbos`: there is no such key; did you mean `verbose`?
            exit: Configuration
        "#]],
    );
}

#[test]
fn check_looks_at_another_file_in_its_place() {
    let home = Home::new().file("verbos = true").write("work/other.toml", "log_level = 'info'");
    check(
        &home,
        &["config", "check", "$TEST/work/other.toml"],
        expect![[r#"
            the configuration is valid
            file: $TEST/work/other.toml (read)
            exit: Success
        "#]],
    );
    check(
        &home,
        &["config", "check", "$TEST/work/missing.toml"],
        expect![[r#"
            the configuration is not valid
            - $TEST/work/missing.toml: the file cannot be read: No such file or directory (os error 2)
            exit: Configuration
        "#]],
    );
    check(
        &home,
        &["config", "check", "$TEST/work"],
        expect![[r#"
            the configuration is not valid
            - $TEST/work: the file cannot be read: it is no regular file
            exit: Configuration
        "#]],
    );
}
