//! Named points in a stream at which a test and the other side wait for each other, in place of
//! sleeping.
//!
//! A gate stays open once it is opened; it never closes again. Waiting for a gate from a test whose
//! clock is paused works only if what reaches the gate runs in the same runtime.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How long a test waits for a stream before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A point that a stream reaches and then waits at until the test opens it. Clones are the same
/// gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<State>);

#[derive(Debug)]
struct State {
    name: String,
    open: watch::Sender<bool>,
    reached: watch::Sender<usize>,
    abandoned: watch::Sender<usize>,
}

impl Gate {
    /// A closed gate. `name` appears in the message when it is waited for in vain.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Arc::new(State {
            name: name.into(),
            open: watch::Sender::new(false),
            reached: watch::Sender::new(0),
            abandoned: watch::Sender::new(0),
        }))
    }

    /// Lets everything through that waits here now or comes later.
    pub fn open(&self) {
        self.0.open.send_replace(true);
    }

    /// Waits until a stream has arrived here; at once if one already has.
    ///
    /// # Panics
    /// When none does within 20 seconds.
    pub async fn reached(&self) {
        self.reached_times(1).await;
    }

    /// Waits until `times` streams have arrived here in all.
    ///
    /// # Panics
    /// When they have not within 20 seconds.
    pub async fn reached_times(&self, times: usize) {
        self.at_least(&self.0.reached, times, "reached").await;
    }

    /// Waits until the other side has closed a stream that was held here, as Codex does when a turn
    /// is interrupted.
    ///
    /// # Panics
    /// When it has not within 20 seconds.
    pub async fn abandoned(&self) {
        self.at_least(&self.0.abandoned, 1, "abandoned").await;
    }

    /// The stream's side: says that the gate is reached, then waits until it is open.
    pub async fn pass(&self) {
        let mut held = Held { gate: self, passed: false };
        let mut open = self.0.open.subscribe();
        self.0.reached.send_modify(|times| *times += 1);
        // `self` owns the sender, so the channel cannot close while this waits.
        open.wait_for(|open| *open).await.expect("the gate outlives its waiters");
        held.passed = true;
    }

    async fn at_least(&self, counter: &watch::Sender<usize>, times: usize, what: &str) {
        let mut counted = counter.subscribe();
        let enough = counted.wait_for(|counted| *counted >= times);
        if tokio::time::timeout(PATIENCE, enough).await.is_err() {
            let name = &self.0.name;
            panic!("gate {name:?} was {what} {} of {times} awaited times", *counter.borrow());
        }
    }
}

/// Notices that a waiting stream was dropped before its gate opened.
struct Held<'a> {
    gate: &'a Gate,
    passed: bool,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if !self.passed {
            self.gate.0.abandoned.send_modify(|times| *times += 1);
        }
    }
}
