//! Takes connections in, no more at once than are known to be somebody's.
//!
//! It runs beside the host and never waits for it: a crowd outside slows down nobody inside.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::host::{Common, News};
use super::{Version, guest};

/// Connections at once that have not introduced themselves. Further ones wait outside, for the two seconds that each
/// of these has.
const MAX_STRANGERS: usize = 128;
/// How long nothing is taken in when the system refuses: it has no descriptors left, and asking at once does not help.
const REST: Duration = Duration::from_millis(200);

/// Where clients come in.
pub(super) struct Door {
    news: mpsc::Sender<News>,
    version: Version,
    common: Common,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    strangers: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(
        news: mpsc::Sender<News>,
        version: Version,
        common: Common,
        shutdown: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        let strangers = Arc::new(Semaphore::new(MAX_STRANGERS));
        Self { news, version, common, shutdown, tasks, strangers }
    }

    /// Takes in whoever comes, until this is dropped.
    pub(super) async fn open(&self, listener: &UnixListener) -> Infallible {
        loop {
            let stranger = self.strangers.clone().acquire_owned().await;
            let stranger = stranger.expect("nobody closes the semaphore");
            match listener.accept().await {
                Ok((stream, _)) => self.take_in(stream, stranger),
                Err(error) => {
                    tracing::warn!(%error, "a client could not be taken in");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    fn take_in(&self, stream: UnixStream, stranger: OwnedSemaphorePermit) {
        let (news, shutdown) = (self.news.clone(), self.shutdown.clone());
        let (version, common) = (self.version, self.common.clone());
        self.tasks.spawn(async move {
            let served = guest::serve(stream, stranger, &news, version, common, shutdown).await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection was given up");
            }
        });
    }
}
