//! Hunks: what changed, with the lines around it.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::diff::{Run, readable};
use crate::text::{lines, split_end};

/// How much of a heading git shows.
const MAX_SECTION: usize = 80;

/// Lines that changed together, with context before and after them. Numbers are those of its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// The first line on the old side, counted from 1; where there is none, the line before.
    pub old_start: usize,
    /// How many lines are of the old side: context and removed.
    pub old_lines: usize,
    /// The first line on the new side, counted from 1; where there is none, the line before.
    pub new_start: usize,
    /// How many lines are of the new side: context and added.
    pub new_lines: usize,
    /// What the hunk is inside of: the last line before it that begins like a name. Empty where there is none.
    pub section: &'a [u8],
    /// The lines in order.
    pub lines: Vec<Line<'a>>,
}

/// One line of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Line<'a> {
    /// Which sides have it.
    pub kind: LineKind,
    /// The line without its line feed.
    pub text: &'a [u8],
    /// Whether it ends in a line feed; only the last line of a file may not.
    pub newline: bool,
}

/// Which sides have a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// Both sides.
    Context,
    /// The old side.
    Removed,
    /// The new side.
    Added,
}

/// The name of a hunk: a hash over what it removes and adds and where in the old side. The same for any path and for
/// any amount of context that does not join it with another hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HunkId([u8; 6]);

/// A text that is no [`HunkId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a hunk: twelve hexadecimal digits")]
pub struct InvalidHunkId(String);

/// How many lines were added and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stat {
    /// Lines on the new side alone.
    pub added: usize,
    /// Lines on the old side alone.
    pub removed: usize,
}

/// What changed between two texts, with `context` lines around each change; changes whose context meets share a hunk.
#[must_use]
pub fn hunks<'a>(before: &'a [u8], after: &'a [u8], context: usize) -> Vec<Hunk<'a>> {
    let runs = readable(before, after);
    if runs.is_empty() {
        return Vec::new();
    }
    let before: Vec<_> = lines(before).collect();
    let after: Vec<_> = lines(after).collect();
    let mut hunks = Vec::new();
    let mut section = Section { line: 0, text: b"" };
    for group in runs.chunk_by(|one, next| joined(one, next, context)) {
        let hunk = hunk(group, &before, &after, context);
        hunks.push(Hunk { section: section.before(hunk.old_range().start, &before), ..hunk });
    }
    hunks
}

/// Counts the lines that were added and removed.
#[must_use]
pub fn stat(hunks: &[Hunk<'_>]) -> Stat {
    let count = |kind| {
        hunks
            .iter()
            .flat_map(|hunk| &hunk.lines)
            .filter(|line: &&Line<'_>| line.kind == kind)
            .count()
    };
    Stat { added: count(LineKind::Added), removed: count(LineKind::Removed) }
}

impl<'a> Hunk<'a> {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> HunkId {
        let mut hash = blake3::Hasher::new();
        let mut base = self.old_range().start;
        for line in &self.lines {
            if line.kind != LineKind::Context {
                hash.update(&[line.kind.sign(), u8::from(line.newline)]);
                hash.update(&(base as u64).to_le_bytes());
                hash.update(&(line.text.len() as u64).to_le_bytes());
                hash.update(line.text);
            }
            base += usize::from(line.kind.is_old());
        }
        let mut id = [0; 6];
        id.copy_from_slice(&hash.finalize().as_bytes()[..6]);
        HunkId(id)
    }

    /// The lines of the old side, counted from 0.
    #[must_use]
    pub fn old_range(&self) -> Range<usize> {
        range(self.old_start, self.old_lines)
    }

    /// The lines of the new side, counted from 0.
    #[must_use]
    pub fn new_range(&self) -> Range<usize> {
        range(self.new_start, self.new_lines)
    }

    /// What the old side has here: context and removed lines.
    pub fn old_side(&self) -> impl Iterator<Item = &Line<'a>> {
        self.lines.iter().filter(|line| line.kind.is_old())
    }

    /// What the new side has here: context and added lines.
    pub fn new_side(&self) -> impl Iterator<Item = &Line<'a>> {
        self.lines.iter().filter(|line| line.kind.is_new())
    }
}

impl Line<'_> {
    /// Writes the line as it stands in its file.
    pub(crate) fn write_to(&self, content: &mut Vec<u8>) {
        content.extend_from_slice(self.text);
        if self.newline {
            content.push(b'\n');
        }
    }
}

impl LineKind {
    /// Whether the old side has the line.
    #[must_use]
    pub const fn is_old(self) -> bool {
        matches!(self, Self::Context | Self::Removed)
    }

    /// Whether the new side has the line.
    #[must_use]
    pub const fn is_new(self) -> bool {
        matches!(self, Self::Context | Self::Added)
    }

    /// How it is marked in a diff.
    pub(crate) const fn sign(self) -> u8 {
        match self {
            Self::Context => b' ',
            Self::Removed => b'-',
            Self::Added => b'+',
        }
    }
}

impl fmt::Display for HunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for HunkId {
    type Err = InvalidHunkId;

    fn from_str(text: &str) -> Result<Self, InvalidHunkId> {
        let mut id = [0; 6];
        let digits = text.as_bytes();
        if digits.len() != 2 * id.len() || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(InvalidHunkId(text.to_owned()));
        }
        for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
            let digit = |digit: u8| (digit as char).to_digit(16).unwrap_or(0) as u8;
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Ok(Self(id))
    }
}

fn range(start: usize, lines: usize) -> Range<usize> {
    let first = if lines == 0 { start } else { start.saturating_sub(1) };
    first..first.saturating_add(lines)
}

fn joined(one: &Run, next: &Run, context: usize) -> bool {
    next.before.start - one.before.end <= context.saturating_mul(2)
}

/// One hunk, still without its section.
fn hunk<'a>(runs: &[Run], before: &[&'a [u8]], after: &[&'a [u8]], context: usize) -> Hunk<'a> {
    let (first, last) = (&runs[0], &runs[runs.len() - 1]);
    let lead = context.min(first.before.start);
    let tail = context.min(before.len() - last.before.end);
    let old = first.before.start - lead..last.before.end + tail;
    let new = first.after.start - lead..last.after.end + tail;
    let mut lines = Vec::with_capacity(old.len() + new.len());
    let mut push = |kind, side: &[&'a [u8]]| {
        for line in side {
            let (text, newline) = split_end(line);
            lines.push(Line { kind, text, newline });
        }
    };
    let mut done = old.start;
    for run in runs {
        push(LineKind::Context, &before[done..run.before.start]);
        push(LineKind::Removed, &before[run.before.clone()]);
        push(LineKind::Added, &after[run.after.clone()]);
        done = run.before.end;
    }
    push(LineKind::Context, &before[done..old.end]);
    Hunk {
        old_start: old.start + usize::from(!old.is_empty()),
        old_lines: old.len(),
        new_start: new.start + usize::from(!new.is_empty()),
        new_lines: new.len(),
        section: b"",
        lines,
    }
}

/// The last heading, and how far it was looked for.
struct Section<'a> {
    line: usize,
    text: &'a [u8],
}

impl<'a> Section<'a> {
    fn before(&mut self, line: usize, before: &[&'a [u8]]) -> &'a [u8] {
        let heading = before[self.line..line].iter().rev().find(|line| is_heading(line));
        self.text = heading.map_or(self.text, |line| cut(line));
        self.line = line;
        self.text
    }
}

/// Git's rule where nothing is configured for the kind of file.
fn is_heading(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$'))
}

/// As much as is shown, without half a character at its end.
fn cut(line: &[u8]) -> &[u8] {
    let mut end = line.len().min(MAX_SECTION);
    if end < line.len() {
        while end > MAX_SECTION - 4 && (0x80..0xc0).contains(&line[end]) {
            end -= 1;
        }
    }
    line[..end].trim_ascii_end()
}
