//! `codex.patch.apply`: carries a patch into the user's files, all or nothing, or takes it back.

use std::collections::HashSet;
use std::fmt;

use bridge_store::{ApplicationRow, ApplicationState, ChangeSetKind, Write};
use change_set::{ApplyError, Change, Step};
use data_encoding::HEXLOWER;
use patch::{Hunk, HunkId};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::patch_preview::{looked, worst};
use super::{Definition, Visibility};
use crate::error::{Code, Problem, brief};
use crate::mcp::arguments::parse;
use crate::mcp::call::ToolCall;
use crate::mcp::patches::{Patch, Which, steps};
use crate::mcp::render::{Answer, Looked, look};
use crate::workspace::patches;

/// How many files a refusal names.
const NAMED: usize = 20;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Arguments {
    /// A turn's `patch.patchId`.
    patch_id: Option<String>,
    /// Instead: a unified diff, relative to `cwd`.
    diff: Option<String>,
    /// Where the diff belongs. Default: the client's project.
    cwd: Option<String>,
    /// Only these files.
    paths: Option<Vec<String>>,
    /// Only these hunks, by the names that codex.patch.preview gives.
    hunks: Option<Vec<String>>,
    /// `true`: join it with what has changed meanwhile, where both touch different lines.
    three_way: Option<bool>,
    /// `true`: take back what was applied last of it.
    reverse: Option<bool>,
    /// `true`: put the files into git's index as well.
    stage: Option<bool>,
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Applied {
    patch_id: String,
    /// `applied`, `reversed`, or `nothing` if everything was there already.
    action: Action,
    root: String,
    files: Vec<Done>,
    /// Whether `reverse` takes this back.
    reversible: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Action {
    Applied,
    Reversed,
    Nothing,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Done {
    path: String,
    /// `written` or `deleted`.
    action: &'static str,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.patch.apply",
        title: "Apply a patch, or take it back",
        description: "Carry a patch into the user's files, if the user agrees: whole, by file or by hunk. Everything is \
            checked again when it is written, and either all of it is applied or nothing; the git index stays as it \
            is unless you `stage`. `reverse: true` takes back exactly what was applied. See it with codex.patch.preview first.",
        search_hint: "apply patch accept changes write files undo revert take back",
        annotations: ToolAnnotations::new()
            .read_only(false)
            .destructive(true)
            .idempotent(true)
            .open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Applied>()
}

/// Reads the arguments.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<Arguments, Problem> {
    parse(arguments)
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let arguments = read(arguments)?;
    let Arguments { patch_id, diff, cwd, .. } = &arguments;
    let which = Which::of(patch_id.as_deref(), diff.as_deref(), cwd.as_deref())?;
    let mut patch = call.patch(which).await?;
    let mut reverses = match arguments.reverse {
        Some(true) => Some(begin_reverse(&mut patch)?),
        Some(false) | None => None,
    };
    let hunks = hunk_names(arguments.hunks.as_deref(), reverses.is_some())?;
    let (mut patch, mut files) = looked(&call, patch, arguments.paths).await?;
    // A file that was moved is two changes.
    let count: usize = files.iter().map(|(file, _)| file.changes.len()).sum();
    let is_whole = count == patch.row.files && hunks.is_none();
    if let Some(reversal) = &mut reverses {
        let chosen = files.iter().flat_map(|(file, _)| &file.changes);
        let chosen: HashSet<_> = chosen.map(|change| &change.path).collect();
        reversal.steps.retain(|step| !chosen.contains(&step.path));
    }
    if let Some(hunks) = hunks {
        (patch, files) = select(&call, patch, files, hunks).await?;
    }
    refuse_misfits(&files, arguments.three_way == Some(true))?;
    let steps: Vec<Step> = files
        .into_iter()
        .flat_map(|(_, looked)| looked.planned)
        .filter_map(|planned| planned.step)
        .collect();
    if let Some(asks) = consent(&call, &patch, &steps, reverses.is_some()).await? {
        return Ok(asks);
    }
    let action = match (steps.is_empty(), &reverses) {
        (true, _) => Action::Nothing,
        (false, None) => Action::Applied,
        (false, Some(_)) => Action::Reversed,
    };
    let rest = reverses.as_ref().is_some_and(|reversal| !reversal.steps.is_empty());
    if action != Action::Nothing {
        carry_out(&call, &patch, &steps, reverses).await?;
        if action == Action::Applied && is_whole && patch.row.kind == ChangeSetKind::Proposed {
            forget_scratch(&call, &patch).await;
        }
    }
    let warnings = match arguments.stage {
        Some(true) => stage(&call, &patch, &steps).await,
        Some(false) | None => Vec::new(),
    };
    let reversible = match action {
        Action::Applied => true,
        Action::Reversed => rest,
        Action::Nothing => patch.applied().is_some(),
    };
    let files = steps.iter().map(Done::from).collect();
    let Patch { row, .. } = patch;
    let applied = Applied { patch_id: row.id, action, root: row.root, files, reversible, warnings };
    Ok(Answer::success(applied.to_string(), &applied))
}

/// What was applied last of a patch, to be taken back.
struct Reversal {
    application: String,
    /// What of it stays applied.
    steps: Vec<Step>,
}

/// Turns a patch into one that takes back what was applied of it last.
fn begin_reverse(patch: &mut Patch) -> Result<Reversal, Problem> {
    let Some(application) = patch.applied() else {
        let message = format!("patch {} was not applied, or was taken back already", patch.row.id);
        return Err(Problem::new(Code::PatchNotApplied, message));
    };
    let reversal = Reversal { application: application.id.clone(), steps: steps(application)? };
    let back = |step: Step| Change { path: step.path, before: step.after, after: step.before };
    patch.changes = reversal.steps.iter().cloned().map(back).collect();
    Ok(reversal)
}

fn hunk_names(names: Option<&[String]>, reverse: bool) -> Result<Option<Vec<HunkId>>, Problem> {
    let Some(names) = names else {
        return Ok(None);
    };
    if reverse {
        let allowed = "nothing: what was applied is taken back as a whole, or by file";
        return Err(Problem::argument("hunks", "it stands beside `reverse`", allowed));
    }
    let id = |name: &String| {
        name.parse().map_err(|_| {
            Problem::argument_text("hunks", name, "names that codex.patch.preview gives")
        })
    };
    names.iter().map(id).collect::<Result<_, _>>().map(Some)
}

/// Leaves only the hunks that are named.
async fn select(
    call: &ToolCall<'_>,
    patch: Patch,
    files: Vec<(patches::File, Looked)>,
    hunks: Vec<HunkId>,
) -> Result<(Patch, Vec<(patches::File, Looked)>), Problem> {
    let contents = call.places().contents().clone();
    let selecting = tokio::task::spawn_blocking(move || {
        let failed = |error: std::io::Error| {
            Problem::new(Code::PatchFailed, format!("the patch cannot be read: {error}"))
        };
        let known: Vec<HunkId> = files
            .iter()
            .flat_map(|(file, _)| file.hunks().iter().map(Hunk::id).collect::<Vec<_>>())
            .collect();
        if let Some(unknown) = hunks.iter().find(|hunk| !known.contains(hunk)) {
            let allowed = "names of hunks of these files, as codex.patch.preview gives them";
            return Err(Problem::argument("hunks", &unknown.to_string(), allowed));
        }
        let mut changes = Vec::new();
        for (file, _) in &files {
            changes.extend(file.select(&hunks, &contents).map_err(failed)?.unwrap_or_default());
        }
        let mut looked = Vec::new();
        for file in patches::read(&changes, &contents).map_err(failed)? {
            let result = look(&file, &patch.root, &contents).map_err(failed)?;
            looked.push((file, result));
        }
        Ok((patch, looked))
    });
    selecting.await.unwrap_or_else(|panic| Err(Problem::new(Code::PatchFailed, panic.to_string())))
}

fn refuse_misfits(files: &[(patches::File, Looked)], three_way: bool) -> Result<(), Problem> {
    let fits = |fit: &str| match fit {
        "clean" | "applied" => true,
        "merges" => three_way,
        _ => false,
    };
    let misfits: Vec<String> = files
        .iter()
        .map(|(_, looked)| &looked.result)
        .filter(|file| !fits(file.fit))
        .take(NAMED)
        .map(|file| format!("{}: {}", file.path, file.why.as_deref().unwrap_or(file.fit)))
        .collect();
    if misfits.is_empty() {
        return Ok(());
    }
    let problem = Problem::new(Code::PatchConflicts, brief(misfits.join("\n")));
    Err(match worst(files) {
        "merges" => problem.with_hint("`threeWay: true` joins both: they touch different lines."),
        _ => problem,
    })
}

async fn consent(
    call: &ToolCall<'_>,
    patch: &Patch,
    steps: &[Step],
    reverse: bool,
) -> Result<Option<Answer>, Problem> {
    if steps.is_empty() {
        return Ok(None);
    }
    let (count, id, root) = (steps.len(), &patch.row.id, &patch.row.root);
    let files = if count == 1 { "file" } else { "files" };
    let what = match reverse {
        false => format!("apply patch {id} to {count} {files} in {root}"),
        true => format!("take patch {id} back from {count} {files} in {root}"),
    };
    call.consent(&what).await
}

/// Carries out steps, with a record before and after.
async fn carry_out(
    call: &ToolCall<'_>,
    patch: &Patch,
    steps: &[Step],
    reverses: Option<Reversal>,
) -> Result<(), Problem> {
    let (reverses, rest) = match reverses {
        Some(Reversal { application, steps }) => (Some(application), steps),
        None => (None, Vec::new()),
    };
    let row = row(patch, ApplicationState::Applying, reverses, steps)?;
    let id = row.id.clone();
    // What is not taken back stands as an application of its own, which can be.
    let rest = match rest.as_slice() {
        [] => None,
        rest => Some(self::row(patch, ApplicationState::Applied, None, rest)?),
    };
    // What could not be taken back later is not done.
    call.ledger().write(vec![Write::Application(row)]);
    call.kept(&patch.row.id).await?;
    let result = call.places().apply(patch.root.clone(), id.clone(), steps.to_vec()).await;
    let state = match result {
        Ok(()) => ApplicationState::Applied,
        Err(_) => ApplicationState::Failed,
    };
    let mut writes = vec![Write::ApplicationEnded { application: id, state }];
    writes.extend(rest.filter(|_| state == ApplicationState::Applied).map(Write::Application));
    call.ledger().write(writes);
    result.map_err(|error| problem(&error))?;
    call.kept(&patch.row.id).await
}

/// The record of an application, under a new name.
fn row(
    patch: &Patch,
    state: ApplicationState,
    reverses: Option<String>,
    steps: &[Step],
) -> Result<ApplicationRow, Problem> {
    let unprepared = |why: String| Problem::new(Code::PatchFailed, why);
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| unprepared(error.to_string()))?;
    let steps = serde_json::to_string(steps).map_err(|error| unprepared(error.to_string()))?;
    Ok(ApplicationRow {
        id: format!("a-{}", HEXLOWER.encode(&random)),
        change_set: patch.row.id.clone(),
        state,
        reverses,
        steps,
    })
}

fn problem(error: &ApplyError) -> Problem {
    let source = std::error::Error::source(error);
    let words = source.map_or(error.to_string(), |source| format!("{error}: {source}"));
    match error {
        ApplyError::Changed { .. } => Problem::new(Code::FilesChanged, words),
        ApplyError::Unwritable { .. } | ApplyError::Unprepared(_) => {
            Problem::new(Code::PatchFailed, format!("{words}; nothing was changed"))
        }
        ApplyError::Stuck(paths) => {
            let paths: Vec<_> = paths.iter().take(NAMED).map(ToString::to_string).collect();
            let message = format!(
                "{words}: somebody changed {} while the patch was being taken back",
                paths.join(", ")
            );
            Problem::new(Code::PatchFailed, message)
                .with_hint("Look at these files: they are as somebody else left them.")
        }
    }
}

/// Puts what was written into git's index, or says why not: the files are applied all the same.
async fn stage(call: &ToolCall<'_>, patch: &Patch, steps: &[Step]) -> Vec<String> {
    let paths: Vec<_> = steps.iter().map(|step| step.path.clone()).collect();
    let staged = match call.git() {
        Ok(git) => git.stage(patch.root.path(), &paths).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    let why = |problem: Problem| format!("not put into git's index: {}", problem.message);
    staged.err().map(why).into_iter().collect()
}

/// What was proposed is where it should be: the thread's next proposal begins with the files as they are. A scratch that
/// holds more than this patch stays.
async fn forget_scratch(call: &ToolCall<'_>, patch: &Patch) {
    let Some(thread) = patch.row.thread.clone() else {
        return;
    };
    let newest = call.newest_proposal(&thread).await;
    if newest.is_ok_and(|newest| newest.as_ref() == Some(&patch.row.id)) {
        let places = call.places().clone();
        // What cannot be removed is removed by age.
        let _ = tokio::task::spawn_blocking(move || places.forget(&thread)).await;
    }
}

impl From<&Step> for Done {
    fn from(step: &Step) -> Self {
        let action = if step.after.is_some() { "written" } else { "deleted" };
        Self { path: step.path.to_string(), action }
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { patch_id, root, .. } = self;
        let count = self.files.len();
        let files = if count == 1 { "file" } else { "files" };
        match self.action {
            Action::Applied => {
                write!(f, "Patch {patch_id} is applied to {count} {files} in {root}.")?
            }
            Action::Reversed => {
                write!(f, "Patch {patch_id} is taken back from {count} {files} in {root}.")?;
            }
            Action::Nothing => write!(f, "Everything of patch {patch_id} is there already.")?,
        }
        for file in &self.files {
            write!(f, "\n{} {}", file.action, file.path)?;
        }
        if self.reversible {
            let what = if self.action == Action::Reversed { "The rest" } else { "It" };
            write!(f, "\n{what} can be taken back with `reverse: true`.")?;
        }
        for warning in &self.warnings {
            write!(f, "\nWarning: {warning}.")?;
        }
        Ok(())
    }
}
