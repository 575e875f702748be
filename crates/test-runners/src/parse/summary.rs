//! The last lines of runners that wrote no report: only how many, not which.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::report::{Counts, Limits, Report};

/// Each stands for a line. The groups are `passed`, `failed`, `errors`, `skipped` and `total`; what is not named and can
/// be told from the others is.
const SUMMARIES: &[&str] = &[
    // nextest
    r"Summary \[[^\]]*\] +(?P<total>\d+) tests? run: (?P<passed>\d+) passed(?: \([^)]*\))?(?:, (?P<failed>\d+) failed)?(?:, (?P<errors>\d+) timed out)?(?:, (?P<skipped>\d+) skipped)?",
    // Jest
    r"^Tests: +(?:(?P<failed>\d+) failed, )?(?:(?P<skipped>\d+) skipped, )?(?:\d+ [a-z]+, )?(?:(?P<passed>\d+) passed, )?(?P<total>\d+) total",
    // Vitest
    r"^ *Tests  +(?:(?P<failed>\d+) failed)?(?: \| )?(?:(?P<passed>\d+) passed)?(?: \| )?(?:(?P<skipped>\d+) skipped)?[^(]*\((?P<total>\d+)\)",
    // pytest
    r"^=+ (?:(?P<failed>\d+) failed)?(?:, )?(?:(?P<passed>\d+) passed)?(?:, )?(?:(?P<skipped>\d+) skipped)?(?:, )?(?:\d+ [a-z]+, )*(?:(?P<errors>\d+) errors?)?.* in [\d.]+s",
    // Maven; the total comes last
    r"^(?:\[[A-Z]+\] )?Tests run: (?P<total>\d+), Failures: (?P<failed>\d+), Errors: (?P<errors>\d+), Skipped: (?P<skipped>\d+)$",
    // PHPUnit
    r"^OK \((?P<passed>\d+) tests?, \d+ assertions?\)",
    r"^Tests: (?P<total>\d+), Assertions: \d+(?:, Errors: (?P<errors>\d+))?(?:, Failures: (?P<failed>\d+))?(?:, [A-Z][a-z]+: \d+)*?(?:, Skipped: (?P<skipped>\d+))?\.",
    // RSpec
    r"^(?P<total>\d+) examples?, (?P<failed>\d+) failures?(?:, (?P<skipped>\d+) pending)?",
    // CTest
    r"^\d+% tests passed, (?P<failed>\d+) tests failed out of (?P<total>\d+)",
    // .NET
    r"(?:Passed|Failed)! +- Failed: +(?P<failed>\d+), Passed: +(?P<passed>\d+), Skipped: +(?P<skipped>\d+), Total: +(?P<total>\d+)",
    // Anybody
    r"^(?:\w+: )?(?P<passed>\d+) passed, (?P<failed>\d+) failed(?:, (?P<skipped>\d+) skipped)?",
];

/// Those that write a line for each number.
const LINES: &[[&str; 3]] = &[
    // Node
    [r"(?m)^(?:ℹ|#) pass (\d+)$", r"(?m)^(?:ℹ|#) fail (\d+)$", r"(?m)^(?:ℹ|#) skipped (\d+)$"],
    // Mocha
    [r"(?m)^ +(\d+) passing", r"(?m)^ +(\d+) failing", r"(?m)^ +(\d+) pending"],
];

static EXPRESSIONS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| SUMMARIES.iter().map(|line| expression(&format!("(?m){line}"))).collect());
static LINE_EXPRESSIONS: LazyLock<Vec<[Regex; 3]>> =
    LazyLock::new(|| LINES.iter().map(|lines| lines.map(expression)).collect());

fn expression(text: &str) -> Regex {
    Regex::new(text).expect("the summaries are regular expressions, as a test shows")
}

pub(super) fn read(log: &str, _limits: &Limits) -> Option<Report> {
    let counts = EXPRESSIONS
        .iter()
        .find_map(|line| line.captures_iter(log).last().map(|found| of_line(&found)));
    let counts =
        counts.or_else(|| LINE_EXPRESSIONS.iter().find_map(|lines| of_lines(log, lines)))?;
    Some(Report { counts, ..Report::default() })
}

fn of_line(found: &Captures<'_>) -> Counts {
    let number = |name: &str| found.name(name).and_then(|text| text.as_str().parse::<u64>().ok());
    let failed =
        number("failed").unwrap_or_default().saturating_add(number("errors").unwrap_or_default());
    let skipped = number("skipped").unwrap_or_default();
    let rest =
        || number("total").unwrap_or_default().saturating_sub(failed.saturating_add(skipped));
    Counts { passed: number("passed").unwrap_or_else(rest), failed, skipped }
}

fn of_lines(log: &str, lines: &[Regex; 3]) -> Option<Counts> {
    let number = |line: &Regex| line.captures_iter(log).last()?[1].parse::<u64>().ok();
    let [passed, failed, skipped] = lines.each_ref().map(number);
    let counts = Counts {
        passed: passed.unwrap_or_default(),
        failed: failed.unwrap_or_default(),
        skipped: skipped.unwrap_or_default(),
    };
    passed.or(failed).map(|_| counts)
}
