//! How long a file and a function may be.

use crate::assert_none;
use crate::repository::{File, files, sample};
use crate::source::functions;

/// Above this a file is listed, for its next editor to think about.
const SOFT_FILE_LINES: usize = 300;
const HARD_FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 60;

fn longer_than(limit: usize, files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.text().lines().count();
        if lines > limit {
            problems.push(format!("{}: {lines} lines, more than {limit}", file.path));
        }
    }
    problems
}

fn long_functions(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && !is_test_code(&file.path)) {
        for function in
            functions(file.text()).into_iter().filter(|function| function.lines > FUNCTION_LINES)
        {
            let (name, line, lines) = (function.name, function.line, function.lines);
            problems.push(format!(
                "{}:{line}: `{name}` has {lines} lines, more than {FUNCTION_LINES}",
                file.path
            ));
        }
    }
    problems
}

fn is_test_code(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

#[test]
fn files_are_short() {
    let files = files();
    for note in longer_than(SOFT_FILE_LINES, &files) {
        println!("note: {note}");
    }
    assert_none(
        &longer_than(HARD_FILE_LINES, &files),
        "split the file by noun: one thing in each, named after it",
    );
}

#[test]
fn functions_are_short() {
    assert_none(
        &long_functions(&files()),
        "give a step of the function a name and make it a function of its own",
    );
}

#[test]
fn a_long_file_is_found() {
    let file = |lines: usize| sample("src/a.rs", "//! A.\n".repeat(lines));
    assert!(longer_than(500, &[file(500)]).is_empty());
    assert_eq!(longer_than(500, &[file(501)]), ["src/a.rs: 501 lines, more than 500"]);
}

#[test]
fn a_long_function_is_found_except_in_tests() {
    let content = |lines: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2));
    assert!(long_functions(&[sample("src/a.rs", content(60))]).is_empty());
    assert!(long_functions(&[sample("tests/a.rs", content(60))]).is_empty());
    let problems = long_functions(&[sample("src/a.rs", content(61))]);
    assert_eq!(problems, ["src/a.rs:1: `f` has 61 lines, more than 60"]);
    let in_tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", content(61));
    assert!(long_functions(&[sample("src/a.rs", in_tests)]).is_empty());
}
