//! JUnit's XML: one element a test case, with an element for what went wrong inside it. Every runner has its own dialect
//! of the attributes. A document type and its entities are never followed; what is cut off is read as far as it goes.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::first_line;
use crate::report::{Failure, Limits, Report, seconds};

pub(super) fn read(text: &str, limits: &Limits) -> Option<Report> {
    let mut reading = Reading::default();
    walk(text, limits, &mut |step, report| reading.take(step, report, limits))
        .filter(|_| reading.is_junit)
        .map(|mut report| {
            report.duration = (reading.time > Duration::ZERO).then_some(reading.time);
            report
        })
}

/// A part of a document.
pub(super) enum Step<'a> {
    /// An element begins.
    Open(&'a str, Attributes),
    /// Text inside one.
    Text(&'a str),
    /// An element ends.
    Close(&'a str),
}

/// The attributes of an element.
#[derive(Default)]
pub(super) struct Attributes(BTreeMap<String, String>);

impl Attributes {
    fn of(element: &BytesStart<'_>) -> Self {
        let read = |attribute: quick_xml::events::attributes::Attribute<'_>| {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_or_else(|_| String::new(), |value| value.into_owned());
            (attribute.key.local_name().as_ref().to_owned(), value)
        };
        Self(element.attributes().with_checks(false).flatten().map(read).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }
}

/// Goes through a document as far as it can be read; `None` if nothing of it can.
pub(super) fn walk(
    text: &str,
    limits: &Limits,
    take: &mut dyn FnMut(Step<'_>, &mut Report),
) -> Option<Report> {
    let mut report = Report::default();
    let mut reader = Reader::from_str(text);
    let most = limits.details.saturating_mul(8);
    let mut any = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                any = true;
                take(Step::Open(name(&element), Attributes::of(&element)), &mut report);
            }
            Ok(Event::Empty(element)) => {
                any = true;
                let name = name(&element);
                take(Step::Open(name, Attributes::of(&element)), &mut report);
                take(Step::Close(name), &mut report);
            }
            Ok(Event::End(element)) => {
                take(Step::Close(element.local_name().as_ref()), &mut report);
            }
            Ok(Event::Text(text)) => take(Step::Text(head(&text, most)), &mut report),
            Ok(Event::CData(text)) => take(Step::Text(head(&text, most)), &mut report),
            Ok(Event::GeneralRef(reference)) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    Ok(None) | Err(_) => predefined(&reference).to_owned(),
                };
                take(Step::Text(&character), &mut report);
            }
            Ok(Event::Eof) | Err(_) => return any.then_some(report),
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
        }
    }
}

fn name<'a>(element: &'a BytesStart<'_>) -> &'a str {
    let name: &str = element;
    let name = name.split([' ', '\t', '\n', '\r', '/']).next().unwrap_or_default();
    name.rsplit(':').next().unwrap_or_default()
}

fn predefined(name: &str) -> &'static str {
    match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => "",
    }
}

/// At most so many bytes of a text, whole characters.
fn head(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[derive(Default)]
struct Reading {
    is_junit: bool,
    suites: Vec<String>,
    case: Option<Case>,
    inside: Option<Inside>,
    time: Duration,
    depth: usize,
}

struct Case {
    failure: Failure,
    outcome: Outcome,
    depth: usize,
    /// Whether the details are what the test printed.
    has_output: bool,
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// Which text is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Failure,
    Output,
}

impl Reading {
    fn take(&mut self, step: Step<'_>, report: &mut Report, limits: &Limits) {
        match step {
            Step::Open(name, attributes) => {
                self.depth += 1;
                self.open(name, &attributes);
            }
            Step::Text(text) => self.text(text, limits),
            Step::Close(name) => {
                self.close(name, report, limits);
                self.depth = self.depth.saturating_sub(1);
            }
        }
    }

    fn open(&mut self, name: &str, attributes: &Attributes) {
        match (name, &mut self.case) {
            ("testsuites", _) => self.is_junit = true,
            ("testsuite", _) => {
                self.is_junit = true;
                self.suites.push(attributes.text("name"));
            }
            ("testcase", _) => {
                self.is_junit = true;
                if let Some(time) = attributes.get("time").and_then(seconds) {
                    self.time = self.time.saturating_add(time);
                }
                self.case = Some(Case::new(attributes, self.suites.last(), self.depth));
            }
            ("failure" | "error" | "rerunFailure", Some(case)) => {
                self.inside = Some(Inside::Failure);
                case.fail(attributes);
            }
            ("skipped" | "disabled", Some(case)) if case.outcome == Outcome::Passed => {
                case.outcome = Outcome::Skipped;
            }
            ("system-out" | "system-err", Some(_)) => self.inside = Some(Inside::Output),
            (_, _) => {}
        }
    }

    fn text(&mut self, text: &str, limits: &Limits) {
        let (Some(case), Some(inside)) = (&mut self.case, self.inside) else {
            return;
        };
        let most = limits.details.saturating_mul(8);
        let is_first = inside == Inside::Output && case.failure.details.is_empty();
        if case.failure.details.len() < most
            && (inside == Inside::Failure || is_first || case.has_output)
        {
            case.failure.details.push_str(text);
        }
        case.has_output |= is_first;
    }

    fn close(&mut self, name: &str, report: &mut Report, limits: &Limits) {
        match name {
            "testsuite" => drop(self.suites.pop()),
            "failure" | "error" | "rerunFailure" | "system-out" | "system-err" => {
                self.inside = None
            }
            "testcase" => {
                if let Some(case) = self.case.take_if(|case| case.depth == self.depth) {
                    case.count(report, limits);
                }
            }
            _ => {}
        }
    }
}

impl Case {
    fn new(attributes: &Attributes, suite: Option<&String>, depth: usize) -> Self {
        let class = attributes.get("classname").or_else(|| attributes.get("class"));
        let file = attributes.get("file").or_else(|| attributes.get("filepath"));
        let failure = Failure {
            name: attributes.text("name"),
            suite: class.map(str::to_owned).or_else(|| suite.cloned()),
            file: file.map(str::to_owned),
            line: attributes.get("line").and_then(|line| line.parse().ok()),
            ..Failure::default()
        };
        Self { failure, outcome: Outcome::Passed, depth, has_output: false }
    }

    fn fail(&mut self, attributes: &Attributes) {
        self.outcome = Outcome::Failed;
        if self.failure.message.is_empty() {
            self.failure.message = attributes.text("message");
        }
        // What was printed before is not what went wrong.
        if std::mem::take(&mut self.has_output) {
            self.failure.details.clear();
        }
    }

    fn count(mut self, report: &mut Report, limits: &Limits) {
        match self.outcome {
            Outcome::Passed => report.counts.passed += 1,
            Outcome::Skipped => report.counts.skipped += 1,
            Outcome::Failed => {
                report.counts.failed += 1;
                if self.failure.message.is_empty() {
                    self.failure.message = first_line(&self.failure.details);
                }
                report.fail(self.failure, limits);
            }
        }
    }
}
