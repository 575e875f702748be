//! Databases that cannot be opened, or for reading only: they are left as they are, and used as soon as they can be.

use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

use bridge_core::{Plan, ThreadId, TurnNumber};
use bridge_store::{
    Durability, Reader, Settings, Status, Store, Subject, Timestamp, Write, WriteError, export,
};
use tempfile::TempDir;

use crate::support::{
    RAN, SETTINGS, WAITED, at, directory, file, open, open_with, queued, read, settle, started,
    stranger, thread, told, turn,
};

/// Longer than a store waits before it tries again to open its database.
const LATER: Timestamp = Timestamp(1_000_000);

fn turn_is_kept(store: &Store, number: u64) -> Durability {
    told(store, vec![Subject::Turn(TurnNumber(number))])
}

/// Why nothing can be kept, without the place.
fn problem(directory: &TempDir, status: Status) -> (String, String) {
    let Some(error @ WriteError::Closed { .. }) = status.problem else {
        panic!("it is open: {status:?}");
    };
    let place = file(directory).display().to_string();
    (error.to_string().replace(&place, "[file]"), error.remedy().replace(&place, "[file]"))
}

#[test]
fn garbage_in_its_place_is_left_alone_until_it_is_moved_away() {
    let directory = directory();
    fs::write(file(&directory), "not a database, but somebody's text\n".repeat(100)).unwrap();
    let before = fs::read(file(&directory)).unwrap();
    let store = open(&directory);
    let (message, remedy) = problem(&directory, store.status());
    assert_eq!(message, "the store [file] is damaged: file is not a database");
    assert!(remedy.contains("store check"), "{remedy}");
    assert_eq!(store.next_turn(), None);
    store.write(vec![thread("t", "/w"), queued(1, "t", "x")], at(9_001));
    assert!(matches!(turn_is_kept(&store, 1), Durability::NotKept(WriteError::Closed { .. })));
    assert_eq!(fs::read(file(&directory)).unwrap(), before);
    fs::rename(file(&directory), directory.path().join("theirs")).unwrap();
    store.write(vec![thread("t", "/w")], LATER);
    store.write(turn(2, "t", "x", "y"), LATER);
    assert_eq!(turn_is_kept(&store, 2), Durability::Kept);
    assert!(matches!(turn_is_kept(&store, 1), Durability::NotKept(_)), "what was lost stays lost");
    assert!(read(&store, |reader| reader.turn_by_number(TurnNumber(2)).unwrap()).is_some());
}

#[test]
fn a_newer_version_is_refused() {
    let directory = directory();
    drop(open(&directory));
    stranger(&directory).pragma_update(None, "user_version", 99).unwrap();
    let (message, remedy) = problem(&directory, open(&directory).status());
    let expected = "the store [file] was written by a newer version (schema 99, this one knows 9)";
    assert_eq!(message, expected);
    assert!(remedy.starts_with("Upgrade codex-mcp"), "{remedy}");
}

#[test]
fn one_that_is_locked_when_it_is_opened_is_opened_later() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w"), queued(1, "t", "x"), started(1)], at(1));
    drop(store);
    let blocker = stranger(&directory);
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let store = open(&directory);
    let (message, remedy) = problem(&directory, store.status());
    assert_eq!(message, "the store [file] cannot be opened: database is locked");
    assert!(remedy.contains("no other program keeps it locked"), "{remedy}");
    blocker.execute_batch("ROLLBACK").unwrap();
    store.open_again(LATER);
    settle(&store);
    assert_eq!(store.status(), Status { problem: None, failures: 0, is_readable: true });
    let cut = read(&store, |reader| reader.turn_by_number(TurnNumber(1)).unwrap().unwrap());
    assert_eq!(cut.error.as_deref(), Some(RAN), "what an earlier engine left is marked then");
}

/// Above 2 it is a format that SQLite reads and does not write. Permissions would not stop a privileged user.
fn set_format(directory: &TempDir, format: u8) {
    let file = fs::OpenOptions::new().write(true).open(file(directory)).expect("a database");
    file.write_all_at(&[format], 18).expect("it can be written");
}

#[test]
fn one_that_is_read_only_can_be_read_and_is_written_when_it_can_be() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w")], at(1));
    store.write(turn(1, "t", "x", "y"), at(1));
    store.write(vec![queued(2, "t", "x"), started(2)], at(1));
    drop(store);
    set_format(&directory, 3);
    let store = open(&directory);
    let problem = Some(WriteError::ReadOnly);
    assert_eq!(store.status(), Status { problem, failures: 0, is_readable: true });
    assert_eq!(store.next_turn(), None);
    store.write(turn(7, "t", "x", "y"), at(9_001));
    assert_eq!(turn_is_kept(&store, 7), Durability::NotKept(WriteError::ReadOnly));
    store.maintain(at(9_002));
    let (sender, answer) = std::sync::mpsc::channel();
    store.read(move |reader| {
        let reader = reader.as_ref().expect("it can be read");
        sender.send(reader.turns(&ThreadId("t".into()), 9, None)).expect("the test waits");
    });
    let turns = answer.recv().unwrap().unwrap().turns;
    assert_eq!(turns.iter().map(|turn| turn.number.0).collect::<Vec<_>>(), [2, 1]);
    let mut lines = Vec::new();
    export(directory.path(), &mut lines).unwrap();
    assert!(!lines.is_empty());
    set_format(&directory, 2);
    store.write(turn(8, "t", "x", "y"), LATER);
    assert_eq!(turn_is_kept(&store, 8), Durability::Kept);
    assert!(matches!(turn_is_kept(&store, 7), Durability::NotKept(_)));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn it_is_for_its_owner_alone() {
    let parent = directory();
    let place = parent.path().join("state");
    let store = Store::open(&place, SETTINGS, Timestamp(1), RAN, WAITED).unwrap();
    store.write(vec![thread("t", "/w")], at(1));
    settle(&store);
    assert_eq!(mode(&place), 0o700);
    for entry in fs::read_dir(&place).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn one_that_others_could_read_is_closed_to_them() {
    let directory = directory();
    drop(open(&directory));
    for ending in ["", "-wal", "-shm"] {
        let path = directory.path().join(format!("store.sqlite3{ending}"));
        fs::OpenOptions::new().append(true).create(true).open(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let store = open(&directory);
    store.write(vec![thread("t", "/w")], at(1));
    settle(&store);
    let mut files = 0;
    for entry in fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 3);
}

#[test]
fn records_wait_while_another_program_rewrites_it() {
    let directory = directory();
    let patience = std::time::Duration::from_secs(60);
    let store = open_with(&directory, Settings { patience, ..SETTINGS });
    store.write(vec![thread("t", "/w"), queued(1, "t", "x")], at(1));
    settle(&store);
    let blocker = stranger(&directory);
    blocker.execute_batch("BEGIN IMMEDIATE; CREATE TABLE other (x)").unwrap();
    // The first thing that this one does is to read.
    store.write(vec![plan(1, "t")], at(1));
    let reader = Reader::open(directory.path()).unwrap();
    assert!(reader.plans(&ThreadId("t".into()), 9).unwrap().is_empty());
    assert_eq!(store.status().failures, 0);
    blocker.execute_batch("COMMIT").unwrap();
    assert_eq!(turn_is_kept(&store, 1), Durability::Kept);
}

fn plan(number: u64, thread: &str) -> Write {
    Write::Plan {
        thread: ThreadId(thread.to_owned()),
        number: TurnNumber(number),
        plan: Plan { explanation: Some("First things first.".to_owned()), steps: Vec::new() },
    }
}
