//! What is kept on disk, as a person and a program see it: looked over, handed out, and missed when it is not there.

use std::fs;
use std::path::PathBuf;

use expect_test::expect;
use serde_json::{Value, json};
use testkit::model::{reply, says};

use crate::bridge::{Setup, TestBridge, content, text};

fn state(bridge: &TestBridge) -> PathBuf {
    bridge.home.home().join(".local/state/codex-mcp")
}

/// Each table of an export with the number of its records, for those that have some.
fn tables(export: &str) -> String {
    let mut tables: Vec<(String, usize)> = Vec::new();
    for line in export.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let table = text(&line["table"]);
        match tables.last_mut() {
            Some((last, count)) if *last == table => *count += 1,
            _ => tables.push((table, 1)),
        }
    }
    tables.iter().map(|(table, count)| format!("{table} {count}\n")).collect()
}

#[tokio::test]
async fn a_turn_is_kept_with_all_that_belongs_to_it() {
    let script = [reply().thinks("Hm.").runs("printf blue"), says("Blue."), says("Again.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Name a colour.").await;
    let next = bridge.call("codex-reply", json!({ "prompt": "Again.", "threadId": thread })).await;
    assert_eq!(content(&next), "Again.");
    let export = bridge.command(&["store", "export"]).await.success();
    expect![[r#"
        threads 1
        turns 2
        messages 4
        items 2
        usage 2
    "#]]
    .assert_eq(&tables(&export));
    assert!(export.contains("Name a colour.") && export.contains("printf blue"), "{export}");
    let file = bridge.home.root().join("export.jsonl");
    let words = ["store", "export", "--output", file.to_str().unwrap()];
    bridge.command(&words).await.success();
    assert_eq!(fs::read_to_string(&file).unwrap(), export);
    let again = bridge.command(&words).await;
    assert!(!again.status.success(), "a file that is there is not overwritten");
    bridge.finish().await;
}

#[tokio::test]
async fn a_person_can_look_it_over() {
    let mut bridge = TestBridge::start([says("Well.")]).await;
    bridge.thread("x").await;
    let check = bridge.command(&["store", "check"]).await.success();
    assert!(check.starts_with("threads: 1\nturns: 1\n"), "{check}");
    assert!(check.ends_with("Sound.\n"), "{check}");
    let vacuum = bridge.command(&["store", "vacuum"]).await.success();
    assert!(vacuum.contains("bytes before"), "{vacuum}");
    bridge.finish().await;
}

#[tokio::test]
async fn without_records_a_person_is_told_so() {
    let bridge = TestBridge::spawn([], Setup::default());
    let elsewhere = bridge.home.root().join("elsewhere");
    let words = ["store", "check", "--state-dir", elsewhere.to_str().unwrap()];
    let check = bridge.command(&words).await;
    assert_eq!(check.status.code(), Some(1));
    assert!(check.stdout.starts_with("There are no records in "), "{}", check.stdout);
    bridge.finish().await;
}

#[tokio::test]
async fn turns_run_without_records_and_everybody_is_told() {
    let mut bridge = TestBridge::start([says("One."), says("Two.")]).await;
    let thread = bridge.thread("one").await;
    bridge.client.peer.close_input();
    bridge.client.peer.wait_exit().await;
    bridge.home.check_leaks();
    let database = state(&bridge).join("store.sqlite3");
    fs::write(&database, "not a database, but somebody's text\n".repeat(200)).unwrap();
    bridge.restart(Setup::default()).await;
    let answer = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(content(&answer), "Two.");
    let warning = text(&answer["structuredContent"]["warnings"][0]);
    assert!(warning.starts_with("nothing is kept on disk: the store "), "{warning}");
    assert!(warning.contains("is damaged"), "{warning}");
    let health = bridge.call("codex.health", json!({})).await;
    assert_eq!(health["structuredContent"]["healthy"], false, "{health}");
    assert_eq!(health["structuredContent"]["store"]["keeps"], false, "{health}");
    let finding = &health["structuredContent"]["findings"][0];
    assert!(text(&finding["remedy"]).contains("codex-mcp store check"), "{finding}");
    let check = bridge.command(&["store", "check"]).await;
    assert_eq!(check.status.code(), Some(1));
    assert!(check.stdout.contains("What to do: "), "{}", check.stdout);
    assert!(
        fs::read_to_string(&database).unwrap().starts_with("not a database"),
        "it is left alone"
    );
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_says_who_had_it_made() {
    let variables = vec![("CLAUDE_CODE_SESSION_ID", "session-1".into())];
    let setup = Setup { variables, ..Setup::default() };
    let mut bridge = TestBridge::start_with([says("Well.")], setup).await;
    let thread = bridge.thread("x").await;
    let expected = json!({ "client": "testkit", "version": "0", "claudeSession": "session-1" });
    let read = bridge.call("codex.thread.read", json!({ "threadId": thread })).await;
    assert_eq!(read["structuredContent"]["thread"]["startedBy"], expected, "{read}");
    let export = bridge.command(&["store", "export"]).await.success();
    let line: Value = serde_json::from_str(export.lines().next().unwrap()).unwrap();
    let metadata = text(&line["record"]["metadata"]);
    assert_eq!(serde_json::from_str::<Value>(&metadata).unwrap(), expected);
    bridge.finish().await;
}

#[tokio::test]
async fn a_turn_that_does_not_fit_is_answered_and_says_that_it_is_not_kept() {
    let variables = vec![("CODEX_MCP_STORE_MAX_MEGABYTES", "1".into())];
    let setup = Setup { variables, ..Setup::default() };
    let script = [says("One."), says("Two."), says("Three.")];
    let mut bridge = TestBridge::start_with(script, setup).await;
    let thread = bridge.thread("one").await;
    let mut warnings = Vec::new();
    for (prompt, said) in [("ö ".repeat(400_000), "Two."), ("three".to_owned(), "Three.")] {
        let arguments = json!({ "prompt": prompt, "threadId": thread });
        let answer = bridge.call("codex-reply", arguments).await;
        assert_eq!(content(&answer), said);
        warnings.push(answer["structuredContent"]["warnings"].clone());
    }
    let expected = "this is not kept: the disk of the store is full. Free space on the disk of the state directory, or \
                    raise `store_max_megabytes`.";
    assert_eq!(warnings, [json!([expected]), Value::Null], "of the one, and of no other");
    let read = bridge.call("codex.thread.read", json!({ "threadId": thread })).await;
    assert_eq!(read["structuredContent"]["thread"]["turns"], 2, "{read}");
    let health = bridge.call("codex.health", json!({})).await;
    assert_eq!(health["structuredContent"]["store"]["keeps"], true, "{health}");
    assert_ne!(health["structuredContent"]["store"]["failures"], 0, "{health}");
    bridge.finish().await;
}

#[tokio::test]
async fn records_that_are_read_only_can_be_read() {
    let mut bridge = TestBridge::start([says("One."), says("Two.")]).await;
    let thread = bridge.thread("one").await;
    bridge.client.peer.close_input();
    bridge.client.peer.wait_exit().await;
    bridge.home.check_leaks();
    // A format of the file that SQLite reads and does not write. Permissions would not stop a privileged user.
    let database = state(&bridge).join("store.sqlite3");
    let mut bytes = fs::read(&database).unwrap();
    bytes[18] = 3;
    fs::write(&database, &bytes).unwrap();
    bridge.restart(Setup::default()).await;
    let read = bridge.call("codex.thread.read", json!({ "threadId": thread })).await;
    assert_eq!(read["structuredContent"]["entries"][1]["text"], "One.", "{read}");
    let answer = bridge.call("codex-reply", json!({ "prompt": "two", "threadId": thread })).await;
    assert_eq!(content(&answer), "Two.");
    let warning = text(&answer["structuredContent"]["warnings"][0]);
    let expected = "this is not kept: the store is read-only. Make the state directory writable";
    assert!(warning.starts_with(expected), "{warning}");
    let health = bridge.call("codex.health", json!({})).await;
    assert_eq!(health["structuredContent"]["store"]["keeps"], false, "{health}");
    assert_eq!(health["structuredContent"]["store"]["turns"], 1, "{health}");
    assert_eq!(fs::read(&database).unwrap(), bytes, "it is left alone");
    bridge.finish().await;
}
