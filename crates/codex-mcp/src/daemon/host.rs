//! The engine as a process: takes clients in, serves each, and ends when nobody needs it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use codex_client::orphan::{self, Reaper};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hello::{ClientStatus, Hello, Status};
use super::launches::Launches;
use super::place::{Claim, PlaceError};
use super::{Version, guest};
use crate::clock;
use crate::config::Config;
use crate::engine::{Activity, Engine, Room, Services};
use crate::ledger::Ledger;
use crate::mcp::outputs::Outputs;
use crate::mcp::subscriptions::Subscriptions;

/// How long a client may take to introduce itself.
pub(super) const INTRODUCTION: Duration = Duration::from_secs(2);
/// Clients at once. One more is told to come back.
pub(super) const MAX_CLIENTS: usize = 256;
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
    pub(super) subscriptions: Arc<Subscriptions>,
}

/// What connections tell the host.
pub(super) enum News {
    /// A client came: may it stay, and who serves it?
    Came {
        hello: Box<Hello>,
        config: Arc<Config>,
        answer: oneshot::Sender<Decision>,
    },
    Left {
        client: u64,
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
    Serve { client: u64, engine: Engine },
    Retire,
    Full,
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
        let common = Common {
            outputs: Arc::new(Outputs::open(ledger.clone()).await),
            subscriptions: Arc::default(),
        };
        let tasks = TaskTracker::new();
        tasks.spawn_blocking(|| match orphan::sweep_abandoned() {
            0 => {}
            ended => tracing::warn!(
                ended,
                "ended what the app-servers of an earlier engine had left behind"
            ),
        });
        let activity = Arc::new(Activity::starting_at(ledger.first_call()));
        let (sender, news) = mpsc::channel(NEWS);
        let mut hosting = Hosting {
            launches: Launches::new(Services {
                config: config.clone(),
                ledger: ledger.clone(),
                subscriptions: common.subscriptions.clone(),
                activity: activity.clone(),
                room: Arc::new(Room::new(config.max_codex_processes)),
                switchboard: Arc::default(),
                tasks: tasks.clone(),
            }),
            activity,
            news,
            sender,
            clients: BTreeMap::new(),
            next_client: 0,
            version,
            started_at: clock::timestamp(),
            retiring: false,
            shutdown: shutdown.clone(),
            tasks: tasks.clone(),
            common,
        };
        hosting.run(&listener, linger, &ledger).await;
        // In this order nobody who comes now waits in vain: the lock goes last, with the claim.
        claim.close();
        drop(listener);
        shutdown.cancel();
        hosting.launches.shut_down().await;
        drop(hosting);
        tasks.close();
        if tokio::time::timeout(LAST_GRACE, tasks.wait()).await.is_err() {
            tracing::warn!("something did not end in time and is left to the end of the process");
        }
        // Waits for what is queued to be written.
        let _ = tokio::task::spawn_blocking(move || drop(ledger)).await;
    }
}

/// The state of a running host.
struct Hosting {
    launches: Launches,
    activity: Arc<Activity>,
    news: mpsc::Receiver<News>,
    sender: mpsc::Sender<News>,
    clients: BTreeMap<u64, ClientStatus>,
    next_client: u64,
    version: Version,
    started_at: String,
    /// A newer version waits for the next idle moment.
    retiring: bool,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    common: Common,
}

impl Hosting {
    async fn run(&mut self, listener: &UnixListener, linger: Duration, ledger: &Ledger) {
        let mut maintenance = tokio::time::interval(MAINTENANCE);
        maintenance.tick().await;
        let (mut reaping, mut reaper) = (tokio::time::interval(REAPING), Reaper::default());
        // Nobody is there yet: the one who started it is on its way.
        let mut quiet_since = Some(tokio::time::Instant::now());
        let mut greeted = false;
        loop {
            let busy = self.activity.is_busy();
            if self.retiring && !busy {
                return;
            }
            greeted |= !self.clients.is_empty();
            let quiet = self.clients.is_empty() && !busy;
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
                stream = listener.accept() => match stream {
                    Ok((stream, _)) => self.accept(stream),
                    Err(error) => tracing::warn!(%error, "a client could not be taken in"),
                },
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

    fn accept(&self, stream: UnixStream) {
        let (news, shutdown) = (self.sender.clone(), self.shutdown.clone());
        let (version, common) = (self.version, self.common.clone());
        self.tasks.spawn(async move {
            let served = guest::serve(stream, &news, version, common, shutdown).await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection was given up");
            }
        });
    }

    fn take(&mut self, news: News) {
        match news {
            News::Came { hello, config, answer } => {
                let decision = self.decide(&hello, &config);
                if let Err(Decision::Serve { client, .. }) = answer.send(decision) {
                    self.clients.remove(&client);
                }
            }
            News::Left { client } => drop(self.clients.remove(&client)),
            News::Status { answer } => drop(answer.send(self.status())),
            News::Stop { .. } => {}
        }
    }

    fn decide(&mut self, hello: &Hello, config: &Arc<Config>) -> Decision {
        if Version::parse(&hello.version).is_some_and(|theirs| theirs > self.version) {
            tracing::info!(theirs = hello.version, "a newer version wants to take over");
            self.retiring = true;
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
        };
        tracing::info!(?status, "a client came");
        self.clients.insert(self.next_client, status);
        Decision::Serve { client: self.next_client, engine: self.launches.engine(config) }
    }

    fn status(&self) -> Status {
        Status {
            version: self.version.to_string(),
            pid: std::process::id(),
            started_at: self.started_at.clone(),
            busy: self.activity.is_busy(),
            retiring: self.retiring,
            clients: self.clients.values().cloned().collect(),
        }
    }
}

async fn at(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
