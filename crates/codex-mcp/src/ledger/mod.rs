//! What is kept on disk: the way in for the engine, the way out for the tools.
//!
//! A ledger always exists. Where its store cannot be opened or written, turns run all the same, and whoever asks is told
//! what is not kept and what to do.

mod clean;
mod problem;
mod record;

use std::sync::Arc;

use bridge_core::Record;
use bridge_store::{Durability, Reader, Settings, Store, StoreError, Write};
use tokio::sync::oneshot;

use crate::clock;
use crate::config::Config;
use crate::error::{Code, Problem};

pub(crate) use problem::{from_json, to_json};

/// The records of everything. Cheap to clone; the last one that is dropped waits for what is queued.
#[derive(Clone, Debug)]
pub struct Ledger {
    state: Arc<Result<Store, Problem>>,
}

/// How keeping goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LedgerStatus {
    /// Where the records lie.
    pub(crate) directory: Option<String>,
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
            thread_days: u32::try_from(config.store_thread_days).unwrap_or(u32::MAX),
            output_days: u32::try_from(config.store_output_days).unwrap_or(u32::MAX),
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
            tracing::error!(error = &error as &dyn std::error::Error, "nothing is kept on disk");
            let problem = Problem::new(Code::StoreUnavailable, explain(&error));
            problem.with_hint(error.remedy())
        });
        if let Ok(store) = &state {
            for cut in store.cut_turns() {
                tracing::warn!(thread = %cut.thread, turn = ?cut.turn, "a turn was cut by the end of an earlier engine");
            }
            store.maintain(now);
        }
        Self { state: Arc::new(state) }
    }

    /// A ledger that keeps nothing, for who only looks.
    pub(crate) fn without_store() -> Self {
        let problem = Problem::new(Code::StoreUnavailable, "nothing is kept here");
        Self { state: Arc::new(Err(problem)) }
    }

    /// The first number that no call may have had before, so that turns are told apart over restarts.
    pub(crate) fn first_call(&self) -> u64 {
        match &*self.state {
            Ok(store) => store.next_turn().0,
            Err(_) => 1,
        }
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

    /// Runs a callback once everything recorded so far is safe; it is told what is not. It must not wait for anything.
    pub(crate) fn then(&self, callback: impl FnOnce(Option<String>) + Send + 'static) {
        match &*self.state {
            Ok(store) => store.then(move |durability| match durability {
                Durability::Kept => callback(None),
                Durability::NotKept(error) => {
                    callback(Some(format!("this is not kept: {error}. {}", error.remedy())));
                }
            }),
            Err(problem) => {
                callback(Some(format!("nothing is kept on disk: {}", problem.message)));
            }
        }
    }

    /// Waits until everything recorded so far is safe, or known not to be.
    pub(crate) async fn settle(&self) -> Option<String> {
        let (sender, receiver) = oneshot::channel();
        self.then(move |warning| drop(sender.send(warning)));
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

    pub(crate) fn status(&self) -> LedgerStatus {
        match &*self.state {
            Ok(store) => {
                let status = store.status();
                let problem = status.problem.map(|error| {
                    let problem = Problem::new(Code::StoreUnavailable, error.to_string());
                    problem.with_hint(error.remedy())
                });
                let directory = Some(store.directory().display().to_string());
                LedgerStatus { directory, problem, failures: status.failures }
            }
            Err(problem) => {
                LedgerStatus { directory: None, problem: Some(problem.clone()), failures: 0 }
            }
        }
    }
}

fn unreadable(error: &StoreError) -> Problem {
    Problem::new(Code::StoreUnavailable, explain(error))
}

/// An error with its causes.
fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
