//! What a Codex process is started with: the program and the complete environment.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use expect_test::{Expect, expect};

use crate::home::Home;

/// Compares the names of the variables that Codex is given.
fn check_environment(home: &Home, flags: &[&str], expected: Expect) {
    let environment = home.load(flags).unwrap().codex_environment();
    let names = environment.iter().map(|(name, _)| name.to_str().unwrap());
    let text: String = names.map(|name| format!("{name}\n")).collect();
    expected.assert_eq(&text);
}

#[test]
fn codex_is_given_what_is_on_the_list_and_nothing_else() {
    let home = Home::new().variables(&[
        "PATH=/usr/bin",
        "LC_ALL=C",
        "LC=x",
        "XDG_RUNTIME_DIR=/run/user/1",
        "CODEX_HOME=/codex",
        "CODEX_API_KEY=k",
        "CODEX_MCP_LOG_LEVEL=info",
        "CODEX_MCP_PROTOCOL_VERSION=2025-06-18",
        "CODEX_SANDBOX=seatbelt",
        "CODEX_SANDBOX_NETWORK_DISABLED=1",
        "CODEX_THREAD_ID=t",
        "CODEX_EXEC_SERVER_URL=ws://elsewhere",
        "CODEX_INTERNAL_ORIGINATOR_OVERRIDE=x",
        "OPENAI_API_KEY=k",
        "AZURE_OPENAI_API_KEY=k",
        "AZURE_CLIENT_SECRET=k",
        "https_proxy=http://proxy",
        "GIT_AUTHOR_NAME=me",
        "GIT_DIR=/elsewhere/.git",
        "CARGO_HOME=/cargo",
        "LD_PRELOAD=/x.so",
        "ANTHROPIC_API_KEY=k",
        "ANTHROPIC_BASE_URL=http://x",
        "CLAUDECODE=1",
        "CLAUDE_CODE_MESSAGING_TOKEN=k",
        "CLAUDE_PROJECT_DIR=$TEST/work",
        "AI_AGENT=claude-code",
        "GITHUB_TOKEN=k",
        "MY_PROVIDER_KEY=k",
        "CLAIM=x",
    ]);
    check_environment(
        &home,
        &[],
        expect![[r#"
        AZURE_OPENAI_API_KEY
        CARGO_HOME
        CODEX_API_KEY
        CODEX_HOME
        CODEX_MCP_PROTOCOL_VERSION
        GIT_AUTHOR_NAME
        HOME
        LC_ALL
        OPENAI_API_KEY
        PATH
        XDG_RUNTIME_DIR
        https_proxy
    "#]],
    );
    check_environment(
        &home,
        &["--environment-allow=MY_PROVIDER_KEY", "--environment-allow=CODEX_EXEC_SERVER_URL"],
        expect![[r#"
            AZURE_OPENAI_API_KEY
            CARGO_HOME
            CODEX_API_KEY
            CODEX_EXEC_SERVER_URL
            CODEX_HOME
            CODEX_MCP_PROTOCOL_VERSION
            GIT_AUTHOR_NAME
            HOME
            LC_ALL
            MY_PROVIDER_KEY
            OPENAI_API_KEY
            PATH
            XDG_RUNTIME_DIR
            https_proxy
        "#]],
    );
    check_environment(
        &home,
        &["--environment-allow=CLA*", "--environment-allow=GITHUB_*"],
        expect![[r#"
            AZURE_OPENAI_API_KEY
            CARGO_HOME
            CLAIM
            CODEX_API_KEY
            CODEX_HOME
            CODEX_MCP_PROTOCOL_VERSION
            GITHUB_TOKEN
            GIT_AUTHOR_NAME
            HOME
            LC_ALL
            OPENAI_API_KEY
            PATH
            XDG_RUNTIME_DIR
            https_proxy
        "#]],
    );
}

#[test]
fn values_are_passed_unchanged() {
    let home = Home::new().variables(&["OPENAI_API_KEY=a = b ", "NO_PROXY="]);
    let environment = home.load(&[]).unwrap().codex_environment();
    assert!(environment.contains(&("OPENAI_API_KEY".into(), "a = b ".into())));
    assert!(environment.contains(&("NO_PROXY".into(), "".into())));
}

fn check_bin(home: &Home, flags: &[&str], expected: Expect) {
    let text = match home.load(flags).unwrap().find_codex_bin() {
        Ok(path) => path.display().to_string(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&home.shown(&format!("{text}\n")));
}

fn make_executable(home: &Home, path: &str) {
    fs::set_permissions(home.path().join(path), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_program_is_the_first_executable_file_on_path() {
    let home = Home::new()
        .write("one/codex", "not executable")
        .write("two/codex/is-a-directory", "")
        .write("three/codex", "")
        .write("work/bin/codex", "")
        .variables(&["PATH=bin::$TEST/one:$TEST/two:$TEST/missing:$TEST/three"]);
    make_executable(&home, "work/bin/codex");
    check_bin(
        &home,
        &[],
        expect![[r#"
        no program `codex` on PATH (searched $TEST/one, $TEST/two, $TEST/missing, $TEST/three); install Codex with `npm install -g @openai/codex`, or name its program with --codex-bin or CODEX_MCP_CODEX_BIN
    "#]],
    );
    make_executable(&home, "three/codex");
    check_bin(
        &home,
        &[],
        expect![[r#"
        $TEST/three/codex
    "#]],
    );
    check_bin(
        &home,
        &["--codex-bin=codex-next"],
        expect![[r#"
        no program `codex-next` on PATH (searched $TEST/one, $TEST/two, $TEST/missing, $TEST/three); install Codex with `npm install -g @openai/codex`, or name its program with --codex-bin or CODEX_MCP_CODEX_BIN
    "#]],
    );
}

#[test]
fn a_configured_path_is_the_program_or_an_error() {
    let home = Home::new().write("three/codex", "");
    check_bin(
        &home,
        &["--codex-bin=~/three/codex"],
        expect![[r#"
        $TEST/three/codex is not an executable file; set --codex-bin or CODEX_MCP_CODEX_BIN to the Codex program
    "#]],
    );
    check_bin(
        &home,
        &["--codex-bin=~/missing"],
        expect![[r#"
        $TEST/missing is not an executable file; set --codex-bin or CODEX_MCP_CODEX_BIN to the Codex program
    "#]],
    );
    make_executable(&home, "three/codex");
    check_bin(
        &home,
        &["--codex-bin=../three/codex"],
        expect![[r#"
        $TEST/work/../three/codex
    "#]],
    );
}

#[test]
fn without_path_the_error_says_so() {
    check_bin(
        &Home::new(),
        &[],
        expect![[r#"
        no program `codex` on PATH (which names no absolute directory); install Codex with `npm install -g @openai/codex`, or name its program with --codex-bin or CODEX_MCP_CODEX_BIN
    "#]],
    );
}
