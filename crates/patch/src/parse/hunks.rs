//! The hunks of one file.

use super::cursor::{Cursor, shown, shown_or_end, without_return};
use super::error::{ParseError, ParseProblem};
use crate::hunk::{Hunk, Line, LineKind};

/// Reads all hunks that follow; `left` is how many there may still be.
pub(super) fn hunks<'a>(
    cursor: &mut Cursor<'a>,
    left: &mut usize,
    limit: usize,
) -> Result<Vec<Hunk<'a>>, ParseError> {
    let mut hunks: Vec<Hunk<'a>> = Vec::new();
    while let Some(line) = cursor.peek_header().filter(|line| line.starts_with(b"@@")) {
        if *left == 0 {
            return cursor.here(ParseProblem::TooManyHunks { limit });
        }
        *left -= 1;
        let Some(header) = header(line) else {
            return cursor.here(ParseProblem::HunkHeader { found: shown(line) });
        };
        if let Some(last) = hunks.last() {
            in_order(cursor, last, &header)?;
        }
        hunks.push(Reading::new(cursor, header).read()?);
    }
    Ok(hunks)
}

fn in_order(cursor: &Cursor<'_>, last: &Hunk<'_>, next: &Hunk<'_>) -> Result<(), ParseError> {
    if last.lines.iter().any(|line| !line.newline) {
        return cursor.here(ParseProblem::NoNewline);
    }
    let (end, start) = (last.old_range().end, next.old_range().start);
    if start < end {
        return cursor.here(ParseProblem::HunkOrder { start: start + 1, end });
    }
    Ok(())
}

/// `@@ -start[,lines] +start[,lines] @@[ section]`.
fn header(line: &[u8]) -> Option<Hunk<'_>> {
    let rest = line.strip_prefix(b"@@ -")?;
    let (old_start, old_lines, rest) = numbers(rest)?;
    let rest = rest.strip_prefix(b" +")?;
    let (new_start, new_lines, rest) = numbers(rest)?;
    let section = rest.strip_prefix(b" @@")?;
    let first_is_none = |start: usize, lines: usize| start == 0 && lines > 0;
    if first_is_none(old_start, old_lines) || first_is_none(new_start, new_lines) {
        return None;
    }
    let section = section.strip_prefix(b" ").unwrap_or(section);
    Some(Hunk { old_start, old_lines, new_start, new_lines, section, lines: Vec::new() })
}

fn numbers(text: &[u8]) -> Option<(usize, usize, &[u8])> {
    let (start, rest) = number(text)?;
    match rest.strip_prefix(b",") {
        Some(rest) => number(rest).map(|(lines, rest)| (start, lines, rest)),
        None => Some((start, 1, rest)),
    }
}

/// At most nine digits: more lines than that are in no file that is handled here.
fn number(text: &[u8]) -> Option<(usize, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() <= 9)?;
    Some((digits.parse().ok()?, rest))
}

/// A hunk whose lines are being read.
struct Reading<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    hunk: Hunk<'a>,
    header_line: usize,
    old_left: usize,
    new_left: usize,
}

impl<'c, 'a> Reading<'c, 'a> {
    fn new(cursor: &'c mut Cursor<'a>, hunk: Hunk<'a>) -> Self {
        let header_line = cursor.line;
        cursor.next();
        let (old_left, new_left) = (hunk.old_lines, hunk.new_lines);
        Self { cursor, hunk, header_line, old_left, new_left }
    }

    fn read(mut self) -> Result<Hunk<'a>, ParseError> {
        while self.old_left > 0 || self.new_left > 0 {
            self.line()?;
        }
        self.marker()?;
        self.end()?;
        Ok(self.hunk)
    }

    fn line(&mut self) -> Result<(), ParseError> {
        let Some(line) = self.cursor.peek() else {
            return self.short();
        };
        let (kind, text) = match line.split_first() {
            Some((b' ', text)) => (LineKind::Context, text),
            Some((b'-', text)) => (LineKind::Removed, text),
            Some((b'+', text)) => (LineKind::Added, text),
            Some((b'\\', _)) => return self.marker(),
            // Editors and models take the space off an empty line of context.
            None | Some((b'\r', [])) => (LineKind::Context, line),
            Some(_) => return self.short(),
        };
        let (old, new) = (usize::from(kind.is_old()), usize::from(kind.is_new()));
        if old > self.old_left || new > self.new_left {
            return self.unbalanced(line);
        }
        self.cursor.next();
        self.old_left -= old;
        self.new_left -= new;
        self.hunk.lines.push(Line { kind, text, newline: true });
        Ok(())
    }

    /// `\ No newline at end of file`, in any language.
    fn marker(&mut self) -> Result<(), ParseError> {
        if !self.cursor.peek().is_some_and(|line| line.starts_with(b"\\")) {
            return Ok(());
        }
        let (old_left, new_left) = (self.old_left, self.new_left);
        let Some(line) = self.hunk.lines.last_mut() else {
            return self.short();
        };
        let ends = match line.kind {
            LineKind::Context => old_left == 0 && new_left == 0,
            LineKind::Removed => old_left == 0,
            LineKind::Added => new_left == 0,
        };
        if !ends || !line.newline {
            return self.cursor.here(ParseProblem::NoNewline);
        }
        line.newline = false;
        self.cursor.next();
        Ok(())
    }

    /// What follows must not look as if it were of the hunk.
    fn end(&self) -> Result<(), ParseError> {
        let Some(line) = self.cursor.peek() else {
            return Ok(());
        };
        let goes_on = match line.first() {
            Some(b'+' | b' ') => true,
            // The signature of a mail.
            Some(b'-') => {
                without_return(line) != b"-- " && without_return(line) != b"--" && !self.is_header()
            }
            Some(_) | None => false,
        };
        if goes_on { self.long(line) } else { Ok(()) }
    }

    fn is_header(&self) -> bool {
        let mut ahead = self.cursor.clone();
        ahead.take(b"--- ").is_some() && ahead.take(b"+++ ").is_some()
    }

    /// More of one side than the header says, before there is enough of the other.
    fn unbalanced(&self, line: &[u8]) -> Result<(), ParseError> {
        if self.is_header() { self.short() } else { self.long(line) }
    }

    fn long(&self, line: &[u8]) -> Result<(), ParseError> {
        self.cursor.here(ParseProblem::HunkLong {
            header: self.header_line,
            old: self.hunk.old_lines,
            new: self.hunk.new_lines,
            found: shown(line),
        })
    }

    fn short(&self) -> Result<(), ParseError> {
        self.cursor.here(ParseProblem::HunkShort {
            header: self.header_line,
            old: self.hunk.old_lines,
            new: self.hunk.new_lines,
            old_missing: self.old_left,
            new_missing: self.new_left,
            found: shown_or_end(self.cursor.peek()),
        })
    }
}
