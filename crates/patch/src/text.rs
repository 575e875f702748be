//! Lines of bytes, and whether bytes are lines at all.

/// How far git looks for a NUL.
const BINARY_PROBE: usize = 8000;

/// The lines of a text, each with its line feed; the last one may have none.
#[must_use]
pub fn lines(text: &[u8]) -> Lines<'_> {
    Lines { rest: text }
}

/// Iterates over [`lines`].
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(line)
    }
}

/// Whether git would call this binary: there is a NUL among the first 8,000 bytes.
#[must_use]
pub fn is_binary(content: &[u8]) -> bool {
    memchr::memchr(0, &content[..content.len().min(BINARY_PROBE)]).is_some()
}

/// A line without its line feed, and whether it had one.
pub(crate) fn split_end(line: &[u8]) -> (&[u8], bool) {
    match line.strip_suffix(b"\n") {
        Some(text) => (text, true),
        None => (line, false),
    }
}
