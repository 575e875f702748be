//! Which lines differ. The one place that knows the diff library.
//!
//! Large texts that differ in much are cut where a line that comes only once is on both sides, and what repeats itself
//! too often between two such lines counts as replaced: a diff may be longer than it could be, never too slow.

mod anchor;

use std::ops::Range;

use imara_diff::{Algorithm, Diff, IndentHeuristic, IndentLevel, InternedInput, NoSliderHeuristic};

use crate::text::lines;
use anchor::anchors;

/// Up to how many lines that differ, on both sides, a text is not cut.
const UNCUT_LINES: usize = 40_000;
/// How many lines a piece has at least.
const PIECE_LINES: usize = 8_192;
/// The squares of the lines of pieces that are compared, in sum at most: a second of a slow machine, if they repeat
/// themselves as badly as they can.
const MAX_WORK: usize = 4_000_000_000;
/// How wide a tab is, for the indentation of a line.
const TAB_WIDTH: u8 = 8;

/// Lines of one side that stand in the place of lines of the other, counted from 0; one of both may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) before: Range<usize>,
    pub(crate) after: Range<usize>,
}

#[derive(Clone, Copy)]
enum Style {
    Readable,
    Mergeable,
}

/// The difference as a person would like to read it: slid to where indentation says that a block begins.
pub(crate) fn readable(before: &[u8], after: &[u8]) -> Vec<Run> {
    difference(before, after, Style::Readable)
}

/// The difference as git's merges take it: joined where it can be, and as far down as it goes.
pub(crate) fn mergeable(before: &[u8], after: &[u8]) -> Vec<Run> {
    difference(before, after, Style::Mergeable)
}

fn difference(before: &[u8], after: &[u8], style: Style) -> Vec<Run> {
    let before: Vec<_> = lines(before).collect();
    let after: Vec<_> = lines(after).collect();
    let differing = stripped(&before, &after);
    if differing.before.len() + differing.after.len() <= UNCUT_LINES {
        return compare(&before, &after, style);
    }
    let mut runs = Vec::new();
    let mut work_left = MAX_WORK;
    for piece in pieces(&before, &after) {
        let (old, new) = (&before[piece.before.clone()], &after[piece.after.clone()]);
        let work = (old.len() + new.len()).saturating_pow(2);
        let found = if work <= work_left {
            work_left -= work;
            compare(old, new, style)
        } else {
            let run = stripped(old, new);
            if run.before.is_empty() && run.after.is_empty() { Vec::new() } else { vec![run] }
        };
        let moved = |range: Range<usize>, by: usize| range.start + by..range.end + by;
        runs.extend(found.into_iter().map(|run| Run {
            before: moved(run.before, piece.before.start),
            after: moved(run.after, piece.after.start),
        }));
    }
    runs
}

fn compare(before: &[&[u8]], after: &[&[u8]], style: Style) -> Vec<Run> {
    let mut input = InternedInput::default();
    input.update_before(before.iter().copied());
    input.update_after(after.iter().copied());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    match style {
        Style::Readable => diff.postprocess_with_heuristic(
            &input,
            IndentHeuristic::new(|token| {
                IndentLevel::for_ascii_line(input.interner[token].iter().copied(), TAB_WIDTH)
            }),
        ),
        Style::Mergeable => diff.postprocess_with_heuristic(&input, NoSliderHeuristic),
    }
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    diff.hunks().map(|hunk| Run { before: range(hunk.before), after: range(hunk.after) }).collect()
}

/// What is left of both sides without what they begin and end with.
fn stripped(before: &[&[u8]], after: &[&[u8]]) -> Run {
    let same = |(one, other): &(&&[u8], &&[u8])| one == other;
    let start = before.iter().zip(after).take_while(same).count();
    let (old, new) = (&before[start..], &after[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    Run { before: start..before.len() - end, after: start..after.len() - end }
}

/// Both texts in pieces that begin with the same line.
fn pieces(before: &[&[u8]], after: &[&[u8]]) -> Vec<Run> {
    let mut pieces = Vec::new();
    let mut start = (0, 0);
    let mut cut = |end: (usize, usize)| {
        pieces.push(Run { before: start.0..end.0, after: start.1..end.1 });
        start = end;
    };
    let mut last = (0, 0);
    for anchor in anchors(before, after) {
        if anchor.0 - last.0 + anchor.1 - last.1 >= PIECE_LINES {
            cut(anchor);
            last = anchor;
        }
    }
    cut((before.len(), after.len()));
    pieces
}
