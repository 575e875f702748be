//! What a run writes, as it comes: kept up to a limit, counted line by line.

use test_runners::Tally;

/// A longer line is not looked at for a count.
const MAX_LINE: usize = 64 << 10;

pub(super) struct Log {
    bytes: Vec<u8>,
    limit: usize,
    line: Vec<u8>,
    pub(super) tally: Tally,
}

/// Whether there is room for more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Left,
    None,
}

impl Log {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, line: Vec::new(), tally: Tally::default() }
    }

    /// Takes in what fits.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Room {
        let fits = chunk.len().min(self.limit - self.bytes.len());
        self.bytes.extend_from_slice(&chunk[..fits]);
        for part in chunk[..fits].split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() < MAX_LINE {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                self.tally.line(&String::from_utf8_lossy(&self.line));
                self.line.clear();
            }
        }
        if fits < chunk.len() { Room::None } else { Room::Left }
    }

    pub(super) fn into_text(self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}
