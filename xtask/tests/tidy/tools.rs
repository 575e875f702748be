//! Each tool of the server has its tests under its own name.

use crate::assert_none;
use crate::repository::{File, files, sample};

const TOOLS: &str = "crates/codex-mcp/src/mcp/tools/";
const TESTS: &str = "crates/codex-mcp/tests/it/";

/// The names of the files directly in the folder of the tools.
fn tools(files: &[File]) -> impl Iterator<Item = &str> {
    let names = files.iter().filter_map(|file| file.path.strip_prefix(TOOLS)?.strip_suffix(".rs"));
    names.filter(|name| *name != "mod" && !name.contains('/'))
}

fn untested(files: &[File]) -> Vec<String> {
    let has = |path: String| files.iter().any(|file| file.path == path);
    let is_tested =
        |name: &str| has(format!("{TESTS}{name}.rs")) || has(format!("{TESTS}{name}/mod.rs"));
    tools(files)
        .filter(|name| !is_tested(name))
        .map(|name| format!("{TOOLS}{name}.rs has no {TESTS}{name}.rs"))
        .collect()
}

#[test]
fn each_tool_has_a_test_module_of_its_name() {
    let files = files();
    assert!(
        tools(&files).next().is_some(),
        "no tool is left in {TOOLS}: this rule must follow where they went"
    );
    assert_none(&untested(&files), "write the tests of the tool in a module of the same name");
}

#[test]
fn a_tool_without_tests_is_found() {
    let path = |name: &str| sample(&format!("{TOOLS}{name}.rs"), "");
    let tested = [path("mod"), path("wait"), sample(&format!("{TESTS}wait.rs"), "")];
    assert!(untested(&tested).is_empty());
    assert_eq!(untested(&[path("wait")]), [format!("{TOOLS}wait.rs has no {TESTS}wait.rs")]);
}
