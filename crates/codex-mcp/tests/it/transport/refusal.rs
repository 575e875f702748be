//! What a client is told about lines that are no request, about requests that are wrong, and about panics.

use codex_mcp::mcp::connection::Limits;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::fixture::{Fixture, LEGACY};

/// Sends each line to an open connection and lists what comes back for it.
async fn check(lines: &[&str], expected: Expect) {
    let mut fixture = Fixture::legacy().await;
    let mut table = String::new();
    for line in lines {
        table += &format!("{}\n", line.escape_default());
        let answers = fixture.answers_to(line).await;
        if answers.is_empty() {
            table += "    nothing\n";
        }
        for answer in answers {
            table += &format!("    {}\n", brief(&answer));
        }
    }
    expected.assert_eq(&table);
}

fn brief(answer: &Value) -> String {
    match answer.get("error") {
        None => format!("id {}: result", answer["id"]),
        Some(error) => format!("id {}: {} {}", answer["id"], error["code"], error["message"]),
    }
}

#[tokio::test]
async fn lines_that_are_no_message() {
    check(
        &[
            "",
            "   \t ",
            "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r",
            "hello",
            r#"{"jsonrpc":"2.0","id":1,"method":"ping""#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping"} trailing"#,
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            "[]",
            "[1,",
            "42",
            "{}",
        ],
        expect![[r#"

                nothing
               \t 
                nothing
            \u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r
                id 1: result
            hello
                id null: -32700 "parse error: the line is not JSON: expected value at line 1 column 1"
            {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"
                id null: -32700 "parse error: the line is not JSON: EOF while parsing an object at line 1 column 39"
            {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} trailing
                id null: -32700 "parse error: the line is not JSON: trailing characters at line 1 column 42"
            [{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]
                id null: -32600 "invalid request: batches are not supported; send one message a line"
            []
                id null: -32600 "invalid request: batches are not supported; send one message a line"
            [1,
                id null: -32700 "parse error: the line is not JSON: EOF while parsing a value at line 1 column 3"
            42
                id null: -32600 "invalid request: a message is a JSON object"
            {}
                id null: -32600 "invalid request: there is no method"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let mut fixture = Fixture::legacy().await;
    fixture.client.peer.send_raw(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\xff\"}\n").await;
    fixture.client.peer.send_raw(b"\xff\xfe\n").await;
    for _ in 0..2 {
        let answer = fixture.client.peer.next().await.expect("an answer");
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32700)));
    }
}

#[tokio::test]
async fn objects_that_are_no_request() {
    check(
        &[
            r#"{"foo":"bar"}"#,
            r#"{"id":7}"#,
            r#"{"id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":2.0,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":5}"#,
            r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","extra":1,"params":null}"#,
        ],
        expect![[r#"
            {\"foo\":\"bar\"}
                id null: -32600 "invalid request: there is no method"
            {\"id\":7}
                id 7: -32600 "invalid request: there is no method"
            {\"id\":7,\"method\":\"ping\"}
                id 7: -32600 "invalid request: jsonrpc must be \"2.0\""
            {\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"ping\"}
                id 7: -32600 "invalid request: jsonrpc must be \"2.0\""
            {\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}
                id null: -32600 "invalid request: id must be a string or an integer"
            {\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}
                id null: -32600 "invalid request: id must be a string or an integer"
            {\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}
                id null: -32600 "invalid request: id must be a string or an integer"
            {\"jsonrpc\":\"2.0\",\"id\":2.0,\"method\":\"ping\"}
                id 2: result
            {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":5}
                id 7: -32600 "invalid request: method must be a string"
            {\"jsonrpc\":\"2.0\",\"id\":7,\"id\":8,\"method\":\"ping\"}
                id null: -32600 "invalid request: duplicate field `id` at line 1 column 28"
            {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\",\"result\":{}}
                id 7: -32600 "invalid request: a message has either a method or a result or an error"
            {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\",\"extra\":1,\"params\":null}
                id 7: result
        "#]],
    )
    .await;
}

#[tokio::test]
async fn answers_and_notifications_are_never_answered() {
    check(
        &[
            r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":{},"error":{}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/unheard-of"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}"#,
        ],
        expect![[r#"
            {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}
                nothing
            {\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"parse error\"}}
                nothing
            {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{},\"error\":{}}
                nothing
            {\"jsonrpc\":\"2.0\",\"method\":\"notifications/unheard-of\"}
                nothing
            {\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":{}}}
                nothing
            {\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}
                nothing
            {\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":99}}
                nothing
        "#]],
    )
    .await;
}

#[tokio::test]
async fn malformed_params_are_named() {
    let call =
        |params| format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#);
    let lines = [
        call(r#"{"name":"echo","arguments":[]}"#),
        call(r#"{"name":"echo","arguments":"text"}"#),
        call(r#"{"name":"echo","arguments":null,"_meta":null}"#),
        call(r#"{"name":"echo","_meta":3}"#),
        call(r#"{"name":7}"#),
        call(r#"{"arguments":{}}"#),
        call("{}"),
        call("3"),
        call("[]"),
        call("null"),
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":5}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":[]}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":["a"]}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"completion/complete","params":{"ref":{"type":"x"}}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"no/such","params":[1]}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"no/such","params":{}}"#.to_owned(),
    ];
    check(&lines.each_ref().map(String::as_str), expect![[r#"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":[]}}
            id 7: -32602 "invalid params of tools/call: arguments: invalid type: sequence, expected a map"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":\"text\"}}
            id 7: -32602 "invalid params of tools/call: arguments: invalid type: string \"text\", expected a map"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":null,\"_meta\":null}}
            id 7: result
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"_meta\":3}}
            id 7: -32602 "invalid params of tools/call: _meta: must be an object, not a number"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":7}}
            id 7: -32602 "invalid params of tools/call: name: invalid type: integer `7`, expected a string"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"arguments\":{}}}
            id 7: -32602 "invalid params of tools/call: missing field `name`"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{}}
            id 7: -32602 "invalid params of tools/call: missing field `name`"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":3}
            id 7: -32602 "invalid params of tools/call: must be an object, not a number"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":[]}
            id 7: -32602 "invalid params of tools/call: must be an object, not an array"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":null}
            id 7: -32602 "invalid params of tools/call: missing field `name`"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\"}
            id 7: -32602 "invalid params of tools/call: missing field `name`"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\",\"params\":{\"cursor\":5}}
            id 7: -32602 "invalid params of tools/list: cursor: invalid type: integer `5`, expected a string"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\",\"params\":[]}
            id 7: -32602 "invalid params of tools/list: must be an object, not an array"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}
            id 7: -32602 "invalid params of initialize: missing field `capabilities`"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"resources/read\",\"params\":{\"uri\":[\"a\"]}}
            id 7: -32602 "invalid params of resources/read: uri: invalid type: sequence, expected a string"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"completion/complete\",\"params\":{\"ref\":{\"type\":\"x\"}}}
            id 7: -32602 "invalid params of completion/complete: ref.type: unknown variant `x`, expected `ref/resource` or `ref/prompt`"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"no/such\",\"params\":[1]}
            id 7: -32602 "invalid params of no/such: must be an object, not an array"
        {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"no/such\",\"params\":{}}
            id 7: -32601 "method not found: no/such"
    "#]]).await;
}

#[tokio::test]
async fn a_malformed_opener_leaves_the_connection_open() {
    let mut fixture = Fixture::new();
    let line = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":7}}"#;
    assert_eq!(fixture.answers_to(line).await[0]["error"]["code"], -32602);
    let reply = fixture.client.initialize_legacy(LEGACY).await;
    assert_eq!(reply["result"]["protocolVersion"], LEGACY);
}

#[tokio::test]
async fn a_line_over_the_limit_is_refused_and_the_next_one_is_served() {
    let limits = Limits { max_line_bytes: 1000, ..Limits::default() };
    let mut fixture = Fixture::within(limits);
    fixture.client.initialize_legacy(LEGACY).await;
    let long = "x".repeat(100_000);
    let lines = [
        (
            json!(7),
            format!(
                r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"text":"{long}"}}}}"#
            ),
        ),
        (
            json!("a"),
            format!(
                r#"{{"method":"tools/call","params":{{"id":1,"text":"{long}"}},"jsonrpc":"2.0","id":"a"}} "#
            ),
        ),
        (Value::Null, format!(r#"{{"method":"tools/call","params":{{"text":"{long}","id":7}}}}"#)),
        (Value::Null, format!(r#"{{"method":"tools/call","id":"{long}"}}"#)),
        (Value::Null, long.clone()),
    ];
    for (id, line) in lines {
        let answers = fixture.answers_to(&line).await;
        assert_eq!(answers.len(), 1);
        assert_eq!((&answers[0]["id"], &answers[0]["error"]["code"]), (&id, &json!(-32600)));
    }
    let exact = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let exact = format!("{exact}{}", " ".repeat(999 - exact.len()));
    assert_eq!(brief(&fixture.answers_to(&exact).await[0]), "id 1: result");
    assert_eq!(
        brief(&fixture.answers_to(&format!("{exact} ")).await[0]).split(' ').nth(2),
        Some("-32600")
    );
}

#[tokio::test]
async fn a_duplicate_id_is_refused_and_the_first_call_answered() {
    let mut fixture = Fixture::legacy().await;
    let held = fixture.client.start_call("hold", json!({})).await;
    fixture.dummy.gate.reached().await;
    let twin =
        json!({"jsonrpc": "2.0", "id": held, "method": "tools/call", "params": {"name": "echo"}});
    let refused = fixture.answers_to(&twin.to_string()).await;
    assert_eq!((refused.len(), &refused[0]["error"]["code"]), (1, &json!(-32600)));
    fixture.dummy.gate.open();
    let reply = fixture.client.peer.reply(held).await;
    assert_eq!(reply["result"]["content"][0]["text"], "released");
    // Once it is answered, an id is nobody's.
    assert_eq!(
        brief(&fixture.answers_to(&twin.to_string()).await[0]),
        format!("id {held}: result")
    );
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused() {
    let limits = Limits { max_in_flight: 1, ..Limits::default() };
    let mut fixture = Fixture::within(limits);
    fixture.client.initialize_legacy(LEGACY).await;
    let held = fixture.client.start_call("hold", json!({})).await;
    let refused = fixture.client.call_tool("echo", json!({})).await;
    assert_eq!(refused["error"]["code"], -32603);
    fixture.dummy.gate.open();
    fixture.client.peer.reply(held).await;
    let reply = fixture.client.call_tool("echo", json!({})).await;
    assert_eq!(reply["result"]["isError"], false);
}

#[tokio::test]
async fn a_panic_fails_only_its_call() {
    let mut errors = String::new();
    for mut fixture in [Fixture::legacy().await, Fixture::modern().await] {
        let held = fixture.client.start_call("hold", json!({})).await;
        let reply = fixture.client.call_tool("panic", json!({})).await;
        errors += &format!("{}\n", reply["error"]);
        fixture.dummy.gate.open();
        let reply = fixture.client.peer.reply(held).await;
        assert_eq!(reply["result"]["content"][0]["text"], "released");
    }
    expect![[r#"
        {"code":-32603,"message":"internal error: tools/call failed because of a defect in the server; only this request is affected and the server goes on"}
        {"code":-32603,"message":"internal error: tools/call failed because of a defect in the server; only this request is affected and the server goes on"}
    "#]].assert_eq(&errors);
}

#[tokio::test]
async fn methods_that_2026_07_28_removed_are_refused() {
    let mut fixture = Fixture::modern().await;
    // Until then the connection is open to both eras, and `ping` is answered.
    fixture.client.call_tool("echo", json!({})).await;
    for (method, params) in [
        ("ping", json!({})),
        ("logging/setLevel", json!({"level": "info"})),
        ("resources/subscribe", json!({"uri": "codex://threads"})),
        ("no/such", json!({})),
    ] {
        let reply = fixture.client.request(method, params).await;
        assert_eq!(reply["error"]["code"], -32601, "{method}");
    }
}
