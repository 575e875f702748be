//! What is wrong with the installation, with a remedy each: for `codex.health` and for `codex-mcp doctor`.

use bridge_core::{Account, HealthReport, SandboxProbe};
use schemars::JsonSchema;
use serde::Serialize;

use crate::codex::last_words;
use crate::error::Problem;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Finding {
    /// What is wrong.
    pub(crate) problem: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

/// What is wrong. The same failure of both questions is one finding.
pub(crate) fn findings(report: &HealthReport) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |problem: String, remedy: String| {
        if !findings.iter().any(|finding: &Finding| finding.problem == problem) {
            findings.push(Finding { problem, remedy });
        }
    };
    if report.falls_back {
        add(
            "the app-server cannot be used, so turns run through `codex exec`: they cannot be steered and ask for no approval"
                .to_owned(),
            "Nothing for now: the app-server is tried again when its rest is over. Run `codex app-server` in a terminal to see what it says."
                .to_owned(),
        );
    }
    match &report.account {
        Ok(Account { kind: None, login_required: true, .. }) => add(
            "nobody is logged in, and the configured provider needs a login".to_owned(),
            "The user has to run `codex login`, or set an API key.".to_owned(),
        ),
        Ok(_) => {}
        Err(failure) => {
            let problem = Problem::from(failure);
            add(problem.message.clone(), problem.remedy());
        }
    }
    match &report.sandbox {
        Ok(SandboxProbe { exit_code: 0, .. }) => {}
        Ok(SandboxProbe { exit_code, stderr }) => {
            let said = last_words(stderr).unwrap_or_else(|| "nothing".to_owned());
            add(
                format!("commands cannot run in Codex's sandbox (exit code {exit_code}): {said}"),
                "Turns work, but every command in them fails. Allow unprivileged user namespaces, or install bubblewrap."
                    .to_owned(),
            );
        }
        Err(failure) => {
            let problem = Problem::from(failure);
            add(problem.message.clone(), problem.remedy());
        }
    }
    findings
}
