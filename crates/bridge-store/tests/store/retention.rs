//! What is forgotten: the old, then the oldest while there is too much; never what still runs.

use bridge_core::{ThreadId, TurnNumber};
use bridge_store::{Settings, Store, Write};

use crate::support::{
    SETTINGS, at, directory, file, noise, open, open_with, output, queued, read, settle, thread,
    turn,
};

const DAY: i64 = 86_400_000;

fn maintain(store: &Store, now: i64) {
    store.maintain(at(now));
    settle(store);
    // Who waits is told before old records are looked for; the second time that is over.
    settle(store);
}

/// The names of what is left.
fn left(store: &Store) -> Vec<String> {
    read(store, |reader| {
        let threads = ["old", "busy", "new", "archived"];
        let threads = threads
            .iter()
            .filter(|id| reader.thread(&ThreadId((**id).into())).expect("a look").is_some());
        let outputs = ["o1", "o2"];
        let outputs = outputs.iter().filter(|id| reader.output(id).expect("a look").is_some());
        threads.chain(outputs).map(|id| (*id).to_owned()).collect()
    })
}

#[test]
fn what_is_too_old_goes() {
    let directory = directory();
    let store = open_with(&directory, Settings { thread_days: 10, output_days: 2, ..SETTINGS });
    store.write(
        vec![
            thread("old", "/w"),
            thread("busy", "/w"),
            queued(2, "busy", "x"),
            output("o1", noise(1, 9)),
        ],
        at(0),
    );
    store.write(vec![thread("new", "/w"), output("o2", noise(2, 9))], at(9 * DAY));
    maintain(&store, 10 * DAY + 1);
    assert_eq!(left(&store), ["busy", "new", "o2"]);
    let turn = read(&store, |reader| reader.turn_by_number(TurnNumber(2)).unwrap());
    assert!(turn.is_some());
}

#[test]
fn what_is_too_much_goes_oldest_first() {
    let directory = directory();
    let store = open_with(&directory, Settings { max_bytes: 256 << 10, ..SETTINGS });
    store.write(vec![output("o1", noise(1, 300_000))], at(1));
    store.write(vec![thread("old", "/w"), thread("archived", "/w")], at(2));
    store.write(vec![Write::ThreadArchived { thread: ThreadId("archived".into()) }], at(3));
    store.write(vec![thread("new", "/w")], at(4));
    store.write(turn(1, "new", &"long ".repeat(100), "y"), at(4));
    assert_eq!(left(&store), ["old", "new", "archived", "o1"]);
    store.write(vec![output("o2", noise(2, 100))], at(5));
    maintain(&store, 6);
    assert_eq!(
        left(&store),
        ["old", "new", "archived", "o2"],
        "outputs go before threads, and no more of them than needed"
    );
    let tiny = Settings { max_bytes: 1, ..SETTINGS };
    drop(store);
    let store = open_with(&directory, tiny);
    maintain(&store, 7);
    assert_eq!(left(&store), Vec::<String>::new());
}

#[test]
fn archived_threads_have_a_time_of_their_own() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("old", "/w"), thread("archived", "/w")], at(0));
    store.write(vec![Write::ThreadArchived { thread: ThreadId("archived".into()) }], at(DAY));
    maintain(&store, 31 * DAY);
    assert_eq!(left(&store), ["old", "archived"]);
    maintain(&store, 31 * DAY + 1);
    assert_eq!(left(&store), ["old"]);
}

#[test]
fn what_is_forgotten_gives_its_space_back() {
    let directory = directory();
    let store = open(&directory);
    let size = || std::fs::metadata(file(&directory)).unwrap().len();
    maintain(&store, 0);
    let empty = size();
    store.write(vec![output("o1", noise(1, 2_000_000))], at(0));
    maintain(&store, 0);
    assert!(size() > 1_000_000, "{}", size());
    maintain(&store, 31 * DAY);
    assert!(size() <= empty + 8192, "{} of {empty}", size());
}
