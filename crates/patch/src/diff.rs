//! Which lines differ. The one place that knows the diff library.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

use crate::text::lines;

/// Lines of one side that stand in the place of lines of the other, counted from 0; one of both may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) before: Range<usize>,
    pub(crate) after: Range<usize>,
}

/// The difference as a person would like to read it: slid to where indentation says that a block begins.
pub(crate) fn readable(before: &[u8], after: &[u8]) -> Vec<Run> {
    let (input, mut diff) = compute(before, after);
    diff.postprocess_lines(&input);
    runs(&diff)
}

/// The difference as git's merges take it: joined where it can be, and as far down as it goes.
pub(crate) fn mergeable(before: &[u8], after: &[u8]) -> Vec<Run> {
    let (input, mut diff) = compute(before, after);
    diff.postprocess_no_heuristic(&input);
    runs(&diff)
}

fn compute<'a>(before: &'a [u8], after: &'a [u8]) -> (InternedInput<&'a [u8]>, Diff) {
    let mut input = InternedInput::default();
    input.update_before(lines(before));
    input.update_after(lines(after));
    let diff = Diff::compute(Algorithm::Histogram, &input);
    (input, diff)
}

fn runs(diff: &Diff) -> Vec<Run> {
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    diff.hunks().map(|hunk| Run { before: range(hunk.before), after: range(hunk.after) }).collect()
}
