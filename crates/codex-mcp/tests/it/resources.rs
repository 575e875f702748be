//! Resources: what they are called, what is listed, what can be read.

use codex_mcp::mcp::outputs::NewOutput;
use codex_mcp::mcp::paging::Kind;
use codex_mcp::mcp::resources::ResourceUri;
use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::model::{FakeModel, StepStatus, patches, plans, reply, says};

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
    assert_eq!(list["resources"][0]["uri"], "codex://threads");
    assert_eq!(list["resources"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!((&list["ttlMs"], &list["cacheScope"]), (&json!(0), &json!("private")));
    let templates = result_of(bridge.client.request("resources/templates/list", json!({})).await);
    let templates_of = templates["resourceTemplates"].as_array().unwrap().iter();
    let forms: Vec<_> = templates_of.map(|template| text(&template["uriTemplate"])).collect();
    expect![[r#"
        codex://threads/{threadId}
        codex://threads/{threadId}/plan
        codex://threads/{threadId}/diff
        codex://threads/{threadId}/turns/{turnId}
        codex://patches/{patchId}
        codex://outputs/{outputId}"#]]
    .assert_eq(&forms.join("\n"));
    assert_eq!(templates["cacheScope"], "public");
    bridge.finish().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_words_of_the_revision() {
    let mut bridge = TestBridge::start([]).await;
    let unknown = "codex://threads/01a205a5-c192-74e0-9472-ab51cb27f43e";
    for uri in [OUTPUT, unknown, "codex://patches/1-x", "codex://outputs/../x", "file:///etc"] {
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
    let house = House::open_knowing(&home, &["t1".to_owned()]).await;
    let mut client = house.client().await;
    // The house keeps 2 MiB.
    let whole = "a line of text\n".repeat(100_000);
    let thread = Some("t1".to_owned());
    let output = NewOutput { text: whole.clone(), kind: Kind::Log, thread, turn: None };
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

async fn read(bridge: &mut TestBridge, uri: &str) -> Value {
    let answer = bridge.client.request("resources/read", json!({ "uri": uri })).await;
    let mut contents = result_of(answer)["contents"].take();
    assert_eq!(contents.as_array().map(Vec::len), Some(1), "{contents}");
    contents[0].take()
}

async fn read_json(bridge: &mut TestBridge, uri: &str) -> Value {
    let content = read(bridge, uri).await;
    assert_eq!(content["mimeType"], "application/json", "{content}");
    serde_json::from_str(&text(&content["text"])).unwrap()
}

#[tokio::test]
async fn a_thread_is_read_by_name_with_all_that_belongs_to_it() {
    let steps = [("look", StepStatus::Completed)];
    let script = [plans("One thing.", &steps), reply().thinks("Hm.").says("Blue.")];
    let mut bridge = TestBridge::start(script).await;
    let thread = bridge.thread("Name a colour.").await;
    let list = result_of(bridge.client.request("resources/list", json!({})).await);
    let uri = text(&list["resources"][1]["uri"]);
    assert_eq!(uri, format!("codex://threads/{thread}"));
    assert_eq!(list["resources"][1]["title"], "Name a colour.");

    let all = read_json(&mut bridge, "codex://threads").await;
    assert_eq!(all["threads"][0]["threadId"], json!(thread), "{all}");
    let one = read_json(&mut bridge, &uri).await;
    assert_eq!(one["newestTurns"][0]["prompt"], "Name a colour.", "{one}");
    let turn = read_json(&mut bridge, &text(&one["newestTurns"][0]["uri"])).await;
    assert_eq!((&turn["content"], &turn["thinking"][0]), (&json!("Blue."), &json!("Hm.")));
    let plan = read_json(&mut bridge, &text(&one["planUri"])).await;
    assert_eq!(plan["steps"][0]["step"], "look", "{plan}");
    let diff = read(&mut bridge, &text(&one["diffUri"])).await;
    assert_eq!((&diff["text"], &diff["mimeType"]), (&json!(""), &json!("text/x-diff")));
    bridge.finish().await;
}

#[tokio::test]
async fn a_declined_patch_is_read_by_its_name() {
    let patch = "*** Begin Patch\n*** Add File: made.txt\n+made\n*** End Patch";
    let mut bridge = TestBridge::start([patches(patch), says("I could not.")]).await;
    let thread = bridge.thread("Make a file.").await;
    let changes = json!({ "threadId": thread, "kinds": ["changes"] });
    let answer = bridge.call("codex.thread.read", changes).await;
    let change = &answer["structuredContent"]["entries"][0];
    assert_eq!(change["detail"], "declined", "{answer}");
    let resource = read(&mut bridge, &text(&change["uri"])).await;
    assert_eq!(resource["text"], change["text"]);
    let shown = text(&resource["text"]);
    assert!(shown.ends_with("made.txt\n@@ -0,0 +1,1 @@\n+made\n"), "{shown}");
    bridge.finish().await;
}
