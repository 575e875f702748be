//! Older databases are brought to today's schema with everything that is in them.

use std::time::Duration;

use bridge_core::{ThreadId, TurnNumber, TurnState};
use bridge_store::{Durability, KeyRow, Subject, ThreadFilter, Timestamp, Write, schema_text};
use expect_test::expect_file;
use rusqlite::Connection;

use crate::support::{HOME, directory, open, read, told};

#[test]
fn a_database_of_version_1_keeps_its_records_and_can_be_searched() {
    let directory = directory();
    let connection = Connection::open(directory.path().join("store.sqlite3")).unwrap();
    connection.execute_batch(include_str!("version_1.sql")).unwrap();
    drop(connection);
    let store = open(&directory);
    let filter = ThreadFilter {
        codex_home: HOME.to_owned(),
        text: Some("ancient".to_owned()),
        ..ThreadFilter::default()
    };
    let found = read(&store, move |reader| reader.threads(&filter, 9, None).unwrap().threads);
    assert_eq!(found.len(), 1);
    let turn = read(&store, |reader| reader.turn(&ThreadId("old".into()), None).unwrap().unwrap());
    assert_eq!(turn.report.state, TurnState::Completed);
    assert_eq!(
        turn.report.transcript.answer().map(|answer| answer.text.as_str()),
        Some("An ancient answer.")
    );
    drop(store);
    let report = bridge_store::check(directory.path()).unwrap();
    assert_eq!((report.problems.len(), report.schema_version), (0, 9), "{report:?}");
}

#[test]
fn a_database_of_version_2_keeps_its_records_and_its_numbers() {
    let directory = directory();
    let connection = Connection::open(directory.path().join("store.sqlite3")).unwrap();
    connection.execute_batch(include_str!("version_2.sql")).unwrap();
    drop(connection);
    let store = open(&directory);
    assert_eq!(store.next_turn(), Some(TurnNumber(42)), "41 was the highest");
    let (cut, thread) = read(&store, |reader| {
        let cut = reader.turn_by_number(TurnNumber(41)).unwrap().unwrap();
        (cut, reader.thread(&ThreadId("old".into())).unwrap().unwrap())
    });
    assert_eq!(cut.report.state, TurnState::Interrupted);
    assert_eq!(cut.report.duration, Duration::ZERO, "nobody knows how long it ran");
    assert_eq!((thread.turns, thread.metadata), (2, None));
    drop(store);
    let report = bridge_store::check(directory.path()).unwrap();
    assert_eq!((report.problems.len(), report.schema_version), (0, 9), "{report:?}");
}

#[test]
fn a_database_of_version_3_keeps_its_records_and_takes_keys() {
    let directory = directory();
    let connection = Connection::open(directory.path().join("store.sqlite3")).unwrap();
    connection.execute_batch(include_str!("version_3.sql")).unwrap();
    drop(connection);
    let store = open(&directory);
    assert_eq!(store.next_turn(), Some(TurnNumber(42)));
    let row = KeyRow {
        codex_home: HOME.to_owned(),
        key: "k".to_owned(),
        number: TurnNumber(41),
        asked: "digest".to_owned(),
    };
    store.write(vec![Write::Key(row.clone())], Timestamp(1));
    assert_eq!(told(&store, vec![Subject::Turn(TurnNumber(41))]), Durability::Kept);
    let (ours, theirs) = read(&store, |reader| {
        (reader.key(HOME, "k").unwrap(), reader.key("/elsewhere", "k").unwrap())
    });
    assert_eq!((ours, theirs), (Some(row), None));
    let turn = read(&store, |reader| reader.turn_by_number(TurnNumber(7)).unwrap().unwrap());
    assert_eq!(turn.prompt, "Tell me.");
}

#[test]
fn the_schema_is_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema.sql");
    expect_file![path].assert_eq(&schema_text().unwrap());
}
