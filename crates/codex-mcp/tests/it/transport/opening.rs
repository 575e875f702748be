//! How a connection begins: five versions, the probe, and what a client may send too early.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::fixture::{Fixture, LEGACY};

#[tokio::test]
async fn each_version_with_a_handshake_is_echoed() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY] {
        let mut fixture = Fixture::new();
        let reply = fixture.client.initialize_legacy(version).await;
        assert_eq!(reply["result"]["protocolVersion"], version);
        assert_eq!(reply["result"]["serverInfo"]["name"], "dummy");
        let reply = fixture.client.call_tool("echo", json!({"text": "hi"})).await;
        assert_eq!(reply["result"]["structuredContent"], json!({"text": "hi"}));
    }
}

#[tokio::test]
async fn unknown_versions_are_offered_the_newest_handshake() {
    for version in ["1999-01-01", "2026-07-28", "2099-01-01"] {
        let reply = Fixture::new().client.initialize_legacy(version).await;
        assert_eq!(reply["result"]["protocolVersion"], LEGACY);
    }
}

#[tokio::test]
async fn the_modern_era_needs_no_handshake() {
    let mut fixture = Fixture::new();
    fixture.client.use_modern();
    check_results(
        &mut fixture,
        expect![[r#"
            {"resultType":"complete","content":[{"type":"text","text":"{\"text\":\"hi\"}"}],"structuredContent":{"text":"hi"},"isError":false,"_meta":{"dummy/kind":"echo","io.modelcontextprotocol/serverInfo":{"name":"dummy","version":"1"}}}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_probe_leaves_both_eras_open() {
    let mut fixture = Fixture::modern().await;
    fixture.client.initialize_legacy(LEGACY).await;
    check_results(&mut fixture, expect![[r#"
        {"content":[{"type":"text","text":"{\"text\":\"hi\"}"}],"structuredContent":{"text":"hi"},"isError":false,"_meta":{"dummy/kind":"echo"}}
    "#]]).await;
}

#[tokio::test]
async fn a_cancelled_probe_leaves_both_eras_open() {
    let mut fixture = Fixture::modern().await;
    fixture.client.cancel(1, "the probe timed out").await;
    let reply = fixture.client.initialize_legacy(LEGACY).await;
    assert_eq!(reply["result"]["protocolVersion"], LEGACY);

    let mut fixture = Fixture::modern().await;
    fixture.client.cancel(1, "the probe timed out").await;
    let reply = fixture.client.call_tool("fails", json!({})).await;
    assert_eq!(reply["result"]["isError"], true);
}

#[tokio::test]
async fn what_comes_before_the_first_request_is_dropped() {
    let early = [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/unheard-of"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#,
    ];
    let mut fixture = Fixture::new();
    for line in early {
        assert_eq!(fixture.answers_to(line).await, [] as [Value; 0], "{line}");
    }
    // A request that is refused does not open the connection either.
    let refused = fixture.answers_to(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#);
    assert_eq!(refused.await[0]["error"]["code"], -32602);
    assert_eq!(fixture.answers_to(early[0]).await, [] as [Value; 0]);
    let reply = fixture.client.initialize_legacy(LEGACY).await;
    assert_eq!(reply["result"]["protocolVersion"], LEGACY);
}

#[tokio::test]
async fn a_request_of_an_unsupported_version_does_not_open_the_connection() {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "1900-01-01", "io.modelcontextprotocol/clientCapabilities": {}});
    let request =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}});
    let mut fixture = Fixture::new();
    let answers = fixture.answers_to(&request.to_string()).await;
    assert_eq!(answers[0]["error"]["code"], -32022);
    let early = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(fixture.answers_to(early).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_handler_learns_who_calls_in_both_eras() {
    let mut who = String::new();
    for mut fixture in [Fixture::legacy().await, Fixture::modern().await] {
        let call = json!({"name": "who", "_meta": {"claudecode/toolUseId": "toolu_1", "progressToken": 9}});
        let reply = fixture.client.request("tools/call", call).await;
        who += &format!("{}\n", reply["result"]["structuredContent"]);
    }
    expect![[r#"
        {"id":2,"toolUseId":"toolu_1","progressToken":9,"client":"testkit","elicitation":false,"version":"2025-11-25","modern":false}
        {"id":2,"toolUseId":"toolu_1","progressToken":9,"client":"testkit","elicitation":false,"version":"2026-07-28","modern":true}
    "#]].assert_eq(&who);
}

#[tokio::test]
async fn a_modern_list_names_the_server_and_says_how_long_it_holds() {
    let mut fixture = Fixture::modern().await;
    let reply = fixture.client.request("tools/list", json!({})).await;
    expect![[r#"
        {
          "resultType": "complete",
          "_meta": {
            "io.modelcontextprotocol/serverInfo": {
              "name": "dummy",
              "version": "1"
            }
          },
          "ttlMs": 60000,
          "cacheScope": "private",
          "tools": [
            {
              "name": "echo",
              "title": "Echo",
              "description": "Returns what it is given.",
              "inputSchema": {
                "type": "object",
                "properties": {
                  "text": {
                    "type": "string"
                  }
                }
              },
              "outputSchema": {
                "type": "object",
                "properties": {
                  "text": {
                    "type": "string"
                  }
                }
              },
              "annotations": {
                "readOnlyHint": true,
                "openWorldHint": false
              },
              "_meta": {
                "anthropic/alwaysLoad": true
              }
            }
          ]
        }
    "#]]
    .assert_eq(&format!("{:#}\n", reply["result"]));
}

async fn check_results(fixture: &mut Fixture, expected: Expect) {
    let reply = fixture.client.call_tool("echo", json!({"text": "hi"})).await;
    expected.assert_eq(&format!("{}\n", reply["result"]));
}
