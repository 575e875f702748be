//! What tests said: how many passed, failed and were skipped, and each failure. Always bounded.

use std::time::Duration;

/// How much of a report is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Failures; of the others only the number is known.
    pub failures: usize,
    /// The longest name, message or path, in characters.
    pub text: usize,
    /// The longest details, in characters.
    pub details: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { failures: 200, text: 1_000, details: 8_000 }
    }
}

/// How many tests there were, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Went well.
    pub passed: u64,
    /// Did not, errors among them.
    pub failed: u64,
    /// Were not run.
    pub skipped: u64,
}

impl Counts {
    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        self.passed.saturating_add(self.failed).saturating_add(self.skipped)
    }
}

/// A test that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The test.
    pub name: String,
    /// The class, file or binary that it belongs to.
    pub suite: Option<String>,
    /// Why, in a line or two.
    pub message: String,
    /// Where, as the runner names it.
    pub file: Option<String>,
    /// The line there.
    pub line: Option<u64>,
    /// What else the runner says: a trace, a difference, output.
    pub details: String,
}

/// What the tests of one run said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many.
    pub counts: Counts,
    /// As the runner measured it.
    pub duration: Option<Duration>,
    /// The first failures.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Takes in another part of the same run.
    pub fn add(&mut self, other: Self, limits: &Limits) {
        self.counts.passed = self.counts.passed.saturating_add(other.counts.passed);
        self.counts.failed = self.counts.failed.saturating_add(other.counts.failed);
        self.counts.skipped = self.counts.skipped.saturating_add(other.counts.skipped);
        self.duration = match (self.duration, other.duration) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        let room = limits.failures.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.into_iter().take(room));
    }

    /// Adds a failure, cut to what is kept; of too many only the number is.
    pub(crate) fn fail(&mut self, failure: Failure, limits: &Limits) {
        if self.failures.len() < limits.failures {
            self.failures.push(Failure {
                name: cut(failure.name, limits.text),
                suite: failure
                    .suite
                    .filter(|suite| !suite.is_empty())
                    .map(|suite| cut(suite, limits.text)),
                message: cut(failure.message, limits.text),
                file: failure
                    .file
                    .filter(|file| !file.is_empty())
                    .map(|file| cut(file, limits.text)),
                line: failure.line,
                details: cut(failure.details, limits.details),
            });
        }
    }
}

/// The beginning and the end of a text that is too long.
fn cut(text: String, most: usize) -> String {
    let text = text.trim_start_matches(['\n', '\r']).trim_end().to_owned();
    let length = text.chars().count();
    if length <= most {
        return text;
    }
    let half = most / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(length - half).collect();
    format!("{head}\n[… {} characters left out …]\n{tail}", length - 2 * half)
}

/// A length of time that a runner wrote in seconds; nonsense is none.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.replace(',', "").trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The same in milliseconds.
pub(crate) fn milliseconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number / 1000.0).ok()
}
