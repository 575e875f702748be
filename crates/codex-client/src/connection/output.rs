//! The lines that wait for the writer, and whether more may be added.
//!
//! It decides nothing about requests; it only remembers which line carries which.

use std::collections::VecDeque;

use tokio::sync::mpsc;

/// Unwritten lines beyond which the other side counts as stuck. Requests stay far below it, so these
/// are answers and notifications.
const LIMIT: usize = 1024;

#[derive(Debug)]
pub(super) struct Output {
    lines: VecDeque<Line>,
    state: State,
}

#[derive(Debug)]
struct Line {
    /// The request that it carries, if it carries one.
    request: Option<u64>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Open(mpsc::Sender<Vec<u8>>),
    /// Nothing is added; what is there is written first.
    Closing(mpsc::Sender<Vec<u8>>),
    Closed,
}

/// What came of [`Output::advance`].
pub(super) enum Advance {
    /// The writer took a line.
    Written,
    /// The writer is gone.
    Broken,
}

impl Output {
    pub(super) fn new(writer: mpsc::Sender<Vec<u8>>) -> Self {
        Self { lines: VecDeque::new(), state: State::Open(writer) }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.lines.len() > LIMIT
    }

    /// Adds a line, newline included.
    pub(super) fn push(&mut self, request: Option<u64>, bytes: Vec<u8>) {
        self.lines.push_back(Line { request, bytes });
    }

    /// Takes back a request, if it is not written yet.
    pub(super) fn retract(&mut self, request: u64) {
        self.lines.retain(|line| line.request != Some(request));
    }

    /// Gives the next line to the writer once it takes one. Safe to cancel.
    pub(super) async fn advance(&mut self) -> Advance {
        let (State::Open(writer) | State::Closing(writer)) = &self.state else {
            return Advance::Broken;
        };
        match writer.reserve().await {
            Ok(permit) => {
                if let Some(line) = self.lines.pop_front() {
                    permit.send(line.bytes);
                }
            }
            Err(_closed) => return Advance::Broken,
        }
        self.close_if_done();
        Advance::Written
    }

    /// Closes it once everything is written.
    pub(super) fn close(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Open(writer) | State::Closing(writer) => State::Closing(writer),
            State::Closed => State::Closed,
        };
        self.close_if_done();
    }

    /// Closes it now, and returns the requests that were not written.
    pub(super) fn abandon(&mut self) -> Vec<u64> {
        self.state = State::Closed;
        self.lines.drain(..).filter_map(|line| line.request).collect()
    }

    fn close_if_done(&mut self) {
        if self.lines.is_empty() && matches!(self.state, State::Closing(_)) {
            self.state = State::Closed;
        }
    }
}
