//! What comes with a prompt: what Codex's model is shown of it, and what is refused.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;

use expect_test::expect_file;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use testkit::model::{CapturedRequest, StepStatus, plans, runs, says};
use testkit::normalise::Normaliser;

use crate::bridge::{Setup, TestBridge, content, error_code, text};
use crate::redaction::files;

/// A PNG image of one pixel.
pub(crate) const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

fn put(bridge: &TestBridge, path: &str, content: impl AsRef<[u8]>) {
    let path = bridge.home.workspace().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// What the model was shown of the newest user message, part by part; of an image its beginning.
fn seen(bridge: &TestBridge, request: &CapturedRequest) -> String {
    let newest = request.input().iter().rfind(|item| item["role"] == "user");
    let newest = newest.expect("there is a user message");
    let mut page = String::new();
    for part in newest["content"].as_array().into_iter().flatten() {
        let shown = match part["image_url"].as_str() {
            Some(url) => format!("[image {}…]", &url[..40]),
            None => text(&part["text"]),
        };
        writeln!(page, "{shown}\n-----").unwrap();
    }
    Normaliser::for_home(&bridge.home).text(&page)
}

/// What the client was told of its attachments.
fn told(bridge: &TestBridge, answer: &Value) -> String {
    let data = &answer["structuredContent"];
    let told = json!([data["attachments"], data["warnings"]]);
    format!("{:#}\n", Normaliser::for_home(&bridge.home).json(&told))
}

#[tokio::test]
async fn one_of_each() {
    let steps = [("look", StepStatus::Completed), ("write", StepStatus::Pending)];
    let script = [plans("why", &steps), says("Two steps."), says("I see.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Make a plan.").await;
    put(&bridge, "src/lib.rs", "fn one() {}\n\nfn two() {}\n");
    put(&bridge, "src/deep/mod.rs", "mod deep;\n");
    put(&bridge, "src/ignored.rs", "not this\n");
    put(&bridge, ".gitignore", "ignored.rs\n");
    put(&bridge, "notes.md", (1..=9).map(|line| format!("line {line}\n")).collect::<String>());
    put(&bridge, "shot", PIXEL);
    put(&bridge, "data.bin", b"\0\x01\x02");
    put(&bridge, "README.md", "# Example\n\nMore.\n");
    let attachments = json!([
        { "path": "src/**/*.rs" },
        { "path": "notes.md", "lines": "3-5" },
        { "path": "shot" },
        { "path": "data.bin" },
        { "text": "1. Look.\n2. Leap.", "name": "plan" },
        { "path": "src/lib.rs", "lines": "1-1", "text": "fn one() { unsaved }" },
        { "uri": format!("codex://threads/{thread}/plan") },
        { "diff": "worktree", "path": "README.md", "priority": "high" },
        { "diff": "staged" },
    ]);
    let arguments =
        json!({ "threadId": thread, "prompt": "What do you see?", "attachments": attachments });
    let answer = bridge.call("codex-reply", arguments).await;
    assert_eq!(content(&answer), "I see.");
    let captured = bridge.model.captured();
    let page = seen(&bridge, captured.last().unwrap());
    let page = format!("{page}{}", told(&bridge, &answer));
    expect_file!["attachments/one_of_each.txt"].assert_eq(&page);
    bridge.finish().await;
}

/// Attachments that cannot be, each with what it says.
const REFUSED: &[&str] = &[
    r#"{"prompt": "x", "attachments": {}}"#,
    r#"{"prompt": "x", "attachments": [{}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "a", "file": "b"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "a", "priority": "urgent"}]}"#,
    r#"{"prompt": "x", "attachments": [{"text": "a", "uri": "codex://threads"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "a", "uri": "codex://threads"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "a", "name": "b"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": ""}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "a\u0000b"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "~/a"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "README.md"}, {"path": "nowhere.rs"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "README.md/a"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "src"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "."}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "/etc/passwd"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "../codex-home/config.toml"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "out/config.toml"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "passwd"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": ".git/config"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "pipe"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "loop"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "src/*.py"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "nowhere/*.py"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "many/*"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "src/[z"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "*/../../codex-home/*"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "/etc/*"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": ".git/*"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "README.md", "lines": "2-1"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "README.md", "lines": "0-1"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "README.md", "lines": "one"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "README.md", "lines": "2-3"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "src/*", "lines": "1-2"}]}"#,
    r#"{"prompt": "x", "attachments": [{"path": "shot.png", "lines": "1-2"}]}"#,
    r#"{"prompt": "x", "attachments": [{"diff": "worktree", "lines": "1-2"}]}"#,
    r#"{"prompt": "x", "attachments": [{"uri": "https://example.com/"}]}"#,
    r#"{"prompt": "x", "attachments": [{"uri": "codex://threads/no-such-thread"}]}"#,
    r#"{"prompt": "x", "attachments": [{"uri": "codex://patches/no-such-patch"}]}"#,
    r#"{"prompt": "x", "attachments": [{"uri": "codex://outputs/00000000000000000000000000000000"}]}"#,
    r#"{"prompt": "x", "attachments": [{"diff": ""}]}"#,
    r#"{"prompt": "x", "attachments": [{"diff": "nowhere"}]}"#,
    r#"{"prompt": "x", "attachments": [{"diff": "--output=pwned"}]}"#,
    r#"{"prompt": "x", "attachments": [{"diff": "worktree", "path": "../.."}]}"#,
    r#"{"prompt": "x", "attachmentTokens": 99}"#,
    r#"{"prompt": "x", "attachmentTokens": 32001}"#,
];

#[tokio::test]
async fn what_cannot_be_attached_is_refused_by_its_name() {
    let mut bridge = TestBridge::start([]).await;
    for path in ["src/a.rs", "many/a"] {
        put(&bridge, path, "text\n");
    }
    for number in 0..100 {
        put(&bridge, &format!("many/{number}"), "text\n");
        put(&bridge, &format!("more/{number}"), "text\n");
    }
    put(&bridge, "shot.png", PIXEL);
    let workspace = bridge.home.workspace();
    symlink(bridge.home.codex_home(), workspace.join("out")).unwrap();
    symlink("/etc/passwd", workspace.join("passwd")).unwrap();
    symlink("loop", workspace.join("loop")).unwrap();
    mknodat(CWD, workspace.join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let mut report = String::new();
    fs::remove_file(workspace.join("many/a")).unwrap();
    let twice = json!([{ "path": "many/*" }, { "text": "a" }, { "path": "more/*" }]);
    let many = [json!(vec![json!({ "text": "a" }); 101]), twice];
    let many = many.map(|many| json!({ "prompt": "x", "attachments": many }));
    for call in &many {
        let answer = bridge.call("codex", call.clone()).await;
        writeln!(report, "# many\n{}", text(&answer["content"][0]["text"])).unwrap();
    }
    put(&bridge, "many/a", "text\n");
    for call in REFUSED {
        let answer = bridge.call("codex", serde_json::from_str(call).unwrap()).await;
        assert_eq!(answer["isError"], true, "{call}: {answer}");
        let said = text(&answer["content"][0]["text"]);
        let said = Normaliser::for_home(&bridge.home).text(&said);
        let said = said.lines().next().unwrap_or_default();
        writeln!(report, "# {call}\n{said}").unwrap();
    }
    expect_file!["attachments/refused.txt"].assert_eq(&report);
    assert!(bridge.model.captured().is_empty(), "a turn was started");
    bridge.finish().await;
}

/// Functions of three lines each, with a blank line between them.
fn program(functions: usize) -> String {
    let function = |number| format!("fn number_{number}() {{\n    call({number});\n}}\n\n");
    (1..=functions).map(function).collect()
}

#[tokio::test]
async fn what_does_not_fit_is_cut_by_meaning_and_named() {
    let mut bridge = TestBridge::start([says("I see."), says("I see.")]).await;
    put(&bridge, "big.rs", program(500));
    put(&bridge, "small.rs", "fn small() {}\n");
    put(&bridge, "last.md", "# Last\n");
    put(&bridge, "long.txt", "word ".repeat(5_000));
    let huge = fs::File::create(bridge.home.workspace().join("huge.log")).unwrap();
    huge.set_len(2 << 30).unwrap();
    put(&bridge, "one", "1\n".repeat(5));
    put(&bridge, "two", "2\n".repeat(600));
    bridge.home.git(&["add", "one", "two"]);
    let attachments = json!([
        { "path": "big.rs" },
        { "path": "huge.log" },
        { "path": "small.rs" },
        { "path": "last.md", "priority": "low" },
        { "diff": "staged", "priority": "high" },
    ]);
    let arguments =
        json!({ "prompt": "Look.", "attachments": attachments, "attachmentTokens": 500 });
    let answer = bridge.call("codex", arguments).await;
    let mut report = seen(&bridge, &bridge.model.captured()[0]);
    report += &told(&bridge, &answer);
    let attachments = json!([{ "path": "*" }, { "path": "long.txt", "priority": "high" }]);
    let arguments =
        json!({ "prompt": "Look.", "attachments": attachments, "attachmentTokens": 250 });
    let answer = bridge.call("codex", arguments).await;
    writeln!(report, "=====\n{}", seen(&bridge, &bridge.model.captured()[1])).unwrap();
    report += &told(&bridge, &answer);
    expect_file!["attachments/cut.txt"].assert_eq(&report);
    bridge.finish().await;
}

#[tokio::test]
async fn a_call_that_is_made_again_needs_what_it_has_attached_no_more() {
    let mut bridge = TestBridge::start([says("Once.")]).await;
    put(&bridge, "gone.md", "# Here\n");
    let arguments = json!({
        "prompt": "Count.", "idempotencyKey": "a key", "attachments": [{ "path": "gone.md" }],
    });
    let first = bridge.call("codex", arguments.clone()).await;
    assert_eq!(first["structuredContent"]["attachments"][0]["sent"], "whole", "{first}");
    fs::remove_file(bridge.home.workspace().join("gone.md")).unwrap();
    let second = bridge.call("codex", arguments).await;
    assert_eq!(content(&second), "Once.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_is_named_and_kept_by_what_the_user_said() {
    let mut bridge = TestBridge::start([says("I see.")]).await;
    put(&bridge, "notes.md", "# Attached words\n".repeat(2_000));
    let arguments = json!({ "prompt": "What is this?", "attachments": [{ "path": "notes.md" }] });
    let thread = text(&bridge.call("codex", arguments).await["structuredContent"]["threadId"]);
    let kept = bridge.call("codex.thread.read", json!({ "threadId": thread })).await;
    bridge.leave().await;
    // What is known of it then comes from Codex.
    fs::remove_dir_all(bridge.home.home().join(".local/state/codex-mcp")).unwrap();
    bridge.come_back(Setup::default()).await;
    let read = bridge.call("codex.thread.read", json!({ "threadId": thread })).await;
    for read in [kept, read] {
        let read = bridge.show(&read);
        assert!(read.contains("What is this?"), "{read}");
        assert!(!read.contains("ttached"), "{read}");
    }
    let list = bridge.call("codex.thread.list", json!({})).await;
    assert_eq!(list["structuredContent"]["threads"][0]["topic"], "What is this?", "{list}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_damaged_image_does_not_break_the_turn() {
    let mut bridge = TestBridge::start([says("I see.")]).await;
    put(&bridge, "bad.png", &PIXEL[..20]);
    let arguments = json!({ "prompt": "What is this?", "attachments": [{ "path": "bad.png" }] });
    assert_eq!(content(&bridge.call("codex", arguments).await), "I see.");
    let seen = seen(&bridge, &bridge.model.captured()[0]);
    assert!(seen.contains("could not be processed\n-----\nWhat is this?"), "{seen}");
    bridge.finish().await;
}

/// Files that are only named, and why.
#[tokio::test]
async fn what_cannot_be_shown_is_named() {
    let variables = vec![("CODEX_MCP_MAX_ATTACHMENT_BYTES", "6000000".into())];
    let setup = Setup { variables, ..Setup::default() };
    let mut bridge = TestBridge::start_with([says("I see.")], setup).await;
    put(&bridge, "latin.txt", b"caf\xe9\n");
    put(&bridge, "wide.txt", "中".repeat(200));
    put(&bridge, "empty", "");
    put(&bridge, "large.txt", vec![b'a'; 6_000_001]);
    put(&bridge, "large.png", [PIXEL, &[0; 5 << 20]].concat());
    put(&bridge, "images/a.png", PIXEL);
    put(&bridge, "images/.hidden", "hidden\n");
    put(&bridge, "app/[id]/page.tsx", "export {};\n");
    put(&bridge, "lines.txt", "one\ntwo\nthree");
    put(&bridge, "dots/.env.example", "A=b\n");
    let attachments = json!([
        { "path": "latin.txt" },
        { "path": "wide.txt" },
        { "path": "empty" },
        { "path": "large.txt" },
        { "path": "large.png" },
        { "path": "images/*" },
        { "path": "app/[id]/page.tsx" },
        { "path": "lines.txt", "lines": "3-9" },
        { "path": bridge.home.workspace().join("lines.txt"), "lines": "2" },
        { "path": "dots/.*" },
    ]);
    let arguments = json!({ "prompt": "Look.", "attachments": attachments });
    let answer = bridge.call("codex", arguments).await;
    let report =
        format!("{}{}", seen(&bridge, &bridge.model.captured()[0]), told(&bridge, &answer));
    expect_file!["attachments/named.txt"].assert_eq(&report);
    bridge.finish().await;
}

#[tokio::test]
async fn nothing_of_an_attachment_is_kept() {
    let mut bridge = TestBridge::start([says("I see.")]).await;
    put(&bridge, "notes.md", "# Words of a kind\n");
    put(&bridge, "shot.png", PIXEL);
    let attachments = json!([{ "path": "notes.md" }, { "path": "shot.png" }, { "text": "Other words of a kind." }]);
    bridge.call("codex", json!({ "prompt": "Look.", "attachments": attachments })).await;
    bridge.leave().await;
    for (name, text) in files(&bridge.home.home().join(".local/state/codex-mcp")) {
        assert!(!text.contains("ords of a kind"), "{name}: {text}");
        assert!(!text.contains("base64"), "{name}: {text}");
    }
    bridge.come_back(Setup::default()).await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_diff_needs_git_and_a_repository() {
    for (variable, value, code) in [
        ("CODEX_MCP_GIT_BIN", "/nowhere/git".into(), "git_not_found"),
        ("CODEX_MCP_WORKSPACE_ROOTS", "/usr".into(), "not_a_repository"),
    ] {
        let setup = Setup { variables: vec![(variable, value)], ..Setup::default() };
        let mut bridge = TestBridge::start_with([], setup).await;
        let arguments = json!({ "prompt": "Look.", "attachments": [{ "diff": "worktree" }] });
        let answer = bridge.call("codex", arguments).await;
        assert_eq!(error_code(&answer), code, "{answer}");
        let said = text(&answer["content"][0]["text"]);
        assert!(said.contains("`attachments[0]`"), "{said}");
        bridge.finish().await;
    }
}

#[tokio::test]
async fn a_turn_in_a_copy_reads_what_the_user_has() {
    let mut bridge = TestBridge::start([runs("cat new.md"), says("I see.")]).await;
    put(&bridge, "new.md", "# New\n");
    let attachments =
        json!([{ "path": bridge.home.workspace().join("new.md") }, { "diff": "worktree" }]);
    let arguments = json!({ "prompt": "Look.", "changes": "propose", "attachments": attachments });
    let answer = bridge.call("codex", arguments).await;
    assert_eq!(content(&answer), "I see.");
    assert_eq!(answer["structuredContent"]["commands"][0]["output"], "# New\n", "{answer}");
    let seen = seen(&bridge, &bridge.model.captured()[0]);
    assert!(seen.contains("<attachment path=\"new.md\">\n# New\n"), "{seen}");
    assert!(seen.contains("\n+++ b/new.md\n"), "{seen}");
    bridge.finish().await;
}
