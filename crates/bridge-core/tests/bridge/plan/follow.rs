//! A client that keeps a list of its own beside a plan: what it is told, what it changes, and that nothing goes round.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;

use StepStatus::{Completed, InProgress, Pending};

/// A plan in short: `[ ]`, `[>]` or `[x]` before each text, steps apart by commas.
fn list(text: &str) -> Vec<PlanStep> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let step = |item: &str| {
        let (mark, text) = item.split_at(3);
        let status = match mark {
            "[>]" => InProgress,
            "[x]" => Completed,
            _ => Pending,
        };
        PlanStep { step: text.trim().to_owned(), status }
    };
    items.map(step).collect()
}

fn plan(text: &str) -> KeptPlan {
    let plan = Plan { explanation: None, steps: list(text) };
    KeptPlan::default().follow(&plan).unwrap_or_default()
}

fn show(plan: &KeptPlan) -> String {
    let step = |step: &KeptStep| format!("{} {:?} {}", step.id, step.status, step.step);
    plan.steps.iter().map(step).collect::<Vec<_>>().join("\n")
}

/// What a to-do list that changed from `old` to `new` makes of a plan.
#[track_caller]
fn check(kept: &str, old: &str, new: &str, expected: Expect) {
    let kept = plan(kept);
    let edits = kept.list_edit(&list(old), &list(new));
    let next = kept.edit(&PlanEdit::Parts(edits), None).expect("it names steps of the plan");
    expected.assert_eq(&next.map_or_else(|| "nothing new".to_owned(), |next| show(&next)));
}

#[test]
fn a_to_do_list_changes_what_changed_in_it() {
    let kept = "[x] read, [>] write, [ ] ship";
    check(kept, "[>] write", "[>] write", expect!["nothing new"]);
    check(kept, "", "[x] read, [>] write, [ ] ship", expect!["nothing new"]);
    check(
        kept,
        "[ ] lunch",
        "[x] lunch",
        expect![[r#"
        s1 Completed read
        s2 InProgress write
        s3 Pending ship
        s4 Completed lunch"#]],
    );
    check(
        kept,
        "[>] write, [ ] ship",
        "[x] write, [>] ship",
        expect![[r#"
        s1 Completed read
        s2 Completed write
        s3 InProgress ship"#]],
    );
    check(
        kept,
        "[>] write, [ ] ship",
        "[>] write the rest, [ ] measure",
        expect![[r#"
        s1 Completed read
        s2 InProgress write the rest
        s4 Pending measure"#]],
    );
    check(
        kept,
        "[>] write, [ ] lunch",
        "",
        expect![[r#"
        s1 Completed read
        s3 Pending ship"#]],
    );
    // Two steps with one text are told apart by how far they are.
    check(
        "[x] a, [ ] a",
        "[ ] a",
        "[>] a",
        expect![[r#"
        s1 Completed a
        s2 InProgress a"#]],
    );
    check("[x] a, [ ] a", "[x] a", "[x] a, [ ] a", expect!["nothing new"]);
}

#[test]
fn what_a_client_did_itself_is_not_told_to_it() {
    let first = plan("[ ] a, [ ] b");
    let follow = |plan: &KeptPlan, text: &str| {
        plan.follow(&Plan { explanation: None, steps: list(text) }).expect("it is another plan")
    };
    let codex = follow(&first, "[x] a, [ ] b, [ ] c");
    let own = PlanEdit::Parts(vec![StepEdit::Change {
        id: StepId(2),
        step: None,
        status: Some(InProgress),
    }]);
    let own = codex.edit(&own, None).unwrap().unwrap();
    let later = |is_own| {
        [LaterVersion { plan: &codex, is_own: false }, LaterVersion { plan: &own, is_own }]
    };
    let ids =
        |changes: Vec<StepChange>| changes.iter().map(|change| change.id.0).collect::<Vec<_>>();
    assert_eq!(ids(first.news(later(true), &[])), [1, 3]);
    assert_eq!(ids(first.news(later(false), &[])), [1, 2, 3]);
    assert_eq!(ids(codex.news([LaterVersion { plan: &own, is_own: true }], &[])), [0; 0]);
    assert_eq!(ids(own.news([], &[])), [0; 0]);
}

fn status() -> impl Strategy<Value = StepStatus> {
    prop_oneof![Just(Pending), Just(InProgress), Just(Completed)]
}

fn steps() -> impl Strategy<Value = Vec<PlanStep>> {
    let step = ("[a-e]{1,2}", status()).prop_map(|(step, status)| PlanStep { step, status });
    prop::collection::vec(step, 0..6)
}

#[derive(Clone, Debug)]
enum Move {
    /// Codex makes a plan.
    Codex(Vec<PlanStep>),
    /// Somebody else makes one.
    Other(Vec<PlanStep>),
    /// The client is told, and does as it is asked.
    Tell,
    /// The client makes a task.
    Create(String),
    /// It changes one of its tasks.
    Change(usize, String, StepStatus),
    /// It deletes one.
    Delete(usize),
}

fn step() -> impl Strategy<Value = Move> {
    prop_oneof![
        3 => steps().prop_map(Move::Codex),
        1 => steps().prop_map(Move::Other),
        3 => Just(Move::Tell),
        2 => "[a-e]{1,2}".prop_map(Move::Create),
        3 => (any::<usize>(), "[a-e]{1,2}", status()).prop_map(|(which, text, status)| Move::Change(which, text, status)),
        1 => any::<usize>().prop_map(Move::Delete),
    ]
}

#[derive(Clone, Debug)]
struct Task {
    step: Option<StepId>,
    text: String,
    status: StepStatus,
}

/// A plan with all its versions, and a client's list beside it.
#[derive(Default)]
struct Sides {
    versions: Vec<(KeptPlan, bool)>,
    /// How many of them the client knows.
    known: usize,
    tasks: Vec<Task>,
}

/// The version that an edit makes.
fn edited(plan: &KeptPlan, edit: StepEdit) -> KeptPlan {
    let next = plan.edit(&PlanEdit::Parts(vec![edit]), None).expect("it names a step of the plan");
    next.expect("it changes something")
}

impl Sides {
    fn newest(&self) -> KeptPlan {
        self.versions.last().map(|(plan, _)| plan.clone()).unwrap_or_default()
    }

    fn others(&mut self, steps: Vec<PlanStep>) {
        if let Some(next) = self.newest().follow(&Plan { explanation: None, steps }) {
            self.versions.push((next, false));
        }
    }

    fn news(&self) -> Vec<StepChange> {
        let base = match self.known.checked_sub(1) {
            Some(place) => self.versions[place].0.clone(),
            None => KeptPlan::default(),
        };
        let later = self.versions[self.known..].iter();
        let items = self.tasks.iter().filter_map(|task| {
            Some(KeptStep { id: task.step?, step: task.text.clone(), status: task.status })
        });
        let items: Vec<_> = items.collect();
        base.news(later.map(|(plan, is_own)| LaterVersion { plan, is_own: *is_own }), &items)
    }

    /// What a change of a task means, where other tasks stand for other steps.
    fn edit(&self, place: Option<usize>, step: Option<StepId>, change: &ItemChange) -> ItemEdit {
        let others = self.tasks.iter().enumerate().filter(|(other, _)| Some(*other) != place);
        let taken: BTreeSet<_> = others.filter_map(|(_, task)| task.step).collect();
        self.newest().item_edit(step, &taken, change)
    }

    /// The client changes a task of its own accord, or makes one.
    fn change(&mut self, place: Option<usize>, text: String, status: StepStatus) {
        let step = place.and_then(|place| self.tasks[place].step);
        let change = ItemChange::Says { text: text.clone(), status };
        let step = match self.edit(place, step, &change) {
            ItemEdit::Nothing => step,
            ItemEdit::Follows(step) => Some(step),
            // The client is told that.
            ItemEdit::Gone(_) => None,
            ItemEdit::Edit(edit) => {
                let adds = matches!(edit, StepEdit::Add { .. });
                let next = edited(&self.newest(), edit);
                let added = adds.then_some(StepId(next.last_step));
                self.versions.push((next, true));
                added.or(step)
            }
        };
        let task = Task { step, text, status };
        match place {
            Some(place) => self.tasks[place] = task,
            None => self.tasks.push(task),
        }
    }

    fn delete(&mut self, place: usize) {
        let step = self.tasks[place].step;
        if let ItemEdit::Edit(edit) = self.edit(Some(place), step, &ItemChange::Removed) {
            let next = edited(&self.newest(), edit);
            self.versions.push((next, true));
        }
        self.tasks.remove(place);
    }

    /// The client is told, and lets its list follow, which changes nothing.
    fn tell(&mut self) {
        let before = self.versions.len();
        for StepChange { id, now, .. } in self.news() {
            let place = self.tasks.iter().position(|task| task.step == Some(id));
            match (now, place) {
                (Some(now), Some(place)) => {
                    self.tasks[place].text.clone_from(&now.step);
                    self.change(Some(place), now.step, now.status);
                }
                (Some(now), None) => {
                    self.tasks.push(Task { step: Some(id), text: now.step, status: now.status })
                }
                (None, Some(place)) => self.delete(place),
                (None, None) => {}
            }
        }
        assert_eq!(self.versions.len(), before, "to follow made a version");
        self.known = self.versions.len();
        assert_eq!(self.news(), [], "told twice");
    }
}

proptest! {
    #[test]
    fn a_list_that_follows_ends_as_the_plan_and_nothing_goes_round(moves in prop::collection::vec(step(), 0..40)) {
        let mut sides = Sides::default();
        for step in moves {
            let tasks = sides.tasks.len();
            match step {
                Move::Codex(steps) | Move::Other(steps) => sides.others(steps),
                Move::Tell => sides.tell(),
                Move::Create(text) => sides.change(None, text, Pending),
                Move::Change(which, text, status) if tasks > 0 => sides.change(Some(which % tasks), text, status),
                Move::Delete(which) if tasks > 0 => sides.delete(which % tasks),
                Move::Change(..) | Move::Delete(_) => {}
            }
        }
        sides.tell();
        // A task whose step was removed under it stands for none, and its client was told so.
        let tasks: BTreeMap<_, _> =
            sides.tasks.iter().filter_map(|task| Some((task.step?, (task.text.clone(), task.status)))).collect();
        let steps: BTreeMap<_, _> =
            sides.newest().steps.into_iter().map(|step| (step.id, (step.step, step.status))).collect();
        prop_assert_eq!(tasks, steps);
    }

    #[test]
    fn a_to_do_list_that_is_written_after_the_plan_changes_nothing(
        old in steps(), texts in prop::collection::btree_map("[a-e]{1,2}", status(), 0..6),
    ) {
        let steps: Vec<_> = texts.into_iter().map(|(step, status)| PlanStep { step, status }).collect();
        let kept = KeptPlan::default().follow(&Plan { explanation: None, steps: steps.clone() }).unwrap_or_default();
        let mut seen = BTreeSet::new();
        let old: Vec<_> = old.into_iter().filter(|item| seen.insert(item.step.clone())).collect();
        let edits = kept.list_edit(&old, &steps);
        prop_assert_eq!(kept.edit(&PlanEdit::Parts(edits), None), Ok(None));
    }
}
