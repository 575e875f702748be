//! The JSON of Mocha and of RSpec.

use serde_json::Value;

use super::first_line;
use crate::report::{Failure, Limits, Report, milliseconds};
use crate::tally::plain;

pub(super) fn mocha(text: &str, limits: &Limits) -> Option<Report> {
    let value: Value = serde_json::from_str(text).ok()?;
    let stats = value["stats"].as_object()?;
    let count = |name: &str| stats.get(name).and_then(Value::as_u64).unwrap_or_default();
    let mut report = Report {
        duration: stats.get("duration").and_then(Value::as_f64).and_then(milliseconds),
        ..Report::default()
    };
    report.counts.passed = count("passes");
    report.counts.failed = count("failures");
    report.counts.skipped = count("pending");
    for test in value["failures"].as_array().map_or(&[][..], Vec::as_slice) {
        let text = |value: &Value| plain(value.as_str().unwrap_or_default());
        let (name, full) = (text(&test["title"]), text(&test["fullTitle"]));
        let suite = full.strip_suffix(name.as_str()).map(|suite| suite.trim().to_owned());
        let failure = Failure {
            suite,
            name,
            message: first_line(&text(&test["err"]["message"])),
            file: test["file"].as_str().map(str::to_owned),
            line: None,
            details: text(&test["err"]["stack"]),
        };
        report.fail(failure, limits);
    }
    Some(report)
}

pub(super) fn rspec(text: &str, limits: &Limits) -> Option<Report> {
    let value: Value = serde_json::from_str(text).ok()?;
    let examples = value["examples"].as_array()?;
    let mut report = Report {
        duration: value["summary"]["duration"]
            .as_f64()
            .and_then(|seconds| milliseconds(seconds * 1000.0)),
        ..Report::default()
    };
    for example in examples {
        let text = |value: &Value| plain(value.as_str().unwrap_or_default());
        match example["status"].as_str() {
            Some("passed") => report.counts.passed += 1,
            Some("failed") => {
                report.counts.failed += 1;
                let error = &example["exception"];
                let trace = error["backtrace"].as_array().map_or(&[][..], Vec::as_slice);
                let trace: Vec<_> = trace.iter().filter_map(Value::as_str).collect();
                let message = text(&error["message"]);
                let failure = Failure {
                    name: text(&example["full_description"]),
                    suite: None,
                    message: first_line(&message),
                    file: example["file_path"].as_str().map(str::to_owned),
                    line: example["line_number"].as_u64(),
                    details: format!("{message}\n{}", trace.join("\n")),
                };
                report.fail(failure, limits);
            }
            Some(_) | None => report.counts.skipped += 1,
        }
    }
    // What breaks outside of an example is counted nowhere else.
    report.counts.failed +=
        value["summary"]["errors_outside_of_examples_count"].as_u64().unwrap_or_default();
    Some(report)
}
