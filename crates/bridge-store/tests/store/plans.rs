//! Versions of plans: made one after another, by Codex and by clients, and known to Codex or not.

use bridge_core::{
    KeptPlan, Plan, PlanEdit, PlanStep, StepStatus, ThreadId, TurnId, TurnNumber, WantedStep,
};
use bridge_store::{PlanVersion, Reader, Store, Write};
use expect_test::{Expect, expect};
use rusqlite::Connection;

use crate::support::{at, directory, open, queued, read, started, thread};

fn t() -> ThreadId {
    ThreadId("t".into())
}

/// A plan of Codex with these steps, none of them begun.
fn says(steps: &str) -> Write {
    let step = |step: &str| PlanStep { step: step.into(), status: StepStatus::Pending };
    let steps = steps.split_whitespace().map(step).collect();
    Write::Plan { thread: t(), number: TurnNumber(1), plan: Plan { explanation: None, steps } }
}

/// A client's version behind the newest.
fn edits(store: &Store, steps: &str) -> Write {
    let newest = read(store, |reader| reader.plan(&t(), None).expect("it can be read"));
    let newest = newest.map(|newest| newest.plan).unwrap_or_default();
    let step = |step: &str| WantedStep { id: None, step: step.into(), status: None };
    let edit = PlanEdit::Whole(steps.split_whitespace().map(step).collect());
    let plan = newest
        .edit(&edit, Some("mine"))
        .expect("it is a good one")
        .expect("it says something else");
    Write::PlanEdited { thread: t(), plan, session: None }
}

fn told(version: u64) -> Write {
    Write::PlanTold { thread: t(), version, turn: TurnId("turn-1".into()) }
}

fn begin(store: &Store) {
    store.write(vec![thread("t", "/w"), queued(1, "t", "Do it."), started(1)], at(1));
}

fn show(version: &PlanVersion) -> String {
    let steps: Vec<_> =
        version.plan.steps.iter().map(|step| format!("{}:{}", step.id, step.step)).collect();
    let author = version.author.as_str();
    let mut line =
        format!("{} {author} at {} {}", version.plan.version, version.at.0, steps.join(" "));
    if let Some((when, turn)) = &version.told {
        line += &format!(", told at {} in {turn}", when.0);
    }
    if let Some(other) = version.unaware_of {
        line += &format!(", unaware of {other}");
    }
    line
}

#[track_caller]
fn check(store: &Store, expected: Expect) {
    let versions = read(store, |reader| reader.plans(&t(), 9).expect("it can be read"));
    let untold = read(store, |reader| reader.untold_plan(&t()).expect("it can be read"));
    let mut lines: Vec<_> = versions.iter().map(show).collect();
    lines.push(format!("untold: {:?}", untold.map(|untold| untold.plan.version)));
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn both_sides_make_versions_and_the_records_know_what_codex_was_told() {
    let directory = directory();
    let store = open(&directory);
    begin(&store);
    store.write(vec![says("read write"), says("read write")], at(2));
    store.write(vec![edits(&store, "read write test")], at(3));
    store.write(vec![edits(&store, "read test")], at(4));
    store.write(vec![told(3), told(3)], at(5));
    store.write(vec![says("read test"), says("read test ship")], at(6));
    check(
        &store,
        expect![[r#"
        4 codex at 6 s1:read s3:test s4:ship
        3 client at 4 s1:read s3:test, told at 5 in turn-1
        2 client at 3 s1:read s2:write s3:test, told at 5 in turn-1
        1 codex at 2 s1:read s2:write
        untold: None"#]],
    );
    drop(store);
    check(
        &open(&directory),
        expect![[r#"
        4 codex at 6 s1:read s3:test s4:ship
        3 client at 4 s1:read s3:test, told at 5 in turn-1
        2 client at 3 s1:read s2:write s3:test, told at 5 in turn-1
        1 codex at 2 s1:read s2:write
        untold: None"#]],
    );
}

#[test]
fn a_plan_that_codex_made_without_knowing_says_so() {
    let directory = directory();
    let store = open(&directory);
    begin(&store);
    store.write(vec![says("read")], at(2));
    store.write(vec![edits(&store, "read test")], at(3));
    store.write(vec![says("read write"), told(2), says("read write test")], at(4));
    check(
        &store,
        expect![[r#"
        4 codex at 4 s1:read s3:write s4:test
        3 codex at 4 s1:read s3:write, unaware of 2
        2 client at 3 s1:read s2:test, told at 4 in turn-1
        1 codex at 2 s1:read
        untold: None"#]],
    );
}

#[test]
fn a_version_that_comes_too_late_is_none() {
    let directory = directory();
    let store = open(&directory);
    begin(&store);
    let (mine, other) = (edits(&store, "mine"), edits(&store, "other"));
    store.write(vec![mine, other], at(2));
    check(
        &store,
        expect![[r#"
        1 client at 2 s1:mine
        untold: Some(1)"#]],
    );
}

#[test]
fn a_thread_shows_a_clients_plan_where_it_was_made() {
    let directory = directory();
    let store = open(&directory);
    begin(&store);
    store.write(vec![says("read")], at(2));
    store.write(vec![edits(&store, "read test")], at(3));
    let plans = |reader: &Reader| {
        reader.entries(&t(), &[bridge_store::EntryKind::Plan], 9, None).unwrap().entries
    };
    let plans = read(&store, plans);
    let shown: Vec<_> =
        plans.iter().map(|plan| format!("{} {:?}", plan.author, plan.text)).collect();
    expect![[r#"
        codex "[ ] read\n"
        client "[ ] read\n[ ] test\n""#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn the_last_plan_of_a_turn_is_codexs_own() {
    let directory = directory();
    let store = open(&directory);
    begin(&store);
    store.write(vec![says("read")], at(2));
    store.write(vec![edits(&store, "read test")], at(3));
    let row = read(&store, |reader| reader.turn(&t(), None).unwrap().unwrap());
    assert_eq!(row.plan.map(|version| version.plan.version), Some(1));
}

#[test]
fn plans_of_version_5_get_names_for_their_steps() {
    let directory = directory();
    let connection = Connection::open(directory.path().join("store.sqlite3")).unwrap();
    for sql in [
        include_str!("../../sql/0001_init.sql"),
        include_str!("../../sql/0002_search.sql"),
        include_str!("../../sql/0003_turn_numbers.sql"),
        include_str!("../../sql/0004_keys.sql"),
        include_str!("../../sql/0005_changes.sql"),
        "INSERT INTO threads (thread_id, codex_home, cwd, source, created_at, updated_at)
             VALUES ('t', '/u/.codex', '/w', 'bridge', 1, 1);
         INSERT INTO plans (thread_id, version, author, at, steps) VALUES
             ('t', 1, 'codex', 1, '[{\"step\":\"one\",\"status\":\"pending\"},{\"step\":\"two\",\"status\":\"pending\"}]'),
             ('t', 2, 'codex', 2, '[{\"step\":\"one\",\"status\":\"completed\"}]'),
             ('t', 3, 'codex', 3, '[]');
         PRAGMA user_version = 5;",
    ] {
        connection.execute_batch(sql).unwrap();
    }
    drop(connection);
    let store = open(&directory);
    begin(&store);
    store.write(vec![says("three")], at(4));
    check(
        &store,
        expect![[r#"
        4 codex at 4 s3:three
        3 codex at 3 
        2 codex at 2 s1:one
        1 codex at 1 s1:one s2:two
        untold: None"#]],
    );
    let newest: KeptPlan = read(&store, |reader| reader.plan(&t(), None).unwrap().unwrap().plan);
    assert_eq!(newest.last_step, 3);
}
