//! What a person is warned of.

use expect_test::{Expect, expect};
use patch::{Change, Mode, Side, warnings};

use crate::texts::{file, path};

const LARGE: usize = 10_000;

fn shown(change: &Change<'_>) -> String {
    let line = |warning: &patch::Warning| {
        format!("{:?} {}: {warning}\n", warning.severity(), warning.code())
    };
    warnings(change, LARGE).iter().map(line).collect()
}

/// Warnings of a file that is new.
fn of_new(name: &str, content: &str) -> String {
    shown(&Change::Added { path: &path(name), after: file(content.as_bytes()) })
}

/// Lines that are secrets, in two parts so that nobody takes this file for a leak, and what they are said to be.
const SECRETS: &[[&str; 3]] = &[
    ["-----BEGIN RSA PRIVATE", " KEY-----", "a private key"],
    ["-----BEGIN OPENSSH PRIVATE", " KEY-----", "a private key"],
    ["aws_id = AKIA", "IOSFODNN7EXAMPLE", "a key of Amazon Web Services"],
    ["x: ghp_", "0123456789abcdefghijABCDEFGHIJ012345", "a token of GitHub"],
    ["github_pat_", "11ABCDEFG0123456789_abcdef", "a token of GitHub"],
    ["glpat-", "abcdefghij0123456789", "a token of GitLab"],
    ["key sk-ant-", "api03-abc_def-0123456789", "a key of Anthropic"],
    ["key sk-", "abcdefghij0123456789.", "a key of OpenAI"],
    ["sk_live_", "abcdefghij0123456789", "a key of Stripe"],
    ["xoxb-", "123456789012-abcdefghij", "a token of Slack"],
    ["AIza", "SyA0123456789abcdefghijABCDEFGHIJ01", "a key of Google"],
    ["npm_", "0123456789abcdefghijABCDEFGHIJ012345", "a token of a package or model registry"],
    ["eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0NTY3.SflKxwRJSMeKKF2QT4", "a signed token"],
    ["postgres://me:", "hunter2@db.example.com/x", "a password in an address"],
    ["password = \"", "kJ8vQ2mZ7xR4\"", "a password, a token or a secret"],
    ["  \"apiKey\": '", "a8f3e1d0c7b6925412'", "a password, a token or a secret"],
    ["AWS_SECRET_ACCESS_KEY=", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "a password, a token or a secret"],
    ["db_password: ", "q8Zt3LmW0xYv", "a password, a token or a secret"],
    [
        "curl -H 'Authorization: Bearer ",
        "abcdefgh1234.ijklmnop5678'",
        "a password, a token or a secret",
    ],
];

/// Lines that look like secrets and are none.
const NO_SECRETS: &[&str] = &[
    "a risk-free task-list_of_sixteen",
    "password: String, token: Token",
    "let token = next_token_of_2_kinds(input1);",
    "password = \"\"",
    "password = \"correct-horse\"",
    "token = \"{{ secrets.TOKEN_1 }}\"",
    "PASSWORD=$(cat /run/secrets/db1)",
    "API_KEY=${API_KEY_2}",
    "https://example.com:8080/a@b",
    "postgres://me:${PASSWORD}@db/x",
    "bearer authentication is used",
    "secret_key = config.secret_key_v2",
    "const MAX_TOKEN_LENGTH1 = 1024;",
    "-----BEGIN PUBLIC KEY-----",
];

#[test]
fn a_secret_is_told_by_kind_and_line_and_never_repeated() {
    for [first, second, kind] in SECRETS {
        let said = of_new("x", &format!("\n{first}{second}\n"));
        assert_eq!(said, format!("Danger secret: line 2 adds what looks like {kind}\n"), "{first}");
        assert!(!said.contains(second));
    }
    for line in NO_SECRETS {
        assert_eq!(of_new("x", &format!("{line}\n")), "", "{line}");
    }
}

#[test]
fn only_what_is_new_is_looked_at() {
    let secret = SECRETS[3][..2].concat();
    let before = format!("{secret}\n1\n<<<<<<< ours\n");
    let after = format!("0\n{before}2\n");
    let path = path("x");
    let (before, after) = (file(before.as_bytes()), file(after.as_bytes()));
    assert_eq!(shown(&Change::Modified { path: &path, before, after }), "");
    assert_eq!(shown(&Change::Deleted { path: &path, before }), "");
    let said = shown(&Change::Modified { path: &path, before: after, after: before });
    assert_eq!(said, "");
}

#[track_caller]
fn check(content: &str, expected: Expect) {
    expected.assert_eq(&of_new("x", content));
}

#[test]
fn lines_that_deceive_or_are_unfinished_are_told() {
    check(
        "<<<<<<< ours\n1\n||||||| base\n=======\n2\n>>>>>>> theirs\n",
        expect![[r#"
        Caution conflict-marker: line 1 is a marker of an unfinished merge
        Caution conflict-marker: line 3 is a marker of an unfinished merge
        Caution conflict-marker: line 6 is a marker of an unfinished merge
    "#]],
    );
    check("Heading\n=======\n", expect![[r#""#]]);
    check(
        "a\nif x {\u{202e} // \u{2066}\n}\n",
        expect![[r#"
        Danger bidirectional-control: line 2 has characters that change the direction of the text: it may read otherwise than it runs
    "#]],
    );
    check("é → ü\n", expect![[r#""#]]);
    check(
        &"<<<<<<< x\n".repeat(1000)[..],
        expect![[r#"
        Caution conflict-marker: line 1 is a marker of an unfinished merge
        Caution conflict-marker: line 2 is a marker of an unfinished merge
        Caution conflict-marker: line 3 is a marker of an unfinished merge
        Caution conflict-marker: line 4 is a marker of an unfinished merge
        Caution conflict-marker: line 5 is a marker of an unfinished merge
        Caution conflict-marker: line 6 is a marker of an unfinished merge
        Caution conflict-marker: line 7 is a marker of an unfinished merge
        Caution conflict-marker: line 8 is a marker of an unfinished merge
        Caution conflict-marker: line 9 is a marker of an unfinished merge
        Caution conflict-marker: line 10 is a marker of an unfinished merge
        Caution conflict-marker: line 11 is a marker of an unfinished merge
        Caution conflict-marker: line 12 is a marker of an unfinished merge
        Caution conflict-marker: line 13 is a marker of an unfinished merge
        Caution conflict-marker: line 14 is a marker of an unfinished merge
        Caution conflict-marker: line 15 is a marker of an unfinished merge
        Caution conflict-marker: line 16 is a marker of an unfinished merge
        Caution conflict-marker: line 17 is a marker of an unfinished merge
        Caution conflict-marker: line 18 is a marker of an unfinished merge
        Caution conflict-marker: line 19 is a marker of an unfinished merge
        Caution conflict-marker: line 20 is a marker of an unfinished merge
    "#]],
    );
}

#[test]
fn names_of_files_say_what_they_do() {
    let names = [
        "Cargo.lock",
        "web/package-lock.json",
        "go.sum",
        "a.min.js",
        "src/__snapshots__/x.txt",
        "x.snap",
        "build.rs",
        ".github/workflows/ci.yml",
        "Makefile",
        ".husky/pre-commit",
        ".vscode/tasks.json",
        "sub/.envrc",
        "CLAUDE.md",
        "AGENTS.md",
        ".claude/settings.json",
        ".codex/config.toml",
        ".mcp.json",
        ".cargo/config.toml",
        "src/main.rs",
        "makefile.txt",
        "github/workflows/ci.yml",
        "lock.json",
    ];
    let said: String =
        names.iter().map(|name| format!("{name}\n{}", of_new(name, "x\n"))).collect();
    expect![[r#"
        Cargo.lock
        Note lock-file: a lock file: a package manager writes it and decides by it what is installed
        web/package-lock.json
        Note lock-file: a lock file: a package manager writes it and decides by it what is installed
        go.sum
        Note lock-file: a lock file: a package manager writes it and decides by it what is installed
        a.min.js
        Note generated: a generated file: change what it is generated from instead
        src/__snapshots__/x.txt
        Note generated: a generated file: change what it is generated from instead
        x.snap
        Note generated: a generated file: change what it is generated from instead
        build.rs
        Caution runs-code: cargo runs commands of this file
        .github/workflows/ci.yml
        Caution runs-code: the continuous integration runs commands of this file
        Makefile
        Caution runs-code: make runs commands of this file
        .husky/pre-commit
        Caution runs-code: git, as a hook, runs commands of this file
        .vscode/tasks.json
        Caution runs-code: the editor runs commands of this file
        sub/.envrc
        Caution runs-code: direnv runs commands of this file
        CLAUDE.md
        Caution instructs-agent: agents take their instructions or tools from this file
        AGENTS.md
        Caution instructs-agent: agents take their instructions or tools from this file
        .claude/settings.json
        Caution instructs-agent: agents take their instructions or tools from this file
        .codex/config.toml
        Caution instructs-agent: agents take their instructions or tools from this file
        .mcp.json
        Caution instructs-agent: agents take their instructions or tools from this file
        .cargo/config.toml
        Caution runs-code: cargo runs commands of this file
        src/main.rs
        makefile.txt
        github/workflows/ci.yml
        lock.json
    "#]]
    .assert_eq(&said);
}

#[test]
fn generated_files_say_so_at_their_beginning() {
    let mark = ["// Code by x. DO NOT", " EDIT.\n"].concat();
    expect![[r#"
        Note generated: a generated file: change what it is generated from instead
    "#]]
    .assert_eq(&of_new("x.go", &mark));
    expect![[r#""#]].assert_eq(&of_new("x.go", &["\n".repeat(20), mark].concat()));
}

#[test]
fn scripts_of_a_package_are_told_when_they_change() {
    let path = path("web/package.json");
    let said = |before: &str, after: &str| {
        shown(&Change::Modified {
            path: &path,
            before: file(before.as_bytes()),
            after: file(after.as_bytes()),
        })
    };
    let before = r#"{"name": "x", "scripts": {"test": "echo '}' {a}"}, "version": "1"}"#;
    assert_eq!(said(before, &before.replace("\"1\"", "\"2\"")), "");
    let changed = "Caution runs-code: the package manager runs commands of this file\n";
    assert_eq!(said(before, &before.replace("echo", "rm")), changed);
    assert_eq!(said("{}", before), changed);
}

#[test]
fn bits_links_and_sizes_are_told() {
    let (a, deep) = (path("a"), path("sub/deep/a"));
    let link = |target: &'static str| Side { mode: Mode::SYMLINK, content: target.as_bytes() };
    let program = Side { mode: Mode::EXECUTABLE, content: b"x" };
    let large = vec![b'x'; LARGE + 1];
    let changes = [
        Change::Added { path: &a, after: program },
        Change::Modified { path: &a, before: file(b"x"), after: program },
        Change::Modified { path: &a, before: program, after: Side { content: b"y", ..program } },
        Change::Added { path: &a, after: file(&large) },
        Change::Added { path: &a, after: file(&large[1..]) },
        Change::Added { path: &a, after: file(b"\0") },
        Change::Added { path: &a, after: link("b") },
        Change::Added { path: &deep, after: link("../../b") },
        Change::Added { path: &deep, after: link("../../../b") },
        Change::Modified { path: &a, before: link("b"), after: link("c/../../d") },
        Change::Modified { path: &a, before: file(b"b"), after: link("/etc/passwd") },
        Change::Renamed {
            from: &deep,
            to: &a,
            similarity: 100,
            before: link("../b"),
            after: link("../b"),
        },
        Change::Deleted { path: &a, before: link("/etc/passwd") },
    ];
    let said: String = changes.iter().map(|change| format!("-\n{}", shown(change))).collect();
    expect![[r#"
        -
        Caution executable: the file becomes executable
        -
        Caution executable: the file becomes executable
        -
        -
        Note large: the file has 10001 bytes
        -
        -
        Note binary: a binary file: what changed cannot be shown
        -
        Caution symlink: a link to another file of the tree
        -
        Caution symlink: a link to another file of the tree
        -
        Danger symlink: a link that leads out of the tree
        -
        Danger symlink: a link that leads out of the tree
        -
        Danger symlink: a link to an absolute path
        -
        Danger symlink: a link that leads out of the tree
        -
    "#]]
    .assert_eq(&said);
}
