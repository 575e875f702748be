//! What is written is read back.

use std::time::Duration;

use bridge_core::{
    Artifact, ArtifactKind, ChangeKind, Command, CommandStatus, Decided, Decider, Decision,
    FailingLine, FileChange, Item, ItemId, Patch, Plan, PlanStep, StepStatus, Thinking, ThreadId,
    Tokens, Tool, Transcript, TurnId, TurnNumber, Usage,
};
use bridge_store::{
    ApprovalRow, Durability, EndedTurn, EntryKind, Subject, Timestamp, Write, WriteError,
};
use expect_test::expect;
use proptest::prelude::*;

use crate::support::{
    at, directory, ended, message, open, queued, read, report, said, started, thread, told, turn,
};

fn rich_transcript() -> Transcript {
    let mut transcript = Transcript::default();
    transcript.messages.push(message("m1", "The answer."));
    transcript.thinking.push(Thinking { item: ItemId("r1".into()), text: "Hm.".into() });
    transcript.commands.push(Command {
        item: ItemId("c1".into()),
        command: "ls".into(),
        working_directory: "/w".into(),
        status: CommandStatus::Failed,
        exit_code: Some(2),
        output: "nothing\n".into(),
        output_chars: 8,
        duration: Some(Duration::from_millis(7)),
    });
    transcript.patches.push(Patch {
        item: ItemId("p1".into()),
        changes: vec![
            FileChange { path: "/w/a".into(), kind: ChangeKind::Add, diff: "new\n".into() },
            FileChange {
                path: "/w/b".into(),
                kind: ChangeKind::Update { moved_to: Some("/w/c".into()) },
                diff: "@@ -1 +1 @@\n-ü\n+u\n".into(),
            },
        ],
        status: CommandStatus::Declined,
    });
    transcript.tools.push(Tool {
        item: ItemId("t1".into()),
        name: "web search: x".into(),
        status: CommandStatus::Completed,
    });
    transcript.artifacts.push(Artifact {
        item: ItemId("c1".into()),
        output: "0a".into(),
        kind: ArtifactKind::Log,
        name: "cargo test".into(),
        mime: "text/plain".into(),
        bytes: 9_000,
        failing: vec![FailingLine { line: 3, offset: 40, text: "error: no".into() }],
    });
    transcript.decisions.push(Decided {
        what: "to run: rm".into(),
        reason: Some("why".into()),
        decision: Decision::AcceptForSession,
        decider: Decider::Policy(2),
    });
    transcript.warnings.push("careful".into());
    transcript.usage = Some(Usage {
        turn: Tokens { input: 10, cached_input: 4, output: 3, reasoning_output: 1, total: 13 },
        thread_total: 40,
        context_window: Some(1000),
    });
    transcript.plan = Some(plan(StepStatus::Completed));
    transcript
}

fn plan(status: StepStatus) -> Plan {
    let step = |step: &str, status| PlanStep { step: step.into(), status };
    Plan {
        explanation: Some("why".into()),
        steps: vec![step("one", status), step("two", StepStatus::Pending)],
    }
}

fn plan_of(number: u64, status: StepStatus) -> Write {
    Write::Plan { thread: ThreadId("t".into()), number: TurnNumber(number), plan: plan(status) }
}

#[test]
fn a_turn_comes_back_whole() {
    let directory = directory();
    let store = open(&directory);
    let expected = report(1, "t", rich_transcript());
    let ended = Write::TurnEnded(Box::new(EndedTurn {
        number: TurnNumber(1),
        report: expected.clone(),
        error: Some(r#"{"code":"x"}"#.into()),
        stopped_by: Some("codex.cancel".into()),
    }));
    store.write(vec![thread("t", "/w"), queued(1, "t", "Do it.")], at(1));
    store.write(
        vec![started(1), plan_of(1, StepStatus::InProgress), said(1, "m1", "The ans")],
        at(2),
    );
    store.write(
        vec![plan_of(1, StepStatus::Completed), plan_of(1, StepStatus::Completed), ended],
        at(3),
    );
    let row = read(&store, |reader| reader.turn(&ThreadId("t".into()), None).unwrap().unwrap());
    assert_eq!(row.report, expected);
    assert_eq!((row.prompt.as_str(), row.background), ("Do it.", false));
    assert_eq!((row.queued_at, row.started_at, row.ended_at), (at(1), Some(at(2)), Some(at(3))));
    assert_eq!(row.error.as_deref(), Some(r#"{"code":"x"}"#));
    assert_eq!(row.stopped_by.as_deref(), Some("codex.cancel"));
    let by_id = read(&store, |reader| {
        reader.turn(&ThreadId("t".into()), Some(&TurnId("turn-1".into()))).unwrap()
    });
    assert_eq!(by_id, Some(row));
    let versions = read(&store, |reader| reader.plans(&ThreadId("t".into()), 9).unwrap());
    assert_eq!(versions.len(), 2, "the same plan again is no new version");
    let patch = read(&store, |reader| reader.patch("1-p1").unwrap().unwrap());
    assert_eq!(patch.patch, expected.transcript.patches[0]);
    let usage = read(&store, |reader| reader.usage(&ThreadId("t".into())).unwrap());
    assert_eq!((usage.turns, usage.tokens.total), (1, 13));
}

#[test]
fn entries_are_read_in_order_and_in_pages() {
    let directory = directory();
    let store = open(&directory);
    let ended = Write::TurnEnded(Box::new(EndedTurn {
        number: TurnNumber(1),
        report: report(1, "t", rich_transcript()),
        error: None,
        stopped_by: None,
    }));
    store.write(vec![thread("t", "/w"), queued(1, "t", "Do it."), started(1)], at(1));
    store.write(vec![plan_of(1, StepStatus::Completed), ended], at(2));
    store.write(turn(2, "t", "And now?", "Done."), at(3));
    let shown = read(&store, |reader| {
        let kinds = [
            EntryKind::Message,
            EntryKind::Thinking,
            EntryKind::Command,
            EntryKind::Change,
            EntryKind::Plan,
        ];
        let (mut shown, mut cursor) = (String::new(), None);
        loop {
            let page = reader.entries(&ThreadId("t".into()), &kinds, 2, cursor.as_ref()).unwrap();
            for entry in page.entries {
                let detail = entry.detail.as_deref().unwrap_or("-");
                shown += &format!(
                    "{} {:?} {} {detail} {:?}\n",
                    entry.place.key, entry.kind, entry.author, entry.text
                );
            }
            cursor = page.next;
            if cursor.is_none() {
                return shown;
            }
        }
    });
    expect![[r#"
        1 Message user - "Do it."
        1 Message agent final_answer "The answer."
        1 Thinking agent - "Hm."
        1 Command agent failed (exit 2) "$ ls\nnothing\n"
        1 Change agent declined "diff --git a/w/a b/w/a\nnew file mode 100644\n--- /dev/null\n+++ b/w/a\n@@ -0,0 +1,1 @@\n+new\ndiff --git a/w/b b/w/c\nrename from w/b\nrename to w/c\n--- a/w/b\n+++ b/w/c\n@@ -1 +1 @@\n-ü\n+u\n"
        1 Plan codex why "[x] one\n[ ] two\n"
        2 Message user - "And now?"
        2 Message agent final_answer "Done."
    "#]]
    .assert_eq(&shown);
}

#[test]
fn questions_and_their_answers_are_kept() {
    let directory = directory();
    let store = open(&directory);
    let approval = ApprovalRow {
        thread: ThreadId("t".into()),
        number: Some(TurnNumber(1)),
        kind: "command".into(),
        what: "to run: rm".into(),
        reason: None,
        decision: "decline".into(),
        decided_by: "bridge".into(),
    };
    store.write(
        vec![thread("t", "/w"), queued(1, "t", "x"), Write::Approval(approval.clone())],
        at(1),
    );
    let kept = read(&store, |reader| reader.approvals(&ThreadId("t".into())).unwrap());
    assert_eq!(kept, [approval]);
}

#[test]
fn a_record_that_does_not_fit_is_told_and_takes_no_other_along() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w"), started(7), queued(1, "t", "x")], at(1));
    let durability = told(&store, vec![Subject::Turn(TurnNumber(7))]);
    let expected = Durability::NotKept(WriteError::Other("turn 7 is not there".into()));
    assert_eq!(durability, expected);
    store.write(vec![started(1)], at(2));
    let row = read(&store, |reader| reader.turn_by_number(TurnNumber(1)).unwrap().unwrap());
    assert_eq!(row.started_at, Some(at(2)));
    assert_eq!(store.status().problem, None, "the last write went well");
    assert_eq!(store.status().failures, 1);
}

#[test]
fn a_deleted_thread_leaves_nothing() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w")], at(1));
    store.write(turn(1, "t", "needle", "answer"), at(2));
    store.write(vec![Write::ThreadDeleted { thread: ThreadId("t".into()) }], at(3));
    let statistics = read(&store, |reader| reader.statistics().unwrap());
    assert!(statistics.records.iter().all(|(_, count)| *count == 0), "{statistics:?}");
    drop(store);
    let report = bridge_store::check(directory.path()).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// However the records of several turns are interleaved and split into batches, each turn reads back as it was.
    #[test]
    fn turns_do_not_disturb_each_other(
        order in proptest::collection::vec(0_usize..4, 1..40),
        batch in 1_usize..6,
    ) {
        let directory = directory();
        let store = open(&directory);
        let script = |number: u64| {
            let name = format!("t{}", number % 2);
            let mut writes = vec![thread(&name, "/w")];
            writes.push(queued(number, &name, &format!("prompt {number}")));
            writes.push(started(number));
            writes.extend((0..3).map(|item| said(number, &format!("m{item}"), "said")));
            writes.push(ended(number, &name, &format!("answer {number}")));
            writes
        };
        let mut scripts: Vec<_> = (1..=4).map(|number| script(number).into_iter()).collect();
        let mut writes: Vec<Write> =
            order.iter().filter_map(|index| scripts[*index].next()).collect();
        writes.extend(scripts.into_iter().flatten());
        for batch in writes.chunks(batch) {
            store.write(batch.to_vec(), Timestamp(1));
        }
        for number in 1..=4_u64 {
            let row = read(&store, move |reader| reader.turn_by_number(TurnNumber(number)).unwrap().unwrap());
            prop_assert_eq!(row.prompt, format!("prompt {number}"));
            let texts: Vec<_> = row.report.transcript.messages.iter().map(|message| message.text.as_str()).collect();
            prop_assert_eq!(texts, ["said", "said", "said", &format!("answer {number}")]);
        }
    }
}

#[test]
fn an_item_of_no_kind_is_no_record() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w"), queued(1, "t", "x")], at(1));
    store.write(vec![Write::Item { number: TurnNumber(1), item: Item::Record }], at(2));
    let row = read(&store, |reader| reader.turn_by_number(TurnNumber(1)).unwrap().unwrap());
    assert_eq!(row.report.transcript, Transcript::default());
}
