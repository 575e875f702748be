//! What an engine that was killed left behind.

use bridge_core::{SessionId, ThreadId, TurnNumber, TurnState};
use bridge_store::{CutTurn, QueuedTurn, Store, Write};

use crate::support::{RAN, WAITED, at, directory, open, queued, read, said, started, thread, turn};

#[test]
fn turns_without_an_end_are_interrupted_and_keep_what_is_known() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w")], at(1));
    store.write(turn(1, "t", "one", "done"), at(2));
    store.write(vec![queued(2, "t", "two"), started(2), said(2, "m", "Half")], at(3));
    store.write(vec![queued(3, "t", "three")], at(4));
    drop(store);
    let store = open(&directory);
    assert!(store.next_turn() > Some(TurnNumber(3)));
    let cut: Vec<_> = store.cut_turns().iter().map(|cut| cut.number.0).collect();
    assert_eq!(cut, [2, 3]);
    let turns = read(&store, |reader| reader.turns(&ThreadId("t".into()), 9, None).unwrap().turns);
    let shown: Vec<_> = turns
        .iter()
        .map(|turn| {
            let said = turn.report.transcript.messages.first().map(|message| message.text.as_str());
            (turn.number.0, turn.report.state, turn.error.as_deref(), said)
        })
        .collect();
    assert_eq!(
        shown,
        [
            (3, TurnState::Interrupted, Some(WAITED), None),
            (2, TurnState::Interrupted, Some(RAN), Some("Half")),
            (1, TurnState::Completed, None, Some("done")),
        ]
    );
    drop(store);
    assert_eq!(open(&directory).cut_turns(), [], "once is enough");
}

#[test]
fn a_turn_that_was_cut_belongs_to_its_session() {
    let directory = directory();
    let store = open(&directory);
    let session = Some(SessionId("s".to_owned()));
    let asked = Write::TurnQueued(QueuedTurn {
        number: TurnNumber(1),
        thread: ThreadId("t".to_owned()),
        prompt: "one".to_owned(),
        options: None,
        background: true,
        session: session.clone(),
    });
    store.write(vec![thread("t", "/w"), asked], at(1));
    drop(store);
    let cut = CutTurn {
        number: TurnNumber(1),
        thread: ThreadId("t".to_owned()),
        turn: None,
        prompt: "one".to_owned(),
        background: true,
        session,
    };
    assert_eq!(open(&directory).cut_turns(), [cut]);
}

#[test]
fn the_key_of_the_tokens_stays() {
    let directory = directory();
    let key = read(&open(&directory), |reader| reader.token_key().unwrap());
    assert!(key.is_some());
    assert_eq!(read(&open(&directory), |reader| reader.token_key().unwrap()), key);
}

#[test]
fn a_thread_that_is_opened_again_is_not_archived_any_more() {
    let directory = directory();
    let store = open(&directory);
    store.write(
        vec![thread("t", "/w"), Write::ThreadArchived { thread: ThreadId("t".into()) }],
        at(1),
    );
    store.write(vec![thread("t", "/w")], at(2));
    let row = read(&store, |reader| reader.thread(&ThreadId("t".into())).unwrap().unwrap());
    assert_eq!(row.archived_at, None);
}

#[test]
fn a_turn_that_was_cut_lasted_until_its_last_record() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w"), queued(1, "t", "x"), queued(2, "t", "y")], at(1_000));
    store.write(vec![started(1), started(2)], at(3_000));
    store.write(vec![said(1, "m", "Half")], at(7_500));
    drop(store);
    let durations = read(&open(&directory), |reader| {
        [1, 2].map(|number| reader.turn_by_number(TurnNumber(number)).unwrap().unwrap())
    })
    .map(|turn| turn.report.duration.as_millis());
    assert_eq!(durations, [4_500, 0]);
}

#[test]
fn a_number_is_never_given_again() {
    let directory = directory();
    let store = open(&directory);
    let next = |store: &Store| store.next_turn().expect("it can be written").0;
    assert_eq!(next(&store), 1);
    store.write(vec![thread("t", "/w")], at(1));
    store.write(turn(5_000, "t", "x", "y"), at(1));
    store.write(vec![Write::ThreadDeleted { thread: ThreadId("t".into()) }], at(2));
    drop(store);
    let store = open(&directory);
    let second = next(&store);
    assert!(second > 5_000, "the turn is gone, its number is not: {second}");
    drop(store);
    let third = next(&open(&directory));
    assert!(third > second, "the engine may have lost the record of one: {third} after {second}");
}
