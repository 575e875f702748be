//! Images that Codex looked at, or was given by a tool: kept, shown in place where they are small, and never read from
//! elsewhere than where the turn works.

use expect_test::expect;
use serde_json::json;
use testkit::fake_app_server::{self, Play, THREAD};
use testkit::home::CodexHome;
use testkit::model::{calls, says};

use super::{DRAWS, PNG, artifacts, draws, png, resource};
use crate::bridge::{Setup, TestBridge, text};

#[tokio::test]
async fn of_a_tool_of_codex() {
    let setup = Setup { config: DRAWS, ..Setup::default() };
    let mut bridge = TestBridge::start_with([draws(), says("Drawn.")], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "Draw." })).await;
    let image = &artifacts(&answer, "image")[0];
    assert_eq!((&image["name"], &image["mimeType"]), (&json!("draws.draw"), &json!("image/png")));
    let kept = resource(&mut bridge, &image["uri"]).await;
    assert_eq!((&kept[0]["blob"], &kept[0]["mimeType"]), (&json!(PNG), &json!("image/png")));
    bridge.finish().await;
}

#[tokio::test]
async fn of_a_file_that_codex_looked_at() {
    let view = calls("view_image", json!({ "path": "shot.png" }));
    let mut bridge = TestBridge::start([view, says("It is red.")]).await;
    std::fs::write(bridge.home.workspace().join("shot.png"), png()).unwrap();
    let answer = bridge.call("codex", json!({ "prompt": "Look." })).await;
    let image = &artifacts(&answer, "image")[0];
    assert_eq!(text(&image["name"]), "shot.png");
    bridge.finish().await;
}

/// The real Codex asks a service for it, which no test has.
#[tokio::test]
async fn that_codex_made() {
    let home = CodexHome::new("http://127.0.0.1:9");
    let made =
        json!({ "type": "imageGeneration", "id": "item", "status": "completed", "result": PNG });
    let turn = json!({ "id": "turn-1", "status": "completed", "items": [] });
    let play = Play::new()
        .begins_turn(1)
        .tells("item/completed", json!({ "threadId": THREAD, "turnId": "turn-1", "item": made }))
        .tells("turn/completed", json!({ "threadId": THREAD, "turn": turn }));
    let codex = fake_app_server::install(home.root(), &play.script());
    let setup = Setup { codex: Some(codex.into()), ..Setup::default() };
    let mut bridge = TestBridge::start_with([], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "Make one." })).await;
    let image = &artifacts(&answer, "image")[0];
    assert_eq!(text(&image["name"]), "generated image");
    assert_eq!(resource(&mut bridge, &image["uri"]).await[0]["blob"], PNG);
    bridge.finish().await;
}

/// A copy is gone when its turn has ended; what was looked at in it is kept.
#[tokio::test]
async fn of_a_file_in_a_copy() {
    let view = calls("view_image", json!({ "path": "shot.png" }));
    let mut bridge = TestBridge::start([view, says("It is red.")]).await;
    std::fs::write(bridge.home.workspace().join("shot.png"), png()).unwrap();
    let answer = bridge.call("codex", json!({ "prompt": "Look.", "changes": "propose" })).await;
    let image = &artifacts(&answer, "image")[0];
    let kept = resource(&mut bridge, &image["uri"]).await;
    assert_eq!(kept[0]["blob"], PNG);
    let shown = answer["content"].as_array().unwrap();
    assert_eq!(shown.iter().filter(|block| block["type"] == "image").count(), 1, "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn of_a_file_elsewhere_there_is_only_a_warning() {
    let elsewhere = "../elsewhere.png";
    let view = calls("view_image", json!({ "path": elsewhere }));
    let mut bridge = TestBridge::start([view, says("It is red.")]).await;
    std::fs::write(bridge.home.workspace().join(elsewhere), png()).unwrap();
    let answer = bridge.call("codex", json!({ "prompt": "Look." })).await;
    assert!(artifacts(&answer, "image").is_empty(), "{answer}");
    let warnings = bridge.show_data(&answer["structuredContent"]["warnings"]);
    expect![[r#"["the image `elsewhere.png` is not kept: it is [root]/elsewhere.png, outside the workspace roots [workspace]"]"#]]
        .assert_eq(&warnings);
    bridge.finish().await;
}

/// They stay with the thread: in what is read of it, and after a restart.
#[tokio::test]
async fn are_found_again() {
    let setup = Setup { config: DRAWS, ..Setup::default() };
    let mut bridge = TestBridge::start_with([draws(), says("Drawn.")], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "Draw." })).await;
    let image = &artifacts(&answer, "image")[0];
    bridge.restart_all(Setup { config: DRAWS, ..Setup::default() }).await;
    let thread = &answer["structuredContent"]["threadId"];
    let again = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    assert_eq!(again["structuredContent"], answer["structuredContent"]);
    assert_eq!(again["content"], answer["content"]);
    let asked = json!({ "threadId": thread, "kinds": ["artifacts"] });
    let read = bridge.call("codex.thread.read", asked).await;
    let entry = &read["structuredContent"]["entries"][0];
    assert_eq!((&entry["kind"], &entry["uri"]), (&json!("artifact"), &image["uri"]));
    assert_eq!(entry["detail"], "image, image/png, 75 bytes");
    bridge.finish().await;
}
