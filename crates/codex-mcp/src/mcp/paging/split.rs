//! Finds the end of a page.
//!
//! A page ends where a reader would put the book down: before a file, a hunk, a heading, a function or a paragraph near
//! its end, else before a line, else (in a line longer than a page) after a word, else between two characters as a
//! reader sees them. It reads no more than a page.

use unicode_segmentation::UnicodeSegmentation;

use super::boundary::{Rank, rank};
use super::{Budget, Kind, cost_of};

/// How much of a line is looked at to say what begins with it.
const RANKED_BYTES: usize = 32;

/// Returns where the first page of `text` ends: the length of the text if all of it fits, and never 0 unless the text
/// is empty. The page costs no more than `budget`.
///
/// A hunk of a diff that fits a page is never split, nor is a line; a grapheme only if it is longer than a page, and a
/// character never. Of a long text it is enough to give the first [`Budget::window`] bytes.
#[must_use]
pub fn split(text: &str, budget: Budget, kind: Kind) -> usize {
    let Some(limit) = overflow(text, budget.units()) else {
        return text.len();
    };
    // What lies before would waste more of the page than a better place is worth; half a function is worth little.
    let near_end = match kind {
        Kind::Code => limit / 2,
        Kind::Markdown | Kind::Diff | Kind::Log | Kind::Json | Kind::Image(_) => limit - limit / 4,
    };
    let end = match kind {
        Kind::Diff => best_of_diff(text, limit, near_end),
        Kind::Markdown | Kind::Log | Kind::Json | Kind::Code | Kind::Image(_) => {
            best(text, limit, near_end, kind)
        }
    };
    end.or_else(|| inside_line(text, limit)).unwrap_or(limit)
}

/// Where the budget ends; `None` if the text does not reach it.
fn overflow(text: &str, budget: usize) -> Option<usize> {
    let mut spent = 0;
    for (at, character) in text.char_indices() {
        spent += cost_of(character);
        if spent > budget {
            return Some(at);
        }
    }
    None
}

/// The beginnings of lines behind the first one and up to `limit`, with their ranks.
fn lines(text: &str, limit: usize, kind: Kind) -> impl Iterator<Item = (usize, Rank)> {
    let mut previous = 0;
    memchr::memchr_iter(b'\n', &text.as_bytes()[..limit]).map(move |newline| {
        let start = newline + 1;
        let before = &text[previous..newline];
        let line = &text[start..text.floor_char_boundary(start + RANKED_BYTES)];
        previous = start;
        (start, rank(kind, line, before))
    })
}

/// The last of the best places near the end, else the last line.
fn best(text: &str, limit: usize, near_end: usize, kind: Kind) -> Option<usize> {
    let mut last = None;
    let mut chosen = None;
    for (at, rank) in lines(text, limit, kind) {
        last = Some(at);
        if at >= near_end && chosen.is_none_or(|(_, best)| rank >= best) {
            chosen = Some((at, rank));
        }
    }
    chosen.map(|(at, _)| at).or(last)
}

/// Before a file near the end, else before the last file or hunk, so that no hunk that fits is split; a hunk that is
/// longer than a page is cut at a line.
fn best_of_diff(text: &str, limit: usize, near_end: usize) -> Option<usize> {
    let mut file = None;
    // The header of a file and its first hunk stay together, if that leaves anything on this page.
    let mut header = text.starts_with("diff ").then_some(0);
    let mut whole = None;
    let mut last = None;
    for (at, rank) in lines(text, limit, Kind::Diff) {
        last = Some(at);
        match rank {
            Rank::File => {
                file = Some(at);
                header = Some(at);
                whole = Some(at);
            }
            Rank::Hunk => {
                whole = Some(header.take().filter(|header| *header > 0).unwrap_or(at));
            }
            Rank::Line | Rank::Paragraph | Rank::Definition | Rank::Heading => {}
        }
    }
    file.filter(|at| *at >= near_end).or(whole).or(last)
}

/// After the last word in the second half of the page, else before the last grapheme that does not fit whole.
fn inside_line(text: &str, limit: usize) -> Option<usize> {
    let mut word = None;
    let mut grapheme = None;
    let mut after_space = false;
    for (at, cluster) in text.grapheme_indices(true) {
        if at > limit {
            break;
        }
        if at > 0 {
            grapheme = Some(at);
            if after_space && at >= limit / 2 {
                word = Some(at);
            }
        }
        after_space = cluster.trim().is_empty();
    }
    word.or(grapheme)
}
