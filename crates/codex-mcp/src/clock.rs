//! The clocks. Everything else takes the time as an argument.

#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the clocks")]

use std::time::Instant;

/// The monotonic clock, for the core.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of day, to compare with that of files.
pub(crate) fn system_time() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// The time of day for records.
pub(crate) fn timestamp_ms() -> bridge_store::Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let milliseconds = since.map_or(0, |since| since.as_millis());
    bridge_store::Timestamp(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

/// The time of day for people and logs, as RFC 3339 in UTC with milliseconds.
pub(crate) fn timestamp() -> String {
    let now = std::time::SystemTime::now();
    jiff::Timestamp::try_from(now).map(|now| format!("{now:.3}")).unwrap_or_default()
}

/// A time of a record for people, as RFC 3339 in UTC.
pub(crate) fn show(at: bridge_store::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map(|at| format!("{at:.0}")).unwrap_or_default()
}

/// The time of day where this program runs, for what Codex says in local time.
pub(crate) fn local() -> jiff::Zoned {
    jiff::Zoned::now()
}
