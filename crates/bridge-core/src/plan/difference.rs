//! What differs between two versions of a plan.

use std::collections::{BTreeMap, BTreeSet};

use super::{KeptPlan, KeptStep, StepId};

/// What became of a step from one version to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepChange {
    /// The step.
    pub id: StepId,
    /// What it was; `None` if it is new.
    pub was: Option<KeptStep>,
    /// What it is; `None` if it was removed.
    pub now: Option<KeptStep>,
    /// Whether it stands elsewhere among the steps that both versions have.
    pub moved: bool,
}

impl KeptPlan {
    /// What differs in this version from another one: the steps of this one first, then those that it does not have.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<StepChange> {
        let old: BTreeMap<_, _> =
            before.steps.iter().enumerate().map(|(place, step)| (step.id, place)).collect();
        let places: Vec<_> =
            self.steps.iter().filter_map(|step| old.get(&step.id).copied()).collect();
        let stayed = longest_rise(&places);
        let now = self.steps.iter().filter_map(|step| {
            let place = old.get(&step.id);
            let was = place.map(|place| before.steps[*place].clone());
            let moved = place.is_some_and(|place| !stayed.contains(place));
            (moved || was.as_ref() != Some(step)).then(|| StepChange {
                id: step.id,
                was,
                now: Some(step.clone()),
                moved,
            })
        });
        let kept: BTreeSet<_> = self.steps.iter().map(|step| step.id).collect();
        let gone = before.steps.iter().filter(|step| !kept.contains(&step.id)).map(|step| {
            StepChange { id: step.id, was: Some(step.clone()), now: None, moved: false }
        });
        now.chain(gone).collect()
    }
}

/// The most of these different numbers that rise as they stand: what was not moved.
fn longest_rise(numbers: &[usize]) -> BTreeSet<usize> {
    // For each length the place of the smallest number that ends a rise of that length, and for each place the one before.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (place, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut rise = BTreeSet::new();
    let mut next = ends.last().copied();
    while let Some(place) = next {
        rise.insert(numbers[place]);
        next = before[place];
    }
    rise
}
