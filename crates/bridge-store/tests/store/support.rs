//! A store in a directory of its own, and short ways to write and read.

use std::sync::mpsc;
use std::time::Duration;

use bridge_core::{
    Item, ItemId, Message, Phase, ThreadId, Transcript, TurnId, TurnNumber, TurnReport, TurnState,
};
use bridge_store::{
    Durability, EndedTurn, QueuedTurn, Reader, Settings, Store, ThreadOfOurs, Timestamp, Write,
};
use tempfile::TempDir;

pub(crate) const HOME: &str = "/u/.codex";
pub(crate) const RAN: &str = r#"{"code":"cut"}"#;
pub(crate) const WAITED: &str = r#"{"code":"never_started"}"#;
pub(crate) const SETTINGS: Settings =
    Settings { thread_days: 180, output_days: 30, max_bytes: 1 << 30 };

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

/// Waits until everything that was written is committed.
pub(crate) fn settle(store: &Store) -> Durability {
    let (sender, receiver) = mpsc::channel();
    store.then(move |durability| sender.send(durability).expect("the test waits"));
    receiver.recv().expect("the store answers")
}

/// Asks something and waits for the answer.
pub(crate) fn read<T: Send + 'static>(
    store: &Store,
    question: impl FnOnce(&Reader) -> T + Send + 'static,
) -> T {
    assert_eq!(settle(store), Durability::Kept);
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
    })
}

pub(crate) fn queued(number: u64, thread: &str, prompt: &str) -> Write {
    Write::TurnQueued(QueuedTurn {
        number: TurnNumber(number),
        thread: ThreadId(thread.to_owned()),
        prompt: prompt.to_owned(),
        options: None,
        background: false,
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

/// A whole turn.
pub(crate) fn turn(number: u64, thread: &str, prompt: &str, answer: &str) -> Vec<Write> {
    vec![queued(number, thread, prompt), started(number), ended(number, thread, answer)]
}
