//! Repositories for tests: each is a line of shell in a folder of its own, with fixed authors and times, so that commits
//! have fixed names.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::process::Launch;

use crate::bridge::{Setup, TestBridge};

/// A server whose workspace is a folder of repositories and none itself.
pub(crate) async fn bridge() -> TestBridge {
    bridge_with(Setup::default()).await
}

pub(crate) async fn bridge_with(setup: Setup) -> TestBridge {
    let bridge = TestBridge::start_with([], setup).await;
    fs::remove_dir_all(bridge.home.workspace().join(".git")).unwrap();
    bridge
}

/// Makes a folder in the workspace, and runs a script in it.
pub(crate) fn make(home: &CodexHome, name: &str, script: &str) -> PathBuf {
    let folder = home.workspace().join(name);
    fs::create_dir_all(&folder).unwrap();
    run(home, &folder, script);
    folder
}

/// Runs a script in a folder.
pub(crate) fn run(home: &CodexHome, folder: &Path, script: &str) {
    let fixed = [
        ("GIT_AUTHOR_NAME", "Test"),
        ("GIT_AUTHOR_EMAIL", "test@example.com"),
        ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
        ("GIT_COMMITTER_NAME", "Test"),
        ("GIT_COMMITTER_EMAIL", "test@example.com"),
        ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
        ("GIT_EDITOR", "true"),
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", "init.defaultBranch"),
        ("GIT_CONFIG_VALUE_0", "main"),
        ("GIT_CONFIG_KEY_1", "protocol.file.allow"),
        ("GIT_CONFIG_VALUE_1", "always"),
    ];
    let shell = Launch::new("/bin/sh", folder).environment(home.environment());
    let shell = shell.environment(fixed.map(|(name, value)| (name, OsString::from(value))));
    shell.arguments(["-ec", &format!("exec >/dev/null 2>&1\n{script}")]).run_blocking().success();
}

/// What a tool says of a repository: its text, with what differs from run to run taken out.
pub(crate) async fn told(bridge: &mut TestBridge, tool: &str, arguments: Value) -> String {
    let answer = bridge.call(tool, arguments).await;
    let text = answer["content"][0]["text"].as_str().unwrap_or_default();
    let workspace = bridge.home.workspace().canonicalize().unwrap();
    text.replace(workspace.to_str().unwrap(), "[workspace]")
        .replace('\u{fffd}', "<?>")
        .replace('\r', "<CR>")
        + "\n"
}

/// What stands in a folder, all of it: names, sizes and times.
pub(crate) fn traces(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let (length, time) = (metadata.len(), metadata.modified().unwrap());
            found.push(format!("{:?} {length} {time:?}", entry.path()));
            if metadata.is_dir() {
                left.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// The arguments of a call in a folder of the workspace.
pub(crate) fn at(folder: &str) -> Value {
    json!({ "cwd": folder })
}
