//! The engine as a process: takes clients in, serves each, and ends when nobody needs it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use codex_client::orphan::{self, Reaper};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Version;
use super::door::Door;
use super::hello::{ClientStatus, Hello, Status};
use super::launches::Launches;
use super::place::{Claim, PlaceError};
use crate::clock;
use crate::config::Config;
use crate::engine::{Activity, Engine, Room, Services};
use crate::ledger::Ledger;
use crate::mcp::outputs::Outputs;
use crate::mcp::subscriptions::Subscriptions;
use crate::monitors::{self, Monitors};
use crate::test_run::{self, TestRuns};
use crate::workspace::{Places, Repositories};

/// How long a client may take to introduce itself.
pub(super) const INTRODUCTION: Duration = Duration::from_secs(2);
/// Clients at once. One more is told to come back.
pub(crate) const MAX_CLIENTS: usize = 256;
/// News that wait for the host. When full, connections wait.
const NEWS: usize = 64;
/// How long everything may take to end; the stop ladder of an app-server needs a third of it at most.
const LAST_GRACE: Duration = Duration::from_secs(2);
/// How often old records are looked for.
const MAINTENANCE: Duration = Duration::from_secs(3600);
/// How often adopted processes that have ended are looked for.
const REAPING: Duration = Duration::from_secs(60);

/// The engine cannot run here.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The socket cannot be made.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

/// An engine that listens.
pub struct Host {
    claim: Claim,
    listener: UnixListener,
    config: Arc<Config>,
    version: Version,
    linger: Duration,
}

/// What all connections use.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) outputs: Arc<Outputs>,
    pub(super) repositories: Arc<Repositories>,
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) monitors: Arc<Monitors>,
    pub(super) test_runs: Arc<TestRuns>,
}

impl Common {
    async fn open(
        config: &Config,
        ledger: &Ledger,
        activity: &Arc<Activity>,
        room: &Arc<Room>,
        tasks: &TaskTracker,
    ) -> Self {
        let outputs = Outputs::open(ledger.clone(), config.max_output_megabytes).await;
        let outputs = Arc::new(outputs);
        let services = test_run::Services {
            outputs: outputs.clone(),
            activity: activity.clone(),
            room: room.clone(),
            tasks: tasks.clone(),
        };
        let test_runs = Arc::new(TestRuns::open(config, services));
        let monitors = Arc::<Monitors>::default();
        ledger
            .cut_turns()
            .iter()
            .filter_map(monitors::News::of_cut)
            .for_each(|news| monitors.tell(news));
        Self {
            outputs,
            repositories: Arc::default(),
            subscriptions: Arc::default(),
            monitors,
            test_runs,
        }
    }
}

/// What connections tell the host.
pub(super) enum News {
    /// A client came: may it stay, and who serves it?
    Came {
        hello: Box<Hello>,
        config: Arc<Config>,
        answer: oneshot::Sender<Decision>,
    },
    Status {
        answer: oneshot::Sender<Status>,
    },
    Stop {
        answer: oneshot::Sender<bool>,
    },
}

/// What becomes of a client.
pub(super) enum Decision {
    Serve { seat: Seat, engine: Engine },
    Retire,
    Full,
}

/// A client's place among the clients. Whatever ends the client gives it back, also a panic.
pub(super) struct Seat {
    client: u64,
    left: mpsc::Sender<u64>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        // There is room for the word of every client, and nobody listens once the host has ended.
        let _ = self.left.try_send(self.client);
    }
}

impl Host {
    /// Listens for clients. They wait until [`Host::run`].
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn listen(
        claim: Claim,
        config: Arc<Config>,
        version: Version,
        linger: Duration,
    ) -> Result<Self, HostError> {
        let listener = claim.listen()?;
        Ok(Self { claim, listener, config, version, linger })
    }

    /// Serves until nobody needs it: no client and no work for as long as it lingers, a newer version that wants its
    /// place, `daemon stop`, or `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { claim, listener, config, version, linger } = self;
        let opening = config.clone();
        // A panic while it opens is reported, and nobody could be served.
        let Ok(ledger) = tokio::task::spawn_blocking(move || Ledger::open(&opening)).await else {
            return;
        };
        let tasks = TaskTracker::new();
        tasks.spawn_blocking(sweep);
        let Some(places) = places(&config, &ledger, &tasks).await else {
            return;
        };
        let activity = Arc::new(Activity::starting_at(ledger.first_call()));
        let room = Arc::new(Room::new(config.max_codex_processes));
        let common = Common::open(&config, &ledger, &activity, &room, &tasks).await;
        let test_runs = common.test_runs.clone();
        let (sender, news) = mpsc::channel(NEWS);
        // A client has one word to say, and there is no further one before it was heard: this is never full.
        let (leaving, left) = mpsc::channel(MAX_CLIENTS);
        let mut hosting = Hosting {
            launches: Launches::new(Services {
                config: config.clone(),
                ledger: ledger.clone(),
                subscriptions: common.subscriptions.clone(),
                monitors: common.monitors.clone(),
                activity: activity.clone(),
                room,
                switchboard: Arc::default(),
                places,
                tasks: tasks.clone(),
            }),
            activity,
            monitors: common.monitors.clone(),
            news,
            leaving,
            left,
            clients: BTreeMap::new(),
            next_client: 0,
            version,
            started_at: clock::timestamp(),
            successor: None,
            shutdown: shutdown.clone(),
        };
        let door = Door::new(sender, version, common, shutdown.clone(), tasks.clone());
        tokio::select! {
            () = hosting.run(linger, &ledger) => {}
            never = door.open(&listener) => match never {},
        }
        if let Some(successor) = hosting.successor {
            claim.yield_to(successor);
        }
        // In this order nobody who comes now waits in vain: the lock goes last, with the claim.
        claim.close();
        drop(listener);
        shutdown.cancel();
        test_runs.shut_down();
        hosting.end(ledger, &tasks).await;
    }
}

/// Lets monitors end once they were told how the last turns ended.
async fn last_news(activity: Arc<Activity>, ledger: Ledger, monitors: Arc<Monitors>) {
    while activity.is_busy() {
        activity.changed().await;
    }
    ledger.settle(Vec::new()).await;
    monitors.close();
}

async fn wait_for(tasks: &TaskTracker) {
    tasks.close();
    if tokio::time::timeout(LAST_GRACE, tasks.wait()).await.is_err() {
        tracing::warn!("something did not end in time and is left to the end of the process");
    }
}

/// Where turns may change files, once what a crash has left half done is ended: nobody may work in it.
async fn places(config: &Arc<Config>, ledger: &Ledger, tasks: &TaskTracker) -> Option<Places> {
    let places = Places::new(config.clone(), ledger.clone());
    let recovering = places.clone();
    tokio::task::spawn_blocking(move || recovering.recover()).await.ok()?;
    let tidying = places.clone();
    tasks.spawn_blocking(move || tidying.tidy());
    Some(places)
}

/// The state of a running host.
struct Hosting {
    launches: Launches,
    activity: Arc<Activity>,
    monitors: Arc<Monitors>,
    news: mpsc::Receiver<News>,
    leaving: mpsc::Sender<u64>,
    left: mpsc::Receiver<u64>,
    clients: BTreeMap<u64, ClientStatus>,
    next_client: u64,
    version: Version,
    started_at: String,
    /// The newest version that waits for the next idle moment.
    successor: Option<Version>,
    shutdown: CancellationToken,
}

impl Hosting {
    async fn run(&mut self, linger: Duration, ledger: &Ledger) {
        let mut maintenance = tokio::time::interval(MAINTENANCE);
        maintenance.tick().await;
        let (mut reaping, mut reaper) = (tokio::time::interval(REAPING), Reaper::default());
        // Nobody is there yet: the one who started it is on its way.
        let mut quiet_since = Some(tokio::time::Instant::now());
        let mut greeted = false;
        loop {
            let busy = self.activity.is_busy();
            if self.successor.is_some() && !busy {
                return;
            }
            greeted |= !self.clients.is_empty();
            let quiet = self.is_deserted() && !busy;
            let since = quiet.then(|| *quiet_since.get_or_insert_with(tokio::time::Instant::now));
            quiet_since = since;
            // Whoever started it has to have the time to come.
            let patience = if greeted { linger } else { linger.max(INTRODUCTION) };
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = at(since.map(|since| since + patience)) => return,
                () = self.activity.changed() => {}
                _ = maintenance.tick() => ledger.maintain(),
                _ = reaping.tick() => drop(reaper.reap()),
                Some(client) = self.left.recv() => drop(self.clients.remove(&client)),
                news = self.news.recv() => match news {
                    Some(News::Stop { answer }) => {
                        let _ = answer.send(busy);
                        return;
                    }
                    Some(news) => self.take(news),
                    None => return,
                },
            }
        }
    }

    /// Ends what runs, and waits for it and for what is queued to be written.
    async fn end(self, ledger: Ledger, tasks: &TaskTracker) {
        self.launches.shut_down().await;
        let (activity, monitors) = (self.activity.clone(), self.monitors.clone());
        tasks.spawn(last_news(activity, ledger.clone(), monitors));
        drop(self);
        wait_for(tasks).await;
        let _ = tokio::task::spawn_blocking(move || drop(ledger)).await;
    }

    /// Whether nobody is there for whom to stay: a client inside a Codex of ours is there as long as that is, and that
    /// as long as we are.
    fn is_deserted(&self) -> bool {
        self.clients.values().all(|client| client.depth > 0)
    }

    fn take(&mut self, news: News) {
        match news {
            News::Came { hello, config, answer } => {
                drop(answer.send(self.decide(&hello, &config)));
            }
            News::Status { answer } => drop(answer.send(self.status())),
            News::Stop { .. } => {}
        }
    }

    fn decide(&mut self, hello: &Hello, config: &Arc<Config>) -> Decision {
        let theirs = Version::parse(&hello.version);
        if theirs > Some(self.version) {
            tracing::info!(theirs = hello.version, "a newer version wants to take over");
            self.successor = self.successor.max(theirs);
            if !self.activity.is_busy() {
                return Decision::Retire;
            }
        }
        if self.clients.len() >= MAX_CLIENTS {
            return Decision::Full;
        }
        self.next_client += 1;
        let status = ClientStatus {
            pid: hello.pid,
            version: hello.version.clone(),
            working_directory: hello.working_directory.clone(),
            claude_session: hello.claude_session().map(str::to_owned),
            depth: config.depth(),
        };
        tracing::info!(?status, "a client came");
        self.clients.insert(self.next_client, status);
        let seat = Seat { client: self.next_client, left: self.leaving.clone() };
        Decision::Serve { seat, engine: self.launches.engine(config) }
    }

    fn status(&self) -> Status {
        Status {
            version: self.version.to_string(),
            pid: std::process::id(),
            started_at: self.started_at.clone(),
            busy: self.activity.is_busy(),
            retiring: self.successor.is_some(),
            clients: self.clients.values().cloned().collect(),
            monitors: self.monitors.count(),
        }
    }
}

/// Ends what an engine that was killed had no time to end.
fn sweep() {
    match orphan::sweep_abandoned() {
        0 => {}
        ended => {
            tracing::warn!(ended, "ended what the app-servers of an earlier engine had left behind")
        }
    }
}

async fn at(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;

    use super::Seat;

    #[tokio::test]
    async fn a_client_that_ends_in_a_panic_has_left() {
        let (leaving, mut left) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _seat = Seat { client: 7, left: leaving };
            panic!("this is what the test is about");
        });
        assert!(tasks.join_next().await.expect("there is a task").is_err());
        assert_eq!(left.recv().await, Some(7));
    }
}
