//! A database at its ceiling: room is made, what cannot fit is told, and nobody else pays for it.

use bridge_core::{ThreadId, TurnNumber};
use bridge_store::{Durability, Settings, Store, Subject, WriteError};
use tempfile::TempDir;

use crate::support::{
    SETTINGS, at, directory, noise, open_with, output, queued, read, settle, thread, told, turn,
    write_at_once,
};

/// A megabyte is kept, and another one is the ceiling.
fn small(directory: &TempDir) -> Store {
    open_with(directory, Settings { max_bytes: 1 << 20, ..SETTINGS })
}

const FULL: Durability = Durability::NotKept(WriteError::Full);

fn of_output(store: &Store, id: &str) -> Durability {
    told(store, vec![Subject::Output(id.to_owned())])
}

fn of_turn(store: &Store, number: u64) -> Durability {
    told(store, vec![Subject::Turn(TurnNumber(number))])
}

#[test]
fn room_is_made_for_outputs() {
    let directory = directory();
    let store = small(&directory);
    for number in 0..40 {
        let id = format!("o{number}");
        store.write(vec![output(&id, noise(number, 100_000))], at(number as i64));
        assert_eq!(of_output(&store, &id), Durability::Kept, "{id}");
    }
    let left = read(&store, |reader| {
        (0..40).filter(|number| reader.output(&format!("o{number}")).unwrap().is_some()).count()
    });
    assert!((8..40).contains(&left), "the oldest went, and no more than needed: {left}");
}

#[test]
fn room_is_made_for_turns() {
    let directory = directory();
    let store = small(&directory);
    for number in 1..40 {
        let id = format!("t{number}");
        store.write(vec![thread(&id, "/w")], at(number as i64));
        let (prompt, answer) = (noise(number, 50_000), noise(number + 100, 50_000));
        store.write(turn(number, &id, &prompt, &answer), at(number as i64));
        assert_eq!(of_turn(&store, number), Durability::Kept, "{id}");
    }
    let left = read(&store, |reader| {
        let ids = (1..40).map(|number| ThreadId(format!("t{number}")));
        ids.filter(|id| reader.thread(id).unwrap().is_some()).count()
    });
    assert!((3..40).contains(&left), "the oldest went, and no more than needed: {left}");
    let newest = read(&store, |reader| reader.thread(&ThreadId("t39".to_owned())).unwrap());
    assert!(newest.is_some());
}

#[test]
fn what_can_never_fit_is_lost_alone() {
    let directory = directory();
    let store = small(&directory);
    store.write(vec![thread("t", "/w"), output("before", noise(1, 10))], at(1));
    settle(&store);
    let mut writes = vec![output("huge", noise(1, 3_000_000)), output("small", noise(2, 10))];
    writes.extend(turn(1, "t", "x", "y"));
    writes.push(queued(2, "t", &noise(3, 3_000_000)));
    writes.extend(turn(3, "t", "x", "y"));
    write_at_once(&store, writes);
    assert_eq!(
        ["before", "huge", "small"].map(|id| of_output(&store, id)),
        [Durability::Kept, FULL, Durability::Kept]
    );
    assert_eq!(
        [1, 2, 3].map(|number| of_turn(&store, number)),
        [Durability::Kept, FULL, Durability::Kept]
    );
    store.write(vec![thread("u", "/w")], at(3));
    let (outputs, turns) = read(&store, |reader| {
        let outputs = ["before", "huge", "small"].map(|id| reader.output(id).unwrap().is_some());
        let turns = [1, 2, 3].map(|number| reader.turn_by_number(TurnNumber(number)).unwrap());
        (outputs, turns.map(|turn| turn.is_some()))
    });
    assert_eq!((outputs, turns), ([true, false, true], [true, false, true]));
}
