//! From the core's failures to our codes: one exhaustive match.

use std::time::Duration;

use bridge_core::{
    CodexError, Exit, Failure, Resource, Scope, StartFailure, StartFailureKind, TurnId,
    WorkspaceFailure,
};

use super::codex::{describe, request_failure, turn_error};
use super::{Code, Problem};
use crate::codex::last_words;

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Start(failure) => start_failure(failure),
            Failure::AppServerExited(exit) => exited("the app-server", exit),
            Failure::ExecExited(exit) => exited("`codex exec`", exit),
            Failure::ExecLimit { resource, limit } => exec_limit(*resource, *limit),
            Failure::ExecTakesNoInput => Self::new(
                Code::TurnNotSteerable,
                "the turn runs through `codex exec`, which takes no input while it runs",
            ),
            Failure::ReviewTakesNoInput => Self::new(
                Code::TurnNotSteerable,
                "the turn is Codex's own review, which takes no input",
            ),
            Failure::AppServerHung { method } => Self::new(
                Code::CodexHung,
                format!("the app-server did not answer `{method}` and was ended"),
            ),
            Failure::Quarantined { failures, rest, last } => quarantined(*failures, *rest, last),
            Failure::Request { method, failure } => request_failure(method, failure),
            Failure::Codex(error) => turn_error(error),
            Failure::ProviderUnreachable { after, last } => unreachable(*after, last),
            Failure::Silent { after } => Self::new(
                Code::ProviderSilent,
                format!("nothing came for {}, so the turn was interrupted", time(*after)),
            )
            .of_limit("silence_limit_seconds"),
            Failure::TimeLimit { limit } => Self::new(
                Code::TurnTimeLimit,
                format!("the turn was interrupted after {}", time(*limit)),
            )
            .of_limit("turn_time_limit_seconds"),
            Failure::ThreadClosed => {
                Self::new(Code::ThreadClosed, "the thread was closed while its turn ran")
            }
            Failure::Workspace { kind, detail } => workspace(*kind, detail),
            Failure::ThreadBusy { thread } => {
                Self::new(Code::ThreadBusy, format!("a turn runs or waits on thread {thread}"))
            }
            Failure::QueueFull { limit } => {
                Self::new(Code::QueueFull, format!("{limit} turns wait on the thread already"))
                    .of_limit("max_queue_per_thread")
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

fn unreachable(after: Duration, last: &CodexError) -> Problem {
    let last = describe(last);
    let message = format!("Codex kept retrying for {} without progress; last: {last}", time(after));
    Problem::new(Code::ProviderUnreachable, message).of_limit("provider_retry_limit_seconds")
}

fn start_failure(failure: &StartFailure) -> Problem {
    let code = match failure.kind {
        StartFailureKind::NotFound => Code::CodexNotFound,
        StartFailureKind::NotExecutable => Code::CodexNotExecutable,
        StartFailureKind::NotCodex => Code::NotCodex,
        StartFailureKind::TooOld => Code::CodexTooOld,
        StartFailureKind::BrokenAppServer
        | StartFailureKind::ExitedEarly
        | StartFailureKind::Deadline
        | StartFailureKind::System => Code::CodexStartFailed,
        StartFailureKind::NoPlace => Code::CodexProcessLimit,
    };
    let problem = Problem::new(code, failure.detail.clone());
    match failure.kind {
        StartFailureKind::NoPlace => problem.of_limit("max_codex_processes"),
        StartFailureKind::Deadline => problem.of_limit("start_deadline_seconds"),
        StartFailureKind::NotFound
        | StartFailureKind::NotExecutable
        | StartFailureKind::NotCodex
        | StartFailureKind::BrokenAppServer
        | StartFailureKind::TooOld
        | StartFailureKind::ExitedEarly
        | StartFailureKind::System => problem,
    }
}

fn workspace(kind: WorkspaceFailure, detail: &str) -> Problem {
    let code = match kind {
        WorkspaceFailure::TooLarge => Code::WorkspaceTooLarge,
        WorkspaceFailure::Unreadable => Code::WorkspaceUnreadable,
        WorkspaceFailure::NoSpace => Code::WorkspaceNoSpace,
        WorkspaceFailure::Moved => Code::DirectoryNotFound,
        WorkspaceFailure::Other => Code::WorkspaceFailed,
    };
    Problem::new(code, detail)
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
    let problem = problem.of_limit(key);
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
    let (message, hint) = match (exit.code, exit.signal) {
        (Some(code), _) => {
            let message = match last_words(&exit.stderr) {
                Some(words) => {
                    format!("{what} exited with code {code}; its last words: {words}")
                }
                None => format!("{what} exited with code {code}"),
            };
            (message, hint_of_code(code))
        }
        // Who is killed has not said why.
        (None, Some(signal)) => {
            let (name, hint) = signal_words(signal);
            (format!("{what} was killed by signal {signal}{name}"), hint)
        }
        (None, None) => (format!("{what} ended"), None),
    };
    let problem = Problem::new(Code::CodexExited, message);
    match hint {
        Some(hint) => problem.with_hint(hint),
        None => problem,
    }
}

/// A crash comes again where nothing changes.
const CRASH: &str = "Codex has crashed: if it does so again, upgrade it.";
/// The usual reason of a kill that nobody asked for.
const KILLED: &str = "If nobody ended it, the system may have run out of memory.";

fn hint_of_code(code: i32) -> Option<&'static str> {
    match code {
        // What a panic ends with.
        101 => Some(CRASH),
        // A wrapper script reports a signal like this.
        137 => Some(KILLED),
        132 | 134 | 135 | 136 | 139 => Some(CRASH),
        _ => None,
    }
}

/// A signal's name, and what it tells.
fn signal_words(signal: i32) -> (&'static str, Option<&'static str>) {
    match signal {
        1 => (" (SIGHUP)", None),
        2 => (" (SIGINT)", None),
        4 => (" (SIGILL)", Some(CRASH)),
        6 => (" (SIGABRT)", Some(CRASH)),
        8 => (" (SIGFPE)", Some(CRASH)),
        9 => (" (SIGKILL)", Some(KILLED)),
        11 => (" (SIGSEGV)", Some(CRASH)),
        15 => (" (SIGTERM)", None),
        31 => (" (SIGSYS)", Some(CRASH)),
        _ => ("", None),
    }
}

fn time(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

fn exec_limit(resource: Resource, limit: u64) -> Problem {
    let (what, key) = match resource {
        Resource::Memory => (format!("more than {limit} MB of memory"), "exec_memory_megabytes"),
        Resource::Processor => {
            (format!("more than {limit} s of processor time"), "exec_cpu_seconds")
        }
    };
    let message = format!("what the turn had started used {what}, and was stopped with it");
    Problem::new(Code::ExecLimit, message).of_limit(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_an_app_server_ended_is_said_in_words() {
        let said = "thread 'main' panicked\n";
        let cases = [
            (Some(0), None, "", "the app-server exited with code 0", None),
            (Some(3), None, "no\n", "the app-server exited with code 3; its last words: no", None),
            (
                Some(101),
                None,
                said,
                "the app-server exited with code 101; its last words: thread 'main' panicked",
                Some(CRASH),
            ),
            (Some(137), None, "", "the app-server exited with code 137", Some(KILLED)),
            (Some(139), None, "", "the app-server exited with code 139", Some(CRASH)),
            (None, Some(9), said, "the app-server was killed by signal 9 (SIGKILL)", Some(KILLED)),
            (None, Some(11), "", "the app-server was killed by signal 11 (SIGSEGV)", Some(CRASH)),
            (None, Some(15), "", "the app-server was killed by signal 15 (SIGTERM)", None),
            (None, Some(64), "", "the app-server was killed by signal 64", None),
            (None, None, "", "the app-server ended", None),
        ];
        for (code, signal, stderr, message, hint) in cases {
            let problem =
                exited("the app-server", &Exit { code, signal, stderr: stderr.to_owned() });
            assert_eq!((problem.message.as_str(), problem.hint.as_deref()), (message, hint));
        }
    }
}
