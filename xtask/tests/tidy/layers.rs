//! Which crate may know which.

use std::process::Command;

use serde_json::Value;

use crate::assert_none;
use crate::repository::{File, files, root, sample};
use crate::source::code;

/// Where rmcp may be named: in one folder of the shell, and in the tests that put a server behind our transport.
const RMCP_FOLDERS: [&str; 2] =
    ["crates/codex-mcp/src/mcp/", "crates/codex-mcp/tests/it/transport/"];

/// `from` declares that it uses `to`.
struct Edge {
    from: String,
    to: String,
    /// `normal`, `dev` or `build`.
    kind: String,
}

/// The dependencies that the workspace's manifests declare.
fn edges() -> Vec<Edge> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo is on PATH");
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut edges = Vec::new();
    for package in list(&metadata["packages"]) {
        for dependency in list(&package["dependencies"]) {
            edges.push(Edge {
                from: text(&package["name"]).expect("a package has a name"),
                to: text(&dependency["name"]).expect("a dependency has a name"),
                kind: text(&dependency["kind"]).unwrap_or_else(|| "normal".to_owned()),
            });
        }
    }
    assert!(!edges.is_empty(), "cargo metadata lists no dependency");
    edges
}

/// Why the edge must not be; none when it may.
fn objection(edge: &Edge) -> Option<&'static str> {
    let ours = [
        "bridge-core",
        "bridge-store",
        "change-set",
        "codex-client",
        "codex-mcp",
        "patch",
        "test-runners",
        "testkit",
        "xtask",
    ];
    let in_product = edge.kind != "dev";
    match (edge.from.as_str(), edge.to.as_str()) {
        ("bridge-core", _) if in_product => {
            Some("the core decides with the standard library alone")
        }
        ("bridge-store", "codex-client" | "codex-mcp" | "tokio") if in_product => {
            Some("the store keeps records and knows neither Codex nor a runtime")
        }
        (from, "rusqlite") if from != "bridge-store" => Some("only the store speaks SQL"),
        ("codex-client", "rmcp" | "rusqlite" | "bridge-core" | "codex-mcp") => {
            Some("the client talks to one app-server and knows nothing above it")
        }
        ("patch", "tokio" | "serde" | "rusqlite") if in_product => {
            Some("the text of a change is bytes in and bytes out")
        }
        ("patch", to) if ours.contains(&to) => {
            Some("the text of a change knows nothing of what it is a change of")
        }
        ("change-set", "tokio" | "rusqlite") if in_product => {
            Some("a tree of files needs neither a runtime nor a database")
        }
        ("change-set", to) if to != "patch" && ours.contains(&to) => {
            Some("a tree of files knows nothing of who changes it")
        }
        ("testkit", to) if ours.contains(&to) => {
            Some("the test kit must not share code with what it tests")
        }
        ("test-runners", to) if in_product && (to == "tokio" || ours.contains(&to)) => {
            Some("how projects are tested is told by functions of data")
        }
        (_, "testkit") if in_product && edge.from != "xtask" => Some("the test kit is for tests"),
        (from, "rmcp") if from != "codex-mcp" => {
            Some("rmcp stays behind our own transport in codex-mcp")
        }
        _ => None,
    }
}

fn forbidden(edges: &[Edge]) -> Vec<String> {
    let mut problems = Vec::new();
    for edge in edges {
        if let Some(why) = objection(edge) {
            problems.push(format!("{} → {} ({}): {why}", edge.from, edge.to, edge.kind));
        }
    }
    problems
}

fn rmcp_outside(files: &[File]) -> Vec<String> {
    let may = |path: &str| RMCP_FOLDERS.iter().any(|folder| path.starts_with(folder));
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && !may(&file.path)) {
        let code = code(file.text());
        let line = code.lines().position(|line| names(line).any(|name| name == "rmcp"));
        problems.extend(line.map(|index| format!("{}:{}", file.path, index + 1)));
    }
    problems
}

fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[test]
fn no_crate_reaches_upwards() {
    assert_none(
        &forbidden(&edges()),
        "move the code to the crate that may have the dependency, and pass it a value",
    );
}

#[test]
fn rmcp_is_used_in_one_folder() {
    assert_none(
        &rmcp_outside(&files()),
        "convert to a type of our own in crates/codex-mcp/src/mcp and use that",
    );
}

#[test]
fn forbidden_edges_are_found() {
    let problem = |from: &str, to: &str, kind: &str| {
        let edge = Edge { from: from.to_owned(), to: to.to_owned(), kind: kind.to_owned() };
        !forbidden(&[edge]).is_empty()
    };
    assert!(problem("bridge-core", "serde", "normal"));
    assert!(problem("bridge-core", "cc", "build"));
    assert!(!problem("bridge-core", "proptest", "dev"));
    assert!(problem("test-runners", "tokio", "normal"));
    assert!(problem("test-runners", "codex-client", "normal"));
    for to in ["rmcp", "rusqlite", "bridge-core"] {
        assert!(problem("codex-client", to, "normal"), "codex-client → {to}");
        assert!(problem("codex-client", to, "dev"), "codex-client → {to}");
    }
    assert!(!problem("codex-client", "testkit", "dev"));
    assert!(problem("codex-client", "testkit", "normal"));
    assert!(problem("testkit", "codex-client", "dev"));
    assert!(problem("testkit", "rmcp", "normal"));
    assert!(problem("patch", "bridge-core", "normal"));
    assert!(problem("patch", "tokio", "normal"));
    assert!(!problem("codex-mcp", "patch", "normal"));
    assert!(!problem("codex-mcp", "rmcp", "normal"));
    assert!(!problem("codex-mcp", "bridge-core", "normal"));
}

#[test]
fn rmcp_outside_its_folder_is_found() {
    let code = "//! Not rmcp.\nuse rmcp::model::Tool;\n";
    assert_eq!(
        rmcp_outside(&[sample("crates/codex-mcp/src/engine.rs", code)]),
        ["crates/codex-mcp/src/engine.rs:2"]
    );
    assert!(rmcp_outside(&[sample("crates/codex-mcp/src/mcp/tools/codex.rs", code)]).is_empty());
    assert!(
        rmcp_outside(&[sample("xtask/src/a.rs", "//! rmcp.\nlet rmcp_like = \"rmcp\";\n")])
            .is_empty()
    );
}
