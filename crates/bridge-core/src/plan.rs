//! A thread's plan. Its steps keep their names from one version to the next, whoever makes it: Codex, which says all
//! steps again without any names, or a client.
//!
//! Everything here is a function of the version before. Who makes the next version sees to it that there is no other one.

mod difference;
mod follow;
mod matching;
mod merge;
mod note;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub use difference::StepChange;
pub use follow::{ItemChange, ItemEdit, LaterVersion};
pub use merge::{PlanMerge, StepConflict};
pub use note::PlanNote;
pub(crate) use note::PlanNotes;

/// Steps that a client may give a plan. Codex is not bound by it: what it says is kept.
pub const MAX_PLAN_STEPS: usize = 200;
/// Characters that a client may give a step, or the reason for a change.
pub const MAX_PLAN_TEXT_CHARS: usize = 1_000;

/// A plan, as Codex tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Why it changed.
    pub explanation: Option<String>,
    /// Its steps.
    pub steps: Vec<PlanStep>,
}

/// A step of a plan, as Codex tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStep {
    /// What is to do.
    pub step: String,
    /// How far it is.
    pub status: StepStatus,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
}

/// The name of a step within its thread. No other step ever gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u64);

impl fmt::Display for StepId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s{}", self.0)
    }
}

/// A text that is not the name of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAStepId;

impl FromStr for StepId {
    type Err = NotAStepId;

    fn from_str(text: &str) -> Result<Self, NotAStepId> {
        let number = text.strip_prefix('s').and_then(|digits| digits.parse().ok());
        // Only the one way to write it: no sign, no leading zero.
        number.map(Self).filter(|id| id.to_string() == text).ok_or(NotAStepId)
    }
}

/// A step of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptStep {
    /// Its name.
    pub id: StepId,
    /// What is to do.
    pub step: String,
    /// How far it is.
    pub status: StepStatus,
}

/// A version of a thread's plan. The one before the first has number 0 and no steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptPlan {
    /// Its number.
    pub version: u64,
    /// Why it was made.
    pub explanation: Option<String>,
    /// Its steps.
    pub steps: Vec<KeptStep>,
    /// The newest name that was given on the thread.
    pub last_step: u64,
}

/// A step that a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedStep {
    /// Which step of the version before it is; without it, the one that is most like it, or a new one.
    pub id: Option<StepId>,
    /// What is to do.
    pub step: String,
    /// How far it is; without it, as far as it was.
    pub status: Option<StepStatus>,
}

/// What a client does to one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEdit {
    /// It is added at the end.
    Add {
        /// What is to do.
        step: String,
        /// How far it is.
        status: StepStatus,
    },
    /// It says something else now.
    Change {
        /// Which.
        id: StepId,
        /// What is to do, if that is another thing.
        step: Option<String>,
        /// How far it is, if that has changed.
        status: Option<StepStatus>,
    },
    /// It is no step any more.
    Remove {
        /// Which.
        id: StepId,
    },
}

/// What a client does to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanEdit {
    /// All steps.
    Whole(Vec<WantedStep>),
    /// Some steps, one after another.
    Parts(Vec<StepEdit>),
}

/// Why a plan cannot be changed like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanEditError {
    /// The version has no such step.
    UnknownStep(StepId),
    /// Two steps have one name.
    StepTwice(StepId),
    /// A step says nothing.
    EmptyStep,
    /// A step has so many characters.
    StepTooLong(usize),
    /// The reason has so many characters.
    ExplanationTooLong(usize),
    /// There would be so many steps.
    TooManySteps(usize),
}

impl KeptPlan {
    /// The next version, if Codex tells the plan like this; `None` if it says nothing new. A plan without a reason says
    /// nothing new if its steps do not: that is how Codex repeats what it was told.
    #[must_use]
    pub fn follow(&self, plan: &Plan) -> Option<Self> {
        let wanted = |step: &PlanStep| WantedStep {
            id: None,
            step: step.step.clone(),
            status: Some(step.status),
        };
        let wanted: Vec<_> = plan.steps.iter().map(wanted).collect();
        let (steps, last_step) = self.name(&wanted);
        let explanation = plan.explanation.as_deref().filter(|text| !text.trim().is_empty());
        self.next(steps, last_step, explanation)
    }

    /// The next version, if a client changes the plan like this; `None` if that changes nothing.
    ///
    /// # Errors
    /// Nothing is changed then: see [`PlanEditError`].
    pub fn edit(
        &self,
        edit: &PlanEdit,
        explanation: Option<&str>,
    ) -> Result<Option<Self>, PlanEditError> {
        if let Some(chars) = explanation.and_then(too_long) {
            return Err(PlanEditError::ExplanationTooLong(chars));
        }
        let (steps, last_step) = match edit {
            PlanEdit::Whole(wanted) => {
                wanted.iter().try_for_each(|wanted| check_text(&wanted.step))?;
                self.check_names(wanted)?;
                self.name(wanted)
            }
            PlanEdit::Parts(parts) => self.edit_parts(parts)?,
        };
        // What Codex made long may be made shorter bit by bit.
        if steps.len() > MAX_PLAN_STEPS.max(self.steps.len()) {
            return Err(PlanEditError::TooManySteps(steps.len()));
        }
        Ok(self.next(steps, last_step, explanation))
    }

    fn next(
        &self,
        steps: Vec<KeptStep>,
        last_step: u64,
        explanation: Option<&str>,
    ) -> Option<Self> {
        let explains = explanation.is_some() && explanation != self.explanation.as_deref();
        (explains || steps != self.steps).then(|| Self {
            version: self.version + 1,
            explanation: explanation.map(str::to_owned),
            steps,
            last_step,
        })
    }

    /// Gives each step the name that it has, or a new one.
    fn name(&self, wanted: &[WantedStep]) -> (Vec<KeptStep>, u64) {
        let mut last_step = self.last_step;
        let pairs = matching::pair(&self.steps, wanted);
        let steps = wanted.iter().zip(pairs).map(|(wanted, pair)| {
            let old = pair.map(|index| &self.steps[index]);
            let id = old.map_or_else(|| mint(&mut last_step), |old| old.id);
            let status = wanted.status.or(old.map(|old| old.status));
            let status = status.unwrap_or(StepStatus::Pending);
            KeptStep { id, step: wanted.step.clone(), status }
        });
        (steps.collect(), last_step)
    }

    fn check_names(&self, wanted: &[WantedStep]) -> Result<(), PlanEditError> {
        let known: BTreeSet<_> = self.steps.iter().map(|step| step.id).collect();
        let mut named = BTreeSet::new();
        for id in wanted.iter().filter_map(|wanted| wanted.id) {
            if !known.contains(&id) {
                return Err(PlanEditError::UnknownStep(id));
            }
            if !named.insert(id) {
                return Err(PlanEditError::StepTwice(id));
            }
        }
        Ok(())
    }

    fn edit_parts(&self, parts: &[StepEdit]) -> Result<(Vec<KeptStep>, u64), PlanEditError> {
        let (mut steps, mut last_step) = (self.steps.clone(), self.last_step);
        let mut named = BTreeSet::new();
        let find = |steps: &[KeptStep], id: StepId, named: &mut BTreeSet<StepId>| {
            if !named.insert(id) {
                return Err(PlanEditError::StepTwice(id));
            }
            let place = steps.iter().position(|step| step.id == id);
            place.ok_or(PlanEditError::UnknownStep(id))
        };
        for part in parts {
            match part {
                StepEdit::Add { step, status } => {
                    check_text(step)?;
                    let id = mint(&mut last_step);
                    steps.push(KeptStep { id, step: step.clone(), status: *status });
                }
                StepEdit::Change { id, step, status } => {
                    let place = find(&steps, *id, &mut named)?;
                    if let Some(text) = step {
                        check_text(text)?;
                        steps[place].step.clone_from(text);
                    }
                    steps[place].status = status.unwrap_or(steps[place].status);
                }
                StepEdit::Remove { id } => {
                    let place = find(&steps, *id, &mut named)?;
                    steps.remove(place);
                }
            }
        }
        Ok((steps, last_step))
    }
}

fn mint(last_step: &mut u64) -> StepId {
    *last_step += 1;
    StepId(*last_step)
}

fn check_text(text: &str) -> Result<(), PlanEditError> {
    match too_long(text) {
        Some(chars) => Err(PlanEditError::StepTooLong(chars)),
        None if text.trim().is_empty() => Err(PlanEditError::EmptyStep),
        None => Ok(()),
    }
}

/// How many characters a text has, if that is too many.
fn too_long(text: &str) -> Option<usize> {
    let chars = text.chars().count();
    (chars > MAX_PLAN_TEXT_CHARS).then_some(chars)
}
