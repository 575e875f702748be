//! How many turns are asked for in a minute, by one client or on one thread.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is looked back on.
const WINDOW: Duration = Duration::from_secs(60);

/// The turns of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    asked_at: VecDeque<Instant>,
}

impl Pace {
    /// Counts another turn, if there may be one.
    ///
    /// # Errors
    /// How long to wait for it.
    pub(crate) fn count(&mut self, limit: usize, now: Instant) -> Result<(), Duration> {
        self.forget(now);
        if self.asked_at.len() < limit {
            self.asked_at.push_back(now);
            return Ok(());
        }
        let oldest = self.asked_at.front().copied().unwrap_or(now);
        Err((oldest + WINDOW).saturating_duration_since(now))
    }

    /// Takes the newest turn back: it was refused for another reason.
    pub(crate) fn take_back(&mut self) {
        self.asked_at.pop_back();
    }

    /// Whether nothing was asked for in the last minute.
    pub(crate) fn is_idle(&mut self, now: Instant) -> bool {
        self.forget(now);
        self.asked_at.is_empty()
    }

    fn forget(&mut self, now: Instant) {
        while self.asked_at.front().is_some_and(|asked| *asked + WINDOW <= now) {
            self.asked_at.pop_front();
        }
    }
}
