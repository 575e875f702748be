//! The JSON of Jest, which Vitest writes too.

use serde_json::Value;

use super::first_line;
use crate::report::{Failure, Limits, Report, milliseconds};
use crate::tally::plain;

pub(super) fn read(text: &str, limits: &Limits) -> Option<Report> {
    let value: Value = serde_json::from_str(text).ok()?;
    let suites = value["testResults"].as_array()?;
    let mut report = Report::default();
    let mut milliseconds_in_all = 0.0;
    for suite in suites {
        let file = suite["name"].as_str().map(str::to_owned);
        let tests = suite["assertionResults"].as_array().map_or(&[][..], Vec::as_slice);
        for test in tests {
            milliseconds_in_all += test["duration"].as_f64().unwrap_or_default();
            match test["status"].as_str() {
                Some("passed") => report.counts.passed += 1,
                Some("failed") => {
                    report.counts.failed += 1;
                    report.fail(failure(test, file.clone()), limits);
                }
                Some(_) | None => report.counts.skipped += 1,
            }
        }
        // A file that cannot be loaded has a message and no test.
        if tests.is_empty() && suite["status"] == "failed" {
            report.counts.failed += 1;
            let details = plain(suite["message"].as_str().unwrap_or_default());
            let name = "the file could not be run".to_owned();
            let message = first_line(&details);
            report.fail(Failure { name, message, details, file, ..Failure::default() }, limits);
        }
    }
    report.duration = milliseconds(milliseconds_in_all);
    Some(report)
}

fn failure(test: &Value, file: Option<String>) -> Failure {
    let text = |field: &str| test[field].as_str().unwrap_or_default().to_owned();
    let messages = test["failureMessages"].as_array().map_or(&[][..], Vec::as_slice);
    let messages: Vec<_> = messages.iter().filter_map(Value::as_str).map(plain).collect();
    let details = messages.join("\n\n");
    let ancestors = test["ancestorTitles"].as_array().map_or(&[][..], Vec::as_slice);
    let ancestors: Vec<_> =
        ancestors.iter().filter_map(Value::as_str).filter(|title| !title.is_empty()).collect();
    Failure {
        name: text("title"),
        suite: (!ancestors.is_empty()).then(|| ancestors.join(" > ")),
        message: first_line(&details),
        file,
        // The runner's own line is where the test begins; the trace says where it failed.
        line: None,
        details,
    }
}
