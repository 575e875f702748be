//! A plan's steps keep their names, and changes of it are made, told and brought together.

mod follow;
mod properties;

use bridge_core::*;
use expect_test::{Expect, expect};

fn status(letter: char) -> StepStatus {
    match letter {
        '-' => StepStatus::Pending,
        '>' => StepStatus::InProgress,
        '+' => StepStatus::Completed,
        other => panic!("no status is written {other}"),
    }
}

/// A plan from lines such as `-build it`.
fn plan(lines: &str) -> Plan {
    let step = |line: &str| PlanStep {
        status: status(line.chars().next().expect("a line begins with a status")),
        step: line[1..].to_owned(),
    };
    Plan {
        explanation: None,
        steps: lines.split('\n').filter(|line| !line.is_empty()).map(step).collect(),
    }
}

fn show(steps: &[KeptStep]) -> String {
    let line = |step: &KeptStep| {
        let letter = match step.status {
            StepStatus::Pending => '-',
            StepStatus::InProgress => '>',
            StepStatus::Completed => '+',
        };
        format!("{} {letter}{}", step.id, step.step)
    };
    steps.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn first(lines: &str) -> KeptPlan {
    KeptPlan::default().follow(&plan(lines)).expect("it has steps")
}

/// Codex tells one plan after another; the last one's names are expected.
#[track_caller]
fn check(plans: &[&str], expected: Expect) {
    let kept = plans
        .iter()
        .fold(KeptPlan::default(), |kept, lines| kept.follow(&plan(lines)).unwrap_or(kept));
    expected.assert_eq(&show(&kept.steps));
}

#[test]
fn a_step_keeps_its_name_where_its_text_is_the_same() {
    check(
        &["-read\n-write\n-test", "+read\n-test\n-write"],
        expect![[r#"
        s1 +read
        s3 -test
        s2 -write"#]],
    );
}

#[test]
fn a_step_keeps_its_name_where_its_text_is_much_alike() {
    check(
        &[
            "-read the parser\n-write the lexer\n-test",
            "-Write the new lexer\n-read the parser, then stop\n-ship it",
        ],
        expect![[r#"
            s2 -Write the new lexer
            s1 -read the parser, then stop
            s4 -ship it"#]],
    );
}

#[test]
fn steps_of_one_text_keep_their_order() {
    check(
        &["-test\n-test\n-test", "+test\n>test\n-test"],
        expect![[r#"
        s1 +test
        s2 >test
        s3 -test"#]],
    );
    check(
        &["+test\n-test\n-ship", "-test\n-ship"],
        expect![[r#"
        s2 -test
        s3 -ship"#]],
    );
    check(
        &["-test\n-ship", "-test\n-test\n-ship"],
        expect![[r#"
        s1 -test
        s3 -test
        s2 -ship"#]],
    );
}

#[test]
fn a_name_is_not_given_again() {
    check(
        &["-read\n-write", "-read", "-read\n-write"],
        expect![[r#"
        s1 -read
        s3 -write"#]],
    );
}

#[test]
fn a_plan_that_says_the_same_is_no_version() {
    let kept = first("-read\n-write");
    assert_eq!(kept.follow(&plan("-read\n-write")), None);
    let why = Plan { explanation: Some("why".to_owned()), ..plan("-read\n-write") };
    let explained = kept.follow(&why).expect("it says why");
    assert_eq!((explained.version, &explained.steps), (2, &kept.steps));
    assert_eq!(explained.follow(&why), None);
    assert_eq!(explained.follow(&plan("-read\n-write")), None);
    assert_eq!(KeptPlan::default().follow(&Plan::default()), None);
}

fn wanted(id: Option<u64>, step: &str) -> WantedStep {
    WantedStep { id: id.map(StepId), step: step.to_owned(), status: None }
}

#[test]
fn a_client_names_steps_and_leaves_out_what_stays() {
    let kept = first("+read\n>write\n-test");
    let whole =
        PlanEdit::Whole(vec![wanted(Some(3), "check"), wanted(None, "read"), wanted(None, "ship")]);
    let edited = kept.edit(&whole, Some("shorter")).unwrap().unwrap();
    expect![[r#"
        s3 -check
        s1 +read
        s4 -ship"#]]
    .assert_eq(&show(&edited.steps));
    let parts = PlanEdit::Parts(vec![
        StepEdit::Remove { id: StepId(1) },
        StepEdit::Change { id: StepId(2), step: None, status: Some(StepStatus::Completed) },
        StepEdit::Add { step: "ship".to_owned(), status: StepStatus::Pending },
    ]);
    let edited = kept.edit(&parts, None).unwrap().unwrap();
    expect![[r#"
        s2 +write
        s3 -test
        s4 -ship"#]]
    .assert_eq(&show(&edited.steps));
    let same = StepEdit::Change { id: StepId(2), step: None, status: Some(StepStatus::InProgress) };
    assert_eq!(kept.edit(&PlanEdit::Parts(vec![same]), None), Ok(None));
}

#[test]
fn a_bad_edit_changes_nothing_and_says_why() {
    let kept = first("-read\n-write");
    let whole = |steps: &[WantedStep]| kept.edit(&PlanEdit::Whole(steps.to_vec()), None);
    let parts = |parts: Vec<StepEdit>| kept.edit(&PlanEdit::Parts(parts), None);
    let remove = |id| StepEdit::Remove { id: StepId(id) };
    let results = [
        whole(&[wanted(Some(9), "read")]),
        whole(&[wanted(Some(1), "read"), wanted(Some(1), "write")]),
        whole(&[wanted(None, " \t")]),
        whole(&[wanted(None, &"é".repeat(1_001))]),
        whole(&vec![wanted(None, "x"); 1_000]),
        parts(vec![remove(9)]),
        parts(vec![remove(1), remove(1)]),
        parts(vec![StepEdit::Change { id: StepId(1), step: Some(String::new()), status: None }]),
    ];
    let errors: Vec<_> =
        results.iter().map(|result| format!("{:?}", result.as_ref().err())).collect();
    expect![[r#"
        Some(UnknownStep(StepId(9)))
        Some(StepTwice(StepId(1)))
        Some(EmptyStep)
        Some(StepTooLong(1001))
        Some(TooManySteps(1000))
        Some(UnknownStep(StepId(9)))
        Some(StepTwice(StepId(1)))
        Some(EmptyStep)"#]]
    .assert_eq(&errors.join("\n"));
}

#[test]
fn a_long_plan_of_codex_is_kept_and_can_be_made_shorter() {
    let lines: Vec<_> = (0..5_000).map(|number| format!("-step {}", number % 3)).collect();
    let kept = first(&lines.join("\n"));
    assert_eq!(kept.steps.len(), 5_000);
    let same = kept.follow(&plan(&lines.join("\n")));
    assert_eq!(same, None);
    let shorter = kept.edit(&PlanEdit::Parts(vec![StepEdit::Remove { id: StepId(1) }]), None);
    assert_eq!(shorter.unwrap().unwrap().steps.len(), 4_999);
}

#[test]
fn a_difference_names_what_changed_and_what_moved() {
    let kept = first("+read\n-write\n-test\n-ship");
    let next = kept.follow(&plan("+read\n-test\n>write\n-rest")).unwrap();
    let shown: Vec<_> = next
        .changes_since(&kept)
        .iter()
        .map(|change| {
            let show = |step: &Option<KeptStep>| {
                step.as_ref().map_or("nothing".to_owned(), |step| show(std::slice::from_ref(step)))
            };
            let moved = if change.moved { ", moved" } else { "" };
            format!("{} => {}{moved}", show(&change.was), show(&change.now))
        })
        .collect();
    expect![[r#"
        s3 -test => s3 -test, moved
        s2 -write => s2 >write
        nothing => s5 -rest
        s4 -ship => nothing"#]]
    .assert_eq(&shown.join("\n"));
}

fn merged(base: &KeptPlan, theirs: &KeptPlan, edit: &PlanEdit) -> String {
    let merge = theirs.merge(base, edit).expect("the edit fits its base");
    let steps: Vec<_> = merge
        .steps
        .iter()
        .map(|step| {
            let id = step.id.map_or("new".to_owned(), |id| id.to_string());
            let status = step.status.expect("a proposal says how far a step is");
            format!("{id} {status:?} {}", step.step)
        })
        .collect();
    let conflicts: Vec<_> =
        merge.conflicts.iter().map(|conflict| conflict.id.to_string()).collect();
    format!("{}\nconflicts: {}", steps.join("\n"), conflicts.join(", "))
}

#[test]
fn changes_of_different_steps_are_brought_together() {
    let base = first("-read\n-write\n-test");
    let theirs = base.follow(&plan("+read\n-write\n-test\n-document")).unwrap();
    let parts = PlanEdit::Parts(vec![
        StepEdit::Change { id: StepId(2), step: Some("write it down".to_owned()), status: None },
        StepEdit::Remove { id: StepId(3) },
        StepEdit::Add { step: "ship".to_owned(), status: StepStatus::Pending },
        StepEdit::Add { step: "document".to_owned(), status: StepStatus::Pending },
    ]);
    expect![[r#"
        s1 Completed read
        s2 Pending write it down
        new Pending ship
        s4 Pending document
        conflicts: "#]]
    .assert_eq(&merged(&base, &theirs, &parts));
}

#[test]
fn changes_of_one_step_are_a_conflict() {
    let base = first("-read\n-write\n-test");
    let theirs = base.follow(&plan("+read\n-write all\n")).unwrap();
    let parts = PlanEdit::Parts(vec![
        StepEdit::Change { id: StepId(1), step: None, status: Some(StepStatus::InProgress) },
        StepEdit::Change { id: StepId(2), step: Some("write some".to_owned()), status: None },
        StepEdit::Change { id: StepId(3), step: None, status: Some(StepStatus::Completed) },
    ]);
    expect![[r#"
        s1 Completed read
        s2 Pending write some
        new Completed test
        conflicts: s1, s2, s3"#]]
    .assert_eq(&merged(&base, &theirs, &parts));
}

#[test]
fn the_name_of_a_step_is_written_in_one_way() {
    assert_eq!("s12".parse(), Ok(StepId(12)));
    for text in ["", "s", "12", "s01", "s+1", "S1", "s1 ", "s99999999999999999999"] {
        assert_eq!(text.parse::<StepId>(), Err(NotAStepId), "{text:?}");
    }
}
