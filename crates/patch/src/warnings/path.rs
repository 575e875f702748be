//! Warnings about what kind of file it is, by its name and its first lines.

use super::Warning;
use crate::change::Change;
use crate::mode::Side;
use crate::path::TreePath;
use crate::text::lines;

/// How many lines may say that a file is generated.
const MARK_LINES: usize = 10;

/// How many objects of scripts are read; a package has one.
const MAX_SCRIPTS: usize = 8;

/// Files that a package manager writes.
const LOCK_FILES: &[&str] = &[
    "bun.lock",
    "bun.lockb",
    "Cargo.lock",
    "composer.lock",
    "deno.lock",
    "flake.lock",
    "Gemfile.lock",
    "go.sum",
    "gradle.lockfile",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "packages.lock.json",
    "pdm.lock",
    "Pipfile.lock",
    "pnpm-lock.yaml",
    "Podfile.lock",
    "poetry.lock",
    "pubspec.lock",
    "uv.lock",
    "yarn.lock",
];

/// Files by name, in any folder, and who runs what they say.
const RUN_BY_NAME: &[(&str, &str)] = &[
    ("build.rs", "cargo"),
    ("Makefile", "make"),
    ("makefile", "make"),
    ("GNUmakefile", "make"),
    ("justfile", "just"),
    ("Justfile", "just"),
    ("CMakeLists.txt", "cmake"),
    ("Rakefile", "rake"),
    ("Dockerfile", "the build of an image"),
    ("setup.py", "pip"),
    ("conftest.py", "pytest"),
    ("build.gradle", "gradle"),
    ("build.gradle.kts", "gradle"),
    ("settings.gradle", "gradle"),
    (".gitlab-ci.yml", "the continuous integration"),
    (".travis.yml", "the continuous integration"),
    ("azure-pipelines.yml", "the continuous integration"),
    ("Jenkinsfile", "the continuous integration"),
    (".pre-commit-config.yaml", "pre-commit"),
    (".lefthook.yml", "lefthook"),
    ("lefthook.yml", "lefthook"),
    (".envrc", "direnv"),
    (".npmrc", "npm"),
    (".pnpmfile.cjs", "pnpm"),
    (".yarnrc.yml", "yarn"),
    (".gitmodules", "git"),
    (".gitattributes", "git"),
];

/// Folders, anywhere in the path, and who runs what is in them.
const RUN_IN_FOLDER: &[(&str, &str)] = &[
    (".github/workflows", "the continuous integration"),
    (".github/actions", "the continuous integration"),
    (".circleci", "the continuous integration"),
    (".buildkite", "the continuous integration"),
    (".husky", "git, as a hook,"),
    (".githooks", "git, as a hook,"),
    (".cargo", "cargo"),
    (".devcontainer", "the editor"),
    (".idea", "the editor"),
];

const RUN_BY_PATH_END: &[(&str, &str)] = &[
    (".vscode/tasks.json", "the editor"),
    (".vscode/launch.json", "the editor"),
    (".vscode/settings.json", "the editor"),
];

const AGENT_FILES: &[&str] = &[
    "AGENTS.md",
    "AGENTS.override.md",
    "CLAUDE.md",
    "CLAUDE.local.md",
    "GEMINI.md",
    ".mcp.json",
    ".cursorrules",
    "copilot-instructions.md",
];
const AGENT_FOLDERS: &[&str] = &[".claude", ".codex", ".cursor", ".agents"];

/// Adds what a regular file's name and beginning say.
pub(super) fn check(change: &Change<'_>, after: Side<'_>, found: &mut Vec<Warning>) {
    let path = change.path();
    if is_one_of(path.file_name(), LOCK_FILES) {
        found.push(Warning::LockFile);
    } else if is_generated(path, after.content) {
        found.push(Warning::Generated);
    }
    if let Some(by) = runner(path) {
        found.push(Warning::RunsCode { by });
    }
    if path.file_name() == b"package.json" && scripts_change(change) {
        found.push(Warning::RunsCode { by: "the package manager" });
    }
    let in_folder = AGENT_FOLDERS.iter().any(|folder| in_folder(path, folder));
    if in_folder || is_one_of(path.file_name(), AGENT_FILES) {
        found.push(Warning::InstructsAgent);
    }
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}

fn is_generated(path: &TreePath, content: &[u8]) -> bool {
    let name = path.file_name();
    let by_name = [".min.js", ".min.css", ".snap", ".pb.go", "_pb2.py", ".g.dart"];
    by_name.iter().any(|end| name.ends_with(end.as_bytes()))
        || path.components().rev().skip(1).any(|folder| folder == b"__snapshots__")
        || lines(content).take(MARK_LINES).any(says_generated)
}

fn says_generated(line: &[u8]) -> bool {
    // In two parts, so that this file does not say it of itself.
    let marks = [concat!("@gene", "rated"), concat!("DO NOT", " EDIT")];
    marks.iter().any(|mark| memchr::memmem::find(line, mark.as_bytes()).is_some())
}

fn runner(path: &TreePath) -> Option<&'static str> {
    let name = path.file_name();
    let by_name = RUN_BY_NAME.iter().find(|(known, _)| known.as_bytes() == name);
    let in_folder = || RUN_IN_FOLDER.iter().find(|(folder, _)| in_folder(path, folder));
    let by_end = || RUN_BY_PATH_END.iter().find(|(end, _)| ends_with(path, end));
    by_name.or_else(in_folder).or_else(by_end).map(|(_, by)| *by)
}

fn in_folder(path: &TreePath, folder: &str) -> bool {
    let slashed = [b"/", path.as_bytes()].concat();
    memchr::memmem::find(&slashed, format!("/{folder}/").as_bytes()).is_some()
}

fn ends_with(path: &TreePath, end: &str) -> bool {
    [b"/", path.as_bytes()].concat().ends_with(format!("/{end}").as_bytes())
}

/// Whether the commands of a package.json are other than they were; told from the text, which may be no JSON at all.
fn scripts_change(change: &Change<'_>) -> bool {
    let scripts = |side: Option<Side<'_>>| side.map_or_else(Vec::new, |side| scripts(side.content));
    scripts(change.before()) != scripts(change.after())
}

/// What stands between the braces after each `"scripts"`.
fn scripts(content: &[u8]) -> Vec<u8> {
    let starts = memchr::memmem::find_iter(content, b"\"scripts\"");
    starts.take(MAX_SCRIPTS).flat_map(|start| object(&content[start..])).copied().collect()
}

/// As far as the object goes that begins next; braces in strings do not count.
fn object(content: &[u8]) -> &[u8] {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, &byte) in content.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string && depth <= 1 => return &content[..at],
            b'}' if !in_string => depth -= 1,
            _ => {}
        }
    }
    content
}
