//! The lines of a diff, one after the other.

use std::borrow::Cow;

use super::error::{ParseError, ParseProblem};
use crate::quote::quote;
use crate::text::split_end;

/// How much of a line an error shows.
const MAX_SHOWN: usize = 120;

/// Where the parser is.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    /// The number of the next line, counted from 1.
    pub(super) line: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The next line, without its line feed.
    pub(super) fn peek(&self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).map_or(self.rest.len(), |at| at + 1);
        Some(split_end(&self.rest[..end]).0)
    }

    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.peek()?;
        self.rest = &self.rest[self.rest.len().min(line.len() + 1)..];
        self.line += 1;
        Some(line)
    }

    /// The next line of a header: a carriage return at its end is not of it.
    pub(super) fn peek_header(&self) -> Option<&'a [u8]> {
        self.peek().map(without_return)
    }

    /// Takes the next line of a header when it begins so, and gives the rest of it.
    pub(super) fn take(&mut self, prefix: &[u8]) -> Option<&'a [u8]> {
        let rest = self.peek_header()?.strip_prefix(prefix)?;
        self.next();
        Some(rest)
    }

    /// The problem is in the line that was taken last.
    pub(super) fn behind<T>(&self, problem: ParseProblem) -> Result<T, ParseError> {
        Err(ParseError { line: self.line - 1, problem })
    }

    /// The problem is in the next line.
    pub(super) fn here<T>(&self, problem: ParseProblem) -> Result<T, ParseError> {
        Err(ParseError { line: self.line, problem })
    }
}

pub(super) fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// As much of a line as an error shows.
pub(super) fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
    if shown.len() < text.len() && text.chars().count() > MAX_SHOWN {
        shown.push('…');
    }
    shown
}

/// As much of a name as an error shows, quoted as git does it.
pub(super) fn shown_name(name: &[u8]) -> String {
    shown(quote(name).as_bytes())
}

/// The same for what may not be there.
pub(super) fn shown_or_end(line: Option<&[u8]>) -> String {
    line.map_or_else(|| Cow::Borrowed("the end of the diff").into_owned(), shown)
}
