//! The official conformance suite, through a bridge that puts the server behind HTTP: the suite knows no other way.
//!
//! Everything that `conformance/expected-failures.yaml` does not list has to pass, and everything that it lists has to
//! fail, so that the list stays true.

use std::path::Path;
use std::time::Duration;

use testkit::home::CodexHome;
use testkit::http_bridge::HttpBridge;
use testkit::model::FakeModel;
use testkit::process::Launch;
use testkit::tools;

use crate::bridge::{Setup, launch};

const EXPECTED_FAILURES: &str = "tests/it/conformance/expected-failures.yaml";
const LIMIT: Duration = Duration::from_secs(60);

/// Runs all scenarios of one version of the protocol. `passing` are those without which it would prove little.
async fn check(version: &str, passing: &[&str]) {
    let model = FakeModel::start([]);
    let home = CodexHome::new(&model.base_url()).with_git();
    let bridge = HttpBridge::start(launch(&home, Setup::default())).await;
    let expected_failures = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXPECTED_FAILURES);
    let suite = Launch::new(tools::node(), home.workspace())
        .environment([("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8")])
        .environment([("HOME", home.home())])
        .arguments([tools::conformance()])
        .arguments(["server", "--url", &bridge.url(), "--suite", "all"])
        .arguments(["--spec-version", version])
        .arguments(["--expected-failures".as_ref(), expected_failures.as_os_str()]);
    let ended = suite.run(LIMIT).await;
    bridge.finish().await;
    home.check_leaks();
    model.finish();

    let summary = ended.stdout.split("=== SUMMARY ===").last().unwrap();
    assert!(ended.status.success(), "{}\n{summary}\n{}", ended.status, ended.stderr);
    for scenario in passing {
        assert!(summary.contains(&format!("✓ {scenario}: ")), "{scenario} did not pass: {summary}");
    }
}

#[tokio::test]
async fn version_2025_06_18() {
    let passing = ["server-initialize", "server-session-lifecycle", "ping", "tools-list"];
    check("2025-06-18", &passing).await;
}

#[tokio::test]
async fn version_2025_11_25() {
    let passing = ["server-initialize", "server-session-lifecycle", "ping", "tools-list"];
    check("2025-11-25", &passing).await;
}

#[tokio::test]
async fn version_2026_07_28() {
    let passing = ["tools-list", "input-required-result-unsupported-methods"];
    check("2026-07-28", &passing).await;
}
