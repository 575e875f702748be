//! Splits a byte stream into lines, with a limit on what one line may cost.
//!
//! A line over the limit is read to its end and forgotten but for its two ends, in which the id of the
//! request may be found. It never looks at what a line means.

use std::io;

use memchr::memchr;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// What one read may bring; a pipe holds as much by default.
const READ_BYTES: usize = 64 * 1024;
/// How much of the start of an overlong line is kept.
const HEAD_BYTES: usize = 64 * 1024;
/// How much of the end of an overlong line is kept.
const TAIL_BYTES: usize = 512;
/// What the buffer keeps for the next line, so that one large line does not hold memory for ever.
const KEPT_CAPACITY: usize = 1024 * 1024;

/// What the next read of a stream came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// A line, with its line feed.
    Whole(&'a [u8]),
    /// A line over the limit: how it starts and how it ends.
    TooLong { head: &'a [u8], tail: &'a [u8] },
    /// The stream has ended. A last line without a line feed is not a message.
    End,
}

/// Reads lines. A read that is dropped half-way loses nothing: the next one goes on where it stopped.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    current: Current,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Reads lines of at most `max_bytes`, line feed included.
    pub(crate) fn new(reader: R, max_bytes: usize) -> Self {
        Self {
            reader: BufReader::with_capacity(READ_BYTES, reader),
            current: Current {
                max_bytes,
                bytes: Vec::new(),
                tail: Vec::new(),
                state: State::Growing,
            },
        }
    }

    /// Waits for the next line.
    pub(crate) async fn next(&mut self) -> io::Result<Line<'_>> {
        self.current.start_if_taken();
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(Line::End);
            }
            let line_feed = memchr(b'\n', chunk);
            let taken = line_feed.map_or(chunk.len(), |at| at + 1);
            // No await between these two, so that a dropped read neither loses bytes nor sees them twice.
            self.current.push(&chunk[..taken]);
            self.reader.consume(taken);
            if line_feed.is_some() {
                return Ok(self.current.take());
            }
        }
    }
}

/// The line that is being read.
struct Current {
    max_bytes: usize,
    /// The line so far, or only its head once it is too long.
    bytes: Vec<u8>,
    /// The last bytes of a line that is too long.
    tail: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Growing,
    TooLong,
    Taken,
}

impl Current {
    fn start_if_taken(&mut self) {
        if self.state == State::Taken {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_CAPACITY);
            self.tail.clear();
            self.state = State::Growing;
        }
    }

    fn push(&mut self, chunk: &[u8]) {
        if self.state == State::Growing
            && self.bytes.len().saturating_add(chunk.len()) > self.max_bytes
        {
            self.state = State::TooLong;
            self.tail.extend_from_slice(last(&self.bytes, TAIL_BYTES));
            self.bytes.extend_from_slice(chunk);
            self.bytes.truncate(HEAD_BYTES);
            self.bytes.shrink_to_fit();
        }
        if self.state == State::TooLong {
            self.tail.extend_from_slice(last(chunk, TAIL_BYTES));
            self.tail.drain(..self.tail.len().saturating_sub(TAIL_BYTES));
        } else {
            self.bytes.extend_from_slice(chunk);
        }
    }

    fn take(&mut self) -> Line<'_> {
        let state = std::mem::replace(&mut self.state, State::Taken);
        match state {
            State::TooLong => Line::TooLong { head: &self.bytes, tail: &self.tail },
            State::Growing | State::Taken => Line::Whole(&self.bytes),
        }
    }
}

fn last(bytes: &[u8], count: usize) -> &[u8] {
    &bytes[bytes.len().saturating_sub(count)..]
}
