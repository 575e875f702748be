//! What every text file has, and what none may say.

use crate::assert_none;
use crate::repository::{File, files, sample};

/// Marks of unfinished work. Spelled in two parts, so that this file passes its own rule.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Where a package manager downloads from is its user's choice.
const HOSTS: [&str; 8] = [
    concat!("registry", ".npmjs.org"),
    concat!("registry", ".yarnpkg.com"),
    concat!("index", ".crates.io"),
    concat!("static", ".crates.io"),
    concat!("pypi", ".org"),
    concat!("files", ".pythonhosted.org"),
    concat!("deb", ".debian.org"),
    concat!("proxy", ".golang.org"),
];

/// The beginnings of paths that exist on one machine only.
const FOLDERS: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// Runs `find` on each line of each file and puts the place before what it found.
fn on_each_line(files: &[File], find: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        for (index, line) in file.text().lines().enumerate() {
            problems
                .extend(find(line).map(|found| format!("{}:{}: {found}", file.path, index + 1)));
        }
    }
    problems
}

fn unfinished(line: &str) -> Option<String> {
    let found =
        MARKS.iter().find(|mark| line.split(|c: char| !is_word(c)).any(|word| word == **mark))?;
    Some(format!("`{found}`"))
}

fn machine_path(line: &str) -> Option<String> {
    let begins_path =
        |at: usize| !line[..at].ends_with(|c: char| is_word(c) || ".~-]})>*".contains(c));
    let found = FOLDERS
        .iter()
        .find(|folder| line.match_indices(**folder).any(|(at, _)| begins_path(at)))?;
    Some(format!("a path under {found}"))
}

fn registry_host(line: &str) -> Option<String> {
    let found = HOSTS.iter().find(|host| line.contains(**host))?;
    Some(format!("the host {found}"))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Binary content, carriage returns, a missing newline at the end.
fn malformed(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        if file.bytes.contains(&0) || str::from_utf8(&file.bytes).is_err() {
            problems.push(format!("{}: not UTF-8 text", file.path));
        } else if file.bytes.contains(&b'\r') {
            problems.push(format!("{}: has carriage returns", file.path));
        } else if !file.bytes.is_empty() && !file.bytes.ends_with(b"\n") {
            problems.push(format!("{}: no newline at its end", file.path));
        }
    }
    problems
}

fn without_module_doc(files: &[File]) -> Vec<String> {
    let rust = files.iter().filter(|file| file.is_rust());
    rust.filter(|file| !file.text().starts_with("//! ")).map(|file| file.path.clone()).collect()
}

#[test]
fn files_are_text_with_unix_line_endings() {
    assert_none(
        &malformed(&files()),
        "save it as UTF-8 with LF line endings and a final newline; make binary data in the test that needs it",
    );
}

#[test]
fn rust_files_say_why_they_exist() {
    assert_none(
        &without_module_doc(&files()),
        "begin the file with a `//! ` comment that says why it exists and what it never does",
    );
}

#[test]
fn nothing_is_marked_as_unfinished() {
    let files: Vec<File> = files().into_iter().filter(|file| !file.is_lock_file()).collect();
    assert_none(&on_each_line(&files, unfinished), "do it now, or open an issue and drop the mark");
}

#[test]
fn no_file_knows_a_machine() {
    assert_none(
        &on_each_line(&files(), machine_path),
        "write a path relative to the repository, or make a temporary folder; in examples write `~` or `path/to`",
    );
}

#[test]
fn no_file_names_a_package_registry() {
    assert_none(
        &on_each_line(&files(), registry_host),
        "leave it to the user's configuration; for tools/package-lock.json run npm with \
         --omit-lockfile-registry-resolved",
    );
}

#[test]
fn marks_of_unfinished_work_are_found() {
    let line = |before: &str, after: &str| format!("{before}{}{after}", MARKS[0]);
    assert!(unfinished(&line("// ", ": later")).is_some());
    assert!(unfinished(&line("x(", ")")).is_some());
    assert!(unfinished(&line("A", "")).is_none());
    assert!(unfinished("todo!()").is_none());
}

#[test]
fn paths_of_a_machine_are_found() {
    let folder = FOLDERS[0];
    assert!(machine_path(&format!("{folder}me/project")).is_some());
    assert!(machine_path(&format!("let path = \"{folder}me\";")).is_some());
    assert!(machine_path(&format!("[root]{folder}sessions")).is_none());
    assert!(machine_path(&format!("crates{folder}src")).is_none());
}

#[test]
fn hosts_of_registries_are_found_with_their_place() {
    let file = sample("a.md", format!("first\nhttps://{}/x\n", HOSTS[0]));
    assert_eq!(on_each_line(&[file], registry_host), [format!("a.md:2: the host {}", HOSTS[0])]);
}

#[test]
fn malformed_files_are_found() {
    assert!(malformed(&[sample("a", "x\n"), sample("empty", "")]).is_empty());
    assert_eq!(malformed(&[sample("a", "x")]), ["a: no newline at its end"]);
    assert_eq!(malformed(&[sample("a", "x\r\n")]), ["a: has carriage returns"]);
    assert_eq!(malformed(&[sample("a", [0xff, b'\n'])]), ["a: not UTF-8 text"]);
    assert_eq!(malformed(&[sample("a", "\0\n")]), ["a: not UTF-8 text"]);
}

#[test]
fn a_missing_module_doc_is_found() {
    let files = [
        sample("a.rs", "//! Why.\n"),
        sample("b.rs", "use x;\n"),
        sample("c.rs", ""),
        sample("d.md", "# D\n"),
    ];
    assert_eq!(without_module_doc(&files), ["b.rs", "c.rs"]);
}
