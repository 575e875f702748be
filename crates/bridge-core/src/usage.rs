//! How much of the account's limits is used, as Codex tells it after each answer of its provider.

use std::time::Duration;

use crate::CodexError;
use crate::bridge::Bridge;

/// One window of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageWindow {
    /// How much of it is used; at 100 nothing is left.
    pub used_percent: u32,
    /// How long the window is.
    pub length: Option<Duration>,
    /// When it begins anew, in seconds since 1970.
    pub resets_at: Option<i64>,
}

impl Bridge {
    /// Remembers what is used. Most providers tell nothing, which is no news.
    pub(crate) fn usage_told(&mut self, windows: Vec<UsageWindow>) {
        if !windows.is_empty() {
            self.app_server.usage = windows;
        }
    }

    /// An error with the time at which what is used up is there again, which Codex's message often leaves out.
    pub(crate) fn with_reset(&self, error: CodexError) -> CodexError {
        let used_up = self.app_server.usage.iter().filter(|window| window.used_percent >= 100);
        CodexError { resets_at: used_up.filter_map(|window| window.resets_at).max(), ..error }
    }
}
