//! Resources: what they are called, what is listed, what can be read.

use codex_mcp::mcp::outputs::NewOutput;
use codex_mcp::mcp::paging::Kind;
use codex_mcp::mcp::resources::ResourceUri;
use proptest::prelude::*;
use serde_json::json;
use testkit::home::CodexHome;
use testkit::model::FakeModel;

use crate::bridge::{Setup, TestBridge, result_of, text};
use crate::connections::House;

const OUTPUT: &str = "codex://outputs/000102030405060708090a0b0c0d0e0f";

#[test]
fn every_form_of_name_comes_back() {
    for uri in [
        "codex://threads",
        "codex://threads/01a205a5-c192",
        "codex://threads/01a205a5-c192/plan",
        "codex://threads/01a205a5-c192/diff",
        "codex://threads/01a205a5-c192/turns/turn_1",
        "codex://patches/p-1",
        OUTPUT,
    ] {
        assert_eq!(uri.parse::<ResourceUri>().unwrap().to_string(), uri);
    }
    let escaped = "CODEX://threads/%30%31".parse::<ResourceUri>().unwrap();
    assert_eq!(escaped.to_string(), "codex://threads/01");
}

#[test]
fn a_hostile_name_is_refused() {
    for uri in [
        "",
        "codex:",
        "codex://",
        "codex:///threads",
        "file:///etc/passwd",
        "codex://threads/",
        "codex://threads/..",
        "codex://threads/%2e%2e",
        "codex://threads/a%2Fplan",
        "codex://threads/a%00",
        "codex://threads/a%",
        "codex://threads/%ff",
        "codex://threads/a b",
        "codex://threads/a?x=1",
        "codex://threads/a#x",
        "codex://threads/a/plan/",
        "codex://threads/a/turns/b/c",
        "codex://threads/a/turns/",
        "codex://threads/é",
        "codex://outputs/xyz",
        "codex://outputs/00",
        "codex://user@threads",
    ] {
        assert!(uri.parse::<ResourceUri>().is_err(), "{uri}");
    }
    assert!(format!("codex://threads/{}", "a".repeat(201)).parse::<ResourceUri>().is_err());
}

proptest! {
    #[test]
    fn what_is_read_is_written_the_same(uri in "codex://(threads|outputs|patches)(/[a-zA-Z0-9%._-]{0,40}){0,4}") {
        if let Ok(resource) = uri.parse::<ResourceUri>() {
            prop_assert_eq!(resource.to_string().parse(), Ok(resource));
        }
    }
}

#[tokio::test]
async fn the_lists_say_how_long_they_keep() {
    let mut bridge = TestBridge::spawn([], Setup::default());
    let discovered = bridge.client.discover().await;
    let resources = &discovered["result"]["capabilities"]["resources"];
    assert_eq!(resources, &json!({ "subscribe": true, "listChanged": true }));
    let list = result_of(bridge.client.request("resources/list", json!({})).await);
    assert_eq!(list["resources"], json!([]));
    assert_eq!((&list["ttlMs"], &list["cacheScope"]), (&json!(0), &json!("private")));
    let templates = result_of(bridge.client.request("resources/templates/list", json!({})).await);
    let template = &templates["resourceTemplates"][0];
    assert_eq!(template["uriTemplate"], "codex://outputs/{outputId}");
    assert_eq!(templates["cacheScope"], "public");
    bridge.finish().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_words_of_the_revision() {
    let mut bridge = TestBridge::start([]).await;
    for uri in [OUTPUT, "codex://threads", "codex://outputs/../x", "file:///etc/passwd"] {
        let refused = bridge.client.request("resources/read", json!({ "uri": uri })).await;
        assert_eq!(refused["error"]["code"], -32002, "{refused}");
        assert_eq!(refused["error"]["data"]["uri"], uri, "{refused}");
    }
    bridge.finish().await;
    let mut bridge = TestBridge::spawn([], Setup::default());
    bridge.client.discover().await;
    let refused = bridge.client.request("resources/read", json!({ "uri": OUTPUT })).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    bridge.finish().await;
}

#[tokio::test]
async fn more_than_a_mebibyte_is_its_beginning_and_the_way_on() {
    let model = FakeModel::start([]);
    let home = CodexHome::new(&model.base_url()).with_git();
    let house = House::open(&home).await;
    let mut client = house.client().await;
    // The house keeps 2 MiB.
    let whole = "a line of text\n".repeat(100_000);
    let output = NewOutput { text: whole.clone(), kind: Kind::Log, thread: None, turn: None };
    let id = house.shared.outputs.keep(output).await.unwrap();
    let uri = ResourceUri::Output(id).to_string();
    let read = result_of(client.request("resources/read", json!({ "uri": uri })).await);
    let first = text(&read["contents"][0]["text"]);
    assert!(first.len() > 900_000 && whole.starts_with(&first), "{}", first.len());
    let note = &read["contents"][1];
    assert!(text(&note["text"]).contains("codex.read"), "{note}");
    let token = json!({ "token": note["_meta"]["token"] });
    let next = result_of(client.call_tool("codex.read", token).await);
    assert_eq!(next["structuredContent"]["offset"], first.len());
    assert!(whole[first.len()..].starts_with(&text(&next["structuredContent"]["content"])));
    drop(client);
    house.close().await;
    home.check_leaks();
    model.finish();
}
