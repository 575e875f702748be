//! Who watches a resource hears of it, in both eras, and nobody else does.

use std::time::Duration;

use codex_mcp::daemon::Place;
use codex_mcp::mcp::resources::ResourceUri;
use codex_mcp::mcp::subscriptions::MAX_PER_CONNECTION;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::mcp::McpDriver;
use testkit::model::{FakeModel, says};
use testkit::poll;

use crate::bridge::{Setup, TestBridge, content, result_of, text};
use crate::connections::House;
use crate::daemon::state;

const PATIENCE: Duration = Duration::from_secs(10);
const UPDATED: &str = "notifications/resources/updated";
const LIST_CHANGED: &str = "notifications/resources/list_changed";

fn thread(number: usize) -> ResourceUri {
    format!("codex://threads/t{number}").parse().unwrap()
}

/// Runs a test with a house of its own.
async fn check(test: impl AsyncFnOnce(&House)) {
    let model = FakeModel::start([]);
    let home = CodexHome::new(&model.base_url()).with_git();
    let threads: Vec<_> = (0..=MAX_PER_CONNECTION).map(|number| format!("t{number}")).collect();
    let house = House::open_knowing(&home, &threads).await;
    test(&house).await;
    house.close().await;
    home.check_leaks();
    model.finish();
}

async fn subscribe(client: &mut McpDriver, uri: &str) -> Value {
    client.request("resources/subscribe", json!({ "uri": uri })).await
}

#[tokio::test]
async fn a_client_of_an_older_revision_hears_of_what_it_subscribed_to() {
    check(async |house| {
        let (mut watching, mut other) = (house.client().await, house.client().await);
        // In a spelling of its own, which comes back.
        let uri = "codex://threads/%741";
        assert!(subscribe(&mut watching, uri).await["error"].is_null());
        house.shared.subscriptions.notify_updated(&thread(2));
        house.shared.subscriptions.notify_updated(&thread(1));
        let news = watching.peer.incoming(UPDATED).await;
        assert_eq!(news["params"]["uri"], uri, "{news}");

        let gone = watching.request("resources/unsubscribe", json!({ "uri": uri })).await;
        assert!(gone["error"].is_null(), "{gone}");
        house.shared.subscriptions.notify_updated(&thread(1));
        house.shared.subscriptions.notify_list_changed();
        watching.peer.incoming(LIST_CHANGED).await;
        other.peer.incoming(LIST_CHANGED).await;
        assert_eq!(watching.peer.received(UPDATED).len(), 1);
        assert_eq!(other.peer.received(UPDATED).len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_client_of_the_newest_revision_hears_of_what_it_listens_for() {
    check(async |house| {
        let mut client = house.stranger().await;
        client.discover().await;
        let notifications = json!({
            "resourcesListChanged": true,
            "resourceSubscriptions": ["codex://threads/t1", "file:///etc/passwd"],
        });
        let listen = json!({ "notifications": notifications });
        let id = client.start("subscriptions/listen", listen).await;
        let accepted = client.peer.incoming("notifications/subscriptions/acknowledged").await;
        let granted = &accepted["params"]["notifications"];
        assert_eq!(granted["resourceSubscriptions"], json!(["codex://threads/t1"]), "{accepted}");
        // The acknowledgement goes out before the subscription is in force; a further answer comes after.
        client.request("resources/list", json!({})).await;

        house.shared.subscriptions.notify_updated(&thread(2));
        house.shared.subscriptions.notify_updated(&thread(1));
        house.shared.subscriptions.notify_list_changed();
        for (method, uri) in [(UPDATED, json!("codex://threads/t1")), (LIST_CHANGED, Value::Null)] {
            let news = client.peer.incoming(method).await;
            assert_eq!(news["params"]["uri"], uri, "{news}");
            let subscription = &news["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
            assert_eq!(subscription, &json!(id), "{news}");
        }
        assert_eq!(client.peer.received(UPDATED).len(), 1);

        client.cancel(id, "enough").await;
        client.request("resources/list", json!({})).await;
        house.shared.subscriptions.notify_updated(&thread(1));
        client.request("resources/list", json!({})).await;
        assert_eq!(client.peer.received(UPDATED).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_connection_watches_no_more_than_its_share() {
    check(async |house| {
        let mut client = house.client().await;
        for number in 0..MAX_PER_CONNECTION {
            let reply = subscribe(&mut client, &thread(number).to_string()).await;
            assert!(reply["error"].is_null(), "{reply}");
        }
        let again = subscribe(&mut client, &thread(0).to_string()).await;
        assert!(again["error"].is_null(), "{again}");
        let refused = subscribe(&mut client, &thread(MAX_PER_CONNECTION).to_string()).await;
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        let unknown = subscribe(&mut client, "file:///etc/passwd").await;
        assert_eq!(unknown["error"]["code"], -32002, "{unknown}");
    })
    .await;
}

#[tokio::test]
async fn a_turn_is_heard_of_by_who_watches_its_thread() {
    let mut bridge = TestBridge::start([says("One."), says("Two.")]).await;
    let mut other = bridge.beside(Setup::default()).await;
    let thread = bridge.thread("one").await;
    other.peer.incoming(LIST_CHANGED).await;
    let uri = format!("codex://threads/{thread}");
    assert!(subscribe(&mut other, &uri).await["error"].is_null());
    let reply = json!({ "prompt": "two", "threadId": thread });
    content(&bridge.call("codex-reply", reply).await);
    // It was queued, begun and ended; at each time the resource says so already.
    for _ in 0..3 {
        assert_eq!(other.peer.incoming(UPDATED).await["params"]["uri"], json!(uri));
    }
    let read = result_of(other.request("resources/read", json!({ "uri": uri })).await);
    let document: Value = serde_json::from_str(&text(&read["contents"][0]["text"])).unwrap();
    assert_eq!(document["newestTurns"][0]["status"], "completed", "{document}");
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn what_is_watched_is_watched_over_the_end_of_engines() {
    let script = [says("One."), says("Two."), says("Three."), says("Four.")];
    let mut bridge = TestBridge::start(script).await;
    let mut watching = bridge.beside(Setup::default()).await;
    let threads = [bridge.thread("one").await, bridge.thread("two").await];
    for thread in &threads {
        let uri = format!("codex://threads/{thread}");
        assert!(subscribe(&mut watching, &uri).await["error"].is_null());
    }
    let place = Place::new(state(&bridge));
    for _ in 0..2 {
        // Both clients start an engine; the one that has the lock is it.
        let engine = place.holder().unwrap().expect("an engine runs");
        kill_process(engine, Signal::KILL).unwrap();
        poll::until(PATIENCE, || match place.holder() {
            Ok(Some(new)) if new != engine => Ok(()),
            other => Err(other),
        })
        .await;
    }
    // The second answer says that what was said again before it was heard.
    watching.request("resources/list", json!({})).await;
    for thread in &threads {
        let reply = json!({ "prompt": "on", "threadId": thread });
        content(&bridge.call("codex-reply", reply).await);
        let uri = json!(format!("codex://threads/{thread}"));
        for _ in 0..3 {
            assert_eq!(watching.peer.incoming(UPDATED).await["params"]["uri"], uri);
        }
    }
    assert_eq!(watching.peer.received(UPDATED).len(), 6);
    watching.peer.close_input();
    assert!(watching.peer.wait_exit().await.success());
    bridge.finish().await;
}
