//! Drains a child's stderr for as long as it lives, so that it never blocks on a full pipe, and keeps
//! the end of it for whoever must explain what went wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncRead;

use crate::framing::{Line, LineReader};

const KEPT_BYTES: usize = 64 * 1024;

/// The last 64 KiB. The lock is held for a copy of that much at most; the drain is its only writer.
#[derive(Debug, Clone, Default)]
pub(super) struct StderrTail(Arc<Mutex<VecDeque<u8>>>);

impl StderrTail {
    pub(super) fn text(&self) -> String {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(tail.make_contiguous()).into_owned()
    }

    fn push(&self, line: &[u8]) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(line);
        tail.push_back(b'\n');
        let excess = tail.len().saturating_sub(KEPT_BYTES);
        if excess > 0 {
            // Whole lines: half of one may be half of a secret.
            let line_end = tail.iter().skip(excess - 1).position(|byte| *byte == b'\n');
            let end = line_end.map_or(tail.len(), |at| excess + at);
            tail.drain(..end);
        }
    }

    /// Reads until the end of the stream.
    pub(super) async fn drain<R: AsyncRead + Unpin>(self, stderr: R) {
        let mut reader = LineReader::new(stderr, KEPT_BYTES);
        loop {
            match reader.next().await {
                Ok(Some(Line::Text(line))) => {
                    tracing::debug!(target: "codex_stderr", "{line}");
                    self.push(line.as_bytes());
                }
                Ok(Some(Line::NotUtf8(line) | Line::Partial(line))) => self.push(line),
                Ok(Some(Line::TooLong { bytes })) => {
                    self.push(format!("[a line of {bytes} bytes]").as_bytes());
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::debug!(%error, "the app-server's stderr cannot be read");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_in_whole_lines() {
        let tail = StderrTail::default();
        let line = "x".repeat(1000);
        for _ in 0..100 {
            tail.push(line.as_bytes());
        }
        let text = tail.text();
        assert!((KEPT_BYTES - 1001..=KEPT_BYTES).contains(&text.len()), "{}", text.len());
        assert!(text.lines().all(|kept| kept == line));
    }
}
