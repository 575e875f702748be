//! Finds where the lines of a hunk stand.

use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};

use super::{HunkState, Obstacle};
use crate::hunk::{Hunk, Line, LineKind};
use crate::text::{lines, split_end};

/// How many lines are compared for one file at most: a file that repeats itself ends a search and not the caller.
const MAX_WORK: usize = 100_000_000;
/// The number of a line that the file does not have.
const NOWHERE: u32 = u32::MAX;

/// Searches one file for hunks, in their order.
pub(super) struct Locator<'a> {
    /// The lines of the file.
    pub(super) lines: Vec<&'a [u8]>,
    exact: Numbers<'a>,
    /// The lines without the white space around them, when they were asked for.
    bare: Option<Numbers<'a>>,
    /// Where the next hunk may begin.
    from: usize,
    /// How far below its place in the diff the hunk before was found.
    drift: isize,
    work_left: usize,
}

/// Where a hunk stands.
pub(super) struct Found {
    /// Its lines in the file as it is.
    pub(super) range: Range<usize>,
    /// How far below its place in the diff.
    pub(super) offset: isize,
    pub(super) state: HunkState,
}

impl<'a> Locator<'a> {
    pub(super) fn new(current: &'a [u8]) -> Self {
        let lines: Vec<_> = lines(current).collect();
        let exact = Numbers::new(lines.iter().copied().map(split_end));
        Self { lines, exact, bare: None, from: 0, drift: 0, work_left: MAX_WORK }
    }

    /// Finds the next hunk.
    pub(super) fn locate(&mut self, hunk: &Hunk<'_>) -> Result<Found, Obstacle> {
        let expected = hunk.old_range().start.saturating_add_signed(self.drift);
        let aim = Aim { expected, edges: Edges::of(hunk) };
        let mut found = self.find(hunk, aim);
        // What is removed shows the place as well as what comes after it would.
        if found.is_none() && hunk.lines.iter().any(|line| line.kind == LineKind::Removed) {
            found = self.find(hunk, Aim { edges: Edges::needed(hunk), ..aim });
        }
        let found = found.ok_or_else(|| self.obstacle(hunk, aim))?;
        if hunk.old_lines == 0 && self.is_behind_open_end(found.range.start) {
            return Err(Obstacle::WhiteSpace { line: found.range.start });
        }
        self.from = found.range.end;
        self.drift = found.range.end as isize - hunk.old_range().end as isize;
        Ok(found)
    }

    /// Looks for both sides of a hunk and takes what is nearer.
    fn find(&mut self, hunk: &Hunk<'_>, aim: Aim) -> Option<Found> {
        let old = self.exact.pattern(hunk.old_side().copied());
        let old = self.search(&old, aim);
        let mut new = None;
        if old != Some(aim.expected) && is_telling(hunk) {
            let pattern = self.exact.pattern(hunk.new_side().copied());
            let nearer = |new: &usize| old.is_none_or(|old| aim.distance(*new) < aim.distance(old));
            new = self.search(&pattern, aim).filter(nearer);
        }
        if let Some(new) = new {
            return Some(Found {
                range: new..new + hunk.new_lines,
                offset: new as isize - hunk.new_range().start as isize,
                state: HunkState::AlreadyApplied,
            });
        }
        old.map(|old| Found {
            range: old..old + hunk.old_lines,
            offset: old as isize - hunk.old_range().start as isize,
            state: HunkState::Applies,
        })
    }

    /// Whether a line that is put here would become one with the last line, which has no line feed.
    fn is_behind_open_end(&self, start: usize) -> bool {
        start == self.lines.len() && self.lines.last().is_some_and(|line| !line.ends_with(b"\n"))
    }

    fn search(&mut self, pattern: &[u32], aim: Aim) -> Option<usize> {
        self.exact.nearest(pattern, aim, self.from, &mut self.work_left)
    }

    /// Why a hunk was not found: what would have been found with less care.
    fn obstacle(&mut self, hunk: &Hunk<'_>, aim: Aim) -> Obstacle {
        if hunk.old_start == 0 {
            return Obstacle::NotEmpty;
        }
        let pattern = self.exact.pattern(hunk.old_side().copied());
        let anywhere = Aim { edges: Edges { start: false, end: false }, ..aim };
        if aim.edges != anywhere.edges
            && let Some(at) = self.search(&pattern, anywhere)
        {
            let edge = if aim.edges.start { "beginning" } else { "end" };
            return Obstacle::NotAtEdge { line: at + 1, edge };
        }
        let (text, from) = (&self.lines, self.from);
        let bare = self
            .bare
            .get_or_insert_with(|| Numbers::new(text.iter().map(|line| (line.trim_ascii(), true))));
        let bare_side = hunk.old_side().map(|line| Line {
            text: line.text.trim_ascii(),
            newline: true,
            ..*line
        });
        let bare_pattern = bare.pattern(bare_side);
        match bare.nearest(&bare_pattern, anywhere, from, &mut self.work_left) {
            _ if self.work_left == 0 => Obstacle::TooMuchWork,
            Some(at) => Obstacle::WhiteSpace { line: at + 1 },
            None => Obstacle::NotFound { line: self.first_difference(&pattern, aim) + 1 },
        }
    }

    fn first_difference(&self, pattern: &[u32], aim: Aim) -> usize {
        let start = aim.expected.min(self.lines.len());
        let there = self.exact.lines[start..].iter().zip(pattern);
        start + there.take_while(|(line, wanted)| line == wanted).count()
    }
}

/// Lines as numbers: equal numbers, equal lines.
struct Numbers<'a> {
    known: HashMap<(&'a [u8], bool), u32>,
    lines: Vec<u32>,
}

impl<'a> Numbers<'a> {
    fn new(lines: impl Iterator<Item = (&'a [u8], bool)>) -> Self {
        let mut known = HashMap::new();
        let number = |line| {
            let next = u32::try_from(known.len()).unwrap_or(NOWHERE);
            *known.entry(line).or_insert(next)
        };
        let lines = lines.map(number).collect();
        Self { known, lines }
    }

    fn pattern<'l>(&self, lines: impl Iterator<Item = Line<'l>>) -> Vec<u32> {
        let number = |line: Line<'l>| self.known.get(&(line.text, line.newline)).copied();
        lines.map(|line| number(line).unwrap_or(NOWHERE)).collect()
    }

    /// Where the pattern stands nearest to where it should; below before above.
    fn nearest(
        &self,
        pattern: &[u32],
        aim: Aim,
        from: usize,
        work_left: &mut usize,
    ) -> Option<usize> {
        let starts = aim.starts(pattern, from, self.lines.len())?;
        let (first, last) = (*starts.start(), *starts.end());
        let (to_first, to_last) = (aim.distance(first), aim.distance(last));
        let least = if starts.contains(&aim.expected) { 0 } else { to_first.min(to_last) };
        for distance in least..=to_first.max(to_last) {
            let both = [aim.expected.checked_add(distance), aim.expected.checked_sub(distance)];
            for start in both.into_iter().flatten().filter(|start| starts.contains(start)) {
                let there = &self.lines[start..];
                let begins = pattern.is_empty() || there.first() == pattern.first();
                *work_left = work_left.saturating_sub(if begins { pattern.len() } else { 1 });
                if begins && there.starts_with(pattern) {
                    return Some(start);
                }
                if *work_left == 0 {
                    return None;
                }
            }
        }
        None
    }
}

/// Whether a hunk is of the beginning or of the end of its file and has no place elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Edges {
    start: bool,
    end: bool,
}

impl Edges {
    /// Nothing is for an empty file but what fills it, and nothing follows a line that does not end.
    fn needed(hunk: &Hunk<'_>) -> Self {
        let fills = hunk.old_start == 0;
        Self { start: fills, end: fills || hunk.lines.iter().any(|line| !line.newline) }
    }

    /// A hunk that has context on one side only had no lines to take on the other.
    fn of(hunk: &Hunk<'_>) -> Self {
        let needed = Self::needed(hunk);
        let is_context = |line: &Line<'_>| line.kind == LineKind::Context;
        let leads = hunk.lines.first().is_some_and(is_context);
        let trails = hunk.lines.last().is_some_and(is_context);
        Self {
            start: needed.start || (hunk.old_start == 1 && trails && !leads),
            end: needed.end || (leads && !trails),
        }
    }
}

/// Whether the new side of a hunk says that it was applied: what is removed leaves no trace but its surroundings.
fn is_telling(hunk: &Hunk<'_>) -> bool {
    let has = |kind| hunk.lines.iter().any(|line| line.kind == kind);
    let ends = [hunk.lines.first(), hunk.lines.last()];
    let framed = ends.iter().flatten().all(|line| line.kind == LineKind::Context);
    has(LineKind::Added) || (has(LineKind::Removed) && framed)
}

/// About where a hunk should be.
#[derive(Clone, Copy)]
struct Aim {
    expected: usize,
    edges: Edges,
}

impl Aim {
    fn distance(self, start: usize) -> usize {
        start.abs_diff(self.expected)
    }

    /// Where a pattern may begin in a file of so many lines.
    fn starts(self, pattern: &[u32], from: usize, lines: usize) -> Option<RangeInclusive<usize>> {
        let last = lines.checked_sub(pattern.len())?;
        let first = if self.edges.end { from.max(last) } else { from };
        let last = if self.edges.start { 0 } else { last };
        if pattern.is_empty() {
            // Nothing but its number shows where an insertion without context belongs.
            let fits = (first..=last).contains(&self.expected);
            return fits.then_some(self.expected..=self.expected);
        }
        (first <= last && !pattern.contains(&NOWHERE)).then_some(first..=last)
    }
}
