//! What Rust's test programs print, one after the other under `cargo test`. Which program a test belongs to, cargo says on
//! another stream, so it is not known.

use crate::report::{Failure, Limits, Report, seconds};

use super::first_line;

pub(super) fn read(log: &str, limits: &Limits) -> Option<Report> {
    let mut reading = Reading::default();
    for line in log.lines() {
        reading.line(line, limits);
    }
    reading.end_section(limits);
    // A program that was killed in the middle has told of its tests one by one.
    let (passed, failed, ignored) = reading.open;
    reading.report.counts.passed = reading.report.counts.passed.saturating_add(passed);
    reading.report.counts.failed = reading.report.counts.failed.saturating_add(failed);
    reading.report.counts.skipped = reading.report.counts.skipped.saturating_add(ignored);
    reading.is_libtest.then_some(reading.report)
}

#[derive(Default)]
struct Reading {
    report: Report,
    is_libtest: bool,
    /// Passed, failed and ignored since the last summary.
    open: (u64, u64, u64),
    section: Option<(String, String)>,
}

impl Reading {
    fn line(&mut self, line: &str, limits: &Limits) {
        let trimmed = line.trim();
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" ----")) {
            self.end_section(limits);
            let name = name
                .strip_suffix(" stdout")
                .or_else(|| name.strip_suffix(" stderr"))
                .unwrap_or(name);
            self.section = Some((name.to_owned(), String::new()));
        } else if line == "failures:" || trimmed.starts_with("test result: ") {
            self.end_section(limits);
            self.summary(trimmed);
        } else if let Some((_, text)) = &mut self.section {
            if text.len() < limits.details.saturating_mul(4) {
                text.push_str(line);
                text.push('\n');
            }
        } else if let Some(rest) = line.strip_prefix("test ") {
            self.test(rest);
        }
    }

    fn test(&mut self, rest: &str) {
        if rest.ends_with(" ... ok") {
            self.open.0 += 1;
        } else if rest.ends_with(" ... FAILED") {
            self.open.1 += 1;
        } else if rest.contains(" ... ignored") {
            self.open.2 += 1;
        } else {
            return;
        }
        self.is_libtest = true;
    }

    /// `test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
    fn summary(&mut self, line: &str) {
        let Some((_, numbers)) =
            line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        self.is_libtest = true;
        self.open = (0, 0, 0);
        for part in numbers.split("; ") {
            if let Some(time) = part
                .strip_prefix("finished in ")
                .and_then(|time| seconds(time.trim_end_matches('s')))
            {
                self.report.duration =
                    Some(self.report.duration.unwrap_or_default().saturating_add(time));
            }
            let Some((number, word)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            let counts = &mut self.report.counts;
            match word {
                "passed" => counts.passed = counts.passed.saturating_add(number),
                "failed" => counts.failed = counts.failed.saturating_add(number),
                "ignored" => counts.skipped = counts.skipped.saturating_add(number),
                _ => {}
            }
        }
    }

    fn end_section(&mut self, limits: &Limits) {
        let Some((name, details)) = self.section.take() else {
            return;
        };
        let message = first_line(&details);
        self.report.fail(Failure { name, message, details, ..Failure::default() }, limits);
    }
}
