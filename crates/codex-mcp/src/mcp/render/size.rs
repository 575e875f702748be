//! Keeps errors inside what a client shows of them, whatever Codex or its provider says.
//!
//! Claude Code shows its model no more than about 10,000 characters of an error.

use crate::error::{Problem, ends};
use crate::mcp::paging::{Budget, Kind, cost, split};

/// What the message of an error may cost that has no turn to keep the whole of it with.
const MESSAGE_UNITS: usize = 4_000;
/// The longest text of an error, in characters.
const MAX_TEXT: usize = 9_800;
/// How much of that is the end: it says where the rest can be read.
const END: usize = 1_800;

/// The same error with a message that is not too long.
pub(super) fn shortened(mut problem: Problem) -> Problem {
    if let Some(shown) = end_within(&problem.message, MESSAGE_UNITS) {
        problem.message = beginning(&problem.message, shown);
    }
    problem
}

/// Where a message has to end; `None` if all of it fits.
pub(super) fn end_within(message: &str, units: usize) -> Option<usize> {
    (cost(message) > units).then(|| split(message, Budget::new(units), Kind::Log))
}

/// The beginning of a message, with a note of what was left out.
pub(super) fn beginning(message: &str, shown: usize) -> String {
    let (shown, rest) = message.split_at(shown);
    format!("{shown}… [{} more characters]", rest.chars().count())
}

/// A text of an error as it can be shown: without its middle, if it is too long.
pub(super) fn within_cut(text: String) -> String {
    match ends(&text, MAX_TEXT - END, END) {
        Some((head, left_out, tail)) => {
            format!("{head}\n[… {left_out} characters left out …]\n{tail}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{shortened, within_cut};
    use crate::error::{Code, Problem};

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        for (text, expected) in [("short".to_owned(), 5), ("ü".repeat(9_800), 9_800)] {
            assert_eq!(within_cut(text).chars().count(), expected);
        }
        let cut = within_cut(format!("begin{}end", "ü".repeat(100_000)));
        assert!(cut.starts_with("begin") && cut.ends_with("end"), "{cut}");
        assert!(cut.contains("\n[… 90208 characters left out …]\n"), "{cut}");
        assert!(cut.chars().count() < 10_000);
    }

    #[test]
    fn a_long_message_is_cut_and_says_so() {
        let problem = shortened(Problem::new(Code::CodexRefused, "x".repeat(100_000)));
        assert!(problem.message.ends_with("x… [96000 more characters]"), "{}", problem.message);
        assert!(problem.to_string().contains(Code::CodexRefused.entry().remedy));
    }
}
