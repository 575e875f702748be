//! A test run as clients are shown it. What does not fit can be read on from what is kept.

use std::fmt;

use rmcp::model::{JsonObject, RequestId};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use test_runners::{Counts, Failure};

use super::progress::one_line;
use super::to_value;
use crate::mcp::outputs::Outputs;
use crate::mcp::paging::{Budget, ResumeToken, cost};
use crate::mcp::resources::ResourceUri;
use crate::test_run::{About, Ended, Progress, Reason, State, Whole};

/// What the fields around failures and log may cost.
const FRAME_UNITS: usize = 2_500;

/// A test run.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) struct TestRunResult {
    /// For `codex.tests.run`, while it runs and for a while after.
    run_id: String,
    status: Status,
    /// How many tests, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<CountsResult>,
    /// What failed; `failuresLeftOut` says how many more there are.
    failures: Vec<FailureResult>,
    #[serde(skip_serializing_if = "is_zero")]
    failures_left_out: u64,
    /// What ran them.
    runner: String,
    /// The argument array.
    command: Vec<String>,
    cwd: String,
    /// Other runners that the project has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_runners: Vec<String>,
    /// What the command returned, if it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    duration_ms: u64,
    /// The end of what was printed.
    log: String,
    /// What can be read on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<MoreResult>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Status {
    Running,
    Passed,
    Failed,
    NoTests,
    TimeLimit,
    OutputLimit,
    MemoryLimit,
    CpuLimit,
    ProcessLimit,
    Stopped,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct CountsResult {
    passed: u64,
    failed: u64,
    skipped: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FailureResult {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    suite: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    details: String,
}

/// Something that is kept as a whole.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MoreResult {
    /// `log`, or `failures` as JSON, one a line.
    field: &'static str,
    /// Gives the whole with codex.read.
    token: String,
    total_bytes: usize,
    /// The whole as a resource.
    uri: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl TestRunResult {
    /// A run as it stands, within a budget.
    pub(in crate::mcp) fn new(
        about: &About,
        state: &State,
        budget: Budget,
        outputs: &Outputs,
    ) -> Self {
        let mut result = Self::bare(about);
        match state {
            State::Running(progress) => {
                result.counts =
                    Some(CountsResult::from(progress.counts)).filter(|counts| !counts.is_none());
                result.duration_ms = milliseconds(progress.elapsed);
                result.log.clone_from(&progress.last);
            }
            State::Ended(ended) => result.end(ended, budget, outputs),
        }
        result
    }

    fn bare(about: &About) -> Self {
        Self {
            run_id: about.id.to_string(),
            status: Status::Running,
            counts: None,
            failures: Vec::new(),
            failures_left_out: 0,
            runner: about.runner.name().to_owned(),
            command: about.command.clone(),
            cwd: about.directory.display().to_string(),
            other_runners: about.others.clone(),
            exit_code: None,
            duration_ms: 0,
            log: String::new(),
            more: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn end(&mut self, ended: &Ended, budget: Budget, outputs: &Outputs) {
        self.warnings.clone_from(&ended.warnings);
        self.status = status(ended, &mut self.warnings);
        self.counts = ended.report.as_ref().map(|report| report.counts.into());
        self.exit_code = ended.exit_code;
        self.duration_ms = milliseconds(ended.elapsed);
        let mut room = budget.units().saturating_sub(FRAME_UNITS);
        self.log = end_within(&ended.tail, room / 4).to_owned();
        room = room.saturating_sub(cost(&self.log));
        for failure in ended.failed() {
            let failure = FailureResult::from(failure);
            let cost = cost(&to_value(&failure).to_string());
            if cost > room {
                break;
            }
            room -= cost;
            self.failures.push(failure);
        }
        let failed = self.counts.map_or(0, |counts| counts.failed);
        self.failures_left_out = failed.saturating_sub(self.failures.len() as u64);
        if self.failures.len() < ended.failed().len() {
            self.more
                .extend(ended.failures.map(|whole| MoreResult::new("failures", whole, outputs)));
        }
        self.more.extend(ended.log.map(|whole| MoreResult::new("log", whole, outputs)));
    }
}

/// What the end of a run means. No report is believed against the exit code.
fn status(ended: &Ended, warnings: &mut Vec<String>) -> Status {
    match ended.reason {
        Reason::Finished => {}
        Reason::TimeLimit => return Status::TimeLimit,
        Reason::OutputLimit => return Status::OutputLimit,
        Reason::MemoryLimit => return Status::MemoryLimit,
        Reason::CpuLimit => return Status::CpuLimit,
        Reason::ProcessLimit => return Status::ProcessLimit,
        Reason::Stopped => return Status::Stopped,
    }
    let counts = ended.report.as_ref().map(|report| report.counts);
    let code = ended.exit_code.unwrap_or_default();
    match (code, counts) {
        (_, Some(counts)) if counts.failed > 0 => Status::Failed,
        (0, Some(counts)) if counts.total() > 0 => {
            if counts.passed == 0 {
                warnings.push("every test was skipped".to_owned());
            }
            Status::Passed
        }
        (0, Some(_)) => Status::NoTests,
        (_, Some(counts)) if counts.total() > 0 => {
            warnings.push(format!("no test failed, but the command ended with code {code}"));
            Status::Failed
        }
        (_, Some(_) | None) if ended.found_nothing => Status::NoTests,
        (0, None) => {
            warnings
                .push("the command ended well, but nothing that it wrote counts tests".to_owned());
            Status::Passed
        }
        (_, Some(_) | None) => {
            warnings.push(format!("the command ended with code {code} before it told of a test"));
            Status::Failed
        }
    }
}

/// The end of a text that costs no more than this.
fn end_within(text: &str, units: usize) -> &str {
    let mut spent = 0;
    let mut start = text.len();
    for (index, character) in text.char_indices().rev() {
        spent += cost(character.encode_utf8(&mut [0; 4]));
        if spent > units {
            break;
        }
        start = index;
    }
    &text[start..]
}

fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl CountsResult {
    fn is_none(&self) -> bool {
        self.passed + self.failed + self.skipped == 0
    }
}

impl From<Counts> for CountsResult {
    fn from(Counts { passed, failed, skipped }: Counts) -> Self {
        Self { passed, failed, skipped }
    }
}

impl From<&Failure> for FailureResult {
    fn from(failure: &Failure) -> Self {
        let Failure { name, suite, message, file, line, details } = failure.clone();
        Self { name, suite, message, file, line, details }
    }
}

impl MoreResult {
    fn new(field: &'static str, whole: Whole, outputs: &Outputs) -> Self {
        let token = ResumeToken { output: whole.output, offset: 0, page: 1 };
        Self {
            field,
            token: token.seal(outputs.token_key()),
            total_bytes: whole.bytes,
            uri: ResourceUri::Output(whole.output).to_string(),
        }
    }
}

/// The message and the `_meta` of a progress notification of a test run.
pub(in crate::mcp) fn test_progress(
    about: &About,
    progress: &Progress,
    request: &RequestId,
    timestamp: String,
) -> (String, JsonObject) {
    let Counts { passed, failed, skipped } = progress.counts;
    let counts = match progress.counts.total() {
        0 => String::new(),
        _ => format!("{passed} passed, {failed} failed, {skipped} skipped: "),
    };
    let last =
        if progress.last.is_empty() { about.command.join(" ") } else { progress.last.clone() };
    let mut meta = JsonObject::new();
    meta.insert("event".to_owned(), Value::from("progress"));
    meta.insert(
        "data".to_owned(),
        json!({
            "state": "running",
            "runId": about.id.to_string(),
            "passed": passed,
            "failed": failed,
            "skipped": skipped,
            "elapsedMs": milliseconds(progress.elapsed),
        }),
    );
    meta.insert("requestId".to_owned(), to_value(request));
    meta.insert("timestamp".to_owned(), Value::from(timestamp));
    (one_line(&format!("running: {counts}{last}")), meta)
}

impl fmt::Display for TestRunResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status.words())?;
        if let Some(CountsResult { passed, failed, skipped }) = self.counts {
            write!(f, ": {passed} passed, {failed} failed, {skipped} skipped")?;
        }
        let seconds = self.duration_ms as f64 / 1000.0;
        write!(f, " ({}, {seconds:.1} s)\n{:?} in {}", self.runner, self.command, self.cwd)?;
        match self.exit_code {
            Some(code) => writeln!(f, ", exit code {code}")?,
            None => writeln!(f)?,
        }
        if self.status == Status::Running {
            writeln!(f, "Get the result with codex.tests.run, runId {}.", self.run_id)?;
        }
        for other in &self.other_runners {
            writeln!(f, "The project also has: {other}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "Warning: {warning}")?;
        }
        for failure in &self.failures {
            write!(f, "\n{failure}")?;
        }
        if self.failures_left_out > 0 {
            writeln!(f, "\nand {} more failures", self.failures_left_out)?;
        }
        if !self.log.is_empty() {
            writeln!(f, "\nThe end of the log:\n{}", self.log.trim_end())?;
        }
        for MoreResult { field, token, total_bytes, .. } in &self.more {
            writeln!(f, "\nAll of `{field}` ({total_bytes} bytes): codex.read, token {token}")?;
        }
        Ok(())
    }
}

impl fmt::Display for FailureResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FAILED ")?;
        if let Some(suite) = &self.suite {
            write!(f, "{suite}: ")?;
        }
        write!(f, "{}", self.name)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " ({file}:{line})")?,
            (Some(file), None) => write!(f, " ({file})")?,
            (None, _) => {}
        }
        writeln!(f, "\n{}", self.message)?;
        if !self.details.is_empty() && self.details != self.message {
            writeln!(f, "{}", self.details)?;
        }
        Ok(())
    }
}

impl Status {
    fn words(self) -> &'static str {
        match self {
            Self::Running => "The tests run",
            Self::Passed => "The tests passed",
            Self::Failed => "The tests failed",
            Self::NoTests => "No test was found",
            Self::TimeLimit => "The tests were stopped: they ran for too long",
            Self::OutputLimit => "The tests were stopped: they wrote too much",
            Self::MemoryLimit => "The tests were stopped: they used too much memory",
            Self::CpuLimit => "The tests were stopped: they used too much time on the processor",
            Self::ProcessLimit => "The tests were stopped: they had too many processes",
            Self::Stopped => "The tests were stopped",
        }
    }
}
