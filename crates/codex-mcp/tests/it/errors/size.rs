//! Whatever Codex says, an error stays within what a client shows of it, and the whole of a turn's can be read.

use serde_json::{Value, json};
use testkit::fake_app_server::{Play, THREAD};

use super::CUT;
use super::stage::Stage;
use crate::bridge::{TestBridge, error_code, text};

/// A page of a provider, say.
const LONG: usize = 100_000;

#[track_caller]
fn check(answer: &Value, code: &str) {
    assert_eq!(error_code(answer), code, "{answer}");
    let shown = text(&answer["content"][0]["text"]);
    assert!(shown.chars().count() < CUT, "{} characters", shown.chars().count());
    let remedy = text(&answer["structuredContent"]["error"]["remedy"]);
    assert!(shown.contains(&remedy), "{shown}");
}

#[track_caller]
fn check_cut(answer: &Value, code: &str) {
    check(answer, code);
    let message = text(&answer["structuredContent"]["error"]["message"]);
    assert!(message.ends_with(" more characters]"), "{message}");
}

/// What `codex.read` gives from the token of a cut error on.
async fn rest(bridge: &mut TestBridge, answer: &Value) -> String {
    let more = &answer["structuredContent"]["more"][0];
    assert_eq!(more["field"], "error", "{answer}");
    let mut token = more["token"].clone();
    assert!(text(&answer["content"][0]["text"]).contains(&text(&token)), "{answer}");
    let mut rest = String::new();
    while !token.is_null() {
        let page = bridge.call("codex.read", json!({ "token": token })).await;
        rest += &text(&page["structuredContent"]["content"]);
        token = page["structuredContent"]["token"].clone();
    }
    rest
}

#[tokio::test]
async fn a_long_error_of_a_turn_is_cut_and_can_be_read_to_its_end() {
    let words: String = (0..LONG / 10).map(|number| format!("word-{number:04} ")).collect();
    let error = json!({ "message": words, "codexErrorInfo": "other", "additionalDetails": null });
    let answer = "And what the turn had said. ".repeat(2_000);
    let play = Play::new().begins_turn(1).says_in(1, &answer).fails_turn(1, &error);
    let mut stage = Stage::open(&play, &[]).await;
    let answer = stage.bridge.call("codex", json!({ "prompt": "x" })).await;
    check_cut(&answer, "codex_failed");
    let message = text(&answer["structuredContent"]["error"]["message"]);
    let (shown, _) = message.split_once('…').unwrap();
    let whole = shown.to_owned() + &rest(&mut stage.bridge, &answer).await;
    assert!(whole == words.trim(), "{} and {} characters", whole.len(), words.len());
    let again = stage.bridge.call("codex.wait", json!({ "threadId": THREAD })).await;
    check_cut(&again, "codex_failed");
    stage.close().await;
}

#[tokio::test]
async fn a_long_refusal_and_a_long_argument_are_cut() {
    let long = "é\u{7}".repeat(LONG / 2);
    for method in ["thread/start", "turn/start"] {
        let play = if method == "turn/start" { Play::new() } else { Play::greets("0.169.0") };
        let mut stage = Stage::open(&play.refuses(method, -32600, &long), &[]).await;
        let answer = stage.bridge.call("codex", json!({ "prompt": "x" })).await;
        check_cut(&answer, "codex_refused");
        let answer = stage.bridge.call("codex", json!({ "prompt": "x", "model": long })).await;
        check(&answer, "invalid_arguments");
        stage.close().await;
    }
}
