//! Thinking, commentary, commands and the answer are told apart wherever a turn is told of.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use testkit::gate::Gate;
use testkit::model::reply;

use crate::bridge::{TestBridge, text};

/// The texts of a turn by their fields.
fn show(turn: &Value) -> String {
    let command = &turn["commands"][0];
    format!(
        "content: {}\ncommentary: {}\nthinking: {}\ncommands: {} -> {}\n",
        turn["content"],
        turn["commentary"],
        turn["thinking"],
        command["command"],
        command["output"]
    )
}

async fn start() -> TestBridge {
    let first = reply().thinks("First weigh it.").comments("I look around.").runs("echo seen");
    TestBridge::start([first, reply().thinks("That is enough.").says("The answer.")]).await
}

const APART: &str = "content: \"The answer.\"\ncommentary: [\"I look around.\"]\n\
    thinking: [\"First weigh it.\",\"That is enough.\"]\ncommands: \"echo seen\" -> \"seen\\n\"\n";

#[tokio::test]
async fn in_what_is_returned_and_kept_as_a_resource() {
    let mut bridge = start().await;
    let answer = bridge.call("codex", json!({ "prompt": "Look." })).await;
    let turn = &answer["structuredContent"];
    assert_eq!(show(turn), APART);
    let (thread, id) = (text(&turn["threadId"]), text(&turn["turnId"]));
    let again = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    assert_eq!(show(&again["structuredContent"]), APART);

    let uri = json!(format!("codex://threads/{thread}/turns/{id}"));
    let kept = super::resource(&mut bridge, &uri).await;
    assert_eq!(show(&serde_json::from_str(&text(&kept[0]["text"])).unwrap()), APART);
    bridge.finish().await;
}

async fn check_read(bridge: &mut TestBridge, thread: &str, kinds: Value, expected: Expect) {
    let asked = json!({ "threadId": thread, "kinds": kinds });
    let read = bridge.call("codex.thread.read", asked).await;
    let mut shown = String::new();
    for entry in read["structuredContent"]["entries"].as_array().unwrap() {
        let fields =
            (text(&entry["kind"]), text(&entry["author"]), &entry["detail"], &entry["text"]);
        writeln!(shown, "{} {} {} {}", fields.0, fields.1, fields.2, fields.3).unwrap();
    }
    expected.assert_eq(&shown);
}

#[tokio::test]
async fn in_what_is_read_of_a_thread() {
    let mut bridge = start().await;
    let thread = bridge.thread("Look.").await;
    check_read(
        &mut bridge,
        &thread,
        json!(null),
        expect![[r#"
        message user null "Look."
        message agent "commentary" "I look around."
        message agent "final_answer" "The answer."
    "#]],
    )
    .await;
    check_read(
        &mut bridge,
        &thread,
        json!(["thinking"]),
        expect![[r#"
        thinking agent null "First weigh it."
        thinking agent null "That is enough."
    "#]],
    )
    .await;
    let all = json!(["messages", "thinking", "commands"]);
    check_read(
        &mut bridge,
        &thread,
        all,
        expect![[r#"
        message user null "Look."
        thinking agent null "First weigh it."
        message agent "commentary" "I look around."
        command agent "completed (exit 0)" "$ /bin/bash -lc 'echo seen'\nseen\n"
        thinking agent null "That is enough."
        message agent "final_answer" "The answer."
    "#]],
    )
    .await;
    bridge.finish().await;
}

#[tokio::test]
async fn in_what_is_exported() {
    let mut bridge = start().await;
    bridge.thread("Look.").await;
    bridge.leave().await;
    let lines = bridge.command(&["store", "export"]).await.success();
    let mut shown = String::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let record = &line["record"];
        match line["table"].as_str().unwrap() {
            "messages" => {
                writeln!(shown, "message {} {} {}", record["role"], record["phase"], record["text"])
            }
            "items" => {
                let data: Value = serde_json::from_str(&text(&record["data"])).unwrap();
                let said = if data["text"].is_string() { &data["text"] } else { &data["output"] };
                writeln!(shown, "item {} {said}", record["kind"])
            }
            _ => Ok(()),
        }
        .unwrap();
    }
    expect![[r#"
        message "user" null "Look."
        message "agent" "commentary" "I look around."
        message "agent" "final_answer" "The answer."
        item "command" "seen\n"
        item "thinking" "First weigh it."
        item "thinking" "That is enough."
    "#]]
    .assert_eq(&shown);
    bridge.come_back(crate::bridge::Setup::default()).await;
    bridge.finish().await;
}

#[tokio::test]
async fn in_what_is_told_on_the_way() {
    let gates = [
        Gate::new("after the thought"),
        Gate::new("after the comment"),
        Gate::new("after the answer"),
    ];
    let first = reply().thinks("First weigh it.").holds(&gates[0]).comments("I look around.");
    let first = first.holds(&gates[1]).runs("echo seen");
    let mut bridge =
        TestBridge::start([first, reply().streams("The answer.").holds(&gates[2])]).await;
    let call = bridge.begin("codex", json!({ "prompt": "Look." })).await;
    let mut shown = String::new();
    for (gate, part) in gates.iter().zip(["First weigh", "I look", "The answer"]) {
        let news = news_with(&mut bridge, call, part).await;
        let meta = &news["_meta"];
        writeln!(shown, "{}: {} {}", meta["event"], news["message"], meta["data"]).unwrap();
        gate.open();
    }
    bridge.result(call).await;
    expect![[r#"
        "thinking": "thinking: First weigh it." {"text":"First weigh it."}
        "progress": "says: I look around." {"state":"says","text":"I look around."}
        "result": "says: The answer." {"text":"The answer."}
    "#]]
    .assert_eq(&shown);
    bridge.finish().await;
}

/// Takes news of a call until one has this in its data.
async fn news_with(bridge: &mut TestBridge, call: u64, part: &str) -> Value {
    loop {
        let news = bridge.client.progress(call).await;
        if news["_meta"]["data"].to_string().contains(part) {
            return news;
        }
    }
}
