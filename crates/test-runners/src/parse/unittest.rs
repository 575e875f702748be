//! What Python's own runner prints.

use crate::report::{Failure, Limits, Report, seconds};

const RULER: &str = "======================================================================";
const LINE: &str = "----------------------------------------------------------------------";

pub(super) fn read(log: &str, limits: &Limits) -> Option<Report> {
    let (total, time) = log.lines().rev().find_map(ran)?;
    let mut report = Report { duration: time, ..Report::default() };
    let last =
        log.lines().rev().find(|line| line.starts_with("OK") || line.starts_with("FAILED"))?;
    for part in last.split(['(', ',', ')']) {
        let Some((word, number)) = part.trim().split_once('=') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match word {
            "failures" | "errors" | "unexpected successes" => report.counts.failed += number,
            "skipped" | "expected failures" => report.counts.skipped += number,
            _ => {}
        }
    }
    report.counts.passed = total.saturating_sub(report.counts.failed + report.counts.skipped);
    for section in log.split(RULER).skip(1) {
        failure(section, &mut report, limits);
    }
    Some(report)
}

/// `Ran 3 tests in 0.001s`
fn ran(line: &str) -> Option<(u64, Option<std::time::Duration>)> {
    let mut words = line.strip_prefix("Ran ")?.split(' ');
    let number = words.next()?.parse().ok()?;
    words.next().filter(|word| word.starts_with("test"))?;
    Some((number, words.nth(1).and_then(|time| seconds(time.trim_end_matches('s')))))
}

/// `FAIL: test_b (test_a.T.test_b)`, a line, a trace, and a line before what follows.
fn failure(section: &str, report: &mut Report, limits: &Limits) {
    let mut parts = section.split(LINE);
    let title = parts.next().unwrap_or_default().trim();
    let Some(title) = title.strip_prefix("FAIL: ").or_else(|| title.strip_prefix("ERROR: ")) else {
        return;
    };
    let details = parts.next().unwrap_or_default().trim().to_owned();
    let title = title.lines().next().unwrap_or_default();
    let (name, suite) = title.split_once(" (").map_or((title, None), |(name, suite)| {
        (name, Some(suite.trim_end_matches(')').to_owned()))
    });
    let is_message = |line: &&str| !line.is_empty() && !line.starts_with(' ');
    let message = details.lines().rev().find(is_message).unwrap_or_default().to_owned();
    report.fail(
        Failure { name: name.to_owned(), suite, message, details, ..Failure::default() },
        limits,
    );
}
