//! Two changes of one version of a plan, brought together.

use std::collections::{BTreeMap, BTreeSet};

use super::{KeptPlan, KeptStep, PlanEdit, PlanEditError, StepId, WantedStep};

/// What two changes of a plan give together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanMerge {
    /// What the late one asked for.
    pub yours: Vec<KeptStep>,
    /// A plan with both changes in it, to be asked for with the newest version.
    pub steps: Vec<WantedStep>,
    /// Steps to which both did different things.
    pub conflicts: Vec<StepConflict>,
}

/// A step to which two changes did different things. Where a step is `None`, it is not in that plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepConflict {
    /// The step.
    pub id: StepId,
    /// What both began with.
    pub base: Option<KeptStep>,
    /// What the newest version says.
    pub theirs: Option<KeptStep>,
    /// What the late change says.
    pub yours: Option<KeptStep>,
}

impl KeptPlan {
    /// Brings a change of an earlier version together with this one, the newest. Where both changed the same thing, the
    /// late text and the status that is further win in the proposal; a step is kept that one side removed and the other
    /// changed. Both are told as conflicts.
    ///
    /// # Errors
    /// The change does not fit the earlier version either.
    pub fn merge(&self, base: &Self, edit: &PlanEdit) -> Result<PlanMerge, PlanEditError> {
        // New steps of the late change must not take names that were given since.
        let base = Self { last_step: self.last_step, ..base.clone() };
        let yours = base.edit(edit, None)?.map_or_else(|| base.steps.clone(), |plan| plan.steps);
        let yours = self.with_shared_names(&base, yours);
        let sides =
            Sides { base: by_id(&base.steps), theirs: by_id(&self.steps), yours: by_id(&yours) };
        let mut merged = BTreeMap::new();
        let mut conflicts = Vec::new();
        let ids: BTreeSet<_> = sides.theirs.keys().chain(sides.yours.keys()).copied().collect();
        for id in ids {
            let (step, agreed) = sides.decide(id);
            if !agreed {
                conflicts.push(sides.conflict(id));
            }
            merged.extend(step.map(|step| (id, step)));
        }
        let order = order(&names(&base.steps), &names(&self.steps), &names(&yours));
        let steps = order.iter().filter_map(|id| merged.remove(id)).map(|step| WantedStep {
            // One that the newest version does not have is a new one there.
            id: sides.theirs.contains_key(&step.id).then_some(step.id),
            step: step.step,
            status: Some(step.status),
        });
        let steps = steps.collect();
        Ok(PlanMerge { steps, conflicts, yours })
    }

    /// A step that both added with the same text is one step.
    fn with_shared_names(&self, base: &Self, mut yours: Vec<KeptStep>) -> Vec<KeptStep> {
        let old: BTreeSet<_> = base.steps.iter().map(|step| step.id).collect();
        let mut added: Vec<_> = self.steps.iter().filter(|step| !old.contains(&step.id)).collect();
        for step in yours.iter_mut().filter(|step| !old.contains(&step.id)) {
            if let Some(place) = added.iter().position(|theirs| theirs.step == step.step) {
                step.id = added.remove(place).id;
            }
        }
        yours
    }
}

/// The three plans, by step.
struct Sides<'a> {
    base: BTreeMap<StepId, &'a KeptStep>,
    theirs: BTreeMap<StepId, &'a KeptStep>,
    yours: BTreeMap<StepId, &'a KeptStep>,
}

impl Sides<'_> {
    /// What becomes of a step, and whether both sides agree on it.
    fn decide(&self, id: StepId) -> (Option<KeptStep>, bool) {
        let base = self.base.get(&id).copied();
        match (base, self.theirs.get(&id).copied(), self.yours.get(&id).copied()) {
            (base, Some(theirs), Some(yours)) => {
                let (step, text_agreed) =
                    pick(base.map(|base| &base.step), &theirs.step, &yours.step, |_, yours| yours);
                let (status, status_agreed) =
                    pick(base.map(|base| &base.status), &theirs.status, &yours.status, Ord::max);
                let step = KeptStep { id, step: step.clone(), status: *status };
                (Some(step), text_agreed && status_agreed)
            }
            // Removed by one side: gone, unless the other one changed it.
            (Some(base), Some(left), None) | (Some(base), None, Some(left)) => {
                let changed = base != left;
                (changed.then(|| left.clone()), !changed)
            }
            (None, Some(added), None) | (None, None, Some(added)) => (Some(added.clone()), true),
            (_, None, None) => (None, true),
        }
    }

    fn conflict(&self, id: StepId) -> StepConflict {
        let of = |side: &BTreeMap<StepId, &KeptStep>| side.get(&id).map(|step| (*step).clone());
        StepConflict { id, base: of(&self.base), theirs: of(&self.theirs), yours: of(&self.yours) }
    }
}

/// What one side changed, or, if both did, what `both` makes of it.
fn pick<'a, T: PartialEq>(
    base: Option<&'a T>,
    theirs: &'a T,
    yours: &'a T,
    both: impl FnOnce(&'a T, &'a T) -> &'a T,
) -> (&'a T, bool) {
    if theirs == yours || base == Some(yours) {
        (theirs, true)
    } else if base == Some(theirs) {
        (yours, true)
    } else {
        (both(theirs, yours), false)
    }
}

/// The order of all steps: that of the side which changed it, ours if both did, each further step behind the one that it
/// stood behind.
fn order(base: &[StepId], theirs: &[StepId], yours: &[StepId]) -> Vec<StepId> {
    let sides = [base, theirs, yours].map(|side| side.iter().copied().collect::<BTreeSet<_>>());
    let common = |of: &[StepId]| -> Vec<StepId> {
        let in_all = |id: &&StepId| sides.iter().all(|side| side.contains(*id));
        of.iter().filter(in_all).copied().collect()
    };
    let (first, second) = match common(yours) == common(base) {
        true => (theirs, yours),
        false => (yours, theirs),
    };
    let mut order = first.to_vec();
    let mut behind = 0;
    for id in second {
        match order.iter().position(|known| known == id) {
            Some(place) => behind = place + 1,
            None => {
                order.insert(behind, *id);
                behind += 1;
            }
        }
    }
    order
}

fn by_id(steps: &[KeptStep]) -> BTreeMap<StepId, &KeptStep> {
    steps.iter().map(|step| (step.id, step)).collect()
}

fn names(steps: &[KeptStep]) -> Vec<StepId> {
    steps.iter().map(|step| step.id).collect()
}
