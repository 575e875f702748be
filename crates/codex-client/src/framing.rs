//! Splits a byte stream into lines, each at most a given size.
//!
//! The reader owns its buffer, so that dropping a pending [`LineReader::next`] loses nothing. A line
//! that is too long, not UTF-8 or cut off by the end of the stream is a value and the next line is
//! read as if nothing had happened. It never looks inside a line.

use std::io;
use std::ops::Range;

use tokio::io::{AsyncRead, AsyncReadExt};

/// What one read may bring in, and what an idle reader keeps: the size of a Linux pipe.
const CHUNK: usize = 64 * 1024;
/// A buffer that grew beyond this for one long line is given back once it is empty.
const RETAINED: usize = 1024 * 1024;

/// One line, without its newline. Borrowed from the reader until the next call.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole line of UTF-8.
    Text(&'a str),
    /// A whole line that is not UTF-8.
    NotUtf8(&'a [u8]),
    /// A line above the limit. It was read to its end and dropped; `bytes` is how long it was.
    TooLong { bytes: u64 },
    /// The stream ended within this line.
    Partial(&'a [u8]),
}

/// Reads lines from `R`.
#[derive(Debug)]
pub struct LineReader<R> {
    reader: R,
    /// Bytes read. Those before `start` were given out, those before `scanned` hold no newline.
    buffer: Vec<u8>,
    start: usize,
    scanned: usize,
    max_line_bytes: usize,
    /// How much of an over-long line was dropped so far, while within one.
    skipped: Option<u64>,
}

enum Found {
    Line(Range<usize>),
    Partial(Range<usize>),
    TooLong(u64),
    End,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    /// Reads from `reader` lines of at most `max_line_bytes`, newline not counted.
    pub fn new(reader: R, max_line_bytes: usize) -> Self {
        Self {
            reader,
            buffer: Vec::with_capacity(CHUNK),
            start: 0,
            scanned: 0,
            max_line_bytes,
            skipped: None,
        }
    }

    /// The next line, or `None` at the end of the stream. Safe to cancel.
    ///
    /// # Errors
    /// What the underlying reader reports.
    pub async fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let found = loop {
            if let Some(found) = self.scan() {
                break found;
            }
            if self.fill().await? == 0 {
                break self.finish();
            }
        };
        Ok(match found {
            Found::Line(range) => {
                let bytes = &self.buffer[range];
                Some(std::str::from_utf8(bytes).map_or(Line::NotUtf8(bytes), Line::Text))
            }
            Found::Partial(range) => Some(Line::Partial(&self.buffer[range])),
            Found::TooLong(bytes) => Some(Line::TooLong { bytes }),
            Found::End => None,
        })
    }

    /// Takes one line out of the buffer, or drops what belongs to an over-long one.
    fn scan(&mut self) -> Option<Found> {
        let newline = memchr::memchr(b'\n', &self.buffer[self.scanned..]);
        let end = newline.map_or(self.buffer.len(), |at| self.scanned + at);
        let range = self.start..end;
        let too_long = self.skipped.is_some() || range.len() > self.max_line_bytes;
        if newline.is_none() {
            self.scanned = end;
            if too_long {
                *self.skipped.get_or_insert(0) += range.len() as u64;
                self.start = end;
            }
            return None;
        }
        self.start = end + 1;
        self.scanned = self.start;
        Some(if too_long {
            Found::TooLong(self.skipped.take().unwrap_or(0) + range.len() as u64)
        } else {
            Found::Line(range)
        })
    }

    async fn fill(&mut self) -> io::Result<usize> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        if self.buffer.is_empty() && self.buffer.capacity() > RETAINED {
            self.buffer = Vec::with_capacity(CHUNK);
        }
        if self.buffer.capacity() - self.buffer.len() < CHUNK / 2 {
            self.buffer.reserve(CHUNK);
        }
        self.reader.read_buf(&mut self.buffer).await
    }

    fn finish(&mut self) -> Found {
        let range = self.start..self.buffer.len();
        self.start = range.end;
        self.scanned = range.end;
        match self.skipped.take() {
            Some(before) => Found::TooLong(before + range.len() as u64),
            None if range.is_empty() => Found::End,
            None => Found::Partial(range),
        }
    }
}
