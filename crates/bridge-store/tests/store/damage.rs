//! Databases that are damaged or locked while they are open: nothing is lost that was there, and everybody is told.

use std::fs;
use std::sync::mpsc;

use bridge_core::{ThreadId, TurnNumber};
use bridge_store::{Durability, Store, StoreError, Subject, WriteError};

use crate::support::{
    at, directory, file, noise, open, output, queued, stranger, thread, told, turn,
};

fn thread_is_kept(store: &Store, id: &str) -> Durability {
    told(store, vec![Subject::Thread(ThreadId(id.to_owned()))])
}

#[test]
fn damage_inside_is_found() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w")], at(1));
    for number in 1..200 {
        store.write(turn(number, "t", &"prompt ".repeat(50), &"answer ".repeat(50)), at(2));
    }
    drop(store);
    assert_eq!(bridge_store::check(directory.path()).unwrap().problems, Vec::<String>::new());
    let mut bytes = fs::read(file(&directory)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x5a);
    fs::write(file(&directory), bytes).unwrap();
    let found = bridge_store::check(directory.path());
    assert!(found.is_err() || !found.unwrap().problems.is_empty());
}

#[test]
fn damage_that_comes_while_it_is_open_is_told() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w"), output("o", noise(1, 4_000_000))], at(1));
    for number in 1..100 {
        store.write(turn(number, "t", &"prompt ".repeat(50), "answer"), at(2));
    }
    // Everything into the file itself, and nothing of it into memory.
    drop(store);
    let store = open(&directory);
    let bytes = fs::metadata(file(&directory)).unwrap().len();
    let page = vec![0x5a; 4096];
    let damaged = fs::OpenOptions::new().write(true).open(file(&directory)).unwrap();
    for number in 1..bytes / 4096 {
        std::os::unix::fs::FileExt::write_all_at(&damaged, &page, number * 4096).unwrap();
    }
    let first = TurnNumber(10_000);
    store.write(vec![queued(first.0, "t", &noise(2, 100_000))], at(3));
    let damaged = Durability::NotKept(WriteError::Damaged);
    assert_eq!(told(&store, vec![Subject::Turn(first)]), damaged);
    assert_eq!(store.status().problem, Some(WriteError::Damaged));
    let (sender, answer) = mpsc::channel();
    store.read(move |reader| {
        let read = reader.as_ref().expect("it opens").turns(&ThreadId("t".to_owned()), 99, None);
        sender.send(read).expect("the test waits");
    });
    let error = answer.recv().expect("it answers").expect_err("nothing is whole any more");
    assert!(matches!(error, StoreError::Sqlite(_)), "{error:?}");
    drop(store);
    let found = bridge_store::check(directory.path());
    assert!(found.is_err() || !found.unwrap().problems.is_empty());
}

#[test]
fn a_locked_database_is_told_and_writing_goes_on_afterwards() {
    let directory = directory();
    let store = open(&directory);
    let blocker = stranger(&directory);
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.write(vec![thread("t", "/w")], at(1));
    assert_eq!(thread_is_kept(&store, "t"), Durability::NotKept(WriteError::Locked));
    assert_eq!(store.status().problem, Some(WriteError::Locked));
    blocker.execute_batch("ROLLBACK").unwrap();
    store.write(vec![thread("u", "/w")], at(2));
    assert_eq!(thread_is_kept(&store, "u"), Durability::Kept);
    assert_eq!(store.status().problem, None);
}
