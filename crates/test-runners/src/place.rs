//! Where a failure happened, read from what the runner says of it: the first place that is not inside a library.

use std::sync::LazyLock;

use regex::Regex;

/// Each has the groups `file` and `line`.
const PLACES: &[&str] = &[
    // Rust: panicked at src/lib.rs:10:5:
    r"panicked at (?:'.*', )?(?P<file>[^\s:'][^:\n]*\.rs):(?P<line>\d+):\d+",
    // Python: File "tests/test_a.py", line 12
    r#"(?m)^\s*File "(?P<file>[^"\n]+)", line (?P<line>\d+)"#,
    // pytest: tests/test_a.py:12: AssertionError
    r"(?m)^(?P<file>[^\s:][^:\n]*\.py):(?P<line>\d+): ",
    // JavaScript: at name (file:///path/a.test.js:12:3), at /path/a.js:1:2, ❯ a.test.ts:3:4
    r"(?m)(?:at |❯ )(?:[^\n(]*\()?(?:file://)?(?P<file>[^\s():][^\n():]*\.[cm]?[jt]sx?):(?P<line>\d+):\d+",
    // Perl: #   at t/a.t line 5.
    r"(?m)\bat (?P<file>\S+) line (?P<line>\d+)\.?$",
    // TAP of Node: location: '/path/a.test.js:5:1'
    r"(?m)^ *location: '(?P<file>[^'\n:]+):(?P<line>\d+):\d+'",
    // Java: at com.example.ATest.b(ATest.java:12)
    r"\((?P<file>[A-Za-z0-9_]+\.(?:java|kt|scala|groovy)):(?P<line>\d+)\)",
    // C#: in /path/A.cs:line 12
    r" in (?P<file>[^\n:]+):line (?P<line>\d+)",
    // Go, Ruby, PHP, C and others: a_test.go:12:, ./spec/a_spec.rb:3:in, /path/ATest.php:12
    r"(?m)^\s*(?:# )?(?P<file>[^\s:()][^\s:()]*\.(?:go|rb|php|c|cc|cpp|h|hpp|rs)):(?P<line>\d+)\b",
];

/// Parts of paths that are libraries and not the project.
const LIBRARIES: &[&str] = &[
    "node_modules/",
    "node:",
    "internal/",
    "site-packages/",
    "/lib/python3",
    "/rustc/",
    "library/std/",
    "library/core/",
    "/vendor/",
    "/gems/",
    "/usr/lib/",
];

static EXPRESSIONS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    PLACES
        .iter()
        .map(|place| {
            Regex::new(place).expect("the places are regular expressions, as a test shows")
        })
        .collect()
});

/// The first place in the text, or in Python's traces, which run the other way, the last.
pub(crate) fn find(text: &str) -> Option<(String, u64)> {
    EXPRESSIONS.iter().enumerate().find_map(|(index, expression)| {
        let mut places = expression.captures_iter(text).filter_map(|captures| {
            let file = captures.name("file")?.as_str();
            let line = captures.name("line")?.as_str().parse().ok()?;
            let is_ours = !LIBRARIES.iter().any(|library| file.contains(library));
            is_ours.then(|| (file.to_owned(), line))
        });
        let is_trace_of_python = index == 1;
        if is_trace_of_python { places.last() } else { places.next() }
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn places_are_found_in_what_each_runner_says() {
        for (text, expected) in [
            ("thread 'a' (12) panicked at src/lib.rs:10:5:\nno", Some(("src/lib.rs", 10))),
            (
                "  File \"/usr/lib/python3/unittest.py\", line 1\n  File \"t/a.py\", line 3, in b",
                Some(("t/a.py", 3)),
            ),
            ("tests/test_a.py:12: AssertionError", Some(("tests/test_a.py", 12))),
            (
                "    at node:internal/x.js:1:2\n    at T.<anonymous> (file:///p/a.test.mjs:4:9)",
                Some(("/p/a.test.mjs", 4)),
            ),
            (
                "    at Object.<anonymous> (/p/node_modules/x/a.js:1:1)\n    at /p/a.js:9:1",
                Some(("/p/a.js", 9)),
            ),
            (" ❯ src/a.test.ts:3:4", Some(("src/a.test.ts", 3))),
            ("#   Failed test 'x'\n#   at t/a.t line 5.", Some(("t/a.t", 5))),
            ("\tat com.example.ATest.b(ATest.java:12)", Some(("ATest.java", 12))),
            ("   at A.B() in /p/A.cs:line 12", Some(("/p/A.cs", 12))),
            ("    a_test.go:12: no", Some(("a_test.go", 12))),
            ("# ./spec/a_spec.rb:3:in `block'", Some(("./spec/a_spec.rb", 3))),
            ("nothing", None),
        ] {
            let expected = expected.map(|(file, line)| (file.to_owned(), line));
            assert_eq!(find(text), expected, "{text}");
        }
    }
}
