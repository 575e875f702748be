//! Whatever is written, reading it ends, and keeps within the limits.

use proptest::prelude::*;
use test_runners::{
    Format, Limits, Runner, Tally, detect, found_nothing, plain, read_log, read_report,
};

use crate::detection::facts;

const FORMATS: [Format; 5] =
    [Format::Junit, Format::Trx, Format::Jest, Format::Mocha, Format::Rspec];

/// Pieces of every format, to be put together in any order.
const PIECES: &[&str] = &[
    "<testsuites>",
    "<testsuite name=\"a\">",
    "<testcase name=\"b\" time=\"1e999\">",
    "<failure message=\"&lt;&#0;\">",
    "</failure>",
    "</testcase>",
    "</testsuite>",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "&b;",
    "&amp;",
    "<TestRun>",
    "<UnitTestResult testName=\"a\" outcome=\"Failed\" duration=\"99999999999:00:00\">",
    "<Message>",
    "{\"testResults\":[{\"assertionResults\":[{\"status\":\"failed\"}]}]}",
    "{\"stats\":{\"passes\":-1}}",
    "{\"examples\":[{}]}",
    "{\"Action\":\"fail\",\"Package\":\"p\",\"Test\":\"T\"}\n",
    "test a ... FAILED\n",
    "---- a stdout ----\n",
    "failures:\n",
    "test result: FAILED. 18446744073709551615 passed; 1 failed; x; finished in 1s\n",
    "not ok 1 - a\n",
    "ok\n",
    "1..2\n",
    "Ran 3 tests in -1s\n",
    "FAILED (failures=9)\n",
    "======================================================================\nFAIL: a (b)\n",
    "\u{1b}[31m",
    "\u{1b}]8;",
    "é\n",
    "Tests run: 99999999999999999999, Failures: 1, Errors: 0, Skipped: 0\n",
    "panicked at a.rs:1:1:\n",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => "\\PC{0,40}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_report_is_read_within_the_limits(text in text()) {
        let limits = Limits { failures: 2, text: 20, details: 50 };
        let reports = FORMATS.iter().filter_map(|format| read_report(*format, &text, "/p", &limits));
        let logs = Runner::ALL.iter().filter_map(|runner| read_log(*runner, &text, "/p", &limits));
        for report in reports.chain(logs) {
            prop_assert!(report.failures.len() <= 2);
            for failure in &report.failures {
                prop_assert!(failure.name.chars().count() < 80 && failure.details.chars().count() < 110);
            }
        }
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.line(line));
        prop_assert!(plain(&text).chars().all(|character| character == '\n' || character == '\t' || !character.is_control()));
        let _ = found_nothing(&text);
    }

    #[test]
    fn any_project_is_looked_at(text in text()) {
        let files: Vec<_> = ["package.json", "pyproject.toml", "Makefile"].iter().map(|name| format!("{name}={text}")).collect();
        let _ = detect(&facts(&files.iter().map(String::as_str).collect::<Vec<_>>()));
    }
}
