//! Long outputs of commands: the end is shown, the whole is kept, and its failing lines are named.

use serde_json::{Value, json};
use testkit::model::{reply, runs, says};

use super::{artifacts, resource};
use crate::bridge::{Setup, TestBridge, text};

/// About 200 kB with one error in the middle.
const NOISY: &str = "seq 1 20000; echo 'error: the middle is wrong'; seq 20001 40000; exit 3";

#[tokio::test]
async fn a_long_log_is_kept_whole_and_its_failing_lines_are_named() {
    let mut bridge = TestBridge::start([runs(NOISY), says("It fails.")]).await;
    let answer = bridge.call("codex", json!({ "prompt": "Run it." })).await;
    let logs = artifacts(&answer, "log");
    let log = &logs[0];
    let whole: String = (1..=20_000).map(|number| format!("{number}\n")).collect();
    let whole = whole + "error: the middle is wrong\n";
    let whole = whole + &(20_001..=40_000).map(|number| format!("{number}\n")).collect::<String>();
    let kept = resource(&mut bridge, &log["uri"]).await;
    assert!(text(&kept[0]["text"]) == whole, "{} bytes are kept", text(&kept[0]["text"]).len());

    let first = bridge.call("codex.read", json!({ "token": log["token"] })).await;
    assert!(text(&first["structuredContent"]["content"]).starts_with("1\n2\n"), "{first}");
    let failing = &log["failing"][0];
    assert_eq!(failing["line"], 20_001);
    let there = bridge.call("codex.read", json!({ "token": failing["token"] })).await;
    let there = text(&there["structuredContent"]["content"]);
    assert!(there.starts_with("error: the middle is wrong\n20001\n"), "{there}");
    bridge.finish().await;
}

#[tokio::test]
async fn of_two_megabytes_what_codex_told_is_kept() {
    let line = "x".repeat(63);
    let command = format!("for i in $(seq 1 32768); do echo {line}; done");
    let mut bridge = TestBridge::start([runs(command), says("Long.")]).await;
    let answer = bridge.call("codex", json!({ "prompt": "Run it." })).await;
    let log = &artifacts(&answer, "log")[0];
    // It is a little longer than what one read of a resource gives; that names the way on.
    let parts = resource(&mut bridge, &log["uri"]).await;
    let rest = json!({ "token": parts[1]["_meta"]["token"] });
    let rest = bridge.call("codex.read", rest).await["structuredContent"].clone();
    assert_eq!(rest["done"], true, "{rest}");
    let kept = text(&parts[0]["text"]) + &text(&rest["content"]);
    let (head, tail) =
        kept.split_once("\n\n... 1048576 bytes omitted ...\n").expect("Codex's mark");
    assert_eq!((head.len(), tail.len()), ((512 << 10) - 1, 512 << 10));
    bridge.finish().await;
}

#[tokio::test]
async fn a_log_that_is_shown_whole_is_no_artifact() {
    let mut bridge =
        TestBridge::start_with([runs("seq 1 100"), says("Short.")], Setup::default()).await;
    let answer = bridge.call("codex", json!({ "prompt": "Run it." })).await;
    assert!(answer["structuredContent"].get("artifacts").is_none(), "{answer}");
    assert_eq!(answer["content"].as_array().unwrap().len(), 1, "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn more_logs_than_a_page_has_room_for_are_named_by_their_thread() {
    let logs = (0..6).fold(reply(), |reply, _| reply.runs("seq 1 2000"));
    let variables = vec![("MAX_MCP_OUTPUT_TOKENS", "500".into())];
    let setup = Setup { variables, ..Setup::default() };
    let mut bridge = TestBridge::start_with([logs, says("Six.")], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "Run them." })).await;
    let shown = artifacts(&answer, "log").len();
    assert!((1..6).contains(&shown), "{answer}");
    let warnings = answer["structuredContent"]["warnings"].to_string();
    assert!(
        warnings.contains(&format!("`artifacts` shows {shown} of 6; codex.thread.read")),
        "{warnings}"
    );
    let thread = &answer["structuredContent"]["threadId"];
    let mut named = 0;
    let mut cursor = Value::Null;
    loop {
        let asked = json!({ "threadId": thread, "kinds": ["artifacts"], "cursor": cursor });
        let page = bridge.call("codex.thread.read", asked).await["structuredContent"].clone();
        named += page["entries"].as_array().unwrap().len();
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(named, 6);
    bridge.finish().await;
}
