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
