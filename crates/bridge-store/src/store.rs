//! The handle: opens the database, feeds the thread that writes and the one that reads, and ends both.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bridge_core::TurnNumber;

use crate::loss::{Losses, Subject};
use crate::opening::{Opened, Opening};
use crate::queue::{Command, SharedStatus, Writer};
use crate::write::Write;
use crate::{CutTurn, Reader, StoreError, Timestamp, WriteError};

/// Commands that wait for the thread that writes. When full, the sender waits: nothing is dropped.
const COMMANDS: usize = 1024;
/// Questions that wait for the thread that reads. When full, the sender waits.
const QUESTIONS: usize = 256;
/// How long the first opening waits at most for another program that has the database locked: its clients wait too.
/// Later ones do not wait.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);

/// How long and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Days after which a thread is forgotten that has not changed.
    pub thread_days: u32,
    /// Days after which a thread is forgotten that was put away.
    pub archived_days: u32,
    /// Days after which a long text is forgotten.
    pub output_days: u32,
    /// The size above which the oldest is forgotten, in bytes.
    pub max_bytes: u64,
    /// How long records wait for another program that has the database locked, such as `codex-mcp store vacuum`.
    pub patience: Duration,
}

/// How writing goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Why the last record was not kept, or why none can be.
    pub problem: Option<WriteError>,
    /// How many times something was not kept.
    pub failures: u64,
    /// Whether what was kept can be read.
    pub is_readable: bool,
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
    commands: Option<SyncSender<Command>>,
    questions: Option<SyncSender<Question>>,
    threads: Vec<JoinHandle<()>>,
    status: SharedStatus,
    next_turn: Option<TurnNumber>,
    cut: Vec<CutTurn>,
}

impl Store {
    /// Opens the database in a directory, and makes what is missing. Turns that an earlier engine did not bring to an
    /// end are marked interrupted, with the error `ran` or, where Codex had not started them, `waited` (both JSON).
    ///
    /// There is a store also where the database cannot be made, opened, understood, migrated or written: its status says
    /// so, records are not kept, and opening is tried again once in a while. Nothing is deleted.
    ///
    /// Only one process may hold a store at a time; the caller's lock sees to it.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn open(
        directory: &Path,
        settings: Settings,
        at: Timestamp,
        ran: &str,
        waited: &str,
    ) -> io::Result<Self> {
        let (ran, waited) = (ran.to_owned(), waited.to_owned());
        let opening = Opening { directory: directory.to_owned(), settings, ran, waited };
        let opened = opening.open(at, FIRST_PATIENCE.min(settings.patience));
        let is_readable = opened.is_ok();
        let (database, next_turn, cut) = match opened {
            Ok(Opened::Writable { connection, next_turn, cut }) => {
                (Ok(connection), Some(next_turn), cut)
            }
            Ok(Opened::ReadOnly) => (Err(WriteError::ReadOnly), None, Vec::new()),
            Err(error) => (Err(WriteError::from(&error)), None, Vec::new()),
        };
        let problem = database.as_ref().err().cloned();
        let status = Arc::new(Mutex::new(Status { problem, failures: 0, is_readable }));
        let losses = Losses::default();
        let shared = status.clone();
        let writer = Writer { opening, database, tried_at: at, losses, status: shared };
        let (commands, receiver) = sync_channel(COMMANDS);
        let writing = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&receiver))?;
        let (questions, receiver) = sync_channel(QUESTIONS);
        let (place, shared) = (directory.to_owned(), status.clone());
        let reading = std::thread::Builder::new()
            .name("store-reader".to_owned())
            .spawn(move || answer(&receiver, &place, &shared))?;
        Ok(Self {
            commands: Some(commands),
            questions: Some(questions),
            threads: vec![writing, reading],
            status,
            next_turn,
            cut,
        })
    }

    /// The first number that no turn of an earlier engine has had. `None`: it could not be reserved when the store was
    /// opened.
    #[must_use]
    pub fn next_turn(&self) -> Option<TurnNumber> {
        self.next_turn
    }

    /// The turns that were marked interrupted when the store was opened.
    #[must_use]
    pub fn cut_turns(&self) -> &[CutTurn] {
        &self.cut
    }

    /// Queues records; they are written in order. Waits only while very many are queued.
    pub fn write(&self, writes: Vec<Write>, at: Timestamp) {
        self.command(Command::Write(writes, at));
    }

    /// Runs a callback, on the thread that writes, when everything that was written before is safe or is known not to
    /// be. It is told of these subjects: whether all that was ever written of them is kept. It must not wait for anything.
    pub fn then(&self, subjects: Vec<Subject>, callback: impl FnOnce(Durability) + Send + 'static) {
        self.command(Command::Then(subjects, Box::new(callback)));
    }

    /// Forgets what is too old or too much. Takes its turn among the records.
    pub fn maintain(&self, now: Timestamp) {
        self.command(Command::Maintain(now));
    }

    /// Tries again to open a database that could not be opened, if the last time was a while ago.
    pub fn open_again(&self, now: Timestamp) {
        self.command(Command::Open(now));
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

/// Runs until the sender is gone.
fn answer(questions: &Receiver<Question>, directory: &Path, status: &Mutex<Status>) {
    let mut reader = Err(StoreError::Closed(WriteError::ReadOnly));
    while let Ok(question) = questions.recv() {
        if reader.is_err() {
            let status = status.lock().expect("nothing panics while it holds the status").clone();
            // Only what the thread that writes has found to be as this version expects it.
            reader = match (status.is_readable, status.problem) {
                (false, Some(problem)) => Err(StoreError::Closed(problem)),
                (true, _) | (false, None) => Reader::open(directory),
            };
        }
        question(&reader);
    }
}
