//! Patches that cannot be applied.

use std::fs;

use serde_json::json;
use testkit::fake_app_server::Play;

use super::stage::{Stage, Told};

/// A diff of a file that is not there.
pub(super) const OTHER: &str = "--- a/other.txt\n+++ b/other.txt\n@@ -1 +1 @@\n-one\n+two\n";
/// A diff that makes a file.
pub(super) const NEW: &str = "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n";

/// Somebody makes the same file while the user is asked.
pub(super) async fn changed_meanwhile() -> Told {
    let mut stage = Stage::open_asking(&Play::new()).await;
    let call = stage.bridge.begin("codex.patch.apply", json!({ "diff": NEW })).await;
    let asked = stage.bridge.client.peer.incoming("elicitation/create").await;
    fs::write(stage.bridge.home.workspace().join("new.txt"), "mine\n").unwrap();
    let yes = json!({ "action": "accept", "content": {} });
    stage.bridge.client.peer.respond(&asked["id"], yes).await;
    let answer = stage.bridge.result(call).await;
    let told = stage.told(&answer);
    stage.close().await;
    told
}

/// Where nothing can be noted down, nothing is begun.
pub(super) async fn without_a_journal() -> Told {
    let mut stage = Stage::open(&Play::new(), &["--destructive-operations"]).await;
    fs::write(stage.bridge.home.home().join(".local/state/codex-mcp/applying"), "no directory")
        .unwrap();
    let answer = stage.bridge.call("codex.patch.apply", json!({ "diff": NEW })).await;
    let told = stage.told(&answer);
    stage.close().await;
    told
}

/// A diff that was brought has no copy in which tests could run.
pub(super) async fn tests_of_a_diff() -> Told {
    let mut stage = Stage::open(&Play::new(), &[]).await;
    let preview = stage.bridge.call("codex.patch.preview", json!({ "diff": NEW })).await;
    let id = preview["structuredContent"]["patchId"].clone();
    let answer = stage.bridge.call("codex.tests.run", json!({ "patchId": id })).await;
    let told = stage.told(&answer);
    stage.close().await;
    told
}
