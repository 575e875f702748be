//! What no schema says yet: unknown kinds and fields are read, and a field of another type costs no
//! more than itself.

use codex_client::protocol::{
    Notification, ServerRequest, ThreadItem, ThreadStartResponse, TurnStatus, decode,
};
use expect_test::{Expect, expect};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).expect("a value is JSON")
}

fn check(read: &impl Serialize, expected: Expect) {
    expected.assert_eq(&serde_json::to_string(read).expect("it serialises"));
}

fn notification(method: &str, params: &Value) -> Notification {
    Notification::decode(method, &raw(params))
}

#[test]
fn unknown_kinds_are_kept_whole() {
    let turn = json!({"threadId": "t", "future": [1], "turn": {"id": "u", "status": "paused", "items": [
        {"type": "hologram", "id": "h", "rays": 3},
        {"type": "agentMessage", "id": "a", "text": "hi", "phase": "encore", "mood": {}},
        "not even an object",
    ]}});
    let Notification::TurnCompleted(read) = notification("turn/completed", &turn) else {
        panic!("not read");
    };
    assert_eq!(read.turn.status, TurnStatus::Other("paused".to_owned()));
    assert!(matches!(&read.turn.items[0], ThreadItem::Other(other) if other.kind == "hologram"));
    check(
        &read.turn.items,
        expect![[
            r#"[{"type":"hologram","id":"h","rays":3},{"type":"agentMessage","id":"a","text":"hi","phase":"encore"},"not even an object"]"#
        ]],
    );
    check(
        &notification("galaxy/collided", &json!({"at": 1})),
        expect![[r#"{"method":"galaxy/collided","params":{"at":1}}"#]],
    );
    check(
        &ServerRequest::decode("item/tool/call", &raw(&json!([]))),
        expect![[r#"{"method":"item/tool/call","params":[]}"#]],
    );
}

#[test]
fn a_field_of_another_type_is_left_out() {
    let turn = json!({"threadId": "t", "turn": {"id": "u", "status": "completed", "durationMs": "long",
        "items": null, "error": {"message": 5}, "startedAt": 1.5, "completedAt": 9}});
    let Notification::TurnCompleted(read) = notification("turn/completed", &turn) else {
        panic!("not read");
    };
    check(
        &read,
        expect![[
            r#"{"threadId":"t","turn":{"id":"u","status":"completed","items":[],"itemsView":null,"error":null,"startedAt":null,"completedAt":9,"durationMs":null}}"#
        ]],
    );
    let item = json!({"threadId": "t", "turnId": "u", "item":
        {"type": "commandExecution", "id": "i", "status": "failed", "command": "ls", "exitCode": "one"}});
    let Notification::ItemCompleted(read) = notification("item/completed", &item) else {
        panic!("not read");
    };
    assert!(
        matches!(&read.item, ThreadItem::CommandExecution(command) if command.exit_code.is_none())
    );
    let response = json!({"thread": {"id": "t", "gitInfo": 1, "status": "idle"},
        "approvalPolicy": {"granular": {}}, "sandbox": {"type": "bubble"}});
    let read: ThreadStartResponse = decode(&raw(&response)).expect("read");
    assert_eq!(read.thread.id, "t");
    assert_eq!(read.approval_policy, None);
}

#[test]
fn what_cannot_be_done_without_is_not_made_up() {
    for params in [json!({"threadId": 5, "turn": {"id": "u", "status": "completed"}}), json!(null)]
    {
        let read = notification("turn/completed", &params);
        assert!(matches!(read, Notification::Other { .. }), "{read:?}");
    }
    let item =
        json!({"threadId": "t", "turnId": "u", "item": {"type": "commandExecution", "id": "i"}});
    let Notification::ItemStarted(read) = notification("item/started", &item) else {
        panic!("not read");
    };
    assert!(matches!(&read.item, ThreadItem::Other(other) if other.kind == "commandExecution"));
}

#[test]
fn error_kinds_are_open() {
    let check = |info: Value, kind: &str, status: Option<u16>| {
        let params = json!({"threadId": "t", "turnId": "u", "willRetry": false,
            "error": {"message": "m", "codexErrorInfo": info}});
        let Notification::Error(read) = notification("error", &params) else { panic!("not read") };
        let read = read.error.codex_error_info.expect("kept");
        assert_eq!((read.kind.as_str(), read.http_status_code), (kind, status));
    };
    check(json!("usageLimitExceeded"), "usageLimitExceeded", None);
    check(
        json!({"httpConnectionFailed": {"httpStatusCode": 401}}),
        "httpConnectionFailed",
        Some(401),
    );
    check(json!({"httpConnectionFailed": {"httpStatusCode": null}}), "httpConnectionFailed", None);
    check(json!({"brandNew": 5}), "brandNew", None);
    check(json!([]), "unknown", None);
}
