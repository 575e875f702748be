//! Runs of a project's tests, in Codex's sandbox and without a turn.
//!
//! Each run has a task of its own, which an engine's end stops; whoever waits for it only looks. Nothing here chooses
//! what is run ([`test_runners`] does, from what [`project`] reads), asks anybody, or knows MCP.

mod ended;
mod folder;
mod log;
pub(crate) mod project;
mod protected;
mod run;
mod sandbox;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;
use test_runners::{Counts, Plan};
use tokio::sync::watch as channel;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::engine::{Activity, Room};
use crate::error::{Code, Problem};
use crate::mcp::outputs::Outputs;
use crate::workspace::WorkingDirectory;

pub(crate) use ended::{Ended, Reason, Whole};
pub(crate) use folder::RunFolder;
use protected::Protected;

/// Runs at once; a further one is refused.
const MAX_RUNNING: usize = 8;
/// Runs whose end is remembered; the oldest is forgotten first.
const MAX_ENDED: usize = 32;

/// The name of a run, which cannot be guessed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunId(String);

impl RunId {
    fn mint() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system gives random numbers");
        Self(HEXLOWER.encode(&bytes))
    }

    /// The name that a caller gives.
    pub(crate) fn of_text(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What is to be run.
pub(crate) struct Job {
    /// The settings of the client that wants it.
    pub(crate) config: Arc<Config>,
    /// The command, and where its reports will be.
    pub(crate) plan: Plan,
    /// Other runners that the project has, for who wants to know.
    pub(crate) others: Vec<String>,
    /// Where it runs.
    pub(crate) directory: WorkingDirectory,
    /// The user's folder: that one, or what it is a copy of.
    pub(crate) of: PathBuf,
    /// Where it may write besides its own folder.
    pub(crate) writable: PathBuf,
    /// Its own folder.
    pub(crate) folder: RunFolder,
    /// Whether it reaches the network.
    pub(crate) network: bool,
    /// How long it may take.
    pub(crate) time_limit: Duration,
}

/// What stays the same of a run.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) id: RunId,
    pub(crate) runner: test_runners::Runner,
    pub(crate) command: Vec<String>,
    pub(crate) others: Vec<String>,
    /// The user's folder that it is about.
    pub(crate) directory: PathBuf,
}

/// Where a run stands.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Running(Progress),
    Ended(Arc<Ended>),
}

/// How far a run is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) counts: Counts,
    /// The last line that it wrote.
    pub(crate) last: String,
    pub(crate) elapsed: Duration,
}

/// A run, for those who wait for it.
#[derive(Clone, Debug)]
pub(crate) struct TestRun {
    pub(crate) about: Arc<About>,
    state: channel::Receiver<State>,
    stop: CancellationToken,
}

impl TestRun {
    pub(crate) fn state(&self) -> State {
        let state = self.state.borrow().clone();
        match state {
            // Its task tells the end before it ends, unless it dies in a panic.
            State::Running(_) if self.state.has_changed().is_err() => {
                let message =
                    "the test run was lost to an error of this server, of which its log says more";
                State::Ended(Arc::new(Ended::broken(Problem::new(Code::RunNotFound, message))))
            }
            state @ (State::Running(_) | State::Ended(_)) => state,
        }
    }

    /// Resolves when the state may have changed. Safe to cancel.
    pub(crate) async fn changed(&mut self) {
        // An error is a change as well: nothing more will come.
        let _ = self.state.changed().await;
    }

    /// Ends it, and everything that it has started.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Stops the run when the result is dropped.
    pub(crate) fn stop_with(&self) -> tokio_util::sync::DropGuard {
        self.stop.clone().drop_guard()
    }
}

/// All runs of a process.
#[derive(Debug)]
pub struct TestRuns {
    /// The newest last. Held for no longer than a look takes.
    runs: Mutex<BTreeMap<u64, TestRun>>,
    services: Services,
    protected: Arc<Protected>,
    /// Where the folders of runs lie.
    place: PathBuf,
}

/// What runs share with everything else.
#[derive(Clone, Debug)]
pub struct Services {
    /// Where the whole of a log is kept.
    pub outputs: Arc<Outputs>,
    /// Whether anything is going on.
    pub activity: Arc<Activity>,
    /// Places for processes of Codex.
    pub room: Arc<Room>,
    /// What the process waits for before it ends.
    pub tasks: TaskTracker,
}

impl TestRuns {
    /// No run yet. Folders that an engine which was killed has left are removed beside.
    #[must_use]
    pub fn open(config: &Config, services: Services) -> Self {
        let place = config.state_dir.join("runs");
        let old = place.clone();
        services.tasks.spawn_blocking(move || folder::remove(&old));
        Self { runs: Mutex::default(), services, protected: Arc::default(), place }
    }

    /// An own folder for a new run, which is made when that starts.
    pub(crate) fn folder(&self) -> RunFolder {
        RunFolder::at(self.place.join(RunId::mint().0))
    }

    /// Starts a run; `None` if there are too many.
    pub(crate) fn start(&self, job: Job) -> Option<TestRun> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let is_running = |run: &&TestRun| matches!(run.state(), State::Running(_));
        if runs.values().filter(is_running).count() >= MAX_RUNNING {
            return None;
        }
        let ended: Vec<u64> =
            runs.iter().filter(|(_, run)| !is_running(run)).map(|(number, _)| *number).collect();
        for number in ended.iter().take(ended.len().saturating_sub(MAX_ENDED - 1)) {
            runs.remove(number);
        }
        let about = Arc::new(About {
            id: RunId::mint(),
            runner: job.plan.runner,
            command: job.plan.command.clone(),
            others: job.others.clone(),
            directory: job.of.clone(),
        });
        let (news, state) = channel::channel(State::Running(Progress::default()));
        let run = TestRun { about, state, stop: CancellationToken::new() };
        let number = runs.last_key_value().map_or(0, |(number, _)| number + 1);
        runs.insert(number, run.clone());
        let (services, stop) = (self.services.clone(), run.stop.clone());
        let protected = self.protected.clone();
        self.services.tasks.spawn(async move {
            let _busy = services.activity.work();
            let ended = run::to_the_end(job, &services, &protected, &stop, &news).await;
            news.send_replace(State::Ended(Arc::new(ended)));
        });
        Some(run)
    }

    /// The run of this name.
    pub(crate) fn find(&self, id: &RunId) -> Option<TestRun> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.values().find(|run| run.about.id == *id).cloned()
    }

    /// Stops all runs. They have ended when the process's tasks have.
    pub(crate) fn shut_down(&self) {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.values().for_each(TestRun::stop);
    }
}
