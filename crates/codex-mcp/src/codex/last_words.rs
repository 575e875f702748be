//! What a program last said on standard error, for a message: one line, without colours, cut to length.

use crate::redact;

/// The longest last words, in characters.
const MAX_CHARS: usize = 300;

/// The last line that says anything; `None` if none does.
pub(crate) fn last_words(stderr: &str) -> Option<String> {
    // A secret may have several lines, and a part of one has no shape.
    let stderr = redact::text(stderr);
    let lines = stderr.lines().rev().map(without_colours);
    let line = lines.map(|line| line.trim().to_owned()).find(|line| !line.is_empty())?;
    Some(line.chars().take(MAX_CHARS).collect())
}

/// Leaves out the escape sequences with which terminals are coloured: ESC `[` … and a letter.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, sequence)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = sequence.find(|character: char| character.is_ascii_alphabetic());
        rest = end.map_or("", |end| &sequence[end + 1..]);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn the_last_line_that_says_anything_is_taken_without_its_colours() {
        let cases = [
            ("", None),
            (" \n\n", None),
            ("first\nlast\n \n", Some("last")),
            (
                "\u{1b}[2m12:00\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m it broke\n",
                Some("12:00 ERROR it broke"),
            ),
            ("an unfinished \u{1b}[3", Some("an unfinished")),
        ];
        for (stderr, expected) in cases {
            assert_eq!(last_words(stderr).as_deref(), expected, "{stderr:?}");
        }
    }
}
