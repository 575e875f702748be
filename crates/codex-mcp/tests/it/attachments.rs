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

/// A PNG image of one pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

fn put(bridge: &TestBridge, path: &str, content: impl AsRef<[u8]>) {
    let path = bridge.home.workspace().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// What the model was shown of the newest user message, part by part; of an image its beginning.
fn seen(bridge: &TestBridge, request: &CapturedRequest) -> String {
    let messages = request.input().iter().filter(|item| item["role"] == "user");
    let newest = messages.last().expect("there is a user message");
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
    }
    put(&bridge, "shot.png", PIXEL);
    let workspace = bridge.home.workspace();
    symlink(bridge.home.codex_home(), workspace.join("out")).unwrap();
    symlink("/etc/passwd", workspace.join("passwd")).unwrap();
    symlink("loop", workspace.join("loop")).unwrap();
    mknodat(CWD, workspace.join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let mut report = String::new();
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
