//! The Test Anything Protocol, as `prove -v`, Node and many others write it. Only the outermost tests are counted.

use std::collections::BTreeMap;

use super::first_line;
use crate::report::{Failure, Limits, Report};

pub(super) fn read(log: &str, limits: &Limits) -> Option<Report> {
    let mut reading = Reading::default();
    for line in log.lines() {
        reading.line(line, limits);
    }
    reading.end(limits);
    reading.explain();
    (reading.has_plan).then_some(reading.report)
}

#[derive(Default)]
struct Reading {
    report: Report,
    has_plan: bool,
    file: Option<String>,
    failing: Option<(String, String)>,
    /// What Perl says of a failed test, by its name: on standard error, so that it can stand anywhere.
    said: BTreeMap<String, String>,
    saying: Option<String>,
}

impl Reading {
    fn line(&mut self, line: &str, limits: &Limits) {
        self.listen(line, limits);
        if let Some(rest) = line.strip_prefix("not ok") {
            self.end(limits);
            match directive(rest) {
                // What is known not to work yet.
                Some(_) => self.report.counts.skipped += 1,
                None => {
                    self.report.counts.failed += 1;
                    self.failing = Some((description(rest), String::new()));
                }
            }
        } else if let Some(rest) = line.strip_prefix("ok ") {
            self.end(limits);
            match directive(rest) {
                Some("SKIP") => self.report.counts.skipped += 1,
                Some(_) | None => self.report.counts.passed += 1,
            }
        } else if is_plan(line) {
            self.has_plan = true;
        } else if let Some(file) =
            line.split(" ..").next().filter(|file| line.contains(" ..") && file.ends_with(".t"))
        {
            self.end(limits);
            self.file = Some(file.to_owned());
        } else if let Some((_, details)) = &mut self.failing
            && details.len() < limits.details.saturating_mul(4)
        {
            details.push_str(line);
            details.push('\n');
        }
    }

    /// `#   Failed test 'a name'`, and the lines of its kind that follow.
    fn listen(&mut self, line: &str, limits: &Limits) {
        let begins = line.trim_start_matches('#').trim().strip_prefix("Failed test '");
        if let Some(name) = begins.and_then(|rest| rest.strip_suffix('\'')) {
            self.saying = Some(name.to_owned());
        } else if !line.starts_with("# ") {
            self.saying = None;
        }
        if let Some(name) = &self.saying {
            let said = self.said.entry(name.clone()).or_default();
            if said.len() < limits.details.saturating_mul(4) {
                said.push_str(line);
                said.push('\n');
            }
        }
    }

    /// Gives the failures that say nothing of themselves what was said of them elsewhere.
    fn explain(&mut self) {
        for failure in self.report.failures.iter_mut().filter(|failure| failure.details.is_empty())
        {
            if let Some(said) = self.said.get(&failure.name) {
                failure.message = message(said);
                failure.details.clone_from(said);
            }
        }
    }

    fn end(&mut self, limits: &Limits) {
        let Some((name, details)) = self.failing.take() else {
            return;
        };
        let message = message(&details);
        let suite = self.file.clone();
        self.report.fail(Failure { name, suite, message, details, ..Failure::default() }, limits);
    }
}

/// The line that says why: `error` or `message` of a block of data, else the first that tells neither which test nor
/// where.
fn message(details: &str) -> String {
    let mut lines = details.lines().map(|line| line.trim_start_matches('#').trim());
    let named = lines
        .clone()
        .find_map(|line| line.strip_prefix("error: ").or_else(|| line.strip_prefix("message: ")));
    if let Some(named) = named {
        return named.trim_matches(['\'', '"']).to_owned();
    }
    let says_why = |line: &&str| {
        !line.is_empty()
            && !["Failed test", "at ", "---"].iter().any(|start| line.starts_with(start))
    };
    lines.find(says_why).map_or_else(|| first_line(details), str::to_owned)
}

/// `1..12`
fn is_plan(line: &str) -> bool {
    let number = line.strip_prefix("1..").map(|rest| rest.split(' ').next().unwrap_or_default());
    number.is_some_and(|number| {
        !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit())
    })
}

fn directive(rest: &str) -> Option<&'static str> {
    let (_, directive) = rest.split_once(" # ")?;
    let directive = directive.to_ascii_uppercase();
    ["SKIP", concat!("TO", "DO")].into_iter().find(|word| directive.starts_with(word))
}

/// ` 2 - a name # time=1ms` is `a name`.
fn description(rest: &str) -> String {
    let rest = rest.split(" # ").next().unwrap_or_default().trim();
    let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).trim();
    rest.strip_prefix('-').unwrap_or(rest).trim().to_owned()
}
