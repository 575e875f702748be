//! How good a place the beginning of a line is for the beginning of a page.

use super::Kind;

/// From the weakest to the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Any line.
    Line,
    /// The first line after a blank one.
    Paragraph,
    /// A function, a test, a section of a log.
    Definition,
    /// A Markdown heading.
    Heading,
    /// A hunk of a diff.
    Hunk,
    /// A file of a diff; a command in a log of several.
    File,
}

/// What begins a function or a type in common languages, at the left margin.
const DEFINITIONS: &[&str] = &[
    "fn ",
    "pub ",
    "impl ",
    "struct ",
    "enum ",
    "trait ",
    "mod ",
    "def ",
    "async ",
    "class ",
    "func ",
    "function ",
    "export ",
    "interface ",
    "public ",
    "describe(",
    "it(",
    "test(",
    "@",
    "#[",
];
/// What begins the part of a log that belongs to one test or target.
const LOG_SECTIONS: &[&str] = &[
    "running ",
    "test result",
    "---- ",
    "=== ",
    "--- ",
    "failures:",
    "FAIL",
    "PASS",
    "error",
    "warning",
    "Traceback",
];

/// The rank of a line, of which the first few bytes are enough, given the line before it.
pub(super) fn rank(kind: Kind, line: &str, previous: &str) -> Rank {
    let begins_with_any = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
    let paragraph = previous.trim().is_empty() && !line.starts_with(['\n', '\r']);
    let plain = if paragraph { Rank::Paragraph } else { Rank::Line };
    match kind {
        // Lines of content begin with a space, a plus, a minus or a backslash.
        Kind::Diff if line.starts_with("diff ") => Rank::File,
        Kind::Diff if line.starts_with("@@ ") => Rank::Hunk,
        Kind::Diff => Rank::Line,
        Kind::Log if line.starts_with("$ ") => Rank::File,
        Kind::Log if begins_with_any(LOG_SECTIONS) => Rank::Definition,
        Kind::Markdown if is_heading(line) => Rank::Heading,
        Kind::Markdown | Kind::Log if begins_with_any(DEFINITIONS) => Rank::Definition,
        Kind::Markdown | Kind::Log => plain,
        Kind::Json | Kind::Image(_) => Rank::Line,
        Kind::Code if begins_outermost(line, previous) => Rank::Definition,
        Kind::Code => plain,
    }
}

/// Whether something begins that is in nothing else: a function or a type, with the comments and attributes above it. In
/// most languages that stands at the margin, behind a blank line or what closes the one before.
fn begins_outermost(line: &str, previous: &str) -> bool {
    let closes = |text: &str| text.starts_with(['}', ')', ']']) || text.trim_end() == "end";
    let at_margin = !line.starts_with(char::is_whitespace) && !line.is_empty() && !closes(line);
    at_margin && (previous.trim().is_empty() || closes(previous))
}

fn is_heading(line: &str) -> bool {
    let text = line.trim_start_matches('#');
    (1..=6).contains(&(line.len() - text.len())) && text.starts_with(' ')
}
