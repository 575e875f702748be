//! `go test -json`: an event a line. A failure's output is what its test printed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::first_line;
use crate::report::{Failure, Limits, Report};

pub(super) fn read(log: &str, limits: &Limits) -> Option<Report> {
    let mut reading = Reading {
        output: BTreeMap::new(),
        failed_tests: BTreeMap::new(),
        is_go: false,
        report: Report::default(),
    };
    for line in log.lines().filter(|line| line.starts_with('{')) {
        if let Ok(event) = serde_json::from_str::<Value>(line) {
            reading.event(&event, limits);
        }
    }
    reading.is_go.then_some(reading.report)
}

/// What the tests printed, and every line that is no event.
pub(super) fn words(log: &str) -> String {
    let mut words = String::new();
    for line in log.lines() {
        match serde_json::from_str::<Value>(line) {
            Ok(event) if event["Action"].is_string() => {
                words.push_str(event["Output"].as_str().unwrap_or_default());
            }
            Ok(_) | Err(_) => {
                words.push_str(line);
                words.push('\n');
            }
        }
    }
    words
}

struct Reading {
    output: BTreeMap<(String, String), String>,
    /// Failed tests of each package.
    failed_tests: BTreeMap<String, u64>,
    is_go: bool,
    report: Report,
}

impl Reading {
    fn event(&mut self, event: &Value, limits: &Limits) {
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let Some(action) = event["Action"].as_str() else { return };
        // What cannot be compiled is told under another name.
        let package =
            if event["Package"].is_string() { text("Package") } else { text("ImportPath") };
        let test = text("Test");
        self.is_go |= !package.is_empty();
        let key = (package, test);
        match action {
            "output" | "build-output" => {
                let kept = self.output.entry(key).or_default();
                if kept.len() < limits.details.saturating_mul(4) {
                    kept.push_str(&text("Output"));
                }
            }
            "pass" if !key.1.is_empty() => {
                self.report.counts.passed += 1;
                self.output.remove(&key);
            }
            "skip" if !key.1.is_empty() => self.report.counts.skipped += 1,
            "fail" if !key.1.is_empty() => self.fail(key, limits),
            "pass" | "fail" => self.package(action == "fail", key.0, event, limits),
            _ => {}
        }
    }

    fn fail(&mut self, key: (String, String), limits: &Limits) {
        self.report.counts.failed += 1;
        let details = self.output.remove(&key).unwrap_or_default();
        let (package, name) = key;
        *self.failed_tests.entry(package.clone()).or_default() += 1;
        let is_noise =
            |line: &&str| !line.starts_with("=== ") && !line.trim_start().starts_with("--- ");
        let message = first_line(&details.lines().filter(is_noise).collect::<Vec<_>>().join("\n"));
        self.report.fail(
            Failure { name, suite: Some(package), message, details, ..Failure::default() },
            limits,
        );
    }

    /// The end of a package. One that fails without a failed test could not be built, or ended in the middle.
    fn package(&mut self, has_failed: bool, package: String, event: &Value, limits: &Limits) {
        let elapsed =
            event["Elapsed"].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        if let Some(elapsed) = elapsed {
            self.report.duration =
                Some(self.report.duration.unwrap_or_default().saturating_add(elapsed));
        }
        if has_failed && !self.failed_tests.contains_key(&package) {
            self.report.counts.failed += 1;
            let of_package = |(name, _): &(&(String, String), &String)| {
                name.0.split(' ').next() == Some(package.as_str())
            };
            let details: String =
                self.output.iter().filter(of_package).map(|(_, text)| text.as_str()).collect();
            let name = "the package could not be tested".to_owned();
            let message = first_line(&details);
            self.report.fail(
                Failure { name, suite: Some(package), message, details, ..Failure::default() },
                limits,
            );
        }
    }
}
