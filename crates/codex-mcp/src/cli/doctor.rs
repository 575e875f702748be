//! `codex-mcp doctor`: looks at everything that has to be right, and says what is not and what to do about it. It changes
//! nothing, and costs no model request.

mod checks;
mod provider;
mod registration;

use std::io::{self, Write};

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;

use super::Exit;
use crate::config::{Config, Environment, Flags};

/// What `codex-mcp doctor` is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoctorCommand {
    /// As JSON.
    json: bool,
}

impl DoctorCommand {
    pub(super) fn from_matches(matches: &ArgMatches) -> Self {
        Self { json: matches.get_flag("json") }
    }
}

pub(super) fn command() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print it as JSON");
    Command::new("doctor")
        .about("Check everything that has to be right, and say how to mend what is not.")
        .arg(json)
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    /// What was looked at.
    name: &'static str,
    verdict: Verdict,
    /// What was found.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Verdict {
    Ok,
    /// Something may be missing, and turns run.
    Warning,
    Failure,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), remedy: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { name, verdict: Verdict::Warning, found: found.into(), remedy }
    }

    fn failure(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { name, verdict: Verdict::Failure, found: found.into(), remedy }
    }
}

/// Looks at everything and writes for a person, or a program, to `out`. It fails if something does.
///
/// # Errors
/// `out` cannot be written, or the system refuses.
pub fn run(
    command: DoctorCommand,
    environment: &Environment,
    flags: &Flags,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let checks = match Config::load(environment, flags) {
        Ok(config) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.context("the runtime cannot be started")?;
            runtime.block_on(checks::all(config, environment))
        }
        Err(error) => {
            let remedy = "Correct what is named; `docs/config.md` says what each key allows.";
            vec![Check::failure("configuration", error.to_string(), remedy)]
        }
    };
    match command.json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(&checks)?)?,
        false => describe(&checks, out)?,
    }
    let failed = checks.iter().any(|check| check.verdict == Verdict::Failure);
    Ok(if failed { Exit::Failure } else { Exit::Success })
}

fn describe(checks: &[Check], out: &mut impl Write) -> io::Result<()> {
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failure => "FAILURE",
        };
        writeln!(out, "{verdict:<8} {:<14} {}", check.name, check.found)?;
        if let Some(remedy) = &check.remedy {
            writeln!(out, "{:<8} {:<14} What to do: {remedy}", "", "")?;
        }
    }
    let failures = checks.iter().filter(|check| check.verdict == Verdict::Failure).count();
    match failures {
        0 => writeln!(out, "Codex can work."),
        1 => writeln!(out, "1 thing has to be put right."),
        many => writeln!(out, "{many} things have to be put right."),
    }
}
