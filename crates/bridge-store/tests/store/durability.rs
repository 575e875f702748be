//! What an answer is told: exactly what became of the records that it speaks of, however they were put together.

use bridge_core::{ThreadId, TurnNumber};
use bridge_store::{Durability, SeenThread, Store, Subject, Write, WriteError};

use crate::support::{
    HOME, at, directory, ended, noise, open, output, queued, said, settle, started, stranger,
    thread, told, turn, write_at_once,
};

/// What is told of turns, of a thread and of an output, in this order.
fn lost(store: &Store) -> Vec<Subject> {
    let subjects = [
        Subject::Turn(TurnNumber(1)),
        Subject::Turn(TurnNumber(2)),
        Subject::Thread(ThreadId("t".to_owned())),
        Subject::Output("o".to_owned()),
    ];
    let is_lost = |subject: &Subject| told(store, vec![subject.clone()]) != Durability::Kept;
    subjects.into_iter().filter(is_lost).collect()
}

#[test]
fn a_loss_is_told_again_and_again_and_to_nobody_else() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w")], at(1));
    // Of a turn that was never asked for.
    store.write(vec![started(1)], at(1));
    settle(&store);
    store.write(turn(2, "t", "x", "y"), at(2));
    store.write(vec![output("o", noise(1, 10))], at(2));
    for _ in 0..2 {
        assert_eq!(lost(&store), [Subject::Turn(TurnNumber(1))]);
    }
    let first = vec![Subject::Turn(TurnNumber(2)), Subject::Turn(TurnNumber(1))];
    let missing = WriteError::Other("turn 1 is not there".to_owned());
    assert_eq!(told(&store, first), Durability::NotKept(missing));
}

#[test]
fn records_of_one_transaction_have_their_own_fates() {
    let directory = directory();
    let store = open(&directory);
    let mut writes = vec![thread("t", "/w"), started(1)];
    writes.extend(turn(2, "t", "x", "y"));
    write_at_once(&store, writes);
    assert_eq!(lost(&store), [Subject::Turn(TurnNumber(1))]);
}

#[test]
fn the_end_of_a_turn_brings_lost_items_again_and_nothing_else() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w"), queued(1, "t", "x"), queued(2, "t", "x")], at(1));
    settle(&store);
    let stranger = stranger(&directory);
    let refuse =
        "CREATE TRIGGER refuse BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'no'); END;
         CREATE TRIGGER neither BEFORE UPDATE OF turn_id ON turns WHEN new.number = 2
             BEGIN SELECT RAISE(ABORT, 'no'); END";
    stranger.execute_batch(refuse).unwrap();
    store.write(vec![said(1, "answer", "Blue."), said(2, "answer", "Blue."), started(2)], at(2));
    assert_eq!(lost(&store), [1, 2].map(|number| Subject::Turn(TurnNumber(number))));
    stranger.execute_batch("DROP TRIGGER refuse; DROP TRIGGER neither").unwrap();
    store.write(vec![ended(1, "t", "Blue."), ended(2, "t", "Blue.")], at(3));
    assert_eq!(lost(&store), [Subject::Turn(TurnNumber(2))]);
}

#[test]
fn what_is_written_again_is_kept() {
    let directory = directory();
    let store = open(&directory);
    settle(&store);
    let stranger = stranger(&directory);
    let refuse = "CREATE TRIGGER one BEFORE INSERT ON threads BEGIN SELECT RAISE(ABORT, 'no'); END;
         CREATE TRIGGER two BEFORE INSERT ON outputs BEGIN SELECT RAISE(ABORT, 'no'); END";
    stranger.execute_batch(refuse).unwrap();
    let writes = || vec![thread("t", "/w"), output("o", noise(1, 10))];
    let both = [Subject::Thread(ThreadId("t".to_owned())), Subject::Output("o".to_owned())];
    store.write(writes(), at(1));
    assert_eq!(lost(&store), both);
    stranger.execute_batch("DROP TRIGGER one; DROP TRIGGER two").unwrap();
    store.write(vec![Write::ThreadsSeen(vec![seen("t")]), output("o", noise(1, 10))], at(2));
    assert_eq!(lost(&store), []);
    store.write(writes(), at(3));
    assert_eq!(lost(&store), []);
}

fn seen(id: &str) -> SeenThread {
    SeenThread {
        thread: ThreadId(id.to_owned()),
        codex_home: HOME.to_owned(),
        cwd: "/w".to_owned(),
        name: None,
        topic: None,
        source: "cli".to_owned(),
        created_at: at(1),
        updated_at: at(1),
        archived: false,
    }
}
