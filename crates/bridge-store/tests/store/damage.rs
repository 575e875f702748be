//! Databases that cannot be used: nothing is lost that was there, and everybody is told.

use std::fs;

use bridge_store::{Durability, OpenError, Settings, Store, Timestamp, WriteError};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{RAN, SETTINGS, WAITED, at, directory, open, open_with, settle, thread, turn};

fn try_open(directory: &TempDir) -> Result<Store, OpenError> {
    Store::open(directory.path(), SETTINGS, Timestamp(1), RAN, WAITED)
}

fn file(directory: &TempDir) -> std::path::PathBuf {
    directory.path().join("store.sqlite3")
}

#[test]
fn garbage_in_its_place_is_refused_and_left_alone() {
    let directory = directory();
    fs::write(file(&directory), "not a database, but somebody's text\n".repeat(100)).unwrap();
    let before = fs::read(file(&directory)).unwrap();
    let error = try_open(&directory).expect_err("it is no database");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(error.remedy().contains("store check"), "{}", error.remedy());
    assert_eq!(fs::read(file(&directory)).unwrap(), before);
}

#[test]
fn a_newer_version_is_refused() {
    let directory = directory();
    drop(open(&directory));
    let connection = Connection::open(file(&directory)).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = try_open(&directory).expect_err("it is newer");
    assert!(matches!(error, OpenError::Newer { found: 99, known: 2, .. }), "{error:?}");
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
fn a_locked_database_is_told_and_writing_goes_on_afterwards() {
    let directory = directory();
    let store = open(&directory);
    let blocker = Connection::open(file(&directory)).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.write(vec![thread("t", "/w")], at(1));
    assert_eq!(settle(&store), Durability::NotKept(WriteError::Locked));
    assert_eq!(store.status().problem, Some(WriteError::Locked));
    blocker.execute_batch("ROLLBACK").unwrap();
    store.write(vec![thread("u", "/w")], at(2));
    assert_eq!(settle(&store), Durability::Kept);
    assert_eq!(store.status().problem, None);
}

#[test]
fn a_full_disk_is_told_makes_room_and_writing_goes_on() {
    let directory = directory();
    let store = open_with(&directory, Settings { max_bytes: 1 << 20, ..SETTINGS });
    store.write(vec![thread("t", "/w")], at(1));
    let mut full = None;
    for number in 1..40 {
        store.write(turn(number, "t", &noise(number), &noise(number + 100)), at(2));
        if let Durability::NotKept(error) = settle(&store) {
            full = Some(error);
            break;
        }
    }
    assert_eq!(
        full,
        Some(WriteError::Full),
        "the ceiling is a quarter above the size that is kept"
    );
    store.write(vec![thread("u", "/w")], at(3));
    assert_eq!(settle(&store), Durability::Kept);
}

/// 100 kB that do not compress.
fn noise(seed: u64) -> String {
    let mut state = seed;
    std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (state >> 33) as u8 % 90)
    })
    .take(100_000)
    .collect()
}

#[test]
fn it_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = directory();
    let place = parent.path().join("state");
    let store = Store::open(&place, SETTINGS, Timestamp(1), RAN, WAITED).unwrap();
    store.write(vec![thread("t", "/w")], at(1));
    assert_eq!(settle(&store), Durability::Kept);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place), 0o700);
    for entry in fs::read_dir(&place).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
