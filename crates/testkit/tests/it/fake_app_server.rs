//! The fake app-server plays its script and nothing else.

use rustix::process::Signal;
use serde_json::json;
use testkit::fake_app_server::install;
use testkit::home::CodexHome;
use testkit::peer::Peer;
use testkit::process::Launch;

/// A home (with nothing behind its provider) and a peer that plays the script.
fn play(script: &str, arguments: &[&str]) -> (CodexHome, Peer) {
    let home = CodexHome::new("http://127.0.0.1:9/v1");
    let codex = install(home.root(), script);
    let launch =
        Launch::new(codex, home.workspace()).arguments(arguments).environment(home.environment());
    let peer = Peer::spawn(&launch);
    (home, peer)
}

#[tokio::test]
async fn it_answers_with_the_id_that_it_was_asked_with() {
    let script = r#"
        {"version": "codex-cli 9.9.9"}
        {"expect": {"method": "initialize"}}
        {"send": {"id": "$id", "result": {"userAgent": "fake"}}}
        {"garbage": "{broken"}
        {"send": {"method": "hello"}, "times": 2}
        {"stderr": "oops"}
        {"exit": 3}
    "#;
    let (_home, mut peer) = play(script, &["app-server"]);
    peer.notify("noise", json!({})).await;
    assert_eq!(
        peer.request("initialize", json!({})).await,
        json!({"id": 1, "result": {"userAgent": "fake"}})
    );
    assert_eq!(peer.next_line().await.as_deref(), Some("{broken"));
    assert_eq!(peer.wait_exit().await.code(), Some(3));
    assert_eq!(peer.received("hello").len(), 2);
}

#[tokio::test]
async fn it_prints_the_version_that_the_script_names() {
    let (_home, mut peer) = play(r#"{"version": "codex-cli 9.9.9"}"#, &["--version"]);
    assert_eq!(peer.next_line().await.as_deref(), Some("codex-cli 9.9.9"));
    assert!(peer.wait_exit().await.success());
}

#[tokio::test]
async fn it_ends_with_its_input() {
    let (_home, mut peer) = play(r#"{"expect": {"method": "never"}}"#, &[]);
    peer.close_input();
    assert!(peer.wait_exit().await.success());
}

#[tokio::test]
async fn it_hangs_until_it_is_killed() {
    let script = r#"
        {"ignore_sigterm": true}
        {"send": {"method": "ready"}}
        {"close_stdout": true}
        {"hang": true}
    "#;
    let (_home, mut peer) = play(script, &["app-server"]);
    peer.incoming("ready").await;
    assert_eq!(peer.next().await, None);
    peer.close_input();
    peer.signal(Signal::TERM);
    peer.signal(Signal::KILL);
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&peer.wait_exit().await), Some(9));
}
