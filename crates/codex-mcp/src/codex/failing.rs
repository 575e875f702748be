//! Finds the lines of a long log that tell of a failure, so that nobody has to read all of it to get there.

use std::sync::LazyLock;

use bridge_core::FailingLine;
use regex::Regex;

/// Lines that are named: the first.
const MAX_LINES: usize = 5;
/// How much of a line is shown, in characters.
const MAX_CHARS: usize = 160;

/// What programs write of a failure.
static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"\b(?:errors?|fail(?:ed|ure|ures)?|fatal|panicked|exception|traceback|segmentation fault)\b|[a-z]Error\b";
    Regex::new(&format!("(?i:{words})")).expect("it is a pattern")
});
/// What they write of none.
static NO_FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:0|no|without) (?:errors?|fail(?:ed|ures?)|exceptions?)\b")
        .expect("it is a pattern")
});

/// The first lines of a text that tell of a failure.
pub(super) fn lines(text: &str) -> Vec<FailingLine> {
    let mut offset = 0;
    let mut found = Vec::new();
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        if FAILURE.is_match(line) && !NO_FAILURE.is_match(line) {
            let text = line.trim().chars().take(MAX_CHARS).collect();
            found.push(FailingLine { line: number, offset, text });
            if found.len() == MAX_LINES {
                break;
            }
        }
        offset += line.len() as u64;
    }
    found
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::lines;

    fn check(text: &str, expected: Expect) {
        let found = lines(text);
        assert!(found.iter().all(|line| text[line.offset as usize..].contains(&line.text)));
        let show = |line: &bridge_core::FailingLine| {
            format!("{} at {}: {}\n", line.line, line.offset, line.text)
        };
        expected.assert_eq(&found.iter().map(show).collect::<String>());
    }

    #[test]
    fn failures_of_common_programs_are_found() {
        check(
            "   Compiling a\nerror[E0308]: mismatched types\nwarning: unused\nthread 'x' panicked at src/lib.rs:1\n\
             Traceback (most recent call last):\nValueError: no\n  FAILED tests/a.py\n--- FAIL: TestX\n",
            expect![[r#"
                2 at 15: error[E0308]: mismatched types
                4 at 62: thread 'x' panicked at src/lib.rs:1
                5 at 98: Traceback (most recent call last):
                6 at 133: ValueError: no
                7 at 148: FAILED tests/a.py
            "#]],
        );
    }

    #[test]
    fn a_good_end_is_no_failure() {
        check("", expect![""]);
        check(
            "test result: ok. 3 passed; 0 failed\nBuild succeeded, no errors\nfailsafe\n",
            expect![""],
        );
    }
}
