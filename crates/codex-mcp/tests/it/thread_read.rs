//! `codex.thread.read`: a thread from its beginning, by kind, in pages.

use expect_test::expect;
use serde_json::{Value, json};
use testkit::model::{Script, StepStatus, plans, reply, says};

use crate::bridge::{Setup, TestBridge, error_code, text};

async fn read(bridge: &mut TestBridge, arguments: Value) -> Value {
    let answer = bridge.call("codex.thread.read", arguments).await;
    assert_eq!(answer["isError"], false, "{answer}");
    answer["structuredContent"].clone()
}

/// The entries of a page, a line each.
fn entries(page: &Value) -> String {
    let entries = page["entries"].as_array().expect("entries");
    let line = |entry: &Value| {
        let detail = entry["detail"].as_str().unwrap_or("-");
        let (kind, author) = (text(&entry["kind"]), text(&entry["author"]));
        format!("{kind} {author} {detail} {:?}\n", text(&entry["text"]))
    };
    entries.iter().map(line).collect()
}

const ALL: [&str; 5] = ["messages", "thinking", "commands", "changes", "plans"];

#[tokio::test]
async fn a_thread_is_told_from_its_beginning() {
    let script = [
        plans("Two things.", &[("look", StepStatus::InProgress), ("answer", StepStatus::Pending)]),
        reply().thinks("Hm.").comments("I look.").runs("printf blue"),
        says("Blue."),
        says("Still blue."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Name a colour.").await;
    bridge.call("codex-reply", json!({ "prompt": "And now?", "threadId": thread })).await;
    let messages = read(&mut bridge, json!({ "threadId": thread })).await;
    assert_eq!(messages["thread"]["turns"], 2, "{messages}");
    expect![[r#"
        message user - "Name a colour."
        message agent commentary "I look."
        message agent final_answer "Blue."
        message user - "And now?"
        message agent final_answer "Still blue."
    "#]]
    .assert_eq(&entries(&messages));
    let all = read(&mut bridge, json!({ "threadId": thread, "kinds": ALL })).await;
    expect![[r#"
        message user - "Name a colour."
        thinking agent - "Hm."
        message agent commentary "I look."
        command agent completed (exit 0) "$ /bin/bash -lc 'printf blue'\nblue"
        message agent final_answer "Blue."
        plan codex Two things. "[>] look\n[ ] answer\n"
        message user - "And now?"
        message agent final_answer "Still blue."
    "#]]
    .assert_eq(&entries(&all));
    bridge.restart(Setup::default()).await;
    let again = read(&mut bridge, json!({ "threadId": thread, "kinds": ALL })).await;
    assert_eq!(again, all, "a restart changes nothing");
    bridge.finish().await;
}

#[tokio::test]
async fn pages_follow_on_each_other() {
    let mut bridge = TestBridge::start(Script::always(says("Well."))).await;
    let thread = bridge.thread("Question 0.").await;
    for number in 1..4 {
        let arguments = json!({ "prompt": format!("Question {number}."), "threadId": thread });
        bridge.call("codex-reply", arguments).await;
    }
    let whole = read(&mut bridge, json!({ "threadId": thread })).await;
    assert_eq!(whole["entries"].as_array().map(Vec::len), Some(8), "{whole}");
    assert!(whole.get("nextCursor").is_none(), "{whole}");
    assert_eq!(in_pages(&mut bridge, &thread, 3).await, whole["entries"]);
    bridge.finish().await;
}

#[tokio::test]
async fn a_long_text_is_cut_and_goes_on() {
    let long = "A line of an answer.\n".repeat(2_000);
    let setup =
        Setup { variables: vec![("MAX_MCP_OUTPUT_TOKENS", "2000".into())], ..Setup::default() };
    let mut bridge = TestBridge::start_with([says(long.as_str()), says("Short.")], setup).await;
    let thread = bridge.thread("Much, please.").await;
    bridge.call("codex-reply", json!({ "prompt": "And?", "threadId": thread })).await;
    let first = read(&mut bridge, json!({ "threadId": thread })).await;
    assert_eq!(entries(&first), "message user - \"Much, please.\"\n");
    let arguments = json!({ "threadId": thread, "cursor": first["nextCursor"] });
    let second = read(&mut bridge, arguments).await;
    let cut = &second["entries"][0];
    assert_eq!(cut["totalChars"], long.chars().count(), "{cut}");
    let mut whole = text(&cut["text"]);
    assert!(whole.len() > 2_000 && second.to_string().len() < 8_000, "{}", whole.len());
    let mut token = cut["token"].clone();
    loop {
        let answer = bridge.call("codex.read", json!({ "token": token })).await;
        let page = &answer["structuredContent"];
        whole += &text(&page["content"]);
        match page["done"] == true {
            true => break,
            false => token = page["token"].clone(),
        }
    }
    assert!(whole == long.trim_end() || whole == long, "the pages are not the answer");
    let arguments = json!({ "threadId": thread, "cursor": second["nextCursor"] });
    let third = read(&mut bridge, arguments).await;
    assert_eq!(entries(&third).lines().count(), 2, "{third}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_of_another_program_is_read_from_codex() {
    let script = [reply().thinks("Hm.").runs("printf blue"), says("Blue.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread_of_exec("Name a colour.");
    let page = read(&mut bridge, json!({ "threadId": thread, "kinds": ALL, "limit": 2 })).await;
    let rest = json!({ "threadId": thread, "kinds": ALL, "cursor": page["nextCursor"] });
    let rest = read(&mut bridge, rest).await;
    expect![[r#"
        message user - "Name a colour."
        thinking agent - "Hm."
        command agent completed (exit 0) "$ /bin/bash -lc 'printf blue'\nblue"
        message agent final_answer "Blue."
    "#]]
    .assert_eq(&(entries(&page) + &entries(&rest)));
    bridge.finish().await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let mut bridge = TestBridge::start([says("Well.")]).await;
    let thread = bridge.thread("x").await;
    for (arguments, code) in [
        (json!({}), "invalid_arguments"),
        (json!({ "threadId": "../x" }), "invalid_arguments"),
        (json!({ "threadId": "01a205a5-c192-74e0-9472-ab51cb27f43e" }), "thread_not_found"),
        (json!({ "threadId": thread, "kinds": ["dreams"] }), "invalid_arguments"),
        (json!({ "threadId": thread, "limit": 201 }), "invalid_arguments"),
        (json!({ "threadId": thread, "cursor": "!" }), "invalid_arguments"),
    ] {
        let answer = bridge.call("codex.thread.read", arguments.clone()).await;
        assert_eq!(error_code(&answer), code, "{arguments}");
    }
    // A place that this thread does not have is its end.
    let elsewhere = json!({ "threadId": thread, "cursor": "OTk5OTkgMQ" });
    assert_eq!(entries(&read(&mut bridge, elsewhere).await), "");
    bridge.finish().await;
}

/// A server on the same Codex home with records of its own, as another program would be.
fn another_program(bridge: &TestBridge) -> Setup {
    let directory = bridge.home.root().join("another-state").into_os_string();
    Setup { variables: vec![("CODEX_MCP_STATE_DIR", directory)], ..Setup::default() }
}

#[tokio::test]
async fn turns_of_another_program_are_told_among_ours() {
    let script = [says("One."), says("Two."), says("Three."), says("Four.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("one").await;
    let reply = |prompt: &str| json!({ "prompt": prompt, "threadId": thread });
    // Only one process at a time can have the thread open.
    bridge.restart(another_program(&bridge)).await;
    bridge.call("codex-reply", reply("two")).await;
    bridge.call("codex-reply", reply("three")).await;
    bridge.restart(Setup::default()).await;
    bridge.call("codex-reply", reply("four")).await;
    let whole = read(&mut bridge, json!({ "threadId": thread })).await;
    expect![[r#"
        message user - "one"
        message agent final_answer "One."
        message user - "two"
        message agent final_answer "Two."
        message user - "three"
        message agent final_answer "Three."
        message user - "four"
        message agent final_answer "Four."
    "#]]
    .assert_eq(&entries(&whole));
    assert!(whole.get("warnings").is_none(), "{whole}");
    assert_eq!(in_pages(&mut bridge, &thread, 3).await, whole["entries"]);
    bridge.finish().await;
}

#[tokio::test]
async fn a_long_thread_of_another_program_is_read_whole() {
    let mut bridge = TestBridge::spawn(Script::always(says("Well.")), Setup::default());
    bridge.client.initialize_legacy("2025-11-25").await;
    bridge.restart(unhurried(another_program(&bridge))).await;
    let thread = bridge.thread("Question 0.").await;
    for number in 1..60 {
        let arguments = json!({ "prompt": format!("Question {number}."), "threadId": thread });
        bridge.call("codex-reply", arguments).await;
    }
    bridge.restart(Setup::default()).await;
    let whole = in_pages(&mut bridge, &thread, 50).await;
    let whole = whole.as_array().expect("entries");
    assert_eq!(whole.len(), 120);
    assert_eq!(whole[0]["text"], "Question 0.");
    assert_eq!(whole[118]["text"], "Question 59.");
    bridge.finish().await;
}

/// A client that may ask for many turns.
fn unhurried(mut setup: Setup) -> Setup {
    setup.variables.push(("CODEX_MCP_MAX_TURNS_PER_MINUTE", "1000".into()));
    setup.variables.push(("CODEX_MCP_MAX_CLIENT_TURNS_PER_MINUTE", "1000".into()));
    setup
}

/// All entries of a thread, read so many at a time.
async fn in_pages(bridge: &mut TestBridge, thread: &str, limit: u32) -> Value {
    let (mut cursor, mut joined) = (None, Vec::new());
    loop {
        let arguments = json!({ "threadId": thread, "limit": limit, "cursor": cursor });
        let page = read(bridge, arguments).await;
        joined.extend(page["entries"].as_array().expect("entries").clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return json!(joined),
        }
    }
}

#[tokio::test]
async fn without_codex_our_own_turns_are_told_with_a_warning() {
    let mut bridge = TestBridge::start([says("One.")]).await;
    let thread = bridge.thread("one").await;
    let gone = bridge.home.root().join("no-codex");
    bridge.restart_all(Setup { codex: Some(gone.into_os_string()), ..Setup::default() }).await;
    let page = read(&mut bridge, json!({ "threadId": thread })).await;
    assert_eq!(entries(&page).lines().count(), 2, "{page}");
    let warning = text(&page["warnings"][0]);
    assert!(warning.starts_with("turns of other programs on it may be missing: "), "{warning}");
    bridge.finish().await;
}
