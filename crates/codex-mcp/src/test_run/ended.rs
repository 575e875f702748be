//! How a run ended.

use std::time::Duration;

use test_runners::{Failure, Report};

use crate::error::Problem;
use crate::mcp::paging::OutputId;

/// Why a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Its command ended by itself.
    Finished,
    TimeLimit,
    OutputLimit,
    MemoryLimit,
    CpuLimit,
    ProcessLimit,
    /// Somebody stopped it.
    Stopped,
}

/// Something that is kept as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    pub(crate) output: OutputId,
    pub(crate) bytes: usize,
}

/// How a run ended. What tests wrote is free of secrets and of what steers a terminal.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) reason: Reason,
    /// Why nothing can be said of the tests.
    pub(crate) problem: Option<Problem>,
    pub(crate) exit_code: Option<i32>,
    /// Whether the runner says that there was no test.
    pub(crate) found_nothing: bool,
    /// What the tests said; `None` if nothing that is understood.
    pub(crate) report: Option<Report>,
    pub(crate) elapsed: Duration,
    /// The end of the log.
    pub(crate) tail: String,
    /// The whole log.
    pub(crate) log: Option<Whole>,
    /// All failures that are known, as JSON.
    pub(crate) failures: Option<Whole>,
    pub(crate) warnings: Vec<String>,
}

impl Ended {
    pub(crate) fn new(reason: Reason) -> Self {
        Self {
            reason,
            problem: None,
            exit_code: None,
            found_nothing: false,
            report: None,
            elapsed: Duration::ZERO,
            tail: String::new(),
            log: None,
            failures: None,
            warnings: Vec::new(),
        }
    }

    /// One that could not begin, or was lost.
    pub(crate) fn broken(problem: Problem) -> Self {
        Self { problem: Some(problem), ..Self::new(Reason::Finished) }
    }

    pub(crate) fn failed(&self) -> &[Failure] {
        self.report.as_ref().map_or(&[], |report| &report.failures)
    }
}
