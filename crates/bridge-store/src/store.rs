//! The handle: opens the database, feeds the thread that writes and the one that reads, and ends both.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bridge_core::TurnNumber;

use crate::queue::{self, Command, SharedStatus};
use crate::write::Write;
use crate::{
    CutTurn, OpenError, Reader, StoreError, Timestamp, WriteError, connection, meta, recovery, turn,
};

/// Commands that wait for the thread that writes. When full, the sender waits: nothing is dropped.
const COMMANDS: usize = 1024;
/// Questions that wait for the thread that reads. When full, the sender waits.
const QUESTIONS: usize = 256;

/// How long and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Days after which a thread is forgotten that has not changed.
    pub thread_days: u32,
    /// Days after which a long text is forgotten.
    pub output_days: u32,
    /// The size above which the oldest is forgotten, in bytes.
    pub max_bytes: u64,
}

/// How writing goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Why the last record was not kept, if it was not.
    pub problem: Option<WriteError>,
    /// How many times something was not kept.
    pub failures: u64,
}

/// Whether what was written is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It survives the end of this process, however it comes.
    Kept,
    /// It is lost when this process ends.
    NotKept(WriteError),
}

type Question = Box<dyn FnOnce(&Result<Reader, StoreError>) + Send>;

/// A database and its two threads. Dropping it waits until everything that was queued is written.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    commands: Option<SyncSender<Command>>,
    questions: Option<SyncSender<Question>>,
    threads: Vec<JoinHandle<()>>,
    status: SharedStatus,
    next_turn: TurnNumber,
    cut: Vec<CutTurn>,
}

impl Store {
    /// Opens the database in a directory, and makes what is missing. Turns that an earlier engine did not bring to an
    /// end are marked interrupted, with the error `ran` or, where Codex had not started them, `waited` (both JSON).
    ///
    /// Only one process may hold a store at a time; the caller's lock sees to it.
    ///
    /// # Errors
    /// It cannot be made, opened, understood or migrated. Nothing is deleted.
    pub fn open(
        directory: &Path,
        settings: Settings,
        at: Timestamp,
        ran: &str,
        waited: &str,
    ) -> Result<Self, OpenError> {
        let mut database = connection::open(directory)?;
        connection::limit(&database, settings.max_bytes);
        let path = connection::file_in(directory);
        let prepared = (|| {
            meta::prepare(&database)?;
            let cut = recovery::interrupt_unfinished(&mut database, at, ran, waited)?;
            Ok::<_, StoreError>((cut, turn::next_number(&database)?))
        })();
        let (cut, next_turn) = prepared.map_err(|error| match error {
            StoreError::Sqlite(source) => OpenError::Unusable { path: path.clone(), source },
            StoreError::Unreadable(_) | StoreError::Io(_) => {
                OpenError::Damaged { path: path.clone(), source: rusqlite::Error::InvalidQuery }
            }
        })?;
        let status = Arc::new(Mutex::new(Status::default()));
        let (commands, receiver) = sync_channel(COMMANDS);
        let shared = status.clone();
        let writing = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || queue::run(database, &receiver, &settings, &shared))
            .map_err(OpenError::Thread)?;
        let (questions, receiver) = sync_channel::<Question>(QUESTIONS);
        let place = directory.to_owned();
        let reading = std::thread::Builder::new()
            .name("store-reader".to_owned())
            .spawn(move || {
                let reader = Reader::open(&place);
                while let Ok(question) = receiver.recv() {
                    question(&reader);
                }
            })
            .map_err(OpenError::Thread)?;
        Ok(Self {
            directory: directory.to_owned(),
            commands: Some(commands),
            questions: Some(questions),
            threads: vec![writing, reading],
            status,
            next_turn,
            cut,
        })
    }

    /// The first number that no turn has had.
    #[must_use]
    pub fn next_turn(&self) -> TurnNumber {
        self.next_turn
    }

    /// The turns that were marked interrupted when the store was opened.
    #[must_use]
    pub fn cut_turns(&self) -> &[CutTurn] {
        &self.cut
    }

    /// Where the database lies.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Queues records; they are written in order. Waits only while very many are queued.
    pub fn write(&self, writes: Vec<Write>, at: Timestamp) {
        self.command(Command::Write(writes, at));
    }

    /// Runs a callback, on the thread that writes, when everything that was written before is safe or is known not to
    /// be. It must not wait for anything.
    pub fn then(&self, callback: impl FnOnce(Durability) + Send + 'static) {
        self.command(Command::Then(Box::new(callback)));
    }

    /// Forgets what is too old or too much. Takes its turn among the records.
    pub fn maintain(&self, now: Timestamp) {
        self.command(Command::Maintain(now));
    }

    /// Asks something, on the thread that reads. It sees everything that a callback of [`Store::then`] has called kept.
    pub fn read(&self, question: impl FnOnce(&Result<Reader, StoreError>) + Send + 'static) {
        if let Some(questions) = &self.questions {
            // The thread ends only after this sender.
            let _ = questions.send(Box::new(question));
        }
    }

    /// How writing goes.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.lock().expect("nothing panics while it holds the status").clone()
    }

    fn command(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // The thread ends only after this sender.
            let _ = commands.send(command);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.questions = None;
        self.commands = None;
        for thread in self.threads.drain(..) {
            // A panic of theirs was reported when it happened.
            let _ = thread.join();
        }
    }
}
