//! News of a running turn, as a client gets them.

use expect_test::expect;
use serde_json::json;
use testkit::gate::Gate;
use testkit::model::{StepStatus, reply, says};

use crate::bridge::{TestBridge, content, text};

#[tokio::test]
async fn every_kind_of_news_has_its_message_and_its_data() {
    let gates: Vec<Gate> = (0..4).map(|step| Gate::new(format!("step {step}"))).collect();
    let steps = [("look around", StepStatus::Completed), ("think", StepStatus::InProgress)];
    let script = [
        reply()
            .thinks("Where am I?")
            .holds(&gates[0])
            .plans("why", &steps)
            .holds(&gates[1])
            .runs("while [ ! -e ../go ]; do sleep 0.05; done"),
        reply().holds(&gates[2]).streams("Hello ").holds(&gates[3]).streams("you."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let call = bridge.begin("codex", json!({ "prompt": "Say hello." })).await;
    let mut shown = Vec::new();
    for (event, gate) in [("thinking", 0), ("plan_update", 1), ("command", 2), ("result", 3)] {
        shown.push(bridge.news(call, event).await);
        gates[gate].open();
        if event == "command" {
            std::fs::write(bridge.home.root().join("go"), "").unwrap();
        }
    }
    assert_eq!(content(&bridge.result(call).await), "Hello you.");
    let all = bridge.client.progress_so_far(call);
    let numbers: Vec<f64> = all.iter().filter_map(|news| news["progress"].as_f64()).collect();
    assert!(numbers.is_sorted_by(|before, after| before < after), "{numbers:?}");
    assert!(all.iter().all(|news| text(&news["message"]).chars().count() < 200), "{all:#?}");
    assert!(all.iter().all(|news| news["_meta"]["requestId"] == call), "{all:#?}");
    assert!(all.iter().all(|news| text(&news["_meta"]["timestamp"]).ends_with('Z')), "{all:#?}");
    let shown: Vec<String> = shown
        .iter()
        .map(|news| {
            format!("{} | {}", text(&news["message"]), bridge.show_data(&news["_meta"]["data"]))
        })
        .collect();
    expect![[r#"
        thinking: Where am I? | {"text":"Where am I?"}
        plan 2/2: think | {"explanation":"why","steps":[{"status":"completed","step":"look around"},{"status":"in_progress","step":"think"}]}
        running: while [ ! -e ../go ]; do sleep 0.05; done | {"command":"/bin/bash -lc 'while [ ! -e ../go ]; do sleep 0.05; done'","itemId":"call_2","state":"started"}
        says: Hello | {"text":"Hello"}
    "#]].assert_eq(&(shown.join("\n") + "\n"));
    bridge.finish().await;
}

#[tokio::test]
async fn the_first_news_come_before_codex_has_said_anything() {
    let gate = Gate::new("held");
    let mut bridge = TestBridge::start([reply().holds(&gate).says("Hello.")]).await;
    let call = bridge.begin("codex", json!({ "prompt": "Say hello." })).await;
    bridge.client.progress(call).await;
    gate.reached().await;
    gate.open();
    assert_eq!(content(&bridge.result(call).await), "Hello.");
    let before = bridge.client.progress_so_far(call).len();
    bridge.call("codex.health", json!({})).await;
    assert_eq!(bridge.client.progress_so_far(call).len(), before, "news came after the answer");
    bridge.finish().await;
}

#[tokio::test]
async fn a_call_without_a_progress_token_hears_nothing() {
    let mut bridge = TestBridge::start([says("Hello.")]).await;
    assert_eq!(content(&bridge.call("codex", json!({ "prompt": "Say hello." })).await), "Hello.");
    assert!(bridge.client.peer.received("notifications/progress").is_empty());
    bridge.finish().await;
}
