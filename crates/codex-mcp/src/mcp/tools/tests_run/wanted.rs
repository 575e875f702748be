//! From the arguments of a call to a job: where, what, with which limits, and whether the user allows it.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use test_runners::{Found, LOOKED_FOR, Network, Plan, Refused, detect, plan, plan_of_command};

use super::Arguments;
use crate::error::{Code, Problem};
use crate::mcp::arguments::in_range;
use crate::mcp::call::ToolCall;
use crate::mcp::patches::Which;
use crate::mcp::render::Answer;
use crate::test_run::{Job, RunFolder, project};
use crate::workspace::{Roots, WorkingDirectory};

/// The most entries of a list, and the longest entry, in characters.
const MAX_ENTRIES: usize = 100;
const MAX_ENTRY: usize = 1_000;
/// How much of a command the user is shown when they are asked.
const SHOWN: usize = 300;

/// What comes of the arguments.
pub(super) enum Wanted {
    Job(Box<Job>),
    /// The user has to be asked first.
    Asks(Box<Answer>),
}

/// Checks everything, and makes the job.
pub(super) async fn job(call: &ToolCall<'_>, arguments: &Arguments) -> Result<Wanted, Problem> {
    let time_limit = time_limit(call, arguments.time_limit_seconds)?;
    let lists = [
        ("filter", &arguments.filter),
        ("paths", &arguments.paths),
        ("command", &arguments.command),
    ];
    for (name, list) in lists {
        check_list(name, list.as_deref().unwrap_or_default())?;
    }
    let Spot { directory, root, of } = place(call, arguments).await?;
    check_paths(directory.path(), arguments.paths.as_deref().unwrap_or_default())?;
    let folder = call.test_runs().folder();
    let (plan, others) = command(call, arguments, &directory, &folder).await?;
    if !call.config().has_program(&plan.command[0], directory.path()) {
        return Err(missing(&plan, &others));
    }
    if let Some(question) = ask(call, arguments, &plan, &directory).await? {
        return Ok(Wanted::Asks(Box::new(question)));
    }
    let writable = project::writable(directory.path(), &root);
    ToolCall::confirmed(&directory)?;
    Ok(Wanted::Job(Box::new(Job {
        config: call.config().clone(),
        plan,
        others,
        directory,
        of,
        writable,
        folder,
        network: arguments.network == Some(true),
        time_limit,
    })))
}

/// Where tests run.
struct Spot {
    directory: WorkingDirectory,
    /// Nothing above it is theirs.
    root: PathBuf,
    /// The user's folder that it stands for.
    of: PathBuf,
}

/// Where the tests run. The one place that decides it.
async fn place(call: &ToolCall<'_>, arguments: &Arguments) -> Result<Spot, Problem> {
    if let Some(patch) = &arguments.patch_id {
        return scratch(call, patch, arguments.cwd.as_deref()).await;
    }
    let directory = call.working_directory(arguments.cwd.as_deref())?;
    let of = directory.path().to_owned();
    let root = call.root_of(&of).unwrap_or_else(|| of.clone());
    Ok(Spot { directory, root, of })
}

/// The user's folder that one of a copy stands for.
fn of(root: &Path, below: &Path) -> PathBuf {
    match below.as_os_str().is_empty() {
        true => root.to_owned(),
        false => root.join(below),
    }
}

/// The scratch workspace of a patch, as long as it holds that and nothing later.
async fn scratch(call: &ToolCall<'_>, id: &str, cwd: Option<&str>) -> Result<Spot, Problem> {
    let patch = call.patch(Which::Known(id)).await?;
    let gone = |why: &str| {
        let message = format!("patch {} has no scratch workspace: {why}", patch.row.id);
        let problem = Problem::new(Code::ScratchGone, message);
        problem
            .with_hint("Apply the patch and run the tests of the files, or take the newest patch.")
    };
    let Some(thread) = patch.row.thread.clone() else {
        return Err(gone("it was brought as a diff"));
    };
    let of_thread = call.threads().find(&thread).await?;
    let newest = call.newest_proposal(&thread).await?;
    if newest.as_ref() != Some(&patch.row.id) {
        let newest = newest.unwrap_or_default();
        return Err(gone(&format!(
            "its thread has gone on to patch {newest}, or it was made in place"
        )));
    }
    let scratch = call.places().scratch(&thread);
    let scratch = scratch.ok_or_else(|| gone("it was applied, or not used for too long"))?;
    let root = scratch.original().to_owned();
    let wanted = match cwd {
        Some(cwd) => root.join(cwd),
        None => PathBuf::from(of_thread.working_directory()),
    };
    let below = wanted.strip_prefix(&root).map_err(|_| {
        let given = cwd.unwrap_or_default();
        Problem::argument_text("cwd", given, "a folder of the workspace that the patch is about")
    })?;
    let roots = Roots::new(&[scratch.tree()]).map_err(|error| gone(&error.to_string()))?;
    let directory = roots.resolve(
        Some(&below.to_string_lossy()).filter(|below| !below.is_empty()).map(|below| &**below),
    );
    let directory = directory.map_err(|error| Problem::from(&error))?;
    Ok(Spot { directory, root: scratch.tree(), of: of(&root, below) })
}

fn time_limit(call: &ToolCall<'_>, seconds: Option<u32>) -> Result<Duration, Problem> {
    let most = call.config().command_time_limit;
    let seconds = in_range("timeLimitSeconds", seconds, 1..=86_400)?;
    let Some(wanted) = seconds.map(|seconds| Duration::from_secs(u64::from(seconds))) else {
        return Ok(most);
    };
    if wanted > most {
        let allowed = format!("1 to {}", most.as_secs());
        let problem =
            Problem::argument("timeLimitSeconds", &wanted.as_secs().to_string(), &allowed);
        return Err(problem.of_limit("command_time_limit_seconds"));
    }
    Ok(wanted)
}

fn check_list(name: &str, list: &[String]) -> Result<(), Problem> {
    if list.len() > MAX_ENTRIES {
        let allowed = format!("at most {MAX_ENTRIES} entries");
        return Err(Problem::argument(name, &format!("{} entries", list.len()), &allowed));
    }
    let is_bad = |entry: &&String| {
        entry.is_empty() || entry.contains('\0') || entry.chars().count() > MAX_ENTRY
    };
    match list.iter().find(is_bad) {
        Some(bad) => {
            let allowed = format!("texts of 1 to {MAX_ENTRY} characters without NUL bytes");
            Err(Problem::argument_text(name, bad, &allowed))
        }
        None => Ok(()),
    }
}

/// Paths lie in the project, links resolved.
fn check_paths(directory: &Path, paths: &[String]) -> Result<(), Problem> {
    for given in paths {
        let path = Path::new(given);
        let is_plain =
            path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let found =
            || directory.join(path).canonicalize().is_ok_and(|path| path.starts_with(directory));
        if !is_plain || !found() {
            return Err(Problem::argument_text(
                "paths",
                given,
                "existing files and folders below `cwd`",
            ));
        }
    }
    Ok(())
}

/// What to run, and the project's other runners.
async fn command(
    call: &ToolCall<'_>,
    arguments: &Arguments,
    directory: &WorkingDirectory,
    folder: &RunFolder,
) -> Result<(Plan, Vec<String>), Problem> {
    let reports = folder.reports().to_string_lossy().into_owned();
    let wanted = test_runners::Wanted {
        filters: arguments.filter.as_deref().unwrap_or_default(),
        paths: arguments.paths.as_deref().unwrap_or_default(),
        reports: &reports,
        network: match arguments.network {
            Some(true) => Network::Open,
            Some(false) | None => Network::Closed,
        },
    };
    let refused =
        |refused: Refused| Problem::new(Code::InvalidArguments, format!("argument {refused}"));
    if let Some(command) = &arguments.command {
        if command.is_empty() || arguments.runner.is_some() {
            let given = if command.is_empty() { "an empty array" } else { "given with `runner`" };
            return Err(Problem::argument(
                "command",
                given,
                "a program and its arguments, without `runner`",
            ));
        }
        return plan_of_command(command, &wanted).map(|plan| (plan, Vec::new())).map_err(refused);
    }
    let configured = &call.config().test_command;
    if !configured.is_empty() && arguments.runner.is_none() {
        return plan_of_command(configured, &wanted)
            .map(|plan| (plan, Vec::new()))
            .map_err(refused);
    }
    let (config, path) = (call.config().clone(), directory.path().to_owned());
    let facts = tokio::task::spawn_blocking(move || project::facts(&config, &path)).await;
    let found = detect(&facts.unwrap_or_default());
    let chosen = choose(&found, arguments.runner.as_deref(), directory.path())?;
    let others = found.iter().filter(|found| *found != chosen).map(shown).collect();
    plan(chosen, &wanted).map(|plan| (plan, others)).map_err(refused)
}

fn choose<'a>(
    found: &'a [Found],
    wanted: Option<&str>,
    directory: &Path,
) -> Result<&'a Found, Problem> {
    let Some(first) = found.first() else {
        let message = format!(
            "{} has nothing by which a test runner is known; looked for {LOOKED_FOR}",
            directory.display()
        );
        return Err(Problem::new(Code::NoTestRunner, message));
    };
    let Some(wanted) = wanted else {
        return Ok(first);
    };
    found.iter().find(|found| found.runner.name() == wanted).ok_or_else(|| {
        let names: Vec<_> = found.iter().map(|found| found.runner.name()).collect();
        Problem::argument_text(
            "runner",
            wanted,
            &format!("{}, which this project has", names.join(", ")),
        )
    })
}

fn shown(found: &Found) -> String {
    format!("{} ({})", found.runner, found.reason)
}

fn missing(plan: &Plan, others: &[String]) -> Problem {
    let message =
        format!("the tests are run by `{}`, and there is no such program on PATH", plan.command[0]);
    let problem = Problem::new(Code::TestProgramMissing, message);
    match others {
        [] => problem,
        [_, ..] => {
            problem.with_hint(format!("The project has other runners: {}.", others.join(", ")))
        }
    }
}

/// Asks the user for what they did not configure: a command from outside, the network.
async fn ask(
    call: &ToolCall<'_>,
    arguments: &Arguments,
    plan: &Plan,
    directory: &WorkingDirectory,
) -> Result<Option<Answer>, Problem> {
    let is_own =
        arguments.command.as_ref().is_some_and(|command| *command != call.config().test_command);
    let network = arguments.network == Some(true);
    if !is_own && !network {
        return Ok(None);
    }
    let command: String = format!("{:?}", plan.command).chars().take(SHOWN).collect();
    let network = if network { " with access to the network" } else { "" };
    let what =
        format!("run {command} in {} in Codex's sandbox{network}", directory.path().display());
    call.consent(&what).await
}
