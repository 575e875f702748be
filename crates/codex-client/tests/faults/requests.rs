//! Each request gets one result, at its place in the stream, whatever the other side answers.

use std::time::Duration;

use codex_client::protocol::{AccountRead, AccountReadParams, Method};
use codex_client::{RequestError, RequestId, RpcError};
use expect_test::expect;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::io::AsyncWriteExt;

use crate::rig::{Rig, SECOND};

#[tokio::test(start_paused = true)]
async fn results_keep_their_place_between_notifications() {
    let mut rig = Rig::new();
    rig.submit(10);
    rig.submit(20);
    let (first, second) = (rig.read_id().await, rig.read_id().await);
    rig.write(r#"{"method":"before"}"#).await;
    rig.write(&format!(r#"{{"id":{second},"result":{{"of":20}}}}"#)).await;
    rig.write(r#"{"method":"between","params":{}}"#).await;
    rig.write(&format!(r#"{{"id":{first},"result":null}}"#)).await;
    rig.write(r#"{"id":0,"method":"question"}"#).await;
    expect![[r#"
        before null
        20: {"of":20}
        between {}
        10: null
        request 0 question null
        closed: the app-server closed its output
    "#]]
    .assert_eq(&rig.rest().await);
}

#[tokio::test(start_paused = true)]
async fn errors_tell_what_to_do() {
    let mut rig = Rig::new();
    for (tag, error) in [
        (1, r#"{"code":-32600,"message":"thread not found: x","data":{"a":1}}"#),
        (2, r#"{"code":-32001,"message":"Server overloaded; retry later."}"#),
        (3, r#""not an error object""#),
    ] {
        rig.submit(tag);
        let id = rig.read_id().await;
        rig.write(&format!(r#"{{"id":{id},"error":{error}}}"#)).await;
    }
    expect![[r#"
        1: Rejected: test/method was rejected: thread not found: x (code -32600)
        2: Overloaded: test/method was not taken on: too many requests are under way
        3: Unreadable: the answer to test/method cannot be read
        closed: the app-server closed its output
    "#]]
    .assert_eq(&rig.rest().await);
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_waits_for_harm_nobody() {
    let mut rig = Rig::new();
    rig.submit(1);
    rig.submit(2);
    let (first, second) = (rig.read_id().await, rig.read_id().await);
    rig.write(r#"{"id":999,"result":{}}"#).await;
    rig.write(r#"{"id":-1,"result":{}}"#).await;
    rig.write(r#"{"id":"text","result":{}}"#).await;
    rig.write(&format!(r#"{{"id":{first},"result":"first"}}"#)).await;
    rig.write(&format!(r#"{{"id":{first},"result":"again"}}"#)).await;
    rig.write(&format!(r#"{{"id":{second},"result":"second"}}"#)).await;
    expect![[r#"
        1: "first"
        2: "second"
        closed: the app-server closed its output
    "#]]
    .assert_eq(&rig.rest().await);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_ends_at_its_deadline() {
    let mut rig = Rig::new();
    rig.submit_with_deadline(1, 2 * SECOND);
    rig.submit_with_deadline(2, SECOND);
    let (first, _second) = (rig.read_id().await, rig.read_id().await);
    let started = tokio::time::Instant::now();
    assert_eq!(rig.recv().await, "2: DeadlineExceeded: test/method was not answered within 1s");
    assert!(started.elapsed() < SECOND + Duration::from_millis(10), "{:?}", started.elapsed());
    assert_eq!(rig.recv().await, "1: DeadlineExceeded: test/method was not answered within 2s");
    rig.write(&format!(r#"{{"id":{first},"result":"late"}}"#)).await;
    rig.submit(3);
    let third = rig.read_id().await;
    rig.write(&format!(r#"{{"id":{third},"result":"in time"}}"#)).await;
    assert_eq!(rig.recv().await, r#"3: "in time""#);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_beyond_the_clock_is_no_deadline() {
    let mut rig = Rig::new();
    rig.submit_with_deadline(1, Duration::MAX);
    let id = rig.read_id().await;
    rig.write(&format!(r#"{{"id":{id},"result":1}}"#)).await;
    assert_eq!(rig.recv().await, "1: 1");
}

#[tokio::test(start_paused = true)]
async fn a_typed_request_reads_its_result() {
    let mut rig = Rig::new();
    let connection = rig.connection.clone();
    let params = AccountReadParams::default();
    let ask = connection.request::<AccountRead>(&params, SECOND);
    let answer = async {
        let request = rig.read().await;
        assert_eq!(request["method"], AccountRead::NAME);
        assert_eq!(request["params"], json!({ "refreshToken": false }));
        let id = &request["id"];
        rig.write(&format!(r#"{{"id":{id},"result":{{"account":{{"type":"apiKey"}}}}}}"#)).await;
    };
    let (result, ()) = tokio::join!(ask, answer);
    assert_eq!(result.expect("answered").account.expect("logged in").kind, "apiKey");

    let ask = connection.request::<AccountRead>(&params, SECOND);
    let answer = async {
        let id = rig.read_id().await;
        rig.write(&format!(r#"{{"id":{id},"result":"what?"}}"#)).await;
    };
    let (result, ()) = tokio::join!(ask, answer);
    assert!(matches!(result, Err(RequestError::Unreadable { method: "account/read", .. })));
}

#[tokio::test(start_paused = true)]
async fn questions_are_answered_under_their_own_id() {
    let mut rig = Rig::new();
    let (number, text) = (RequestId::Number(0), RequestId::Text("q".to_owned()));
    rig.connection.answer(&number, Ok(&json!({ "decision": "decline" }))).expect("there is room");
    let refusal = RpcError::method_not_found("new/question");
    rig.connection.answer::<()>(&text, Err(&refusal)).expect("there is room");
    rig.connection.notify::<()>("initialized", None).expect("there is room");
    assert_eq!(rig.read().await, json!({ "id": 0, "result": { "decision": "decline" } }));
    assert_eq!(
        rig.read().await,
        json!({ "id": "q", "error": { "code": -32601, "message": "new/question is not supported" } })
    );
    assert_eq!(rig.read().await, json!({ "method": "initialized" }));
    let pretty = RawValue::from_string("{\n  \"a\": 1\n}".to_owned()).expect("it is JSON");
    rig.connection.notify("pretty", Some(&pretty)).expect("there is room");
    assert_eq!(rig.read().await, json!({ "method": "pretty", "params": { "a": 1 } }));
}

#[tokio::test(start_paused = true)]
async fn the_end_answers_everything_that_is_open() {
    let mut rig = Rig::new();
    let connection = rig.connection.clone();
    for tag in 1..=66 {
        rig.submit(tag);
    }
    rig.read_id().await;
    rig.output.shutdown().await.expect("can be closed");
    for tag in 1..=66 {
        let closed =
            "Closed: test/method was not answered: the connection to the app-server is closed";
        assert_eq!(rig.recv().await, format!("{tag}: {closed}"));
    }
    assert_eq!(rig.recv().await, "closed: the app-server closed its output");
    assert_eq!(rig.recv().await, "nothing more");
    let after = connection.submit(1, "test/method", &(), SECOND);
    assert!(matches!(after, Err(RequestError::Closed { .. })));
    rig.tasks.wait().await;
}

#[tokio::test(start_paused = true)]
async fn closing_the_input_writes_first_and_reads_to_the_end() {
    let mut rig = Rig::new();
    rig.submit(1);
    rig.connection.close_input();
    rig.submit(2);
    assert_eq!(
        rig.recv().await,
        "2: Closed: test/method was not answered: the connection to the app-server is closed"
    );
    let id = rig.read_id().await;
    assert_eq!(rig.input.next_line().await.expect("readable"), None);
    rig.write(&format!(r#"{{"id":{id},"result":"still"}}"#)).await;
    expect![[r#"
        1: "still"
        closed: the app-server closed its output
    "#]]
    .assert_eq(&rig.rest().await);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_handles_closes_the_input() {
    let Rig { connection, mut inbox, mut output, mut input, tasks } = Rig::new();
    drop(connection);
    assert_eq!(input.next_line().await.expect("readable"), None);
    output.shutdown().await.expect("can be closed");
    assert_eq!(crate::rig::all(&mut inbox).await, "closed: the app-server closed its output\n");
    tasks.wait().await;
}

#[tokio::test(start_paused = true)]
async fn dropping_the_inbox_ends_the_connection() {
    let Rig { connection, inbox, output: _output, mut input, tasks } = Rig::new();
    drop(inbox);
    tasks.wait().await;
    assert_eq!(input.next_line().await.expect("readable"), None);
    let params = AccountReadParams::default();
    let after = connection.request::<AccountRead>(&params, SECOND).await;
    assert!(matches!(after, Err(RequestError::Closed { .. })));
}
