//! `codex.repo.status`: where a repository stands, without a turn.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bridge_store::Cursor;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility};
use crate::error::Problem;
use crate::mcp::arguments::{in_range, parse};
use crate::mcp::call::ToolCall;
use crate::mcp::cursor;
use crate::mcp::paging::cost;
use crate::mcp::render::Answer;
use crate::workspace::git::{Change, Entry, State, Status, shown};

const DEFAULT_LIMIT: u32 = 200;
const MAX_LIMIT: u32 = 1_000;
/// How many folders sum up a list that is cut.
const MAX_FOLDERS: usize = 30;
/// What the fields around the list may cost.
const FRAME_UNITS: usize = 5_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Arguments {
    /// A folder of the repository. Default: the client's project.
    cwd: Option<String>,
    /// Only these files and folders, relative to `cwd`.
    paths: Option<Vec<String>>,
    /// How many files. Default: 200.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Where a repository stands.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    /// The top of the working tree; paths start there.
    root: String,
    /// Absent: HEAD is detached.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    /// The commit at HEAD. Absent: there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<String>,
    /// Commits that the upstream lacks. Absent with an upstream: it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead: Option<u64>,
    /// Commits of the upstream that are not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<u64>,
    /// What was begun and not ended, such as a merge.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    operations: Vec<OperationResult>,
    stashes: u64,
    is_clean: bool,
    counts: Counts,
    /// Conflicts first, then tracked files, then untracked ones.
    files: Vec<File>,
    /// How many files there are in each folder, if not all are listed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    folders: BTreeMap<String, usize>,
    /// For the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OperationResult {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
}

/// How many files; one can be both staged and unstaged.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Counts {
    files: usize,
    staged: usize,
    unstaged: usize,
    untracked: usize,
    conflicts: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct File {
    /// A folder ends in a slash; a name that is no plain text is quoted as git does.
    path: String,
    /// Where it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staged: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unstaged: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<ConflictResult>,
    #[serde(skip_serializing_if = "is_false")]
    untracked: bool,
    /// Compared by its commit alone.
    #[serde(skip_serializing_if = "is_false")]
    submodule: bool,
}

/// What each side did.
#[derive(Debug, Serialize, JsonSchema)]
struct ConflictResult {
    ours: &'static str,
    theirs: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.repo.status",
        title: "Show the state of a repository",
        description: "Where a git repository stands: branch, upstream, staged, unstaged, untracked and conflicting \
            files, a merge or rebase that is under way, stashes. Costs no Codex turn and changes nothing.",
        search_hint: "git status branch dirty staged untracked conflict merge rebase ahead behind",
        annotations: ToolAnnotations::new().read_only(true).idempotent(true).open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Page>()
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
    let limit = in_range("limit", arguments.limit, 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let after = arguments.cursor.as_deref().map(cursor::read).transpose()?;
    let at = call.at(arguments.cwd.as_deref(), arguments.paths)?;
    let state = call.repositories().status(&call.git()?, &at).await?;
    let room = call.limits().result().units().saturating_sub(FRAME_UNITS);
    let page = Page::of(&state, after, limit as usize, room);
    Ok(Answer::success(page.to_string(), &page))
}

impl Page {
    fn of(state: &State, after: Option<Cursor>, limit: usize, mut room: usize) -> Self {
        let status = &*state.status;
        let offset = after.as_ref().map_or(0, |after| usize::try_from(after.key).unwrap_or(0));
        let mut files = Vec::new();
        for entry in status.entries.iter().skip(offset).take(limit) {
            let file = File::from(entry);
            let units = cost(&serde_json::to_string(&file).unwrap_or_default());
            if units > room && !files.is_empty() {
                break;
            }
            room = room.saturating_sub(units);
            files.push(file);
        }
        let end = offset.saturating_add(files.len());
        let goes_on = end < status.entries.len();
        let state_name = if goes_on || after.is_some() { name(status) } else { String::new() };
        let moved = after.is_some_and(|after| after.id != state_name);
        let next = Cursor { key: i64::try_from(end).unwrap_or(i64::MAX), id: state_name };
        let branch = status.branch.clone();
        Self {
            root: state.repository.top.display().to_string(),
            branch: branch.name,
            commit: branch.commit,
            upstream: branch.upstream,
            ahead: branch.ahead_behind.map(|(ahead, _)| ahead),
            behind: branch.ahead_behind.map(|(_, behind)| behind),
            operations: operations(status),
            stashes: status.stashes,
            is_clean: status.entries.is_empty() && status.operations.is_empty(),
            counts: counts(status),
            files,
            folders: if goes_on || offset > 0 { folders(status) } else { BTreeMap::new() },
            next_cursor: goes_on.then(|| cursor::write(&next)),
            warnings: warnings(state, moved),
        }
    }
}

fn warnings(state: &State, moved: bool) -> Vec<String> {
    let status = &*state.status;
    let mut warnings = Vec::new();
    if moved {
        warnings.push(
            "the repository changed since the page before: files may be missing or come twice"
                .to_owned(),
        );
    }
    if let Some(limit) = state.repository.limit_text() {
        warnings.push(format!(
            "only {limit} is shown: the rest of the repository lies outside of the workspace roots"
        ));
    }
    if status.is_locked {
        warnings.push(
            "`index.lock` is there: another git works on the repository, or one was killed"
                .to_owned(),
        );
    }
    if status.beyond > 0 {
        warnings.push(format!(
            "{} further files are only counted; limit them with `paths`",
            status.beyond
        ));
    }
    warnings
}

fn operations(status: &Status) -> Vec<OperationResult> {
    let operations = status.operations.iter().map(|operation| OperationResult {
        kind: operation.kind,
        step: operation.step.map(|(step, _)| step),
        steps: operation.step.map(|(_, steps)| steps),
        branch: operation.branch.clone(),
    });
    operations.collect()
}

fn counts(status: &Status) -> Counts {
    let count = |is: fn(&Entry) -> bool| status.entries.iter().filter(|entry| is(entry)).count();
    Counts {
        files: status.entries.len() + status.beyond,
        staged: count(|entry| entry.staged.is_some()),
        unstaged: count(|entry| entry.unstaged.is_some()),
        untracked: count(Entry::is_untracked),
        conflicts: count(|entry| entry.conflict.is_some()),
    }
}

/// How many files there are in each folder at the top; of many folders, those with the most.
fn folders(status: &Status) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<&[u8], usize> = BTreeMap::new();
    for entry in &status.entries {
        let end = memchr::memchr(b'/', &entry.path).map_or(0, |slash| slash + 1);
        *counts.entry(&entry.path[..end]).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(MAX_FOLDERS);
    let named = counts.into_iter().map(|(folder, count)| match folder {
        b"" => ("./".to_owned(), count),
        folder => (shown(folder), count),
    });
    named.collect()
}

/// Tells one list of files from another.
fn name(status: &Status) -> String {
    let mut hasher = DefaultHasher::new();
    status.entries.iter().for_each(|entry| entry.path.hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}

impl From<&Entry> for File {
    fn from(entry: &Entry) -> Self {
        let conflict = entry
            .conflict
            .map(|conflict| ConflictResult { ours: conflict.ours, theirs: conflict.theirs });
        Self {
            path: shown(&entry.path),
            from: entry.from.as_deref().map(shown),
            staged: entry.staged.map(word),
            unstaged: entry.unstaged.map(word),
            conflict,
            untracked: entry.is_untracked(),
            submodule: entry.is_submodule,
        }
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Modified => "modified",
        Change::Deleted => "deleted",
        Change::Renamed => "renamed",
        Change::Copied => "copied",
        Change::TypeChanged => "type changed",
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_head(f)?;
        let Counts { files, staged, unstaged, untracked, conflicts } = &self.counts;
        match files {
            0 => write!(f, "\nNothing is changed.")?,
            _ => write!(
                f,
                "\n{staged} staged, {unstaged} unstaged, {untracked} untracked, {conflicts} in conflict."
            )?,
        }
        for file in &self.files {
            write!(f, "\n{file}")?;
        }
        if !self.folders.is_empty() {
            let folders: Vec<_> =
                self.folders.iter().map(|(folder, count)| format!("{folder} {count}")).collect();
            write!(f, "\nFiles by folder: {}.", folders.join(", "))?;
        }
        if let Some(cursor) = &self.next_cursor {
            write!(f, "\n[There are more; go on with `cursor` {cursor}]")?;
        }
        for warning in &self.warnings {
            write!(f, "\nWarning: {warning}.")?;
        }
        Ok(())
    }
}

impl Page {
    fn fmt_head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.root)?;
        match (&self.branch, &self.commit) {
            (Some(branch), Some(commit)) => write!(f, "on {branch} at {commit}")?,
            (Some(branch), None) => write!(f, "on {branch}, without a commit yet")?,
            (None, Some(commit)) => write!(f, "detached at {commit}")?,
            (None, None) => write!(f, "without a commit yet")?,
        }
        match (&self.upstream, self.ahead, self.behind) {
            (Some(upstream), Some(ahead), Some(behind)) => {
                write!(f, "; {ahead} ahead of {upstream}, {behind} behind")?;
            }
            (Some(upstream), _, _) => write!(f, "; its upstream {upstream} is gone")?,
            (None, _, _) => {}
        }
        for OperationResult { kind, step, steps, branch } in &self.operations {
            write!(f, "; {kind} under way")?;
            if let Some(branch) = branch {
                write!(f, " of {branch}")?;
            }
            if let (Some(step), Some(steps)) = (step, steps) {
                write!(f, ", step {step} of {steps}")?;
            }
        }
        match self.stashes {
            0 => write!(f, "."),
            1 => write!(f, "; 1 stash."),
            stashes => write!(f, "; {stashes} stashes."),
        }
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words.extend(self.staged.map(|change| format!("staged {change}")));
        words.extend(self.unstaged.map(|change| format!("unstaged {change}")));
        if let Some(ConflictResult { ours, theirs }) = &self.conflict {
            words.push(format!("conflict (ours {ours}, theirs {theirs})"));
        }
        if self.untracked {
            words.push("untracked".to_owned());
        }
        let submodule = if self.submodule { " (submodule)" } else { "" };
        write!(f, "{}: {}{submodule}", words.join(", "), self.path)?;
        match &self.from {
            Some(from) => write!(f, " (from {from})"),
            None => Ok(()),
        }
    }
}
