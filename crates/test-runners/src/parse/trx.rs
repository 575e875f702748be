//! Visual Studio's XML: a `UnitTestResult` a test, with a message and a trace inside.

use std::time::Duration;

use super::junit::{Attributes, Step, walk};
use crate::report::{Failure, Limits, Report, seconds};

#[derive(Default)]
struct Reading {
    is_trx: bool,
    result: Option<(Failure, String)>,
    field: Field,
    time: Duration,
}

#[derive(Default, Clone, Copy)]
enum Field {
    #[default]
    None,
    Message,
    Trace,
}

pub(super) fn read(text: &str, limits: &Limits) -> Option<Report> {
    let mut reading = Reading::default();
    walk(text, limits, &mut |step, report| reading.take(step, report, limits))
        .filter(|_| reading.is_trx)
        .map(|report| Report {
            duration: (reading.time > Duration::ZERO).then_some(reading.time),
            ..report
        })
}

impl Reading {
    fn take(&mut self, step: Step<'_>, report: &mut Report, limits: &Limits) {
        match step {
            Step::Open(name, attributes) => self.open(name, &attributes),
            Step::Text(text) => {
                if let Some((failure, _)) = &mut self.result {
                    match self.field {
                        Field::None => {}
                        Field::Message => failure.message.push_str(text),
                        Field::Trace => failure.details.push_str(text),
                    }
                }
            }
            Step::Close("UnitTestResult") => self.close(report, limits),
            Step::Close(_) => self.field = Field::None,
        }
    }

    fn open(&mut self, name: &str, attributes: &Attributes) {
        match name {
            "TestRun" => self.is_trx = true,
            "UnitTestResult" => {
                if let Some(time) = attributes.get("duration").and_then(clock_time) {
                    self.time = self.time.saturating_add(time);
                }
                let failure = Failure { name: attributes.text("testName"), ..Failure::default() };
                self.result = Some((failure, attributes.text("outcome")));
            }
            "Message" => self.field = Field::Message,
            "StackTrace" => self.field = Field::Trace,
            _ => {}
        }
    }

    fn close(&mut self, report: &mut Report, limits: &Limits) {
        let Some((failure, outcome)) = self.result.take() else {
            return;
        };
        match outcome.as_str() {
            "Passed" | "PassedButRunAborted" | "Warning" => report.counts.passed += 1,
            "Failed" | "Error" | "Timeout" | "Aborted" => {
                report.counts.failed += 1;
                report.fail(failure, limits);
            }
            _ => report.counts.skipped += 1,
        }
    }
}

/// `00:00:01.2345678`
fn clock_time(text: &str) -> Option<Duration> {
    let mut parts = text.rsplitn(3, ':');
    let seconds = seconds(parts.next()?)?;
    let minutes: u32 = parts.next()?.parse().ok()?;
    let hours: u32 = parts.next()?.parse().ok()?;
    let whole = Duration::from_secs(60).checked_mul(minutes)?;
    seconds.checked_add(whole)?.checked_add(Duration::from_secs(3600).checked_mul(hours)?)
}
