//! Whatever the plans: names are kept and never given twice, two sides that edit a plan end alike or say that they do
//! not, and nothing comes back as an echo.

use std::collections::BTreeSet;

use bridge_core::*;
use proptest::prelude::*;

fn steps() -> impl Strategy<Value = Plan> {
    let status = prop_oneof![
        Just(StepStatus::Pending),
        Just(StepStatus::InProgress),
        Just(StepStatus::Completed)
    ];
    let text = prop_oneof![
        4 => "[a-d]{1,3}",
        1 => Just(String::new()),
        1 => ".{0,12}",
    ];
    let step = (text, status).prop_map(|(step, status)| PlanStep { step, status });
    let explanation = prop_oneof![3 => Just(None), 1 => "[a-c]".prop_map(Some)];
    (prop::collection::vec(step, 0..7), explanation)
        .prop_map(|(steps, explanation)| Plan { steps, explanation })
}

/// What a client may ask for, whatever the version: all steps of a plan.
fn whole(plan: &Plan) -> PlanEdit {
    let texts = plan.steps.iter().filter(|step| !step.step.trim().is_empty());
    PlanEdit::Whole(
        texts
            .map(|step| WantedStep { id: None, step: step.step.clone(), status: Some(step.status) })
            .collect(),
    )
}

#[derive(Clone, Debug)]
enum Step {
    /// A client makes a version.
    Client(Plan),
    /// A client repeats the newest version.
    Repeat,
    /// Codex is told what waits.
    Deliver,
    /// Codex makes a plan of its own.
    Codex(Plan),
    /// Codex repeats the plan that it knows.
    Echo,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => steps().prop_map(Step::Client),
        1 => Just(Step::Repeat),
        3 => Just(Step::Deliver),
        3 => steps().prop_map(Step::Codex),
        2 => Just(Step::Echo),
    ]
}

/// Both sides of a plan, as the records and Codex's memory have them.
#[derive(Default)]
struct Sides {
    newest: KeptPlan,
    /// The newest version of a client that Codex does not know.
    waiting: Option<KeptPlan>,
    /// What Codex takes for the plan.
    codex: Vec<(String, StepStatus)>,
    /// Whether the newest version was made without knowing of another one, and says so.
    conflict: bool,
    delivered: Vec<u64>,
}

impl Sides {
    fn step(&mut self, step: Step) {
        match step {
            Step::Client(plan) => {
                let edit = whole(&plan);
                let next = self.newest.edit(&edit, plan.explanation.as_deref());
                let next = next.expect("it has few steps");
                self.client(next);
            }
            Step::Repeat => {
                let same: Vec<_> = self
                    .newest
                    .steps
                    .iter()
                    .map(|step| StepEdit::Change {
                        id: step.id,
                        step: None,
                        status: Some(step.status),
                    })
                    .collect();
                let next = self.newest.edit(&PlanEdit::Parts(same), None);
                let next = next.expect("it names steps of the plan");
                assert_eq!(next, None, "a repetition made a version");
            }
            Step::Deliver => {
                if let Some(plan) = self.waiting.take() {
                    self.delivered.push(plan.version);
                    self.codex = content(&plan);
                }
            }
            Step::Codex(plan) => self.codex(plan),
            Step::Echo => {
                let repeat = |(step, status): &(String, StepStatus)| PlanStep {
                    step: step.clone(),
                    status: *status,
                };
                let steps = self.codex.iter().map(repeat).collect();
                let before = self.newest.version;
                let in_step = self.waiting.is_none() && !self.conflict;
                self.codex(Plan { explanation: None, steps });
                assert!(!in_step || self.newest.version == before, "an echo made a version");
            }
        }
    }

    fn client(&mut self, next: Option<KeptPlan>) {
        if let Some(next) = next {
            self.newest = next.clone();
            self.waiting = Some(next);
            self.conflict = false;
        }
    }

    fn codex(&mut self, plan: Plan) {
        self.codex = plan.steps.iter().map(|step| (step.step.clone(), step.status)).collect();
        if let Some(next) = self.newest.follow(&plan) {
            self.newest = next;
            self.conflict = self.waiting.is_some();
        }
    }
}

fn content(plan: &KeptPlan) -> Vec<(String, StepStatus)> {
    plan.steps.iter().map(|step| (step.step.clone(), step.status)).collect()
}

proptest! {
    #[test]
    fn names_are_kept_and_never_given_twice(plans in prop::collection::vec(steps(), 1..8)) {
        let mut kept = KeptPlan::default();
        let mut gone = BTreeSet::new();
        for plan in plans {
            let Some(next) = kept.follow(&plan) else { continue };
            let ids: BTreeSet<_> = next.steps.iter().map(|step| step.id).collect();
            prop_assert_eq!(ids.len(), next.steps.len(), "a name twice");
            prop_assert!(ids.is_disjoint(&gone), "a name came back");
            prop_assert!(ids.iter().all(|id| id.0 <= next.last_step));
            gone.extend(kept.steps.iter().map(|step| step.id).filter(|id| !ids.contains(id)));
            // A text that both have once is one step.
            for step in &kept.steps {
                let once = |steps: &[KeptStep]| {
                    steps.iter().filter(|other| other.step == step.step).count() == 1
                };
                if once(&kept.steps) && once(&next.steps) {
                    let found = next.steps.iter().find(|other| other.step == step.step);
                    prop_assert_eq!(found.map(|found| found.id), Some(step.id));
                }
            }
            kept = next;
        }
    }

    #[test]
    fn another_order_keeps_all_names(
        texts in prop::collection::btree_set("[a-z]{1,6}", 1..12), seed in any::<u64>(),
    ) {
        let step = |text: &String| PlanStep { step: text.clone(), status: StepStatus::Pending };
        let kept = KeptPlan::default().follow(&Plan { steps: texts.iter().map(step).collect(), explanation: None }).unwrap();
        let mut other: Vec<_> = texts.iter().map(step).collect();
        other.sort_by_key(|step| (step.step.len() as u64).wrapping_mul(seed) ^ seed.rotate_left(step.step.as_bytes()[0].into()));
        let next = kept.follow(&Plan { steps: other, explanation: None }).unwrap_or_else(|| kept.clone());
        let pairs = |plan: &KeptPlan| plan.steps.iter().map(|step| (step.id, step.step.clone())).collect::<BTreeSet<_>>();
        prop_assert_eq!(pairs(&kept), pairs(&next));
        prop_assert!(next.changes_since(&kept).iter().all(|change| change.moved));
    }

    #[test]
    fn a_difference_is_empty_only_for_the_same_steps(first in steps(), second in steps()) {
        let first = KeptPlan::default().follow(&first).unwrap_or_default();
        let second = first.follow(&second).unwrap_or_else(|| first.clone());
        let changes = second.changes_since(&first);
        prop_assert_eq!(changes.is_empty(), first.steps == second.steps);
    }

    #[test]
    fn a_proposal_can_be_asked_for_and_has_both_sides(
        base in steps(), theirs in steps(), yours in steps(),
    ) {
        let base = KeptPlan::default().follow(&base).unwrap_or_default();
        let theirs = base.follow(&theirs).unwrap_or_else(|| base.clone());
        let edit = whole(&yours);
        let merge = theirs.merge(&base, &edit).unwrap();
        let proposal: Vec<_> = merge.steps.iter().filter(|step| !step.step.trim().is_empty()).cloned().collect();
        prop_assert!(theirs.edit(&PlanEdit::Whole(proposal), None).is_ok());
        if theirs.steps == base.steps {
            // Nobody else changed anything: what was asked for is what is proposed.
            let asked: Vec<_> = merge.yours.iter().map(|step| (step.step.clone(), step.status)).collect();
            let proposed: Vec<_> = merge.steps.iter().map(|step| (step.step.clone(), step.status.unwrap())).collect();
            prop_assert_eq!(asked, proposed);
            prop_assert!(merge.conflicts.is_empty());
        }
        if merge.yours == base.steps {
            let latest: Vec<_> = theirs.steps.iter().map(|step| Some(step.id)).collect();
            prop_assert_eq!(merge.steps.iter().map(|step| step.id).collect::<Vec<_>>(), latest);
            prop_assert!(merge.conflicts.is_empty());
        }
    }

    #[test]
    fn both_sides_end_alike_or_with_a_conflict_and_nothing_echoes(
        steps in prop::collection::vec(step(), 0..30),
    ) {
        let mut sides = Sides::default();
        for step in steps {
            sides.step(step);
        }
        sides.step(Step::Deliver);
        prop_assert!(sides.conflict || content(&sides.newest) == sides.codex);
        // What a client did is told once, and each time something newer.
        prop_assert!(sides.delivered.windows(2).all(|pair| pair[0] < pair[1]));
        // From here on nothing goes round: each side repeats what it knows.
        if !sides.conflict {
            let version = sides.newest.version;
            for step in [Step::Echo, Step::Repeat, Step::Deliver, Step::Echo] {
                sides.step(step);
            }
            prop_assert_eq!(sides.newest.version, version);
        }
    }
}
