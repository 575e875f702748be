//! The pinned programs are where the tests look for them.

use std::time::Duration;

use testkit::home::CodexHome;
use testkit::process::Launch;
use testkit::tools;

#[tokio::test]
async fn every_tool_is_installed() {
    let scripts = [tools::codex_shim(), tools::inspector(), tools::conformance(), tools::claude()];
    assert!(scripts.iter().all(|path| path.is_file()));
    let home = CodexHome::new("http://127.0.0.1:9/v1");
    for (program, version) in [(tools::codex(), "codex-cli 0."), (tools::node(), "v22.")] {
        let launch = Launch::new(program, home.workspace()).environment(home.environment());
        let printed = launch.arguments(["--version"]).run(Duration::from_secs(10)).await.success();
        assert!(printed.starts_with(version), "{printed}");
    }
}
