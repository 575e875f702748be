//! What a review is of: which changes a call means, and reading them.

use std::path::PathBuf;

use bridge_core::ReviewTarget;

use super::super::repo_diff::{self, Sides, revision, sides};
use super::Arguments;
use super::places::Places;
use crate::error::{Code, Problem};
use crate::mcp::call::ToolCall;
use crate::mcp::patches::Which;
use crate::workspace::git::{Base, DiffRequest, Revision, TextLimit, Untracked, shown};

/// Lines around a change: more than a reader needs, as Codex can look for itself.
const CONTEXT: u32 = 5;

/// What is reviewed. A further kind of changes is a variant here, a line in [`Target::of`] and one in [`Changes::read`].
pub(super) enum Target {
    Uncommitted,
    BaseBranch(String),
    Commit(String),
    Range(String),
    Diff(String),
    Patch(String),
}

impl Target {
    pub(super) fn of(arguments: &mut Arguments) -> Result<Self, Problem> {
        let mut given = [
            arguments.base_branch.take().map(Self::BaseBranch),
            arguments.commit.take().map(Self::Commit),
            arguments.range.take().map(Self::Range),
            arguments.diff.take().map(Self::Diff),
            arguments.patch_id.take().map(Self::Patch),
        ]
        .into_iter()
        .flatten();
        let target = given.next().unwrap_or(Self::Uncommitted);
        match (given.next(), &target, &arguments.paths) {
            (Some(_), _, _) => {
                let message =
                    "give only one of `baseBranch`, `commit`, `range`, `diff` and `patchId`";
                Err(Problem::new(Code::InvalidArguments, message))
            }
            (None, Self::Diff(_) | Self::Patch(_), Some(_)) => {
                let given = "a diff or a patch is given too";
                Err(Problem::argument("paths", given, "nothing beside a diff or a patch"))
            }
            (None, _, _) => Ok(target),
        }
    }

    /// The same for Codex's own review, which takes less.
    pub(super) fn native(&self, arguments: &Arguments) -> Result<ReviewTarget, Problem> {
        let refused = |argument: &str| {
            let allowed =
                "with it, nothing, `baseBranch`, `commit`, or `instructions` without any of them";
            Err(Problem::argument(argument, "`native` is given too", allowed))
        };
        if arguments.paths.is_some() {
            return refused("paths");
        }
        let instructions = arguments.instructions.clone();
        match (self, instructions.filter(|text| !text.trim().is_empty())) {
            (Self::Uncommitted, None) => Ok(ReviewTarget::Uncommitted),
            (Self::Uncommitted, Some(instructions)) => Ok(ReviewTarget::Custom(instructions)),
            (Self::BaseBranch(branch), None) => Ok(ReviewTarget::BaseBranch(branch.clone())),
            (Self::Commit(commit), None) => Ok(ReviewTarget::Commit(commit.clone())),
            (Self::BaseBranch(_) | Self::Commit(_), Some(_)) => refused("instructions"),
            (Self::Range(_), _) => refused("range"),
            (Self::Diff(_), _) => refused("diff"),
            (Self::Patch(_), _) => refused("patchId"),
        }
    }
}

/// What is reviewed, read.
pub(super) struct Changes {
    /// In words.
    pub(super) what: String,
    pub(super) diff: String,
    pub(super) places: Places,
    /// The folder that the diff's names are relative to, where the diff is our own.
    pub(super) top: Option<PathBuf>,
    pub(super) warnings: Vec<String>,
    pub(super) left_out: Vec<String>,
}

impl Changes {
    pub(super) async fn read(
        target: Target,
        arguments: &Arguments,
        call: &ToolCall<'_>,
    ) -> Result<Self, Problem> {
        let uncommitted = |from, base, argument| Sides {
            from,
            to: Revision::Worktree,
            arguments: [argument, argument],
            base,
        };
        let (what, sides) = match target {
            Target::Diff(diff) => return Self::of_text("a diff that was passed".to_owned(), diff),
            Target::Patch(id) => {
                let diff = call.patch_diff(Which::Known(&id)).await?;
                return Self::of_text(format!("patch {id}"), diff);
            }
            Target::Uncommitted => {
                let head = Revision::Commit("HEAD".to_owned());
                ("what is not committed".to_owned(), uncommitted(head, Base::Itself, "cwd"))
            }
            Target::BaseBranch(branch) => {
                let what = format!("what was changed since {branch}, uncommitted changes too");
                let from = commit("baseBranch", &branch)?;
                (what, uncommitted(from, Base::Common, "baseBranch"))
            }
            Target::Commit(name) => {
                let (what, to) = (format!("commit {name}"), commit("commit", &name)?);
                let arguments = ["commit", "commit"];
                (what, Sides { from: Revision::Before(name), to, arguments, base: Base::Itself })
            }
            Target::Range(range) if range.contains("..") => {
                let sides = sides("range", Some(&range), None)?;
                (range, sides)
            }
            Target::Range(range) => {
                return Err(Problem::argument_text("range", &range, "`a..b` or `a...b`"));
            }
        };
        let Sides { from, to, arguments: names, base } = sides;
        let bytes = call.process_config().max_output_megabytes << 20;
        let text = TextLimit::Bytes(bytes);
        let untracked = Untracked::Content;
        let request =
            DiffRequest { from, to, arguments: names, base, context: CONTEXT, text, untracked };
        let at = call.at(arguments.cwd.as_deref(), arguments.paths.clone())?;
        let (repository, diff) = call.repositories().diff(&call.git()?, &at, &request).await?;
        Ok(Self {
            what,
            places: Places::of(&diff.text),
            top: Some(repository.top.clone()),
            warnings: repo_diff::warnings(&diff),
            left_out: diff.left_out.iter().map(|(path, _)| shown(path)).collect(),
            diff: diff.text.clone(),
        })
    }

    fn of_text(what: String, diff: String) -> Result<Self, Problem> {
        let places = Places::of(&diff);
        if places.is_empty() && !diff.trim().is_empty() {
            let allowed = "a unified diff, as `git diff` writes it";
            return Err(Problem::argument("diff", "it names no file", allowed));
        }
        let diff = if places.is_empty() { String::new() } else { diff };
        let (warnings, left_out) = (Vec::new(), Vec::new());
        Ok(Self { what, diff, places, top: None, warnings, left_out })
    }

    /// Whatever the caller's words say, which only Codex reads.
    pub(super) fn of_instructions() -> Self {
        Self {
            what: "what the instructions say".to_owned(),
            diff: String::new(),
            places: Places::default(),
            top: None,
            warnings: Vec::new(),
            left_out: Vec::new(),
        }
    }
}

/// The name of a commit, and of nothing else.
fn commit(argument: &str, name: &str) -> Result<Revision, Problem> {
    match revision(argument, name)? {
        Revision::Commit(name) => Ok(Revision::Commit(name)),
        Revision::Worktree | Revision::Index | Revision::Before(_) => {
            Err(Problem::argument_text(argument, name, "the name of a commit"))
        }
    }
}
