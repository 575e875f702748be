//! Warnings about single lines.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::Warning;
use super::secret;

/// More warnings of one kind say no more.
const MAX_OF_A_KIND: usize = 20;

/// U+202A to U+202E and U+2066 to U+2069: embeddings, overrides and isolates. The marks of one direction are left out:
/// they turn nothing around, and texts of languages that are written from right to left have them.
static BIDIRECTIONAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u:\xE2\x80[\xAA-\xAE]|\xE2\x81[\xA6-\xA9])")
        .expect("the expression is well-formed, as a test shows")
});

/// Looks at a line with its number.
type Check = fn(usize, &[u8]) -> Option<Warning>;

/// Adds what is wrong with lines that are new, which come with their numbers.
pub(super) fn check(new_lines: &[(usize, &[u8])], found: &mut Vec<Warning>) {
    let checks: [Check; 3] = [
        |line, text| secret::find(text).map(|kind| Warning::Secret { kind, line }),
        |line, text| is_marker(text).then_some(Warning::ConflictMarker { line }),
        |line, text| BIDIRECTIONAL.is_match(text).then_some(Warning::BidirectionalControl { line }),
    ];
    for check in checks {
        let warnings = new_lines.iter().filter_map(|&(line, text)| check(line, text));
        found.extend(warnings.take(MAX_OF_A_KIND));
    }
}

/// `=======` is also how a heading is underlined, and never stands without the others.
fn is_marker(line: &[u8]) -> bool {
    [&b"<<<<<<< "[..], b"||||||| ", b">>>>>>> "].iter().any(|marker| line.starts_with(marker))
}
