//! What becomes of a plan on both sides when a client keeps a list of its own beside it: what the client has to be told,
//! and what it did to the plan by changing its list.
//!
//! Nothing goes round. A list that follows the plan says what the plan says and changes nothing; what the client did
//! itself is never told to it.

use std::collections::{BTreeMap, BTreeSet};

use super::{KeptPlan, KeptStep, Plan, PlanStep, StepChange, StepEdit, StepId, StepStatus};

/// A version of a plan that somebody may not know.
#[derive(Clone, Copy, Debug)]
pub struct LaterVersion<'a> {
    /// What it says.
    pub plan: &'a KeptPlan,
    /// Whether they made it themselves.
    pub is_own: bool,
}

/// What a client did to an item of its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// It says this.
    Says {
        /// What is to do.
        text: String,
        /// How far it is.
        status: StepStatus,
    },
    /// It is gone.
    Removed,
}

/// What that means for the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemEdit {
    /// Nothing.
    Nothing,
    /// From now on it stands for this step, which is there already.
    Follows(StepId),
    /// The plan is changed.
    Edit(StepEdit),
    /// The step that it stood for was removed meanwhile, so that the change cannot be made.
    Gone(StepId),
}

impl KeptPlan {
    /// What somebody has to be told who knows this version and made some of the later ones, which come oldest first, so
    /// that they know the newest. `items` are what their own list says of the steps that it stands for, known or not.
    #[must_use]
    pub fn news<'a>(
        &self,
        later: impl IntoIterator<Item = LaterVersion<'a>>,
        items: &[KeptStep],
    ) -> Vec<StepChange> {
        let mut known = self.steps.clone();
        let mut newest: &[KeptStep] = &self.steps;
        for LaterVersion { plan, is_own } in later {
            if is_own {
                known = with_own(&known, newest, &plan.steps);
            }
            newest = &plan.steps;
        }
        let is_gone =
            |item: &&KeptStep| find(newest, item.id).is_none() && find(&known, item.id).is_none();
        let gone: Vec<_> = items.iter().filter(is_gone).cloned().collect();
        known.extend(gone);
        let of = |steps: &[KeptStep]| Self { steps: steps.to_vec(), ..Self::default() };
        of(newest).changes_since(&of(&known))
    }

    /// What the change of one item means. It stands for `step`, if for any; other items stand for those of `taken`.
    #[must_use]
    pub fn item_edit(
        &self,
        step: Option<StepId>,
        taken: &BTreeSet<StepId>,
        change: &ItemChange,
    ) -> ItemEdit {
        let found = step.map(|id| (id, self.steps.iter().find(|step| step.id == id)));
        match (found, change) {
            (None | Some((_, None)), ItemChange::Removed) => ItemEdit::Nothing,
            (Some((id, Some(_))), ItemChange::Removed) => ItemEdit::Edit(StepEdit::Remove { id }),
            (Some((id, None)), ItemChange::Says { .. }) => ItemEdit::Gone(id),
            (Some((id, Some(kept))), ItemChange::Says { text, status }) => {
                if (&kept.step, kept.status) == (text, *status) {
                    return ItemEdit::Nothing;
                }
                let text = (kept.step != *text).then(|| text.clone());
                ItemEdit::Edit(StepEdit::Change { id, step: text, status: Some(*status) })
            }
            (None, ItemChange::Says { text, status }) => {
                let same = |kept: &&KeptStep| kept.step == *text && !taken.contains(&kept.id);
                match self.steps.iter().find(same) {
                    Some(kept) => ItemEdit::Follows(kept.id),
                    None => {
                        let (step, status) = (text.clone(), *status);
                        ItemEdit::Edit(StepEdit::Add { step, status })
                    }
                }
            }
        }
    }

    /// What a client did to this plan whose list has no names and was changed from one to another. Items that did not
    /// change say nothing, whether the plan has them or not.
    #[must_use]
    pub fn list_edit(&self, old: &[PlanStep], new: &[PlanStep]) -> Vec<StepEdit> {
        let of = |list: &[PlanStep]| {
            let said = list.iter().filter(|item| !item.step.trim().is_empty());
            Plan { explanation: None, steps: said.cloned().collect() }
        };
        let before = Self::default().follow(&of(old)).unwrap_or_default();
        let after = before.follow(&of(new)).unwrap_or_else(|| before.clone());
        let mut free: Vec<_> = self.steps.iter().collect();
        // Of several with one text rather the one that is as far.
        let mut take = |text: &str, status: StepStatus| {
            let same = |step: &&KeptStep| step.step == text;
            let place = free.iter().position(|step| same(step) && step.status == status);
            let place = place.or_else(|| free.iter().position(same));
            place.map(|place| free.remove(place))
        };
        let stood_for: BTreeMap<_, _> = before
            .steps
            .iter()
            .filter_map(|item| Some((item.id, take(&item.step, item.status)?)))
            .collect();
        let edit = |change: StepChange| {
            let stood_for = stood_for.get(&change.id).copied();
            match change.now {
                None => Some(StepEdit::Remove { id: stood_for?.id }),
                Some(now) if change.was.as_ref() == Some(&now) => None,
                Some(KeptStep { step, status, .. }) => {
                    Some(match stood_for.or_else(|| take(&step, status)) {
                        Some(kept) => {
                            let step = (kept.step != step).then_some(step);
                            StepEdit::Change { id: kept.id, step, status: Some(status) }
                        }
                        None => StepEdit::Add { step, status },
                    })
                }
            }
        };
        after.changes_since(&before).into_iter().filter_map(edit).collect()
    }
}

fn find(steps: &[KeptStep], id: StepId) -> Option<KeptStep> {
    steps.iter().find(|step| step.id == id).cloned()
}

/// What somebody knows after a version of their own: what it changed, in its order, and beside that what they knew, also
/// of steps that others had removed before.
fn with_own(known: &[KeptStep], before: &[KeptStep], own: &[KeptStep]) -> Vec<KeptStep> {
    let knows = |step: &KeptStep| match find(before, step.id).as_ref() == Some(step) {
        true => find(known, step.id),
        false => Some(step.clone()),
    };
    let removed_before = known.iter().filter(|step| find(before, step.id).is_none());
    own.iter().filter_map(knows).chain(removed_before.cloned()).collect()
}
