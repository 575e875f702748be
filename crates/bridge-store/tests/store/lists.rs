//! Threads are found by folder, words, state and age, a page at a time.

use bridge_core::{ThreadId, TurnNumber};
use bridge_store::{Cursor, SeenThread, ThreadFilter, Write};
use expect_test::{Expect, expect};

use crate::support::{HOME, at, directory, open, queued, read, started, thread, turn};

fn filter() -> ThreadFilter {
    ThreadFilter { codex_home: HOME.to_owned(), ..ThreadFilter::default() }
}

fn check(filter: ThreadFilter, expected: Expect) {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("a", "/w/one")], at(1));
    store.write(turn(1, "a", "Find the needle.\nMore.", "Here."), at(10));
    store.write(vec![thread("b", "/w/one-evil")], at(2));
    store.write(turn(2, "b", "100% \"quoted\" words", "A haystack."), at(20));
    store.write(vec![thread("c", "/w/one/deep"), queued(3, "c", "Run."), started(3)], at(30));
    store.write(
        vec![thread("d", "/w/two"), Write::ThreadArchived { thread: ThreadId("d".into()) }],
        at(40),
    );
    let elsewhere = SeenThread {
        thread: ThreadId("e".into()),
        codex_home: HOME.to_owned(),
        cwd: "/w/two".into(),
        name: Some("From the terminal".into()),
        topic: Some("typed".into()),
        source: "cli".into(),
        created_at: at(5),
        updated_at: at(25),
        archived: false,
    };
    let other_home = SeenThread {
        thread: ThreadId("f".into()),
        codex_home: "/elsewhere".into(),
        ..elsewhere.clone()
    };
    store.write(vec![Write::ThreadsSeen(vec![elsewhere, other_home])], at(50));
    let shown = read(&store, move |reader| {
        let (mut shown, mut cursor): (String, Option<Cursor>) = (String::new(), None);
        loop {
            let page = reader.threads(&filter, 2, cursor.as_ref()).expect("a list");
            for row in &page.threads {
                let name = row.name.as_deref().or(row.topic.as_deref()).unwrap_or("-");
                shown += &format!(
                    "{} {} {} {name:?} {} turns {:?}\n",
                    row.thread, row.cwd, row.source, row.turns, row.state
                );
            }
            cursor = page.next;
            if cursor.is_none() {
                return shown;
            }
            shown += "--\n";
        }
    });
    expected.assert_eq(&shown);
}

#[test]
fn all_of_a_home_newest_first() {
    check(
        filter(),
        expect![[r#"
            c /w/one/deep bridge "Run." 1 turns Some(InProgress)
            e /w/two cli "From the terminal" 0 turns None
            --
            b /w/one-evil bridge "100% \"quoted\" words" 1 turns Some(Completed)
            a /w/one bridge "Find the needle." 1 turns Some(Completed)
        "#]],
    );
}

#[test]
fn by_folder_in_whole_components() {
    check(
        ThreadFilter { under: vec!["/w/one".into()], ..filter() },
        expect![[r#"
            c /w/one/deep bridge "Run." 1 turns Some(InProgress)
            a /w/one bridge "Find the needle." 1 turns Some(Completed)
        "#]],
    );
}

#[test]
fn by_words_of_a_message() {
    check(
        ThreadFilter { text: Some("haystack".into()), ..filter() },
        expect![[r#"
            b /w/one-evil bridge "100% \"quoted\" words" 1 turns Some(Completed)
        "#]],
    );
}

#[test]
fn by_text_that_means_something_to_the_database() {
    for text in ["100%", "\"quoted\"", "NEAR(x", "a* OR b", "'", "-x", "^", ""] {
        let text = text.to_owned();
        let directory = directory();
        let store = open(&directory);
        let filter = ThreadFilter { text: Some(text), ..filter() };
        read(&store, move |reader| reader.threads(&filter, 2, None).map(drop).unwrap());
    }
    check(
        ThreadFilter { text: Some("100%".into()), ..filter() },
        expect![[r#"
            b /w/one-evil bridge "100% \"quoted\" words" 1 turns Some(Completed)
        "#]],
    );
}

#[test]
fn by_title() {
    check(
        ThreadFilter { text: Some("the term".into()), ..filter() },
        expect![[r#"
            e /w/two cli "From the terminal" 0 turns None
        "#]],
    );
}

#[test]
fn by_state() {
    check(
        ThreadFilter { state: Some("running"), ..filter() },
        expect![[r#"
            c /w/one/deep bridge "Run." 1 turns Some(InProgress)
        "#]],
    );
}

#[test]
fn by_age() {
    check(
        ThreadFilter { since: Some(at(20)), until: Some(at(30)), ..filter() },
        expect![[r#"
            e /w/two cli "From the terminal" 0 turns None
            b /w/one-evil bridge "100% \"quoted\" words" 1 turns Some(Completed)
        "#]],
    );
}

#[test]
fn archived_ones() {
    check(
        ThreadFilter { archived: true, ..filter() },
        expect![[r#"
            d /w/two bridge "-" 0 turns None
        "#]],
    );
}

#[test]
fn a_page_stays_in_place_while_the_list_changes() {
    let directory = directory();
    let store = open(&directory);
    for (index, id) in ["a", "b", "c", "d"].into_iter().enumerate() {
        store.write(vec![thread(id, "/w")], at(index as i64));
    }
    let first = read(&store, |reader| reader.threads(&filter(), 2, None).unwrap());
    store.write(vec![thread("e", "/w")], at(100));
    let next = first.next.clone();
    let second = read(&store, move |reader| reader.threads(&filter(), 2, next.as_ref()).unwrap());
    let ids = |page: &bridge_store::ThreadPage| {
        page.threads.iter().map(|row| row.thread.0.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((ids(&first).as_str(), ids(&second).as_str()), ("d c", "b a"));
}

#[test]
fn turns_are_paged_newest_first() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w")], at(1));
    for number in 1..=3 {
        store.write(turn(number, "t", "x", "y"), at(2));
    }
    let page = read(&store, |reader| reader.turns(&ThreadId("t".into()), 2, None).unwrap());
    assert_eq!(page.turns.iter().map(|turn| turn.number.0).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(page.next, Some(TurnNumber(2)));
}
