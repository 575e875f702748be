//! The life of a run: a place for its Codex, the command with its limits, its end, and what it said.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use test_runners::{Limits, Report, found_nothing, plain, read_log, read_report, readable};
use tokio::sync::watch::Sender;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::log::{Log, Room};
use super::protected::Protected;
use super::sandbox::{Said, Sandbox};
use super::watch::{self, Ceilings};
use super::{Ended, Job, Progress, Reason, Services, State, Whole, folder};
use crate::clock;
use crate::error::{Code, Problem};
use crate::mcp::outputs::NewOutput;
use crate::mcp::paging::Kind;
use crate::redact;

/// Runs a job, and gives how it ended once nothing of it is left.
pub(super) async fn to_the_end(
    job: Job,
    services: &Services,
    protected: &Arc<Protected>,
    stop: &CancellationToken,
    news: &Sender<State>,
) -> Ended {
    let place = tokio::select! {
        place = services.room.enter() => place,
        () = stop.cancelled() => return Ended::new(Reason::Stopped),
    };
    let Some(_place) = place else {
        let message = format!("{} app-servers are at work already", services.room.size());
        return Ended::broken(Problem::new(Code::CodexProcessLimit, message));
    };
    if let Err(error) = write_files(&job) {
        let message = format!("the folder of the run cannot be written: {error}");
        return Ended::broken(Problem::new(Code::StoreUnavailable, message));
    }
    let began = clock::system_time();
    let sandbox = tokio::select! {
        sandbox = Sandbox::start(&job, protected.hold(&job.writable)) => sandbox,
        () = stop.cancelled() => return Ended::new(Reason::Stopped),
    };
    let mut sandbox = match sandbox {
        Ok(sandbox) => sandbox,
        Err(problem) => return Ended::broken(problem),
    };
    let mut log = Log::new(services.outputs.max_bytes());
    let started = Instant::now();
    let (reason, end) = follow(&mut sandbox, &job, &mut log, stop, news).await;
    let elapsed = started.elapsed();
    sandbox.end().await;
    let mut ended = Ended { elapsed, ..Ended::new(reason) };
    match end {
        Some(Said::Ended(code)) => ended.exit_code = Some(code),
        Some(Said::Lost(problem)) => ended.problem = Some(*problem),
        Some(Said::Output(_)) | None => {}
    }
    conclude(job, services, ended, log.into_text(), began).await
}

fn write_files(job: &Job) -> std::io::Result<()> {
    job.folder.make()?;
    job.plan.files.iter().try_for_each(|(path, text)| std::fs::write(path, text))
}

/// Listens until the command has ended or must be stopped.
async fn follow(
    sandbox: &mut Sandbox,
    job: &Job,
    log: &mut Log,
    stop: &CancellationToken,
    news: &Sender<State>,
) -> (Reason, Option<Said>) {
    let began = Instant::now();
    let (ceilings, marker, pid) =
        (Ceilings::of(&job.config), sandbox.marker().clone(), sandbox.pid());
    let mut look = tokio::time::interval(watch::EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let deadline = tokio::time::sleep(job.time_limit);
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return (Reason::Stopped, None),
            () = &mut deadline => return (Reason::TimeLimit, None),
            _ = look.tick() => {
                if let Some(reason) = ceilings.exceeded(&marker, pid).await {
                    return (reason, None);
                }
                tell(news, log, began.elapsed());
            }
            said = sandbox.next() => match said {
                Said::Output(bytes) => {
                    if log.push(&bytes) == Room::None {
                        return (Reason::OutputLimit, None);
                    }
                }
                end @ (Said::Ended(_) | Said::Lost(_)) => return (Reason::Finished, Some(end)),
            }
        }
    }
}

fn tell(news: &Sender<State>, log: &Log, elapsed: Duration) {
    let last = redact::text(log.tally.last()).into_owned();
    let progress = Progress { counts: log.tally.counts(), last, elapsed };
    news.send_replace(State::Running(progress));
}

/// Reads what the run has left, cleans it, and keeps the whole.
async fn conclude(
    job: Job,
    services: &Services,
    ended: Ended,
    log: String,
    began: SystemTime,
) -> Ended {
    let reading = tokio::task::spawn_blocking(move || read(job, ended, &log, began));
    let Ok((mut ended, mut log)) = reading.await else {
        let problem = Problem::new(Code::CodexUnreadable, "what the tests wrote cannot be read");
        return Ended::broken(problem);
    };
    // What is no text, and what stands for a secret, takes more room than it had.
    let most = services.outputs.max_bytes();
    if log.len() > most {
        log.truncate(log.floor_char_boundary(most));
        ended.warnings.push("the end of the log is not kept".to_owned());
    }
    if log.len() > ended.tail.len() {
        ended.log = keep(services, log, Kind::Log, &mut ended.warnings).await;
    }
    if !ended.failed().is_empty() {
        let failures = failures_as_json(ended.failed());
        ended.failures = keep(services, failures, Kind::Json, &mut ended.warnings).await;
    }
    ended
}

/// Blocks for as long as it takes to read the reports, and removes the run's folder.
fn read(job: Job, mut ended: Ended, log: &str, began: SystemTime) -> (Ended, String) {
    let runner = job.plan.runner;
    let root = job.directory.path().to_string_lossy().into_owned();
    if log.starts_with("bwrap: ") && ended.exit_code.is_some_and(|code| code != 0) {
        ended.problem =
            Some(Problem::new(Code::SandboxFailed, plain(log.lines().next().unwrap_or_default())));
    }
    ended.report =
        of_files(&job, &root, began).or_else(|| read_log(runner, log, &root, &Limits::default()));
    ended.found_nothing = found_nothing(log);
    if let Some(report) = &mut ended.report {
        clean(report);
    }
    let log = redact::text(&plain(&readable(runner, log))).into_owned();
    ended.tail = tail(&log, job.config.command_output_chars).to_owned();
    (ended, log)
}

fn of_files(job: &Job, root: &str, began: SystemTime) -> Option<Report> {
    let limits = Limits::default();
    let mut whole: Option<Report> = None;
    for source in &job.plan.reports {
        for text in folder::read(source, job.directory.path(), began) {
            if let Some(report) = read_report(source.format(), &text, root, &limits) {
                whole.get_or_insert_default().add(report, &limits);
            }
        }
    }
    whole
}

/// Takes secrets and what steers a terminal out of what tests say of themselves.
fn clean(report: &mut Report) {
    let clean = |text: &mut String| *text = redact::text(&plain(text)).into_owned();
    for failure in &mut report.failures {
        clean(&mut failure.name);
        clean(&mut failure.message);
        clean(&mut failure.details);
        failure.suite.iter_mut().for_each(clean);
        failure.file.iter_mut().for_each(clean);
    }
}

/// The last characters of a text, from the beginning of a line if there is one.
fn tail(text: &str, most: usize) -> &str {
    let Some((start, _)) = text.char_indices().rev().nth(most.saturating_sub(1)) else {
        return text;
    };
    if most == 0 {
        return "";
    }
    let tail = &text[start..];
    let is_cut = start > 0 && !text[..start].ends_with('\n');
    tail.split_once('\n')
        .filter(|(_, rest)| is_cut && !rest.is_empty())
        .map_or(tail, |(_, rest)| rest)
}

/// A failure a line.
fn failures_as_json(failures: &[test_runners::Failure]) -> String {
    let lines = failures.iter().map(|failure| {
        serde_json::json!({
            "name": failure.name,
            "suite": failure.suite,
            "message": failure.message,
            "file": failure.file,
            "line": failure.line,
            "details": failure.details,
        })
        .to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

async fn keep(
    services: &Services,
    text: String,
    kind: Kind,
    warnings: &mut Vec<String>,
) -> Option<Whole> {
    let bytes = text.len();
    match services.outputs.keep(NewOutput { text, kind, thread: None, turn: None }).await {
        Ok(output) => Some(Whole { output, bytes }),
        Err(error) => {
            warnings.push(format!("the whole could not be kept: {error}"));
            None
        }
    }
}
