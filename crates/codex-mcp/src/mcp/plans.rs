//! What calls do with plans: read a version, make the next one, and see to it that Codex learns of it, once.
//!
//! A version counts when it is in the records. Whether Codex knows it stands there too, so whichever engine starts the
//! next turn of the thread tells it. Only an engine that was killed between the two leaves a doubt, and then what Codex
//! itself has kept of the thread decides.

use bridge_core::{
    CallRequest, KeptPlan, KeptStep, Outcome, PlanEdit, PlanEditError, PlanMerge, PlanNote,
    StepStatus, ThreadId, TurnDetail, TurnId, TurnList, TurnQuery,
};
use bridge_store::{PlanAuthor, PlanVersion, Write};

use super::call::ToolCall;
use super::resources::News;
use crate::codex::plan_note;
use crate::error::{Code, Problem};

/// How often a change is tried again that others were faster than.
const ATTEMPTS: usize = 5;

/// A change of a plan that a client asks for.
pub(super) struct Change {
    pub(super) edit: PlanEdit,
    pub(super) explanation: Option<String>,
    /// The version that it was made for.
    pub(super) expected: Option<u64>,
}

/// What came of a change.
pub(super) enum Changed {
    /// There is a new version.
    Made(PlanVersion),
    /// The newest version says just this; `None`: an empty plan.
    Already(Option<PlanVersion>),
    /// The plan has changed since the version that the change was made for.
    Conflict { newest: PlanVersion, merge: PlanMerge },
}

/// A version of a thread's plan, or the newest.
///
/// # Errors
/// The store cannot be read.
pub(super) async fn version(
    call: &ToolCall<'_>,
    thread: &ThreadId,
    version: Option<u64>,
) -> Result<Option<PlanVersion>, Problem> {
    let thread = thread.clone();
    call.ledger().read(move |store| store.plan(&thread, version)).await
}

/// Makes the next version.
///
/// # Errors
/// The change is not one that can be made; the version that it was made for is none; it could not be kept.
pub(super) async fn change(
    call: &ToolCall<'_>,
    thread: &ThreadId,
    change: &Change,
) -> Result<Changed, Problem> {
    // What was recorded in this moment can be read once it is safe.
    let _ = call.ledger().settle(Vec::new()).await;
    for _ in 0..ATTEMPTS {
        let newest = version(call, thread, None).await?;
        let plan = newest.as_ref().map(|newest| newest.plan.clone()).unwrap_or_default();
        if let Some(expected) = change.expected.filter(|expected| *expected != plan.version) {
            let base = base(call, thread, expected, plan.version).await?;
            let merge = plan.merge(&base, &change.edit).map_err(bad_edit)?;
            return Ok(match newest {
                Some(newest) if content(&merge.yours) != content(&plan.steps) => {
                    Changed::Conflict { newest, merge }
                }
                newest => Changed::Already(newest),
            });
        }
        let edited = plan.edit(&change.edit, change.explanation.as_deref()).map_err(bad_edit)?;
        let Some(next) = edited else {
            return Ok(Changed::Already(newest));
        };
        let session = call.claude_session().map(str::to_owned);
        let edited = Write::PlanEdited { thread: thread.clone(), plan: next.clone(), session };
        call.ledger().write(vec![edited]);
        let _ = call.ledger().settle(Vec::new()).await;
        match version(call, thread, Some(next.version)).await? {
            Some(kept) if kept.author == PlanAuthor::Client && kept.plan == next => {
                call.tell_watchers(&News::of_plan(thread));
                return Ok(Changed::Made(kept));
            }
            // Somebody else was faster.
            Some(_) => {}
            None => return Err(not_kept(call)),
        }
    }
    let message =
        format!("the plan of thread {thread} changes faster than this call can change it");
    Err(Problem::new(Code::PlanConflict, message))
}

async fn base(
    call: &ToolCall<'_>,
    thread: &ThreadId,
    expected: u64,
    newest: u64,
) -> Result<KeptPlan, Problem> {
    if expected == 0 {
        return Ok(KeptPlan::default());
    }
    let base = version(call, thread, Some(expected)).await?;
    base.map(|base| base.plan).ok_or_else(|| no_version("expectedVersion", expected, newest))
}

/// An argument names a version that there is not.
pub(super) fn no_version(argument: &str, given: u64, newest: u64) -> Problem {
    let allowed = match newest {
        0 => "nothing: the thread has no plan".to_owned(),
        newest => format!("1 to {newest}"),
    };
    Problem::argument(argument, &format!("there is no version {given}"), &allowed)
}

fn content(steps: &[KeptStep]) -> Vec<(&str, StepStatus)> {
    steps.iter().map(|step| (step.step.as_str(), step.status)).collect()
}

fn not_kept(call: &ToolCall<'_>) -> Problem {
    let problem = call.ledger().status().problem;
    problem.unwrap_or_else(|| Problem::new(Code::StoreUnavailable, "the plan could not be kept"))
}

fn bad_edit(error: PlanEditError) -> Problem {
    use bridge_core::{MAX_PLAN_STEPS, MAX_PLAN_TEXT_CHARS};
    let too_long = |argument, chars| {
        let given = format!("it has {chars} characters");
        Problem::argument(argument, &given, &format!("at most {MAX_PLAN_TEXT_CHARS}"))
    };
    let known = "an `id` of the newest version, which codex.plan.get gives";
    match error {
        PlanEditError::UnknownStep(id) => {
            Problem::argument("id", &format!("the plan has no step {id}"), known)
        }
        PlanEditError::StepTwice(id) => {
            Problem::argument("id", &format!("step {id} is named twice"), "each step once")
        }
        PlanEditError::EmptyStep => {
            Problem::argument("step", "it is empty", "a text with at least one visible character")
        }
        PlanEditError::StepTooLong(chars) => too_long("step", chars),
        PlanEditError::ExplanationTooLong(chars) => too_long("explanation", chars),
        PlanEditError::TooManySteps(steps) => {
            let given = format!("the plan would have {steps} steps");
            Problem::argument("steps", &given, &format!("at most {MAX_PLAN_STEPS}"))
        }
    }
}

/// Tells Codex of a version now, if a turn runs: gives the turn that it was sent to. Else the next turn tells it.
pub(super) async fn tell(
    call: &ToolCall<'_>,
    thread: &ThreadId,
    made: &PlanVersion,
) -> Option<TurnId> {
    let note = plan_note::write(made);
    match call.run(CallRequest::TellPlan { thread: thread.clone(), note }).await {
        Outcome::PlanTold { turn } => turn,
        Outcome::Failed(_)
        | Outcome::Turn(_)
        | Outcome::Asked { .. }
        | Outcome::Steered { .. }
        | Outcome::Cancelled { .. }
        | Outcome::NotLive
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Health(_) => None,
    }
}

/// What Codex has to be told with the next turn of a thread.
pub(super) async fn untold(call: &ToolCall<'_>, thread: &ThreadId) -> Option<PlanNote> {
    let read = || {
        let thread = thread.clone();
        call.ledger().read(move |store| store.untold_plan(&thread))
    };
    read().await.ok()??;
    // It may have been told in this moment.
    let _ = call.ledger().settle(Vec::new()).await;
    let version = read().await.ok()??;
    if version.at < call.ledger().opened_at()
        && let Some(turn) = known_to_codex(call, thread, &version).await
    {
        let told = Write::PlanTold { thread: thread.clone(), version: version.plan.version, turn };
        call.ledger().write(vec![told]);
        return None;
    }
    Some(plan_note::write(&version))
}

/// The turn in which an engine that was killed then has told Codex of a version, as Codex's own records say.
async fn known_to_codex(
    call: &ToolCall<'_>,
    thread: &ThreadId,
    version: &PlanVersion,
) -> Option<TurnId> {
    let made_at = version.at.0.div_euclid(1_000);
    let mut cursor = None;
    loop {
        let outline = turns(call, thread, cursor.clone(), TurnDetail::Outline).await?;
        if outline.turns.iter().any(|turn| turn.started_at.is_none_or(|at| at >= made_at)) {
            let whole = turns(call, thread, cursor.clone(), TurnDetail::Whole).await?;
            let tells = |told: &Vec<u64>| told.contains(&version.plan.version);
            if let Some(turn) = whole.turns.into_iter().find(|turn| tells(&turn.plans_told)) {
                return Some(turn.turn);
            }
        }
        if outline.next.is_none() || outline.next == cursor {
            return None;
        }
        cursor = outline.next;
    }
}

async fn turns(
    call: &ToolCall<'_>,
    thread: &ThreadId,
    cursor: Option<String>,
    detail: TurnDetail,
) -> Option<TurnList> {
    let query = TurnQuery { cursor, detail };
    let request = CallRequest::ReadTurns { thread: thread.clone(), query };
    match call.threads().run(request).await {
        Outcome::Turns(list) => Some(list),
        // Codex cannot be asked: better told twice than never.
        Outcome::Failed(_)
        | Outcome::Turn(_)
        | Outcome::Asked { .. }
        | Outcome::Steered { .. }
        | Outcome::PlanTold { .. }
        | Outcome::Cancelled { .. }
        | Outcome::NotLive
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Health(_) => None,
    }
}
