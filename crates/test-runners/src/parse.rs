//! What runners write, read into [`Report`]. Nothing here fails: what cannot be read says nothing.

mod go;
mod jest;
mod json;
mod junit;
mod libtest;
mod summary;
mod tap;
mod trx;
mod unittest;

use std::borrow::Cow;

use crate::place;
use crate::report::{Failure, Limits, Report};
use crate::runner::Runner;
use crate::tally::plain;

/// How a report file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JUnit's XML, in any of its dialects.
    Junit,
    /// Visual Studio's XML.
    Trx,
    /// Jest's JSON, which Vitest writes too.
    Jest,
    /// Mocha's JSON.
    Mocha,
    /// RSpec's JSON.
    Rspec,
}

/// Reads a report file; `None` if it is no such report. `root` is the absolute folder where the runner was started:
/// places inside it are given relative to it.
#[must_use]
pub fn read_report(format: Format, text: &str, root: &str, limits: &Limits) -> Option<Report> {
    let report = match format {
        Format::Junit => junit::read(text, limits),
        Format::Trx => trx::read(text, limits),
        Format::Jest => jest::read(text, limits),
        Format::Mocha => json::mocha(text, limits),
        Format::Rspec => json::rspec(text, limits),
    };
    report.map(|report| tidy(report, root))
}

/// Reads what a runner printed; `None` if nothing in it counts tests.
#[must_use]
pub fn read_log(runner: Runner, log: &str, root: &str, limits: &Limits) -> Option<Report> {
    let log = plain(log);
    let own = match runner {
        Runner::Cargo => libtest::read(&log, limits),
        Runner::Go => go::read(&log, limits),
        Runner::Prove => tap::read(&log, limits),
        Runner::Unittest => unittest::read(&log, limits),
        Runner::Command
        | Runner::Nextest
        | Runner::Vitest
        | Runner::Jest
        | Runner::Mocha
        | Runner::Node
        | Runner::Script
        | Runner::Pytest
        | Runner::Maven
        | Runner::Gradle
        | Runner::Dotnet
        | Runner::Rspec
        | Runner::Phpunit
        | Runner::Ctest
        | Runner::Make => None,
    };
    let any = [libtest::read, go::read, unittest::read, tap::read, summary::read];
    let report = own.or_else(|| any.into_iter().find_map(|read| read(&log, limits)));
    report.map(|report| tidy(report, root))
}

/// A log as a person reads it: where a runner writes data, the words in it.
#[must_use]
pub fn readable(runner: Runner, log: &str) -> Cow<'_, str> {
    match runner {
        Runner::Go => go::words(log).into(),
        Runner::Command
        | Runner::Cargo
        | Runner::Nextest
        | Runner::Vitest
        | Runner::Jest
        | Runner::Mocha
        | Runner::Node
        | Runner::Script
        | Runner::Pytest
        | Runner::Unittest
        | Runner::Maven
        | Runner::Gradle
        | Runner::Dotnet
        | Runner::Rspec
        | Runner::Phpunit
        | Runner::Ctest
        | Runner::Prove
        | Runner::Make => log.into(),
    }
}

/// What runners say, some with an error, when there is nothing to run.
const NOTHING: &[&str] = &[
    "No tests found",
    "No test files found",
    "No test suite found",
    "no tests to run",
    "NO TESTS RAN",
    "no tests ran",
    "collected 0 items",
    "[no test files]",
    "No tests were found",
    "No tests were executed",
    "No tests executed",
    "0 examples, 0 failures",
    "Files=0, Tests=0",
    "Result: NOTESTS",
    "No test is available",
    "Test list is empty",
];

/// Whether a log says that there was no test to run.
#[must_use]
pub fn found_nothing(log: &str) -> bool {
    let log = plain(log);
    NOTHING.iter().any(|words| log.contains(words))
}

/// Fills in the places that the runner only mentions, and shortens those inside the project.
fn tidy(mut report: Report, root: &str) -> Report {
    for failure in &mut report.failures {
        locate(failure);
        if let Some(file) = &mut failure.file {
            let path = file.strip_prefix("file://").unwrap_or(file);
            let inside = path.strip_prefix(root).and_then(|path| path.strip_prefix('/'));
            *file = inside.unwrap_or(path).trim_start_matches("./").to_owned();
        }
    }
    report
}

fn locate(failure: &mut Failure) {
    if failure.file.is_some() && failure.line.is_some() {
        return;
    }
    let Some((file, line)) =
        place::find(&failure.details).or_else(|| place::find(&failure.message))
    else {
        return;
    };
    let is_same =
        |known: &str| known.ends_with(&file) || file.ends_with(known.trim_start_matches("./"));
    match failure.file.as_deref() {
        None => (failure.file, failure.line) = (Some(file), Some(line)),
        Some(known) if is_same(known) => failure.line = Some(line),
        Some(_) => {}
    }
}

/// What went wrong, in a line or two, for a failure without a message of its own: what stands behind Rust's
/// `panicked at …:`, else the first line that says something.
fn first_line(text: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.contains("panicked at "));
    if lines.next().is_some() {
        let is_end =
            |line: &&str| line.starts_with("note: ") || line.starts_with("stack backtrace:");
        return lines
            .take_while(|line| !is_end(line))
            .collect::<Vec<_>>()
            .join("\n")
            .trim()
            .to_owned();
    }
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}
