//! The checks, in the order in which one needs the other.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use bridge_core::{CallRequest, Caller, HealthReport, Outcome, Person};
use tokio_util::task::TaskTracker;

use super::{Check, Verdict, provider, registration};
use crate::config::{Config, Environment};
use crate::daemon::{self, Introduction, Place, Version, Welcome};
use crate::diagnosis::{Finding, findings};
use crate::engine::{self, Next, Room, Services};
use crate::ledger::Ledger;
use crate::workspace::{Places, Roots};

pub(super) async fn all(config: Config, environment: &Environment) -> Vec<Check> {
    let config = Arc::new(config);
    let mut checks = vec![
        Check::ok("codex-mcp", format!("version {}", env!("CARGO_PKG_VERSION"))),
        Check::ok(
            "configuration",
            "valid; `codex-mcp config show` tells where each value comes from",
        ),
        roots(&config),
    ];
    let program = program(&config);
    let is_there = program.verdict == Verdict::Ok;
    checks.push(program);
    if is_there {
        checks.extend(codex(&config).await);
    }
    checks.push(provider::check(&config, environment).await);
    checks.push(engine(&config).await);
    checks.push(store(&config));
    checks.push(registration::check(environment));
    checks
}

fn roots(config: &Config) -> Check {
    match Roots::new(&config.workspace_roots) {
        Ok(roots) => Check::ok("roots", format!("Codex may work in {roots}")),
        Err(error) => Check::failure(
            "roots",
            error.to_string(),
            "Name existing directories with --workspace-root or `workspace_roots`.",
        ),
    }
}

fn program(config: &Config) -> Check {
    match config.find_codex_bin() {
        Ok(path) => Check::ok("program", path.display().to_string()),
        Err(error) => Check::failure(
            "program",
            error.to_string(),
            "Install the Codex CLI, or name it with --codex-bin or `codex_bin`.",
        ),
    }
}

/// Starts an app-server of its own, asks it what `codex.health` asks, and ends it.
async fn codex(config: &Arc<Config>) -> Vec<Check> {
    let tasks = TaskTracker::new();
    let services = Services {
        config: config.clone(),
        places: Places::new(config.clone(), Ledger::without_store()),
        ledger: Ledger::without_store(),
        subscriptions: Arc::default(),
        monitors: Arc::default(),
        activity: Arc::default(),
        room: Arc::new(Room::new(1)),
        switchboard: Arc::default(),
        tasks: tasks.clone(),
    };
    let engine = engine::start(config.clone(), services);
    let connection = engine.connect().await;
    let mut call = engine
        .call(
            Caller { connection: connection.id(), person: Person::Absent, session: None },
            CallRequest::Health,
        )
        .await;
    let outcome = loop {
        if let Next::Outcome(outcome) = call.next().await {
            break outcome;
        }
    };
    drop((call, connection));
    engine.shut_down().await;
    tasks.close();
    tasks.wait().await;
    match outcome {
        Outcome::Health(report) => of_report(&report),
        Outcome::Failed(_)
        | Outcome::Turn(_)
        | Outcome::NotLive
        | Outcome::Asked { .. }
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Steered { .. }
        | Outcome::PlanTold { .. }
        | Outcome::Cancelled { .. } => {
            vec![Check::failure(
                "app-server",
                "it gave no answer",
                "Run `codex app-server` in a terminal.",
            )]
        }
    }
}

fn of_report(report: &HealthReport) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(info) = &report.info {
        let version = info.version.as_deref().unwrap_or("of unknown version");
        checks.push(Check::ok("app-server", format!("Codex {version} answers")));
    }
    if let Ok(account) = &report.account
        && (account.kind.is_some() || !account.login_required)
    {
        let kind = account.kind.as_deref().unwrap_or("none, and the provider needs none");
        checks.push(Check::ok("login", kind));
    }
    if report.sandbox.as_ref().is_ok_and(|probe| probe.exit_code == 0) {
        checks.push(Check::ok("sandbox", "commands run in it"));
    }
    let failed = |Finding { problem, remedy }| Check::failure("Codex", problem, remedy);
    checks.extend(findings(report).into_iter().map(failed));
    checks
}

async fn engine(config: &Config) -> Check {
    let place = Place::new(&config.state_dir);
    match daemon::ask(&place, &Introduction::Status).await {
        Ok(Welcome::Status(status)) => {
            let found = format!(
                "version {} runs as process {} with {} clients",
                status.version,
                status.pid,
                status.clients.len()
            );
            match Version::parse(&status.version) == Some(Version::own()) {
                true => Check::ok("engine", found),
                false => Check::warning(
                    "engine",
                    found,
                    "Another version serves until it is idle; `codex-mcp daemon stop` ends it at once.",
                ),
            }
        }
        Ok(_) => Check::warning(
            "engine",
            "something answers that is no engine of this version",
            "Run `codex-mcp daemon stop`, or name another --state-dir.",
        ),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Check::failure(
            "engine",
            "one runs and does not answer",
            "Run `codex-mcp daemon stop`: it ends one that hangs, too.",
        ),
        Err(_) => Check::ok("engine", "none runs; the next client starts it"),
    }
}

fn store(config: &Config) -> Check {
    let place = config.state_dir.display();
    if !bridge_store::exists(&config.state_dir) {
        return Check::ok("store", format!("no records yet in {place}"));
    }
    let remedy = "Run `codex-mcp store check`.";
    match bridge_store::check(&config.state_dir) {
        Ok(report) if report.problems.is_empty() => {
            Check::ok("store", format!("sound, {} bytes in {place}", report.statistics.bytes))
        }
        Ok(report) => Check::failure("store", report.problems.join("; "), remedy),
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            Check::failure("store", format!("{error}{cause}"), remedy)
        }
    }
}
