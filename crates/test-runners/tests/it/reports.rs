//! What runners write, and what is read out of it.

mod json;
mod text;
mod xml;

use expect_test::Expect;
use test_runners::{Format, Limits, Report, Runner, read_log, read_report};

/// Where the projects of the samples lie.
const ROOT: &str = "/project";

fn check(format: Format, text: &str, expected: &Expect) {
    show(read_report(format, text, ROOT, &Limits::default()), expected);
}

fn check_log(runner: Runner, log: &str, expected: &Expect) {
    show(read_log(runner, log, ROOT, &Limits::default()), expected);
}

fn show(report: Option<Report>, expected: &Expect) {
    let Some(report) = report else {
        expected.assert_eq("no report\n");
        return;
    };
    let counts = report.counts;
    let mut text =
        format!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    if let Some(duration) = report.duration {
        text += &format!(" in {} ms", duration.as_millis());
    }
    text += "\n";
    for failure in &report.failures {
        let suite = failure.suite.as_deref().unwrap_or("-");
        let file = failure.file.as_deref().unwrap_or("-");
        let line = failure.line.map_or("-".to_owned(), |line| line.to_string());
        text += &format!("{} | {suite} | {file}:{line} | {}\n", failure.name, failure.message);
        for line in failure.details.lines() {
            text += format!("    {line}").trim_end();
            text += "\n";
        }
    }
    expected.assert_eq(&text);
}
