//! `codex.thread.list`: finds threads, wherever they were made.

use expect_test::expect;
use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::{Script, reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, text};
use crate::connections::House;

async fn list(bridge: &mut TestBridge, arguments: Value) -> Value {
    let answer = bridge.call("codex.thread.list", arguments).await;
    assert_eq!(answer["isError"], false, "{answer}");
    answer["structuredContent"].clone()
}

/// The topics of listed threads.
fn topics(page: &Value) -> Vec<String> {
    let threads = page["threads"].as_array().expect("a list of threads");
    threads.iter().map(|thread| text(&thread["topic"])).collect()
}

#[tokio::test]
async fn threads_of_all_programs_are_listed_newest_first() {
    let mut bridge = TestBridge::start(Script::always(says("Well."))).await;
    let exec = bridge.thread_of_exec("From a script.");
    let ours = bridge.call("codex", json!({ "prompt": "From here.", "name": "Mine" })).await;
    let answer = bridge.call("codex.thread.list", json!({})).await;
    let threads = &answer["structuredContent"]["threads"];
    assert_eq!(threads[0]["threadId"], ours["structuredContent"]["threadId"]);
    assert_eq!(threads[1]["threadId"], json!(exec));
    expect![[r#"
        [thread-1]  [time]  completed, 1 turn  [workspace]  Mine
        [thread-2]  [time]  made by exec  [workspace]  From a script.
        ---
        {
          "threads": [
            {
              "createdAt": "[time]",
              "cwd": "[workspace]",
              "model": "gpt-5.5",
              "name": "Mine",
              "source": "bridge",
              "startedBy": {
                "client": "testkit",
                "version": "0"
              },
              "status": "completed",
              "threadId": "[thread-1]",
              "topic": "From here.",
              "turns": 1,
              "updatedAt": "[time]"
            },
            {
              "createdAt": "[time]",
              "cwd": "[workspace]",
              "source": "exec",
              "threadId": "[thread-2]",
              "topic": "From a script.",
              "turns": 0,
              "updatedAt": "[time]"
            }
          ]
        }
    "#]]
    .assert_eq(&bridge.show(&answer));
    bridge.finish().await;
}

#[tokio::test]
async fn a_list_is_read_in_pages() {
    let mut bridge = TestBridge::start(Script::always(says("Well."))).await;
    for number in 0..5 {
        bridge.thread(&format!("Question {number}.")).await;
    }
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = list(&mut bridge, json!({ "limit": 2, "cursor": cursor })).await;
        seen.extend(topics(&page));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    let expected: Vec<_> = (0..5).rev().map(|number| format!("Question {number}.")).collect();
    assert_eq!(seen, expected);
    let refused = bridge.call("codex.thread.list", json!({ "cursor": "x" })).await;
    assert_eq!(error_code(&refused), "invalid_arguments");
    bridge.finish().await;
}

#[tokio::test]
async fn each_filter_leaves_out_what_it_says() {
    let gate = Gate::new("running");
    let script = [
        says("The pond is green.").when("colour"),
        says("Forty-two.").when("number"),
        reply().when("long").holds(&gate).says("Done."),
    ];
    let mut bridge = TestBridge::start(script).await;
    std::fs::create_dir(bridge.home.workspace().join("sub")).unwrap();
    bridge.call("codex", json!({ "prompt": "A colour?", "cwd": "sub" })).await;
    bridge.thread("A number?").await;
    let background = json!({ "prompt": "A long one.", "background": true });
    let running = bridge.call("codex", background).await;
    gate.reached().await;
    for (arguments, expected) in [
        (json!({}), &["A long one.", "A number?", "A colour?"][..]),
        (json!({ "cwd": "sub" }), &["A colour?"]),
        (json!({ "text": "green pond" }), &["A colour?"]),
        (json!({ "text": "umbe" }), &["A number?"]),
        (json!({ "text": "\"; DROP TABLE threads" }), &[]),
        (json!({ "state": "running" }), &["A long one."]),
        (json!({ "state": "completed" }), &["A number?", "A colour?"]),
        (json!({ "state": "failed" }), &[]),
        (json!({ "newerThanDays": 1 }), &["A long one.", "A number?", "A colour?"]),
        (json!({ "olderThanDays": 1 }), &[]),
        (json!({ "archived": true }), &[]),
    ] {
        let page = list(&mut bridge, arguments.clone()).await;
        assert_eq!(topics(&page), expected, "{arguments}");
    }
    gate.open();
    let thread = &running["structuredContent"]["threadId"];
    bridge.call("codex.wait", json!({ "threadId": thread })).await;
    bridge.finish().await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let mut bridge = TestBridge::start([]).await;
    for (arguments, code) in [
        (json!({ "limit": 0 }), "invalid_arguments"),
        (json!({ "limit": 101 }), "invalid_arguments"),
        (json!({ "newerThanDays": 4000 }), "invalid_arguments"),
        (json!({ "state": "asleep" }), "invalid_arguments"),
        (json!({ "text": "x".repeat(501) }), "invalid_arguments"),
        (json!({ "cwd": "/" }), "outside_workspace"),
        (json!({ "cwd": "nowhere" }), "directory_not_found"),
    ] {
        let answer = bridge.call("codex.thread.list", arguments.clone()).await;
        assert_eq!(error_code(&answer), code, "{arguments}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn threads_outside_the_roots_are_nobodys() {
    let mut bridge = TestBridge::start(Script::always(says("Well."))).await;
    let thread = bridge.thread("A secret.").await;
    let inner = bridge.home.workspace().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let roots = vec![("CODEX_MCP_WORKSPACE_ROOTS", inner.into_os_string())];
    let mut other = bridge.beside(Setup { variables: roots, ..Setup::default() }).await;
    let answer = other.call_tool("codex.thread.list", json!({})).await;
    assert_eq!(answer["result"]["structuredContent"]["threads"], json!([]), "{answer}");
    for tool in ["codex.thread.read", "codex.thread.archive"] {
        let refused = other.call_tool(tool, json!({ "threadId": thread })).await;
        assert_eq!(error_code(&refused["result"]), "thread_not_found", "{refused}");
    }
    let uri = format!("codex://threads/{thread}");
    let refused = other.request("resources/read", json!({ "uri": uri })).await;
    assert_eq!(refused["error"]["code"], -32002, "{refused}");
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn without_codex_what_is_known_is_listed_with_a_warning() {
    let mut bridge = TestBridge::start(Script::always(says("Well."))).await;
    bridge.thread("Known.").await;
    let gone = bridge.home.root().join("no-codex");
    bridge.restart_all(Setup { codex: Some(gone.into_os_string()), ..Setup::default() }).await;
    let page = list(&mut bridge, json!({})).await;
    assert_eq!(topics(&page), ["Known."]);
    let warning = text(&page["warnings"][0]);
    assert!(warning.starts_with("threads that other programs made lately may be"), "{warning}");
    bridge.finish().await;
}

/// Gives Codex's home further threads: copies of one, made later.
fn copies(bridge: &TestBridge, thread: &str, count: usize) -> Vec<String> {
    let sessions = bridge.home.codex_home().join("sessions");
    let file = rollout(&sessions, thread).expect("the thread has a file");
    let rollout = std::fs::read_to_string(&file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let ids = (0..count).map(|number| format!("{}{number:04x}", &thread[..32]));
    let ids: Vec<_> = ids.collect();
    for id in &ids {
        let copy = file.with_file_name(name.replace(thread, id));
        std::fs::write(copy, rollout.replace(thread, id)).unwrap();
    }
    ids
}

fn rollout(folder: &std::path::Path, thread: &str) -> Option<std::path::PathBuf> {
    std::fs::read_dir(folder).ok()?.find_map(|entry| {
        let path = entry.ok()?.path();
        match path.is_dir() {
            true => rollout(&path, thread),
            false => path.to_str()?.contains(thread).then_some(path),
        }
    })
}

#[tokio::test]
async fn a_thread_behind_hundreds_that_are_known_is_found() {
    let mut bridge = TestBridge::spawn(Script::always(says("Well.")), Setup::default());
    let hidden = bridge.thread_of_exec("Hidden.");
    let known = copies(&bridge, &hidden, 150);
    // The records have all but the oldest.
    let house = House::open_knowing(&bridge.home, &known).await;
    house.close().await;
    bridge.client.initialize_legacy("2025-11-25").await;
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = list(&mut bridge, json!({ "limit": 100, "cursor": cursor })).await;
        let threads = page["threads"].as_array().expect("threads");
        seen.extend(threads.iter().map(|thread| text(&thread["threadId"])));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen.len(), 151);
    assert!(seen.contains(&hidden), "{seen:#?}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_that_no_list_has_shown_is_found_by_its_id() {
    let mut bridge = TestBridge::start(Script::always(says("Well."))).await;
    bridge.thread("From here.").await;
    assert_eq!(topics(&list(&mut bridge, json!({})).await), ["From here."]);
    let exec = bridge.thread_of_exec("From a script.");
    let wait = bridge.call("codex.wait", json!({ "threadId": exec })).await;
    assert_eq!(content(&wait), "Well.");
    bridge.finish().await;
}
