//! What is kept on disk: the way in for the engine, the way out for the tools.
//!
//! A ledger always exists. Where its store cannot be opened or written, turns run all the same, and whoever asks is told
//! what is not kept and what to do.

mod clean;
mod keys;
mod problem;
pub(crate) mod record;

use std::sync::Arc;
use std::time::Duration;

use bridge_core::Record;
use bridge_store::{
    CutTurn, Durability, Reader, Settings, Store, StoreError, Subject, Timestamp, Write, WriteError,
};
use tokio::sync::oneshot;

use keys::Keys;

use crate::clock;
use crate::config::Config;
use crate::error::{Code, Problem};

pub(crate) use keys::Claim;
pub(crate) use problem::{from_json, to_json};

/// How long an answer waits for its record while another program has the database locked: longer than it takes to rewrite
/// the largest one that is usual.
const PATIENCE: Duration = Duration::from_secs(60);

/// The records of everything. Cheap to clone; the last one that is dropped waits for what is queued.
#[derive(Clone, Debug)]
pub struct Ledger {
    state: Arc<Result<Store, Problem>>,
    keys: Keys,
    opened_at: Timestamp,
}

/// How keeping goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LedgerStatus {
    /// What is wrong, if something is.
    pub(crate) problem: Option<Problem>,
    /// How many times something could not be kept.
    pub(crate) failures: u64,
}

impl Ledger {
    /// Opens the records of a state directory, and marks what an earlier engine did not bring to an end.
    #[must_use]
    pub fn open(config: &Config) -> Self {
        let settings = Settings {
            thread_days: days(config.store_thread_days),
            archived_days: days(config.store_archived_days),
            output_days: days(config.store_output_days),
            patience: PATIENCE,
            max_bytes: (config.store_max_megabytes as u64) << 20,
        };
        let ran = to_json(&Problem::new(Code::TurnCut, "the server ended while this turn ran"));
        let waited = to_json(&Problem::new(
            Code::TurnNeverStarted,
            "the server ended before Codex had begun this turn",
        ));
        let now = clock::timestamp_ms();
        let opened = Store::open(&config.state_dir, settings, now, &ran, &waited);
        let state = opened.map_err(|error| {
            tracing::error!(%error, "nothing is kept on disk");
            let message = format!("the system gives no threads: {error}");
            Problem::new(Code::StoreUnavailable, message)
        });
        if let Ok(store) = &state {
            if let Some(error) = store.status().problem {
                tracing::error!(%error, "nothing is kept on disk until this is mended");
            }
            for cut in store.cut_turns() {
                tracing::warn!(thread = %cut.thread, turn = ?cut.turn, "a turn was cut by the end of an earlier engine");
            }
            store.maintain(now);
        }
        Self { state: Arc::new(state), keys: Keys::default(), opened_at: now }
    }

    /// A ledger that keeps nothing, for who only looks.
    pub(crate) fn without_store() -> Self {
        let problem = Problem::new(Code::StoreUnavailable, "nothing is kept here");
        let opened_at = clock::timestamp_ms();
        Self { state: Arc::new(Err(problem)), keys: Keys::default(), opened_at }
    }

    /// The first number that no call may have had before, so that turns are told apart over restarts. Where none can be
    /// reserved, the clock gives one.
    pub(crate) fn first_call(&self) -> u64 {
        let reserved = self.state.as_ref().as_ref().ok().and_then(Store::next_turn);
        reserved.map_or_else(|| clock::timestamp_ms().0.unsigned_abs(), |number| number.0)
    }

    /// The turns that an earlier engine did not bring to an end.
    pub(crate) fn cut_turns(&self) -> &[CutTurn] {
        self.state.as_ref().as_ref().map_or(&[], Store::cut_turns)
    }

    /// When it was opened: what is older was recorded by an earlier engine.
    pub(crate) fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// Asks for a client's own key.
    pub(crate) fn claim(&self, home: &str, key: &str) -> Claim {
        self.keys.claim(home, key)
    }

    /// Queues a record. `home` is the Codex home that it belongs to.
    pub(crate) fn record(&self, record: Record, home: &str) {
        if let Ok(store) = &*self.state {
            let writes = record::writes(record, home);
            store.write(writes, clock::timestamp_ms());
        }
    }

    /// Queues what the engine does not decide on.
    pub(crate) fn write(&self, writes: Vec<Write>) {
        if let Ok(store) = &*self.state {
            store.write(writes, clock::timestamp_ms());
        }
    }

    /// Runs a callback once everything recorded so far is safe or lost; it is told what of these subjects is lost. It must
    /// not wait for anything.
    pub(crate) fn then(
        &self,
        subjects: Vec<Subject>,
        callback: impl FnOnce(Option<String>) + Send + 'static,
    ) {
        match &*self.state {
            Ok(store) => store.then(subjects, move |durability| match durability {
                Durability::Kept => callback(None),
                Durability::NotKept(error) => callback(Some(warning(&error))),
            }),
            Err(problem) => {
                callback(Some(format!("nothing is kept on disk: {}", problem.message)));
            }
        }
    }

    /// Waits until everything recorded so far is safe or lost, and tells what of these subjects is lost.
    pub(crate) async fn settle(&self, subjects: Vec<Subject>) -> Option<String> {
        let (sender, receiver) = oneshot::channel();
        self.then(subjects, move |warning| drop(sender.send(warning)));
        receiver.await.unwrap_or_default()
    }

    /// Forgets what is too old or too much.
    pub(crate) fn maintain(&self) {
        if let Ok(store) = &*self.state {
            store.maintain(clock::timestamp_ms());
        }
    }

    /// Asks the store something.
    ///
    /// # Errors
    /// There is no store, or it cannot be read.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = match &*self.state {
            Ok(store) => store,
            Err(problem) => return Err(problem.clone()),
        };
        if !store.status().is_readable {
            store.open_again(clock::timestamp_ms());
        }
        let (sender, receiver) = oneshot::channel();
        store.read(move |reader| {
            let answer = match reader {
                Ok(reader) => question(reader).map_err(|error| unreadable(&error)),
                Err(error) => Err(unreadable(error)),
            };
            // Who does not wait any more needs no answer.
            let _ = sender.send(answer);
        });
        let closed = || Problem::new(Code::ShuttingDown, "the server is ending");
        receiver.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Asks the store something on a thread that may wait; what it cannot say is not known.
    pub(crate) fn read_blocking<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Option<T> {
        let store = self.state.as_ref().as_ref().ok()?;
        let (sender, receiver) = std::sync::mpsc::channel();
        store.read(move |reader| {
            let _ = sender.send(reader.as_ref().ok().and_then(|reader| question(reader).ok()));
        });
        receiver.recv().ok().flatten()
    }

    pub(crate) fn status(&self) -> LedgerStatus {
        match &*self.state {
            Ok(store) => {
                let status = store.status();
                let problem = status.problem.as_ref().map(unwritable);
                LedgerStatus { problem, failures: status.failures }
            }
            Err(problem) => LedgerStatus { problem: Some(problem.clone()), failures: 0 },
        }
    }
}

fn days(days: usize) -> u32 {
    u32::try_from(days).unwrap_or(u32::MAX)
}

/// What an answer says of what is lost.
fn warning(error: &WriteError) -> String {
    let what = match error {
        WriteError::Closed { .. } => "nothing is kept on disk",
        WriteError::Full
        | WriteError::ReadOnly
        | WriteError::Damaged
        | WriteError::Locked
        | WriteError::Other(_) => "this is not kept",
    };
    format!("{what}: {error}. {}", error.remedy())
}

fn unwritable(error: &WriteError) -> Problem {
    Problem::new(Code::StoreUnavailable, error.to_string()).with_hint(error.remedy())
}

fn unreadable(error: &StoreError) -> Problem {
    match error {
        StoreError::Closed(error) => unwritable(error),
        StoreError::Sqlite(cause) => {
            Problem::new(Code::StoreUnavailable, format!("{error}: {cause}"))
        }
        StoreError::Unreadable(_) => Problem::new(Code::StoreUnavailable, error.to_string()),
        StoreError::Io(cause) => Problem::new(Code::StoreUnavailable, format!("{error}: {cause}")),
    }
}
