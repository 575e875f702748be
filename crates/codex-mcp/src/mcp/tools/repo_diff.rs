//! `codex.repo.diff`: what differs between two states of a repository, without a turn.

use std::fmt;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility};
use crate::error::Problem;
use crate::mcp::arguments::{in_range, parse};
use crate::mcp::call::ToolCall;
use crate::mcp::paging::Kind;
use crate::mcp::render::{Answer, Fitting, MoreResult, fmt_more};
use crate::workspace::git::{
    Base, Diff, DiffFile, DiffKind, DiffRequest, Revision, Side, TextLimit, Untracked, shown,
};

pub(in crate::mcp) const DEFAULT_CONTEXT: u32 = 3;
const MAX_CONTEXT: u32 = 1_000;
/// The longest name of a commit, in bytes.
const MAX_REVISION: usize = 500;
/// How many names of files without content a warning tells.
const MAX_NAMES: usize = 10;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Arguments {
    /// A folder of the repository. Default: the client's project.
    cwd: Option<String>,
    /// `worktree`, `index`, or a commit, branch, tag, or a range `a..b` or `a...b`. Default: `HEAD`.
    from: Option<String>,
    /// As `from`. Default: `worktree`.
    to: Option<String>,
    /// Only these files and folders, relative to `cwd`.
    paths: Option<Vec<String>>,
    /// Lines around a change. Default: 3.
    #[schemars(range(min = 0, max = 1000))]
    context: Option<u32>,
    /// `true`: the files with their counts, without the diff itself.
    stat: Option<bool>,
    /// `false`: of untracked files only the names.
    untracked: Option<bool>,
}

/// What differs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    /// The top of the working tree; paths start there.
    root: String,
    /// What was compared; commits by their full names.
    from: String,
    to: String,
    file_count: usize,
    /// Lines added and removed in all.
    added: u64,
    removed: u64,
    files: Vec<File>,
    /// A unified diff, or its beginning.
    diff: String,
    /// Where `files` or `diff` go on. Read on with codex.read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<MoreResult>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct File {
    path: String,
    /// Where it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    kind: &'static str,
    /// Lines. Absent with `removed`: it is no text, or was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<u64>,
    /// Its mode before and after, where that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.repo.diff",
        title: "Show what differs in a repository",
        description: "The differences between two states of a git repository: working tree, index, commits, branches. \
            By default everything that is not committed, untracked files too. Files with counts, and the diff, paged \
            by file and hunk. Costs no Codex turn and changes nothing.",
        search_hint: "git diff changes patch compare branch commit uncommitted staged",
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
    let context = in_range("context", arguments.context, 0..=MAX_CONTEXT)?;
    let (from, to) = (arguments.from.as_deref(), arguments.to.as_deref());
    let Sides { from, to, arguments: names, base } = sides("from", from, to)?;
    let request = DiffRequest {
        from,
        to,
        arguments: names,
        base,
        context: context.unwrap_or(DEFAULT_CONTEXT),
        text: match arguments.stat {
            Some(true) => TextLimit::None,
            Some(false) | None => {
                TextLimit::Bytes(call.process_config().max_output_megabytes << 20)
            }
        },
        untracked: match arguments.untracked {
            Some(false) => Untracked::Names,
            Some(true) | None => Untracked::Content,
        },
    };
    let at = call.at(arguments.cwd.as_deref(), arguments.paths)?;
    let (repository, diff) = call.repositories().diff(&call.git()?, &at, &request).await?;
    let page = Page::of(&diff, repository.top.display().to_string());
    let page = page.fit(&diff, &call).await;
    Ok(Answer::success(page.to_string(), &page))
}

/// What is compared with what.
pub(in crate::mcp) struct Sides {
    pub(in crate::mcp) from: Revision,
    pub(in crate::mcp) to: Revision,
    /// The arguments that say so.
    pub(in crate::mcp) arguments: [&'static str; 2],
    pub(in crate::mcp) base: Base,
}

/// Reads both sides; the first, an argument of this name, may be a range.
pub(in crate::mcp) fn sides(
    name: &'static str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Sides, Problem> {
    let range = from.and_then(|from| {
        let common = from.split_once("...").map(|sides| (sides, Base::Common));
        common.or_else(|| from.split_once("..").map(|sides| (sides, Base::Itself)))
    });
    match (range, to) {
        (Some(_), Some(_)) => {
            Err(Problem::argument("to", "`from` is a range", "nothing beside a range"))
        }
        (Some(((one, other), base)), None) => {
            let or_head = |side: &str| revision(name, if side.is_empty() { "HEAD" } else { side });
            Ok(Sides { from: or_head(one)?, to: or_head(other)?, arguments: [name, name], base })
        }
        (None, to) => Ok(Sides {
            from: revision(name, from.unwrap_or("HEAD"))?,
            to: revision("to", to.unwrap_or("worktree"))?,
            arguments: [name, "to"],
            base: Base::Itself,
        }),
    }
}

/// A state by its name.
pub(super) fn revision(argument: &str, name: &str) -> Result<Revision, Problem> {
    match name {
        "worktree" => Ok(Revision::Worktree),
        "index" => Ok(Revision::Index),
        name if name.is_empty() || name.len() > MAX_REVISION || name.contains(char::is_control) => {
            Err(Problem::argument_text(
                argument,
                name,
                "`worktree`, `index`, or the name of a commit",
            ))
        }
        name => Ok(Revision::Commit(name.to_owned())),
    }
}

impl Page {
    fn of(diff: &Diff, root: String) -> Self {
        let sides = diff.between.as_ref().map(|between| (side(&between.from), side(&between.to)));
        let (from, to) = sides.unwrap_or_default();
        let lines = |count: fn((u64, u64)) -> u64| {
            diff.files.iter().filter_map(|file| file.lines).map(count).sum()
        };
        Self {
            root,
            from,
            to,
            file_count: diff.files.len(),
            added: lines(|(added, _)| added),
            removed: lines(|(_, removed)| removed),
            files: Vec::new(),
            diff: String::new(),
            more: Vec::new(),
            warnings: warnings(diff),
        }
    }

    /// Fills in as much as a page holds, and keeps the rest.
    async fn fit(mut self, diff: &Diff, call: &ToolCall<'_>) -> Self {
        let mut fitting = Fitting::new(call.limits(), call.outputs());
        // The diff names all files again, so the list may take no more than half.
        let files = diff.files.iter().map(File::from).collect();
        self.files = fitting.list("files", files, 2).await;
        self.diff = fitting.text("diff", diff.text.clone(), Kind::Diff).await;
        self.more = fitting.more;
        self.warnings.extend(fitting.warnings);
        self
    }
}

pub(in crate::mcp) fn warnings(diff: &Diff) -> Vec<String> {
    let mut warnings = Vec::new();
    if diff.is_cut {
        warnings.push(
            "the diff is longer than is kept (`max_output_megabytes`) and ends early; limit it with `paths`"
                .to_owned(),
        );
    }
    if diff.is_lossy {
        warnings.push(
            "bytes that are no UTF-8 are shown as U+FFFD: the diff does not apply as it is"
                .to_owned(),
        );
    }
    if diff.is_untracked_cut {
        warnings.push(
            "there are more untracked files than are listed; limit them with `paths`".to_owned(),
        );
    }
    if !diff.left_out.is_empty() {
        let names = diff.left_out.iter().take(MAX_NAMES);
        let names: Vec<_> =
            names.map(|(path, reason)| format!("{} ({reason})", shown(path))).collect();
        let rest = diff.left_out.len().saturating_sub(MAX_NAMES);
        let rest = if rest > 0 { format!(", and {rest} more") } else { String::new() };
        warnings.push(format!(
            "the content of untracked files is left out: {}{rest}",
            names.join(", ")
        ));
    }
    warnings
}

fn side(side: &Side) -> String {
    match side {
        Side::Worktree => "worktree".to_owned(),
        Side::Index => "index".to_owned(),
        Side::Commit(commit) => commit.clone(),
        Side::Nothing(_) => "nothing".to_owned(),
    }
}

impl From<&DiffFile> for File {
    fn from(file: &DiffFile) -> Self {
        Self {
            path: shown(&file.path),
            from: file.from.as_deref().map(shown),
            kind: word(file.kind),
            added: file.lines.map(|(added, _)| added),
            removed: file.lines.map(|(_, removed)| removed),
            mode: file.modes.as_ref().map(|(before, after)| format!("{before} to {after}")),
        }
    }
}

fn word(kind: DiffKind) -> &'static str {
    match kind {
        DiffKind::Added => "added",
        DiffKind::Modified => "modified",
        DiffKind::Deleted => "deleted",
        DiffKind::Renamed => "renamed",
        DiffKind::Copied => "copied",
        DiffKind::TypeChanged => "type changed",
        DiffKind::Unmerged => "unmerged",
        DiffKind::Untracked => "untracked",
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { root, from, to, file_count, added, removed, .. } = self;
        write!(f, "{root}: from {from} to {to}, ")?;
        match file_count {
            0 => write!(f, "nothing differs.")?,
            1 => write!(f, "1 file, lines +{added} -{removed}.")?,
            count => write!(f, "{count} files, lines +{added} -{removed}.")?,
        }
        for file in &self.files {
            write!(f, "\n{file}")?;
        }
        for warning in &self.warnings {
            write!(f, "\nWarning: {warning}.")?;
        }
        if !self.diff.is_empty() {
            write!(f, "\n\n{}", self.diff)?;
        }
        fmt_more(&self.more, f)
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.path)?;
        if let Some(from) = &self.from {
            write!(f, " (from {from})")?;
        }
        if let (Some(added), Some(removed)) = (self.added, self.removed) {
            write!(f, " +{added} -{removed}")?;
        }
        match &self.mode {
            Some(mode) => write!(f, ", mode {mode}"),
            None => Ok(()),
        }
    }
}
