//! Places for app-server processes: one ceiling for all engines of this process.
//!
//! Who finds no place asks those that have one and do nothing with it to leave, and waits a while. Nobody who works is
//! sent away.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How long a start waits for a place, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often those who do nothing are asked to leave while somebody waits.
const REMINDER: Duration = Duration::from_millis(250);

/// The places.
#[derive(Debug)]
pub struct Room {
    places: Arc<Semaphore>,
    size: usize,
    patience: Duration,
    wanted: watch::Sender<u64>,
}

impl Room {
    /// Room for so many processes.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(size)),
            size,
            patience: PATIENCE,
            wanted: watch::Sender::new(0),
        }
    }

    /// The same, where a start waits only so long for a place.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// How many there can be.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many there are.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.size.saturating_sub(self.places.available_permits())
    }

    /// Takes a place until the result is dropped; `None` if none became free in time.
    pub(crate) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        let ask = async {
            let mut reminder = tokio::time::interval(REMINDER);
            loop {
                reminder.tick().await;
                self.wanted.send_modify(|times| *times += 1);
            }
        };
        tokio::select! {
            place = self.places.clone().acquire_owned() => place.ok(),
            () = ask => None,
            () = tokio::time::sleep(self.patience) => None,
        }
    }

    /// Changes whenever somebody finds no place.
    pub(super) fn wanted(&self) -> watch::Receiver<u64> {
        self.wanted.subscribe()
    }
}
