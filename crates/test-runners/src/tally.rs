//! Counts tests while they run, from what most runners print as they go. It is a hint for a person who watches: the
//! result is read from the whole.

use crate::report::Counts;

/// How a line begins, or ends, that says how a test ended.
const PASSED: &[&str] = &["ok ", "PASS [", "✓", "✔", "--- PASS: "];
const FAILED: &[&str] = &["not ok ", "FAIL [", "✗", "✖", "×", "--- FAIL: "];
const ENDS: &[(&str, Word)] = &[
    (" ... ok", Word::Passed),
    (" PASSED", Word::Passed),
    (" ... FAILED", Word::Failed),
    (" ... FAIL", Word::Failed),
    (" ... ERROR", Word::Failed),
    (" FAILED", Word::Failed),
    (" ... ignored", Word::Skipped),
];

#[derive(Clone, Copy)]
enum Word {
    Passed,
    Failed,
    Skipped,
}

/// The counts so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: Counts,
    last: String,
}

impl Tally {
    /// Takes in a whole line.
    pub fn line(&mut self, line: &str) {
        let line = plain(line);
        let line = line.trim();
        let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
        let ends = || ENDS.iter().find(|(word, _)| line.ends_with(word)).map(|(_, word)| *word);
        let action = |word: &str| {
            line.starts_with('{')
                && line.contains("\"Test\":")
                && line.contains(&format!("\"Action\":\"{word}\""))
        };
        let word = if begins(FAILED) || action("fail") {
            Some(Word::Failed)
        } else if begins(PASSED) || action("pass") {
            Some(Word::Passed)
        } else {
            ends()
        };
        match word {
            Some(Word::Passed) => self.counts.passed += 1,
            Some(Word::Failed) => self.counts.failed += 1,
            Some(Word::Skipped) => self.counts.skipped += 1,
            None => {}
        }
        if !line.is_empty() && !line.starts_with('{') {
            self.last = line.chars().take(200).collect();
        }
    }

    /// How many so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The last line that says something.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.last
    }
}

/// A text without what steers a terminal: escape sequences, carriage returns, bells and other control characters. Tabs
/// and line feeds stay.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\n' | '\t' => plain.push(character),
            // Marks that turn the direction of writing hide as much as an escape sequence does.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            character if character.is_control() => {}
            character => plain.push(character),
        }
    }
    plain
}

/// Skips the rest of an escape sequence: to the final letter of `ESC [`, to the end of a string that `ESC ]`, `P`, `X`,
/// `^` or `_` begins, or one character.
fn skip_sequence(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => {
            while characters
                .next_if(|character| ('\u{20}'..='\u{3f}').contains(character))
                .is_some()
            {}
            characters.next_if(|character| ('\u{40}'..='\u{7e}').contains(character));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(character) = characters.next_if(|character| *character != '\n') {
                if character == '\u{7}' || character == '\u{9c}' {
                    return;
                }
                if character == '\u{1b}' {
                    characters.next_if_eq(&'\\');
                    return;
                }
            }
        }
        Some(_) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Tally, plain};
    use crate::report::Counts;

    #[test]
    fn lines_of_many_runners_are_counted() {
        let mut tally = Tally::default();
        for line in [
            "test a ... ok",
            "test b ... FAILED",
            "test c ... ignored",
            "ok 1 - x",
            "not ok 2 - y",
            "\u{1b}[32m✔ z (1ms)\u{1b}[0m",
            "        PASS [   0.004s] (1/3) crate::it a",
            r#"{"Action":"pass","Package":"x","Test":"TestA","Elapsed":0}"#,
            r#"{"Action":"pass","Package":"x","Elapsed":0}"#,
            "tests/test_a.py::test_b PASSED",
            "test_a (t.T.test_a) ... ok",
            "nothing",
        ] {
            tally.line(line);
        }
        assert_eq!(tally.counts(), Counts { passed: 7, failed: 2, skipped: 1 });
        assert_eq!(tally.last(), "nothing");
    }

    #[test]
    fn what_steers_a_terminal_is_taken_out() {
        for (text, expected) in [
            ("a\u{1b}[31mb\u{1b}[0m c", "ab c"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("a\r\nb\tc\u{8}\u{7}", "a\nb\tc"),
            ("\u{1b}[2J\u{1b}[?25l\u{1b}cx", "x"),
            ("\u{1b}", ""),
            ("\u{1b}]never ends\nnext", "\nnext"),
            ("abc\u{202e}def", "abcdef"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }
}
