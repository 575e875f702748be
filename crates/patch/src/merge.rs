//! Joins two changes of one text.
//!
//! Line by line and as git does it (`xdl_merge`): what only one side changed is taken from it, what both changed in the
//! same way is taken once, and what both changed otherwise is a conflict, also where the changes only touch.

use std::ops::Range;

use crate::diff::{Run, mergeable};
use crate::text::{is_binary, lines};

/// What comes of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge<'a> {
    /// The merged text. Each conflict stands in it with markers and all three sides; a binary content is that of `ours`.
    pub content: Vec<u8>,
    /// Where both sides changed the same lines in different ways; when there are none, the merge is clean.
    pub conflicts: Vec<Conflict<'a>>,
}

/// Lines that both sides changed. Ranges count lines from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict<'a> {
    /// Its lines in `base`.
    pub base_lines: Range<usize>,
    /// Its lines in `ours`.
    pub ours_lines: Range<usize>,
    /// Its lines in `theirs`.
    pub theirs_lines: Range<usize>,
    /// What was there.
    pub base: &'a [u8],
    /// What we made of it.
    pub ours: &'a [u8],
    /// What they made of it.
    pub theirs: &'a [u8],
}

/// What the sides are called at the markers of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels<'a> {
    /// After `<<<<<<<`.
    pub ours: &'a str,
    /// After `|||||||`.
    pub base: &'a str,
    /// After `>>>>>>>`.
    pub theirs: &'a str,
}

impl Default for Labels<'_> {
    fn default() -> Self {
        Self { ours: "ours", base: "base", theirs: "theirs" }
    }
}

/// Merges by lines. Binary contents merge only when at most one side changed, or both in the same way.
#[must_use]
pub fn merge<'a>(
    base: &'a [u8],
    ours: &'a [u8],
    theirs: &'a [u8],
    labels: Labels<'_>,
) -> Merge<'a> {
    let clean = |content: &[u8]| Merge { content: content.to_vec(), conflicts: Vec::new() };
    if ours == theirs || theirs == base {
        return clean(ours);
    }
    if ours == base {
        return clean(theirs);
    }
    let texts = Texts { base: Text::new(base), ours: Text::new(ours), theirs: Text::new(theirs) };
    if [base, ours, theirs].into_iter().any(is_binary) {
        let conflict = texts.conflict(&Region {
            kind: RegionKind::Conflict,
            base: 0..texts.base.len(),
            ours: 0..texts.ours.len(),
            theirs: 0..texts.theirs.len(),
        });
        return Merge { content: ours.to_vec(), conflicts: vec![conflict] };
    }
    let regions = regions(&texts, &mergeable(base, ours), &mergeable(base, theirs));
    texts.join(&regions, labels)
}

/// A text with where its lines begin.
struct Text<'a> {
    bytes: &'a [u8],
    /// The beginnings of lines, and the end.
    starts: Vec<usize>,
}

impl<'a> Text<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut starts = vec![0];
        let mut end = 0;
        starts.extend(lines(bytes).map(|line| {
            end += line.len();
            end
        }));
        Self { bytes, starts }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn slice(&self, lines: &Range<usize>) -> &'a [u8] {
        &self.bytes[self.starts[lines.start]..self.starts[lines.end]]
    }

    /// Whether there is a carriage return at the end of a line, or of the one before when it is the last and has no end;
    /// none where that cannot be told.
    fn has_return(&self, line: usize) -> Option<bool> {
        if self.len() == 0 {
            return None;
        }
        let text = self.slice(&(line..line + 1));
        if text.ends_with(b"\n") {
            return Some(text.ends_with(b"\r\n"));
        }
        let before = line.checked_sub(1)?;
        Some(self.slice(&(before..line)).ends_with(b"\r\n"))
    }
}

struct Texts<'a> {
    base: Text<'a>,
    ours: Text<'a>,
    theirs: Text<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RegionKind {
    Ours,
    Theirs,
    Conflict,
}

/// Lines that changed, on any side.
struct Region {
    kind: RegionKind,
    base: Range<usize>,
    ours: Range<usize>,
    theirs: Range<usize>,
}

impl<'a> Texts<'a> {
    fn conflict(&self, region: &Region) -> Conflict<'a> {
        Conflict {
            base_lines: region.base.clone(),
            ours_lines: region.ours.clone(),
            theirs_lines: region.theirs.clone(),
            base: self.base.slice(&region.base),
            ours: self.ours.slice(&region.ours),
            theirs: self.theirs.slice(&region.theirs),
        }
    }

    /// Our text, with what they changed.
    fn join(&self, regions: &[Region], labels: Labels<'_>) -> Merge<'a> {
        let mut content = Vec::with_capacity(self.ours.bytes.len());
        let mut conflicts = Vec::new();
        let mut done = 0;
        for region in regions {
            content.extend_from_slice(self.ours.slice(&(done..region.ours.start)));
            done = region.ours.end;
            match region.kind {
                RegionKind::Ours => content.extend_from_slice(self.ours.slice(&region.ours)),
                RegionKind::Theirs => content.extend_from_slice(self.theirs.slice(&region.theirs)),
                RegionKind::Conflict => {
                    let conflict = self.conflict(region);
                    self.mark(&mut content, &conflict, labels);
                    conflicts.push(conflict);
                }
            }
        }
        content.extend_from_slice(self.ours.slice(&(done..self.ours.len())));
        Merge { content, conflicts }
    }

    fn mark(&self, content: &mut Vec<u8>, conflict: &Conflict<'_>, labels: Labels<'_>) {
        let end: &[u8] = if self.has_returns(conflict) { b"\r\n" } else { b"\n" };
        let sides = [
            ("<<<<<<< ", labels.ours, conflict.ours),
            ("||||||| ", labels.base, conflict.base),
            ("=======", "", conflict.theirs),
            (">>>>>>> ", labels.theirs, b""),
        ];
        for (marker, label, side) in sides {
            content.extend_from_slice(marker.as_bytes());
            content.extend_from_slice(label.as_bytes());
            content.extend_from_slice(end);
            content.extend_from_slice(side);
            if !side.is_empty() && !side.ends_with(b"\n") {
                content.extend_from_slice(end);
            }
        }
    }

    /// Whether the lines of a marker end in a carriage return too: only where no side speaks against it.
    fn has_returns(&self, conflict: &Conflict<'_>) -> bool {
        let before = |lines: &Range<usize>| lines.start.saturating_sub(1);
        let mut has = self.ours.has_return(before(&conflict.ours_lines));
        for (side, line) in [(&self.theirs, before(&conflict.theirs_lines)), (&self.base, 0)] {
            if has != Some(false) {
                has = side.has_return(line);
            }
        }
        has.unwrap_or(false)
    }
}

/// Goes through both changes at once, in the order of the base.
fn regions(texts: &Texts<'_>, ours: &[Run], theirs: &[Run]) -> Vec<Region> {
    let mut regions = Regions(Vec::new());
    let our_end = shift(texts.base.len(), texts.ours.len());
    let their_end = shift(texts.base.len(), texts.theirs.len());
    let (mut our_next, mut their_next) = (ours.iter().peekable(), theirs.iter().peekable());
    loop {
        let (our, their) = (our_next.peek().copied(), their_next.peek().copied());
        // Where the other side has lines that only one side changed.
        let our_shift = our.map_or(our_end, |run| shift(run.before.start, run.after.start));
        let their_shift = their.map_or(their_end, |run| shift(run.before.start, run.after.start));
        match (our, their) {
            (None, None) => return regions.0,
            (Some(our), None) => {
                regions.push(ours_alone(our, their_shift));
                our_next.next();
            }
            (Some(our), Some(their)) if our.before.end < their.before.start => {
                regions.push(ours_alone(our, their_shift));
                our_next.next();
            }
            (None, Some(their)) => {
                regions.push(theirs_alone(their, our_shift));
                their_next.next();
            }
            (Some(our), Some(their)) if their.before.end < our.before.start => {
                regions.push(theirs_alone(their, our_shift));
                their_next.next();
            }
            (Some(our), Some(their)) => {
                if !same(texts, our, their) {
                    regions.push(overlap(our, their));
                }
                our_next.next_if(|_| our.before.end <= their.before.end);
                their_next.next_if(|_| their.before.end <= our.before.end);
            }
        }
    }
}

fn ours_alone(our: &Run, their_shift: isize) -> Region {
    Region {
        kind: RegionKind::Ours,
        base: our.before.clone(),
        ours: our.after.clone(),
        theirs: moved(&our.before, their_shift),
    }
}

fn theirs_alone(their: &Run, our_shift: isize) -> Region {
    Region {
        kind: RegionKind::Theirs,
        base: their.before.clone(),
        ours: moved(&their.before, our_shift),
        theirs: their.after.clone(),
    }
}

/// Both changed the same lines into the same lines.
fn same(texts: &Texts<'_>, our: &Run, their: &Run) -> bool {
    our.before == their.before && texts.ours.slice(&our.after) == texts.theirs.slice(&their.after)
}

/// Both changes, each widened to the lines of the base that the other changed. Where an earlier change of a side was
/// inside as well, the start is not exact, and the region that is already there has the exact one.
fn overlap(our: &Run, their: &Run) -> Region {
    let start = our.before.start.min(their.before.start);
    let end = our.before.end.max(their.before.end);
    let widened = |run: &Run| {
        let lead = run.before.start - start;
        run.after.start.saturating_sub(lead)..run.after.end + (end - run.before.end)
    };
    Region {
        kind: RegionKind::Conflict,
        base: start..end,
        ours: widened(our),
        theirs: widened(their),
    }
}

fn shift(base: usize, side: usize) -> isize {
    side as isize - base as isize
}

fn moved(range: &Range<usize>, shift: isize) -> Range<usize> {
    range.start.saturating_add_signed(shift)..range.end.saturating_add_signed(shift)
}

struct Regions(Vec<Region>);

impl Regions {
    /// A region that touches the last one on a side becomes one with it, and a conflict when they are of two kinds.
    fn push(&mut self, next: Region) {
        match self.0.last_mut() {
            Some(last)
                if next.ours.start <= last.ours.end || next.theirs.start <= last.theirs.end =>
            {
                if next.kind != last.kind {
                    last.kind = RegionKind::Conflict;
                }
                last.base.end = next.base.end;
                last.ours.end = next.ours.end;
                last.theirs.end = next.theirs.end;
            }
            Some(_) | None => self.0.push(next),
        }
    }
}
