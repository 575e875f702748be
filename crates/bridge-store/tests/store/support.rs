//! A store in a directory of its own, and short ways to write and read.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use bridge_core::{
    Item, ItemId, Message, Phase, ThreadId, Transcript, TurnId, TurnNumber, TurnReport, TurnState,
};
use bridge_store::{
    Durability, EndedTurn, NewOutput, QueuedTurn, Reader, Settings, Store, Subject, ThreadOfOurs,
    Timestamp, Write,
};
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) const HOME: &str = "/u/.codex";
pub(crate) const RAN: &str = r#"{"code":"cut"}"#;
pub(crate) const WAITED: &str = r#"{"code":"never_started"}"#;
pub(crate) const SETTINGS: Settings = Settings {
    thread_days: 180,
    archived_days: 30,
    output_days: 30,
    max_bytes: 1 << 30,
    patience: Duration::ZERO,
};

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

pub(crate) fn open(directory: &TempDir) -> Store {
    open_with(directory, SETTINGS)
}

pub(crate) fn open_with(directory: &TempDir, settings: Settings) -> Store {
    Store::open(directory.path(), settings, Timestamp(9_000), RAN, WAITED).expect("the store opens")
}

pub(crate) fn at(milliseconds: i64) -> Timestamp {
    Timestamp(milliseconds)
}

/// Waits until everything that was written is committed or lost.
pub(crate) fn settle(store: &Store) {
    assert_eq!(told(store, vec![]), Durability::Kept, "nothing was asked");
}

/// Waits, and asks what an answer that speaks of these would say.
pub(crate) fn told(store: &Store, subjects: Vec<Subject>) -> Durability {
    let (sender, receiver) = mpsc::channel();
    store.then(subjects, move |durability| sender.send(durability).expect("the test waits"));
    receiver.recv().expect("the store answers")
}

/// Asks something and waits for the answer.
pub(crate) fn read<T: Send + 'static>(
    store: &Store,
    question: impl FnOnce(&Reader) -> T + Send + 'static,
) -> T {
    settle(store);
    assert_eq!(store.status().problem, None);
    let (sender, receiver) = mpsc::channel();
    store.read(move |reader| {
        let reader = reader.as_ref().expect("the store can be read");
        sender.send(question(reader)).expect("the test waits");
    });
    receiver.recv().expect("the store answers")
}

pub(crate) fn thread(id: &str, cwd: &str) -> Write {
    Write::Thread(ThreadOfOurs {
        thread: ThreadId(id.to_owned()),
        codex_home: HOME.to_owned(),
        cwd: Some(cwd.to_owned()),
        name: None,
        options: None,
        model: Some("gpt-5.5".to_owned()),
        metadata: None,
    })
}

pub(crate) fn queued(number: u64, thread: &str, prompt: &str) -> Write {
    Write::TurnQueued(QueuedTurn {
        number: TurnNumber(number),
        thread: ThreadId(thread.to_owned()),
        prompt: prompt.to_owned(),
        options: None,
        background: false,
        session: None,
    })
}

pub(crate) fn started(number: u64) -> Write {
    Write::TurnStarted {
        number: TurnNumber(number),
        turn: TurnId(format!("turn-{number}")),
        model: Some("gpt-5.5".to_owned()),
        effort: None,
    }
}

pub(crate) fn message(item: &str, text: &str) -> Message {
    Message {
        item: ItemId(item.to_owned()),
        phase: Some(Phase::FinalAnswer),
        text: text.to_owned(),
        complete: true,
    }
}

pub(crate) fn said(number: u64, item: &str, text: &str) -> Write {
    Write::Item { number: TurnNumber(number), item: Item::Message(message(item, text)) }
}

pub(crate) fn report(number: u64, thread: &str, transcript: Transcript) -> TurnReport {
    TurnReport {
        number: Some(TurnNumber(number)),
        thread: Some(ThreadId(thread.to_owned())),
        turn: Some(TurnId(format!("turn-{number}"))),
        state: TurnState::Completed,
        model: Some("gpt-5.5".to_owned()),
        effort: None,
        duration: Duration::from_millis(1_500),
        transcript,
        failure: None,
        asking: Vec::new(),
        stopped: None,
        change_set: None,
    }
}

pub(crate) fn ended(number: u64, thread: &str, answer: &str) -> Write {
    let mut transcript = Transcript::default();
    transcript.messages.push(message("answer", answer));
    Write::TurnEnded(Box::new(EndedTurn {
        number: TurnNumber(number),
        report: report(number, thread, transcript),
        error: None,
        stopped_by: None,
    }))
}

/// Text that does not compress.
pub(crate) fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed;
    std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (state >> 33) as u8 % 90)
    })
    .take(bytes)
    .collect()
}

pub(crate) fn output(id: &str, text: String) -> Write {
    Write::Output(NewOutput { output: id.to_owned(), thread: None, kind: "text".to_owned(), text })
}

pub(crate) fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("store.sqlite3")
}

/// Another program that changes the database.
pub(crate) fn stranger(directory: &TempDir) -> Connection {
    Connection::open(file(directory)).expect("a database")
}

/// Writes all of these together, in one transaction.
pub(crate) fn write_at_once(store: &Store, writes: Vec<Write>) {
    let (open, gate) = mpsc::channel::<()>();
    store.then(vec![], move |_| {
        let _ = gate.recv();
    });
    for write in writes {
        store.write(vec![write], at(2));
    }
    drop(open);
}

/// A whole turn.
pub(crate) fn turn(number: u64, thread: &str, prompt: &str, answer: &str) -> Vec<Write> {
    vec![queued(number, thread, prompt), started(number), ended(number, thread, answer)]
}
