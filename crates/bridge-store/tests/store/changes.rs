//! Change sets and what became of them.

use bridge_core::{ChangeSet, Changes, ThreadId, TurnNumber};
use bridge_store::{
    ApplicationRow, ApplicationState, ChangeSetKind, ChangeSetRow, Durability, Subject, Write,
};

use crate::support::{at, directory, open, queued, read, thread, told};

fn row(id: &str, number: Option<u64>) -> ChangeSetRow {
    ChangeSetRow {
        id: id.to_owned(),
        thread: number.map(|_| ThreadId("t".into())),
        number: number.map(TurnNumber),
        kind: if number.is_some() { ChangeSetKind::Direct } else { ChangeSetKind::Given },
        root: "/w".into(),
        files: 2,
        added: 3,
        removed: 4,
        paths: vec!["a".into(), "ü".into()],
        ignored: 1,
        notes: vec!["one".into()],
        changes: r#"[{"path":"a"}]"#.into(),
    }
}

fn application(id: &str, reverses: Option<&str>) -> ApplicationRow {
    ApplicationRow {
        id: id.into(),
        change_set: "p-1".into(),
        state: ApplicationState::Applying,
        reverses: reverses.map(Into::into),
        steps: format!("[\"{id}\"]"),
    }
}

#[test]
fn a_change_set_is_told_with_its_turn_and_by_its_name() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w"), queued(1, "t", "Do it.")], at(1));
    store.write(vec![Write::ChangeSet(Box::new(row("p-1", Some(1))))], at(2));
    // One of a turn that is not known is kept all the same.
    store.write(vec![Write::ChangeSet(Box::new(row("p-2", Some(7))))], at(3));
    store.write(vec![Write::ChangeSet(Box::new(row("p-3", None)))], at(4));
    assert_eq!(told(&store, vec![Subject::ChangeSet("p-2".into())]), Durability::Kept);
    let (one, other, given) = read(&store, |reader| {
        let find = |id| reader.change_set(id).unwrap().unwrap();
        (find("p-1"), find("p-2"), find("p-3"))
    });
    assert_eq!(one, row("p-1", Some(1)));
    assert_eq!(other, ChangeSetRow { number: None, ..row("p-2", Some(7)) });
    assert_eq!(given, row("p-3", None));
    let turn = read(&store, |reader| reader.turn_by_number(TurnNumber(1)).unwrap().unwrap());
    let ChangeSetRow { id, files, added, removed, paths, ignored, notes, .. } = row("p-1", None);
    let kind = Changes::Direct;
    let told = ChangeSet { id, kind, files, added, removed, paths, ignored, notes };
    assert_eq!(turn.report.change_set, Some(told));
    let threads = read(&store, |reader| {
        ["p-1", "p-3", "p-9"].map(|id| reader.change_set_thread(id).unwrap())
    });
    assert_eq!(threads, [Some(ThreadId("t".into())), None, None]);
}

#[test]
fn an_application_is_taken_back_by_another() {
    let directory = directory();
    let store = open(&directory);
    let ended = |id: &str, state| Write::ApplicationEnded { application: id.into(), state };
    store.write(vec![Write::ChangeSet(Box::new(row("p-1", None)))], at(1));
    store.write(vec![Write::Application(application("a-1", None))], at(2));
    store.write(vec![ended("a-1", ApplicationState::Applied)], at(3));
    store.write(vec![Write::Application(application("a-2", Some("a-1")))], at(4));
    store.write(vec![ended("a-2", ApplicationState::Failed)], at(5));
    let states = |applications: Vec<ApplicationRow>| -> Vec<_> {
        applications.into_iter().map(|application| (application.id, application.state)).collect()
    };
    let found = read(&store, |reader| reader.applications("p-1").unwrap());
    assert_eq!(found[1].steps, "[\"a-2\"]");
    assert_eq!(
        states(found),
        [("a-1".into(), ApplicationState::Applied), ("a-2".into(), ApplicationState::Failed)]
    );
    store.write(vec![Write::Application(application("a-3", Some("a-1")))], at(6));
    store.write(vec![ended("a-3", ApplicationState::Applied)], at(7));
    assert_eq!(
        states(read(&store, |reader| reader.applications("p-1").unwrap())),
        [
            ("a-1".into(), ApplicationState::Reversed),
            ("a-2".into(), ApplicationState::Failed),
            ("a-3".into(), ApplicationState::Applied)
        ]
    );
    let files = read(&store, |reader| reader.changed_files().unwrap());
    assert_eq!(files, [r#"[{"path":"a"}]"#, "[\"a-1\"]", "[\"a-2\"]", "[\"a-3\"]"]);
}
