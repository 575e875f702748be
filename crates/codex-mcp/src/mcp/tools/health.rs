//! `codex.health`: what runs, who is logged in, what is wrong and what to do about it.

mod limits;
mod usage;

use std::collections::BTreeMap;
use std::fmt;

use bridge_core::{Account, CallRequest, Failure, HealthReport, Outcome, ProcessState};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility, unexpected};
use crate::diagnosis::{Finding, findings};
use crate::error::Problem;
use crate::ledger::Ledger;
use crate::mcp::arguments::parse;
use crate::mcp::call::ToolCall;
use crate::mcp::render::Answer;
use limits::{Limit, Settings};
use usage::Usage;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Health {
    /// Whether turns can run.
    healthy: bool,
    /// What is wrong, with a remedy each.
    findings: Vec<Finding>,
    versions: Versions,
    process: Process,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<Login>,
    /// How much of the account's limits is used, where Codex has told it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    usage: Vec<Usage>,
    /// Whether commands can run in Codex's read-only sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox_works: Option<bool>,
    work: Work,
    engine: EngineResult,
    store: StoreResult,
    /// The limits in force, by the names of their settings.
    limits: BTreeMap<String, Limit>,
    workspace_roots: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Versions {
    server: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    codex: Option<String>,
    oldest_codex_that_works: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Process {
    /// `ready`, `starting`, `stopping`, `stopped`, `pausing` or `quarantined`.
    state: &'static str,
    /// What turns run through now: `app-server` or `codex exec`.
    turns_run_through: &'static str,
    program: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uptime_seconds: Option<u64>,
    /// What it needs of memory for itself, as measured last.
    #[serde(skip_serializing_if = "Option::is_none")]
    megabytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codex_home: Option<String>,
    /// How an app-server last ended that was not stopped by us.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_exit: Option<String>,
}

/// The process that serves all clients of a state directory.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EngineResult {
    pid: u32,
    /// App-servers of all clients.
    codex_processes: usize,
    /// Copies in which turns propose changes.
    scratch_workspaces: usize,
    state_dir: String,
}

/// The records on disk.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StoreResult {
    /// Whether what happens is kept.
    keeps: bool,
    /// How many times something was not kept since the engine started.
    failures: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    megabytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turns: Option<u64>,
}

impl StoreResult {
    async fn of(ledger: &Ledger) -> Self {
        let status = ledger.status();
        let statistics = ledger.read(bridge_store::Reader::statistics).await.ok();
        let count = |table: &str| {
            let records = statistics.iter().flat_map(|statistics| &statistics.records);
            records.filter(|(name, _)| *name == table).map(|(_, count)| *count).next()
        };
        Self {
            keeps: status.problem.is_none(),
            failures: status.failures,
            megabytes: statistics.as_ref().map(|statistics| statistics.bytes >> 20),
            threads: count("threads"),
            turns: count("turns"),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Login {
    /// Whether the configured provider needs an OpenAI login.
    required: bool,
    /// `apiKey`, `chatgpt` or another kind; absent: nobody is logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
}

impl From<Account> for Login {
    fn from(account: Account) -> Self {
        Self { required: account.login_required, kind: account.kind, plan: account.plan }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.kind, self.required) {
            (Some(kind), _) => write!(f, "Login: {kind}"),
            (None, true) => write!(f, "Login: none, and the provider needs one"),
            (None, false) => write!(f, "Login: none, and the provider needs none"),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Work {
    threads_loaded: usize,
    turns_running: usize,
    turns_queued: usize,
    connections: usize,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.health",
        title: "Check Codex",
        description: "Check whether Codex can work: versions, the app-server process, the login, the sandbox, the limits in \
            force, with a remedy for each thing that is wrong. Costs no model request. Use it when another tool failed \
            and its error does not say enough, or before relying on Codex.",
        search_hint: "diagnose doctor status version login sandbox limits codex broken not working",
        annotations: ToolAnnotations::new().read_only(true).idempotent(true).open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Health>()
}

/// Reads the arguments, of which there are none.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<(), Problem> {
    parse(arguments).map(|Arguments {}| ())
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    read(arguments)?;
    match call.run(CallRequest::Health).await {
        Outcome::Health(report) => {
            let store = StoreResult::of(call.ledger()).await;
            let mut findings = findings(&report);
            findings.extend(findings_of_engine(&call));
            let settings = Settings {
                client: call.config(),
                engine: call.engine_config(),
                process: call.process_config(),
            };
            findings.extend(settings.findings());
            let engine = EngineResult {
                pid: std::process::id(),
                codex_processes: call.codex_processes(),
                scratch_workspaces: call.places().count(),
                state_dir: settings.process.state_dir.display().to_string(),
            };
            let roots = call.workspace_roots();
            let health = Health::new(*report, findings, store, engine, &settings, roots);
            Ok(Answer::success(health.text(), &health))
        }
        Outcome::Failed(failure) => Err(Problem::from(&failure)),
        Outcome::Turn(_)
        | Outcome::NotLive
        | Outcome::Asked { .. }
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Steered { .. }
        | Outcome::PlanTold { .. }
        | Outcome::Cancelled { .. } => Err(unexpected("codex.health")),
    }
}

impl Health {
    fn new(
        report: HealthReport,
        findings: Vec<Finding>,
        store: StoreResult,
        engine: EngineResult,
        settings: &Settings<'_>,
        workspace_roots: Vec<String>,
    ) -> Self {
        let info = report.info.clone();
        let (state, uptime) = match &report.process {
            ProcessState::Ready { uptime } => ("ready", Some(*uptime)),
            ProcessState::Starting => ("starting", None),
            ProcessState::Stopping => ("stopping", None),
            ProcessState::Stopped => ("stopped", None),
            ProcessState::Pausing { .. } => ("pausing", None),
            ProcessState::Quarantined { .. } => ("quarantined", None),
        };
        let program = info.as_ref().map(|info| info.program.clone());
        Self {
            healthy: findings.is_empty(),
            findings,
            versions: Versions {
                server: env!("CARGO_PKG_VERSION"),
                codex: info.as_ref().and_then(|info| info.version.clone()),
                oldest_codex_that_works: codex_client::MINIMUM_VERSION.to_string(),
            },
            process: Process {
                state,
                turns_run_through: if report.falls_back { "codex exec" } else { "app-server" },
                program: program.unwrap_or_else(|| settings.engine.codex_bin.display().to_string()),
                pid: uptime.and(info.as_ref().map(|info| info.pid)),
                uptime_seconds: uptime.map(|uptime| uptime.as_secs()),
                megabytes: report.resident_bytes.map(|bytes| bytes.div_ceil(1 << 20)),
                codex_home: info.and_then(|info| info.codex_home),
                last_exit: report
                    .last_exit
                    .map(|exit| Problem::from(&Failure::AppServerExited(exit)).message),
            },
            login: report.account.ok().map(Login::from),
            usage: report.usage.iter().map(Usage::from).collect(),
            sandbox_works: report.sandbox.ok().map(|probe| probe.exit_code == 0),
            work: Work {
                threads_loaded: report.threads_loaded,
                turns_running: report.turns_running,
                turns_queued: report.turns_queued,
                connections: report.connections,
            },
            engine,
            store,
            limits: settings.in_force(),
            workspace_roots,
        }
    }

    /// For a reader.
    fn text(&self) -> String {
        let mut lines = vec![match self.healthy {
            true => "Codex can work.".to_owned(),
            false => format!("{} found:", count(self.findings.len(), "problem")),
        }];
        lines.extend(
            self.findings
                .iter()
                .map(|finding| format!("- {}\n  What to do: {}", finding.problem, finding.remedy)),
        );
        let codex = self.versions.codex.as_deref().unwrap_or("of unknown version");
        lines.push(format!(
            "codex-mcp {}, Codex {codex} ({})",
            self.versions.server, self.process.program
        ));
        lines.push(match (self.process.pid, self.process.uptime_seconds) {
            (Some(pid), Some(uptime)) => {
                format!("App-server: {}, process {pid}, up {uptime} s", self.process.state)
            }
            (_, _) => format!("App-server: {}", self.process.state),
        });
        lines.extend(self.login.as_ref().map(ToString::to_string));
        lines.extend(self.usage.iter().map(ToString::to_string));
        if let Some(works) = self.sandbox_works {
            lines.push(format!("Sandbox: {}", if works { "works" } else { "does not work" }));
        }
        let work = &self.work;
        lines.push(format!(
            "Work: {} running, {} waiting, {} loaded, {}",
            count(work.turns_running, "turn"),
            work.turns_queued,
            count(work.threads_loaded, "thread"),
            count(work.connections, "client"),
        ));
        let store = &self.store;
        lines.push(format!(
            "Engine: process {}, {}, {}, state in {}",
            self.engine.pid,
            count(self.engine.codex_processes, "app-server"),
            count(self.engine.scratch_workspaces, "scratch workspace"),
            self.engine.state_dir
        ));
        lines.push(match (store.keeps, store.threads, store.turns) {
            (true, Some(threads), Some(turns)) => {
                format!(
                    "Store: {threads} threads, {turns} turns, {} MB",
                    store.megabytes.unwrap_or(0)
                )
            }
            (true, _, _) => "Store: keeps everything".to_owned(),
            (false, _, _) => format!("Store: does not keep everything ({} times)", store.failures),
        });
        let limits =
            self.limits.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>();
        lines.push(format!("Limits: {}", limits.join(", ")));
        lines.push(format!("Workspace roots: {}", self.workspace_roots.join(", ")));
        lines.join("\n")
    }
}

fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// What is wrong with the process that serves this client.
fn findings_of_engine(call: &ToolCall<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(problem) = call.ledger().status().problem {
        let remedy = problem.remedy();
        findings.push(Finding {
            problem: format!("not everything is kept: {}", problem.message),
            remedy,
        });
    }
    if let Some(newer) = call.newer_client() {
        findings.push(Finding {
            problem: format!(
                "the engine (version {}) is older than this client's codex-mcp ({newer})",
                env!("CARGO_PKG_VERSION")
            ),
            remedy: "Nothing, if it can wait: the newer version takes over when no turn runs. `codex-mcp daemon stop` \
                     ends it at once."
                .to_owned(),
        });
    }
    findings
}
