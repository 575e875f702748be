//! `codex.tests.run`: real suites of real runners in Codex's sandbox, good ones and hostile ones.

mod background;
mod hostile;
mod refused;
mod runners;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{poll, tools};

use crate::bridge::{Setup, TestBridge, text};

/// The programs of the tests: those of the system, Rust's, and the pinned Node with its runners.
fn path() -> OsString {
    let cargo = Path::new(env!("CARGO")).parent().expect("cargo lies in a folder").to_owned();
    let node = tools::node().parent().expect("node lies in a folder").to_owned();
    let system = ["/usr/local/bin", "/usr/bin", "/bin"].map(Into::into);
    let folders = [node, cargo].into_iter().chain(system);
    std::env::join_paths(folders).expect("no folder has a colon in its name")
}

/// A server whose workspace is a project.
struct Project {
    bridge: TestBridge,
}

impl Project {
    async fn open(files: &[(&str, &str)]) -> Self {
        Self::open_with(files, &[]).await
    }

    async fn open_with(files: &[(&str, &str)], flags: &[&str]) -> Self {
        Self::set_up(files, flags, Setup::default()).await
    }

    async fn set_up(files: &[(&str, &str)], flags: &[&str], setup: Setup) -> Self {
        let mut variables = vec![("PATH", path())];
        variables.extend(setup.variables.clone());
        let arguments = flags.iter().map(OsString::from).collect();
        let bridge = TestBridge::start_with([], Setup { variables, arguments, ..setup }).await;
        let project = Self { bridge };
        project.write(files);
        project
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.bridge.home.workspace().join(name);
            fs::create_dir_all(path.parent().expect("it lies in a folder")).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    async fn run(&mut self, arguments: Value) -> Value {
        self.bridge.call("codex.tests.run", arguments).await
    }

    /// How a run ended: its status, counts, and where each failure is.
    async fn outcome(&mut self, arguments: Value) -> String {
        let answer = self.run(arguments).await;
        assert_eq!(answer["isError"], false, "{answer:#}");
        outcome(&answer)
    }

    /// Ends the server. Nothing of any run is left: no process, no folder, nothing of the sandbox's in the project.
    async fn close(self) {
        let runs = self.bridge.home.home().join(".local/state/codex-mcp/runs");
        // A call that was given up is not answered, so its run may be about to end.
        poll::until(Duration::from_secs(10), || {
            match fs::read_dir(&runs).map_or(0, Iterator::count) {
                0 => Ok(()),
                left => Err(format!("{left} folders of runs are left")),
            }
        })
        .await;
        let workspace = self.bridge.home.workspace();
        for name in [".codex", ".agents", ".aws"] {
            assert!(!workspace.join(name).exists(), "{name} is left in the project");
        }
        self.bridge.finish().await;
    }
}

fn outcome(answer: &Value) -> String {
    let data = &answer["structuredContent"];
    let mut shown = text(&data["status"]);
    if data["counts"].is_object() {
        let counts = &data["counts"];
        shown += &format!(" {}/{}/{}", counts["passed"], counts["failed"], counts["skipped"]);
    }
    shown += "\n";
    for failure in data["failures"].as_array().unwrap() {
        let suite = failure["suite"].as_str().unwrap_or("-");
        let file = failure["file"].as_str().unwrap_or("-");
        let line = &failure["line"];
        let message = text(&failure["message"]).replace('\n', " | ");
        shown += &format!("{suite}: {} at {file}:{line}: {message}\n", text(&failure["name"]));
    }
    for warning in data["warnings"].as_array().into_iter().flatten() {
        shown += &format!("warning: {}\n", text(warning));
    }
    shown
}

fn all() -> Value {
    json!({})
}
