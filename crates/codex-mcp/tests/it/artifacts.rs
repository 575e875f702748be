//! What comes of a turn, each kind in its own place: answer, commentary, thinking, commands, patches, logs and images.

mod apart;
mod claude;
mod images;
mod logs;

use data_encoding::BASE64;
use serde_json::{Value, json};
use testkit::model::{Reply, reply};

use crate::bridge::TestBridge;

macro_rules! png {
    () => {
        "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC"
    };
}

/// A red square of 8 by 8 points, as PNG in base64.
pub(crate) const PNG: &str = png!();

/// The bytes of [`PNG`].
pub(crate) fn png() -> Vec<u8> {
    BASE64.decode(PNG.as_bytes()).unwrap()
}

/// The configuration of a server of Codex's own that has one tool, `draws.draw`, which gives an image.
pub(crate) const DRAWS: &str = concat!(
    r#"mcp_servers.draws.command = "/bin/sh"
mcp_servers.draws.args = ["-c", '''
while read -r line; do
  id=$(printf "%s" "$line" | sed -n "s/.*\"id\":\([0-9]*\).*/\1/p")
  case $line in
    *\"initialize\"*) result='{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"draws","version":"1"}}' ;;
    *\"tools/list\"*) result='{"tools":[{"name":"draw","description":"Draws.","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]}' ;;
    *\"tools/call\"*) result='{"content":[{"type":"text","text":"Drawn."},{"type":"image","data":""#,
    png!(),
    r#"","mimeType":"image/png"}]}' ;;
    *) result="{}" ;;
  esac
  [ -z "$id" ] || printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
done
''']"#
);

/// A model's call of that tool.
pub(crate) fn draws() -> Reply {
    reply().item(json!({
        "type": "function_call", "id": "fc_draw", "call_id": "call_draw", "namespace": "mcp__draws", "name": "draw",
        "arguments": "{}",
    }))
}

/// The artifacts of an answer of this kind.
fn artifacts(answer: &Value, kind: &str) -> Vec<Value> {
    let all = answer["structuredContent"]["artifacts"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|artifact| artifact["kind"] == kind).collect()
}

/// What a resource holds.
async fn resource(bridge: &mut TestBridge, uri: &Value) -> Value {
    let reply = bridge.client.request("resources/read", json!({ "uri": uri })).await;
    let contents = &crate::bridge::result_of(reply)["contents"];
    assert_eq!(contents[0]["uri"], *uri, "{contents}");
    contents.clone()
}
