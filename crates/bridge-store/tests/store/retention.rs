//! What is forgotten: the old, then the oldest while there is too much; never what still runs.

use bridge_core::{ThreadId, TurnNumber};
use bridge_store::{NewOutput, Settings, Store, Write};

use crate::support::{SETTINGS, at, directory, open_with, queued, read, settle, thread, turn};

const DAY: i64 = 86_400_000;

fn output(id: &str, bytes: usize) -> Write {
    // Text that does not compress.
    let mut state = 1_u64;
    let text: String = std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (state >> 33) as u8 % 90)
    })
    .take(bytes)
    .collect();
    Write::Output(NewOutput { output: id.to_owned(), thread: None, kind: "text".to_owned(), text })
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
        vec![thread("old", "/w"), thread("busy", "/w"), queued(2, "busy", "x"), output("o1", 9)],
        at(0),
    );
    store.write(vec![thread("new", "/w"), output("o2", 9)], at(9 * DAY));
    store.maintain(at(10 * DAY + 1));
    settle(&store);
    assert_eq!(left(&store), ["busy", "new", "o2"]);
    let turn = read(&store, |reader| reader.turn_by_number(TurnNumber(2)).unwrap());
    assert!(turn.is_some());
}

#[test]
fn what_is_too_much_goes_oldest_first() {
    let directory = directory();
    let store = open_with(&directory, Settings { max_bytes: 256 << 10, ..SETTINGS });
    store.write(vec![output("o1", 300_000)], at(1));
    store.write(vec![thread("old", "/w"), thread("archived", "/w")], at(2));
    store.write(vec![Write::ThreadArchived { thread: ThreadId("archived".into()) }], at(3));
    store.write(vec![thread("new", "/w")], at(4));
    store.write(turn(1, "new", &"long ".repeat(100), "y"), at(4));
    assert_eq!(left(&store), ["old", "new", "archived", "o1"]);
    store.write(vec![output("o2", 100)], at(5));
    store.maintain(at(6));
    settle(&store);
    assert_eq!(
        left(&store),
        ["old", "new", "archived"],
        "outputs go before threads, all in one step"
    );
    let tiny = Settings { max_bytes: 1, ..SETTINGS };
    drop(store);
    let store = open_with(&directory, tiny);
    store.maintain(at(7));
    settle(&store);
    assert_eq!(left(&store), Vec::<String>::new());
}
