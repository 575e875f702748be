//! `codex.tests.run`: runs the project's tests in Codex's sandbox, without a turn.

mod wanted;

use std::time::Duration;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior};

use super::{Definition, Visibility};
use crate::clock;
use crate::error::{Code, Problem};
use crate::mcp::arguments::{in_range, parse};
use crate::mcp::call::ToolCall;
use crate::mcp::progress::ProgressSink;
use crate::mcp::render::{self, Answer, TestRunResult};
use crate::test_run::{RunId, State, TestRun};

/// How long a call waits for a run that does not say.
const DEFAULT_WAIT: u32 = 60;
/// The longest wait: an hour.
const MAX_WAIT: u32 = 3600;
/// Something is said at least this often, so that no client takes the call for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Arguments {
    /// The project's folder. Default: the first workspace root.
    cwd: Option<String>,
    /// Run them in the copy in which Codex made this patch.
    patch_id: Option<String>,
    /// One of the runners that the project has. Default: the first that is found.
    runner: Option<String>,
    /// Parts of the names of tests; those with any of them are run.
    filter: Option<Vec<String>>,
    /// Test files or folders, relative to `cwd`.
    paths: Option<Vec<String>>,
    /// An own argument array instead, if the user agrees.
    command: Option<Vec<String>>,
    /// Default: the server's limit, which is the most.
    #[schemars(range(min = 1, max = 86_400))]
    time_limit_seconds: Option<u32>,
    /// Reach the network, if the user agrees.
    network: Option<bool>,
    /// Return a `runId` at once.
    background: Option<bool>,
    /// Look at a run instead of starting one.
    run_id: Option<String>,
    /// How long to wait for the end of that run. 0: only look. Default: 60.
    #[schemars(range(min = 0, max = 3600))]
    wait_seconds: Option<u32>,
    /// Stop that run.
    stop: Option<bool>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.tests.run",
        title: "Run the project's tests",
        description: "Run the tests of the project in Codex's sandbox and get the counts, each failure with its message, \
            file and line, and the end of the log. The runner is found by itself (cargo, nextest, npm scripts, vitest, \
            jest, mocha, node, pytest, unittest, go, maven, gradle, dotnet, rspec, phpunit, ctest, prove, make). Costs no \
            Codex turn. There is no network, and only the project can be written. For long runs pass `background: true` \
            and collect the result with `runId`.",
        search_hint: "test suite unit tests run check verify failing pytest jest cargo junit",
        annotations: ToolAnnotations::new()
            .read_only(false)
            .destructive(true)
            .idempotent(false)
            .open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, TestRunResult>()
}

/// Reads the arguments.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<Arguments, Problem> {
    parse(arguments)
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let arguments = read(arguments)?;
    if let Some(id) = &arguments.run_id {
        return look(&call, id, &arguments).await;
    }
    for (name, given) in
        [("waitSeconds", arguments.wait_seconds.is_some()), ("stop", arguments.stop.is_some())]
    {
        if given {
            return Err(Problem::argument(name, "given without `runId`", "only together with it"));
        }
    }
    let job = match wanted::job(&call, &arguments).await? {
        wanted::Wanted::Job(job) => job,
        wanted::Wanted::Asks(question) => return Ok(*question),
    };
    let mut run = call
        .test_runs()
        .start(*job)
        .ok_or_else(|| Problem::new(Code::TooManyRuns, "there are too many test runs under way"))?;
    if arguments.background == Some(true) {
        return Ok(answer(&call, &run, &run.state()));
    }
    // Whoever gives the call up gives the run up.
    let _stopped_with_the_call = run.stop_with();
    let state = follow(&call, &mut run, None).await;
    if call.context().ct.is_cancelled() {
        return Err(Problem::new(Code::CallCancelled, "the call was cancelled"));
    }
    state_of(&call, &run, state)
}

/// Where a run stands that was started before.
async fn look(call: &ToolCall<'_>, id: &str, arguments: &Arguments) -> Result<Answer, Problem> {
    let wait =
        in_range("waitSeconds", arguments.wait_seconds, 0..=MAX_WAIT)?.unwrap_or(DEFAULT_WAIT);
    let of_a_start = [
        ("cwd", arguments.cwd.is_some()),
        ("patchId", arguments.patch_id.is_some()),
        ("runner", arguments.runner.is_some()),
        ("filter", arguments.filter.is_some()),
        ("paths", arguments.paths.is_some()),
        ("command", arguments.command.is_some()),
        ("timeLimitSeconds", arguments.time_limit_seconds.is_some()),
        ("network", arguments.network.is_some()),
        ("background", arguments.background.is_some()),
    ];
    if let Some((name, _)) = of_a_start.into_iter().find(|(_, given)| *given) {
        return Err(Problem::argument(name, "given with `runId`", "only for a new run"));
    }
    let id = RunId::of_text(id);
    let run = call.test_runs().find(&id);
    let visible = run.filter(|run| call.root_of(&run.about.directory).is_some());
    let mut run = visible.ok_or_else(|| {
        let id: String = id.to_string().chars().take(60).collect();
        Problem::new(
            Code::RunNotFound,
            format!("there is no test run {id:?} in the workspace roots"),
        )
    })?;
    if arguments.stop == Some(true) {
        run.stop();
    }
    let state = follow(call, &mut run, Some(Duration::from_secs(u64::from(wait)))).await;
    state_of(call, &run, state)
}

/// Passes on how a run goes until it ends, the patience does, or the call is given up.
async fn follow(call: &ToolCall<'_>, run: &mut TestRun, patience: Option<Duration>) -> State {
    let sink = ProgressSink::of(call.context());
    let mut said = Said { count: 0, message: String::new() };
    let end = patience.map(|patience| Instant::now() + patience);
    let mut heartbeat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let state = run.state();
        let progress = match &state {
            State::Ended(_) => return state,
            State::Running(progress) => progress,
        };
        let (message, meta) =
            render::test_progress(&run.about, progress, &call.context().id, clock::timestamp());
        if let Some(sink) = &sink
            && message != said.message
        {
            said.count += 1;
            said.message.clone_from(&message);
            // A client that can hear no more is noticed by its connection.
            let _ = sink.notify(said.count, &message, meta).await;
        }
        tokio::select! {
            biased;
            () = call.context().ct.cancelled() => match patience {
                // Waiting is given up, not the run.
                Some(_) => return state,
                None => {
                    run.stop();
                    return ended(run).await;
                }
            },
            () = at(end) => return state,
            () = run.changed() => {}
            _ = heartbeat.tick() => said.message.clear(),
        }
    }
}

/// What a client was told last.
struct Said {
    count: u64,
    message: String,
}

async fn ended(run: &mut TestRun) -> State {
    loop {
        match run.state() {
            state @ State::Ended(_) => return state,
            State::Running(_) => run.changed().await,
        }
    }
}

async fn at(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn state_of(call: &ToolCall<'_>, run: &TestRun, state: State) -> Result<Answer, Problem> {
    if let State::Ended(ended) = &state
        && let Some(problem) = &ended.problem
    {
        return Err(problem.clone());
    }
    Ok(answer(call, run, &state))
}

fn answer(call: &ToolCall<'_>, run: &TestRun, state: &State) -> Answer {
    let result = TestRunResult::new(&run.about, state, call.limits().result(), call.outputs());
    Answer::success(result.to_string(), &result)
}
