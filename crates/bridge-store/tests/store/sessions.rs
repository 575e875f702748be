//! What sessions of Claude Code work with and know, and their tasks.

use bridge_core::{Plan, PlanStep, StepId, StepStatus, ThreadId, TurnNumber};
use bridge_store::{KnownPlan, Store, TaskRow, Write};
use rusqlite::Connection;

use crate::support::{at, directory, open, queued, read, started, thread};

fn t(name: &str) -> ThreadId {
    ThreadId(name.into())
}

fn uses(session: &str, thread: &str) -> Write {
    Write::SessionUses { session: session.into(), thread: t(thread) }
}

fn knows(session: &str, thread: &str, version: u64) -> Write {
    Write::SessionKnows { session: session.into(), thread: t(thread), version }
}

fn plan(thread: &str, number: u64, step: &str) -> Write {
    let steps = vec![PlanStep { step: step.into(), status: StepStatus::Pending }];
    Write::Plan {
        thread: t(thread),
        number: TurnNumber(number),
        plan: Plan { explanation: None, steps },
    }
}

fn behind(store: &Store, session: &'static str) -> Vec<(String, u64)> {
    let known = read(store, move |reader| reader.plan_news(session, 10).expect("it can be read"));
    known.into_iter().map(|KnownPlan { thread, version }| (thread.0, version)).collect()
}

fn task(task: &str, step: Option<(&str, u64)>) -> TaskRow {
    TaskRow {
        session: "a".into(),
        task: task.into(),
        subject: format!("subject of {task}"),
        status: StepStatus::InProgress,
        step: step.map(|(thread, id)| (t(thread), StepId(id))),
    }
}

#[test]
fn a_session_is_behind_until_it_knows() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w"), thread("u", "/w"), queued(1, "t", "x"), started(1)], at(1));
    store.write(vec![queued(2, "u", "x"), started(2), uses("a", "t"), uses("a", "gone")], at(2));
    store.write(vec![uses("a", "u"), uses("b", "t"), knows("b", "u", 7)], at(3));
    assert_eq!(behind(&store, "a"), [], "there are no plans");
    store
        .write(vec![plan("t", 1, "one"), plan("t", 1, "two and more"), plan("u", 2, "one")], at(4));
    let all = [("u".to_owned(), 0), ("t".to_owned(), 0)];
    assert_eq!(behind(&store, "a"), all, "the one that was used last comes first");
    assert_eq!(behind(&store, "b"), all[1..]);
    store.write(vec![knows("a", "t", 2), knows("a", "t", 1), knows("a", "u", 1)], at(5));
    assert_eq!((behind(&store, "a"), behind(&store, "b").len()), (Vec::new(), 1));
    let last =
        |session: &'static str| read(&store, move |reader| reader.session_thread(session).unwrap());
    assert_eq!((last("a"), last("b"), last("c")), (Some(t("u")), Some(t("t")), None));
    store.write(vec![uses("a", "t")], at(6));
    assert_eq!(last("a"), Some(t("t")));
    store.write(vec![Write::ThreadArchived { thread: t("t") }], at(7));
    assert_eq!(last("a"), Some(t("u")));
    store.write(vec![Write::ThreadDeleted { thread: t("u") }], at(8));
    assert_eq!(last("a"), None);
}

#[test]
fn tasks_are_kept_as_they_are_now() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w")], at(1));
    let rows = [task("1", Some(("t", 3))), task("2", None)];
    store.write(
        vec![
            Write::Task(task("1", None)),
            Write::Task(rows[1].clone()),
            Write::Task(rows[0].clone()),
        ],
        at(2),
    );
    let kept = || read(&store, |reader| reader.tasks("a").unwrap());
    assert_eq!(kept(), rows);
    store.write(vec![Write::TaskRemoved { session: "a".into(), task: "2".into() }], at(3));
    assert_eq!(kept(), rows[..1]);
    store.write(vec![Write::ThreadDeleted { thread: t("t") }], at(4));
    assert_eq!(kept(), [task("1", None)], "its step is gone with the thread");
    let many = (0..1_500).map(|number| Write::Task(task(&format!("n{number}"), None)));
    store.write(many.collect(), at(5));
    assert_eq!(kept().len(), 1_000);
    drop(store);
    let connection = Connection::open(directory.path().join("store.sqlite3")).unwrap();
    connection.execute("UPDATE session_tasks SET status = 'half'", []).unwrap();
    drop(connection);
    let store = open(&directory);
    assert!(read(&store, |reader| reader.tasks("a").is_err()), "what cannot be read is no task");
}
