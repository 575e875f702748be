//! From the core's failures to our codes: one exhaustive match.

use std::time::Duration;

use bridge_core::{Exit, Failure, Scope, StartFailure, StartFailureKind, TurnId};

use super::codex::{describe, request_failure, turn_error};
use super::{Code, Problem};
use crate::codex::last_words;

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Start(failure) => start_failure(failure),
            Failure::AppServerExited(exit) => exited("the app-server", exit),
            Failure::ExecExited(exit) => exited("`codex exec`", exit),
            Failure::ExecTakesNoInput => Self::new(
                Code::TurnNotSteerable,
                "the turn runs through `codex exec`, which takes no input while it runs",
            ),
            Failure::AppServerHung { method } => Self::new(
                Code::CodexHung,
                format!("the app-server did not answer `{method}` and was ended"),
            ),
            Failure::Quarantined { failures, rest, last } => quarantined(*failures, *rest, last),
            Failure::Request { method, failure } => request_failure(method, failure),
            Failure::Codex(error) => turn_error(error),
            Failure::ProviderUnreachable { after, last } => Self::new(
                Code::ProviderUnreachable,
                format!(
                    "Codex kept retrying for {} without progress; last: {}",
                    time(*after),
                    describe(last)
                ),
            ),
            Failure::Silent { after } => Self::new(
                Code::ProviderSilent,
                format!("nothing came for {}, so the turn was interrupted", time(*after)),
            ),
            Failure::TimeLimit { limit } => Self::new(
                Code::TurnTimeLimit,
                format!("the turn was interrupted after {}", time(*limit)),
            ),
            Failure::ThreadClosed => {
                Self::new(Code::ThreadClosed, "the thread was closed while its turn ran")
            }
            Failure::ThreadBusy { thread } => {
                Self::new(Code::ThreadBusy, format!("a turn runs or waits on thread {thread}"))
            }
            Failure::QueueFull { limit } => {
                Self::new(Code::QueueFull, format!("{limit} turns wait on the thread already"))
                    .with_hint("The limit is `max_queue_per_thread`.")
            }
            Failure::TooManyTurns { scope, limit, wait } => too_many_turns(*scope, *limit, *wait),
            Failure::NoRunningTurn { thread } => {
                Self::new(Code::NoRunningTurn, format!("no turn runs on thread {thread}"))
            }
            Failure::WrongTurn { given, running } => wrong_turn(given, running.as_ref()),
            Failure::TurnStopping => {
                Self::new(Code::TurnNotSteerable, "the turn is being interrupted")
            }
            Failure::NoSuchTurn { thread, turn } => {
                let turn = turn.as_ref().map_or_else(|| "yet".to_owned(), ToString::to_string);
                Self::new(Code::TurnNotFound, format!("thread {thread} has no turn {turn}"))
            }
            Failure::CallCancelled => Self::new(Code::CallCancelled, "the call was cancelled"),
            Failure::ShuttingDown => Self::new(Code::ShuttingDown, "the server is ending"),
        }
    }
}

fn start_failure(failure: &StartFailure) -> Problem {
    let code = match failure.kind {
        StartFailureKind::NotFound => Code::CodexNotFound,
        StartFailureKind::NotExecutable => Code::CodexNotExecutable,
        StartFailureKind::NotCodex => Code::NotCodex,
        StartFailureKind::TooOld => Code::CodexTooOld,
        StartFailureKind::ExitedEarly | StartFailureKind::Deadline | StartFailureKind::System => {
            Code::CodexStartFailed
        }
        StartFailureKind::NoPlace => Code::CodexProcessLimit,
    };
    Problem::new(code, failure.detail.clone())
}

fn wrong_turn(given: &TurnId, running: Option<&TurnId>) -> Problem {
    let other = match running {
        Some(running) => format!("; turn {running} does"),
        None => ", and no other does".to_owned(),
    };
    Problem::new(Code::WrongTurn, format!("turn {given} does not run{other}"))
}

fn too_many_turns(scope: Scope, limit: usize, wait: Duration) -> Problem {
    let (whose, key) = match scope {
        Scope::Thread => ("on this thread", "max_turns_per_minute"),
        Scope::Client => ("by this client", "max_client_turns_per_minute"),
    };
    let message = format!("{limit} turns were asked for {whose} within a minute");
    let problem = Problem::new(Code::TooManyTurns, message);
    let problem = problem.with_hint(format!("The limit is `{key}`."));
    Problem { retry_after: Some(Duration::from_secs(wait.as_secs() + 1)), ..problem }
}

/// What to do is what the last failure says; trying again helps only when the rest is over.
fn quarantined(failures: u32, rest: Duration, last: &Failure) -> Problem {
    let last = Problem::from(last);
    let message = format!("{}; that was failure {failures} in a row", last.message);
    let problem = Problem::new(Code::CodexQuarantined, message).with_hint(last.remedy());
    Problem { retry_after: Some(Duration::from_secs(rest.as_secs() + 1)), ..problem }
}

fn exited(what: &str, exit: &Exit) -> Problem {
    let message = match (exit.code, exit.signal) {
        (Some(code), _) => match last_words(&exit.stderr) {
            Some(words) => {
                format!("{what} exited with code {code}; its last words: {words}")
            }
            None => format!("{what} exited with code {code}"),
        },
        // Who is killed has not said why.
        (None, Some(signal)) => format!("{what} was killed by signal {signal}"),
        (None, None) => format!("{what} ended"),
    };
    Problem::new(Code::CodexExited, message)
}

fn time(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}
