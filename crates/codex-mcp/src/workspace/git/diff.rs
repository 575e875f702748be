//! Differences between two states of a repository, by git's plumbing: it takes no wishes of a configuration, and unlike
//! `git diff` never writes the index.

use std::ffi::OsString;

use super::repository::Repository;
use super::untracked::{self, Content, NewFile, Room};
use super::{Git, GitError, Pathspec, Status, Whole, words};

/// With more changed paths than this, git looks for them itself.
const MAX_NAMED_PATHS: usize = 400;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiffRequest {
    pub(crate) from: Revision,
    pub(crate) to: Revision,
    /// The arguments that the sides come from, for errors.
    pub(crate) arguments: [&'static str; 2],
    /// Whether `from` stands for the newest commit that it has in common with `to`.
    pub(crate) base: Base,
    /// How many lines around a change are shown.
    pub(crate) context: u32,
    pub(crate) text: TextLimit,
    pub(crate) untracked: Untracked,
}

/// A state, as a caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Revision {
    Worktree,
    Index,
    /// Anything that git takes for a commit.
    Commit(String),
    /// What there was before a commit.
    Before(String),
}

/// Where a diff begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Itself,
    Common,
}

/// How much of the text of a diff is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextLimit {
    None,
    Bytes(usize),
}

/// Whether the content of files that git does not track is part of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untracked {
    Content,
    Names,
}

impl DiffRequest {
    /// Whether a side is something that can change without a commit.
    pub(super) fn needs_status(&self) -> bool {
        [&self.from, &self.to].into_iter().any(|side| match side {
            Revision::Worktree | Revision::Index => true,
            Revision::Commit(_) | Revision::Before(_) => false,
        })
    }
}

/// A state, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Worktree,
    Index,
    Commit(String),
    /// Before the first commit.
    Nothing(String),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Between {
    pub(crate) from: Side,
    pub(crate) to: Side,
}

impl Between {
    pub(super) async fn resolve(
        git: &Git,
        repository: &Repository,
        request: &DiffRequest,
        state: Option<&super::cache::State>,
    ) -> Result<Self, GitError> {
        let is_unborn = state.is_some_and(|state| state.status.branch.commit.is_none());
        let [one_argument, other_argument] = request.arguments;
        let mut from = side(git, repository, one_argument, &request.from, is_unborn).await?;
        let to = side(git, repository, other_argument, &request.to, is_unborn).await?;
        if let (Base::Common, Side::Commit(one)) = (request.base, &from) {
            let other = match &to {
                Side::Commit(other) => other.as_str(),
                Side::Worktree | Side::Index | Side::Nothing(_) => "HEAD",
            };
            let ask = words(["merge-base", "--end-of-options", one, other]);
            let base = match git.output(repository.place(), &ask).await {
                Err(error) if error.is_of_git() => {
                    let message = "has no commit in common with the other side".to_owned();
                    return Err(GitError::BadArgument { argument: one_argument, message });
                }
                found => found?,
            };
            from = Side::Commit(trimmed(&base));
        }
        Ok(Self { from, to })
    }

    /// The command that compares them.
    fn command(&self) -> Result<Vec<OsString>, GitError> {
        let (command, way) = match (&self.from, &self.to) {
            (
                Side::Commit(one) | Side::Nothing(one),
                Side::Commit(other) | Side::Nothing(other),
            ) => (words(["diff-tree", "-r", one, other]), Way::Forth),
            (Side::Commit(one) | Side::Nothing(one), Side::Worktree) => {
                (words(["diff-index", one]), Way::Forth)
            }
            (Side::Commit(one) | Side::Nothing(one), Side::Index) => {
                (words(["diff-index", "--cached", one]), Way::Forth)
            }
            (Side::Worktree, Side::Commit(other) | Side::Nothing(other)) => {
                (words(["diff-index", other]), Way::Back)
            }
            (Side::Index, Side::Commit(other) | Side::Nothing(other)) => {
                (words(["diff-index", "--cached", other]), Way::Back)
            }
            (Side::Index, Side::Worktree) => (words(["diff-files"]), Way::Forth),
            (Side::Worktree, Side::Index) => (words(["diff-files"]), Way::Back),
            (Side::Worktree, Side::Worktree) | (Side::Index, Side::Index) => {
                let message = "is the same as `from`".to_owned();
                return Err(GitError::BadArgument { argument: "to", message });
            }
        };
        let (name, rest) = command.split_at(1);
        // Git exchanges the names of the sides as well, and nobody wants that.
        let options = match way {
            Way::Forth => words(["--src-prefix=a/", "--dst-prefix=b/"]),
            Way::Back => words(["-R", "--src-prefix=b/", "--dst-prefix=a/"]),
        };
        // Options stand before what is compared.
        Ok([name, &options, rest].concat())
    }
}

/// In which direction git can compare two sides.
enum Way {
    Forth,
    Back,
}

async fn side(
    git: &Git,
    repository: &Repository,
    argument: &'static str,
    revision: &Revision,
    is_unborn: bool,
) -> Result<Side, GitError> {
    let commit = async |name: &str| {
        let commit = format!("{name}^{{commit}}");
        let ask = words(["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
        git.output(repository.place(), &ask).await.map(|commit| trimmed(&commit))
    };
    let unknown = |name: &String| {
        let message = format!("{name:?} is no commit of this repository");
        GitError::BadArgument { argument, message }
    };
    match revision {
        Revision::Worktree => Ok(Side::Worktree),
        Revision::Index => Ok(Side::Index),
        Revision::Commit(name) if name == "HEAD" && is_unborn => nothing(git, repository).await,
        Revision::Commit(name) => match commit(name).await {
            Err(error) if error.is_of_git() => Err(unknown(name)),
            commit => commit.map(Side::Commit),
        },
        Revision::Before(name) => match commit(&format!("{name}^")).await {
            // The first commit has none before it; whether it is a commit at all, its own side says.
            Err(error) if error.is_of_git() => nothing(git, repository).await,
            commit => commit.map(Side::Commit),
        },
    }
}

async fn nothing(git: &Git, repository: &Repository) -> Result<Side, GitError> {
    let ask = words(["hash-object", "-t", "tree", "--stdin"]);
    Ok(Side::Nothing(trimmed(&git.output(repository.place(), &ask).await?)))
}

fn trimmed(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim().to_owned()
}

/// What differs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diff {
    /// What was compared; `None` in one that was never read.
    pub(crate) between: Option<Between>,
    pub(crate) files: Vec<DiffFile>,
    /// The unified diff.
    pub(crate) text: String,
    /// Whether the text ends before the diff does.
    pub(crate) is_cut: bool,
    /// Whether bytes that are no UTF-8 were replaced.
    pub(crate) is_lossy: bool,
    /// Whether there are more files that git does not track than are listed.
    pub(crate) is_untracked_cut: bool,
    /// Files that git does not track and whose content is left out, and why.
    pub(crate) left_out: Vec<(Vec<u8>, &'static str)>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiffKind {
    Added,
    Modified,
    Deleted,
    Renamed,
    Copied,
    TypeChanged,
    Unmerged,
    Untracked,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiffFile {
    pub(crate) path: Vec<u8>,
    pub(crate) from: Option<Vec<u8>>,
    pub(crate) kind: DiffKind,
    /// Lines; `None`: it is no text.
    pub(crate) lines: Option<(u64, u64)>,
    /// The mode before and after, where it changed.
    pub(crate) modes: Option<(String, String)>,
}

impl Diff {
    pub(super) async fn read(
        git: &Git,
        repository: &Repository,
        between: &Between,
        request: &DiffRequest,
        paths: &[Pathspec],
        status: Option<&Status>,
    ) -> Result<Self, GitError> {
        let command = between.command()?;
        let named = status.and_then(|status| changed_paths(between, status));
        let limits = match named {
            Some(named) if named.is_empty() => None,
            Some(named) => Some(repository.limits(&named)),
            None => Some(repository.limits(paths)),
        };
        let mut diff = Self { between: Some(between.clone()), ..Self::default() };
        if let Some(limits) = limits {
            let build = |form: Vec<OsString>| arguments(&command, form, &limits);
            let list =
                git.output(repository.place(), &build(words(["--raw", "--numstat", "-z"]))).await?;
            diff.files = files(&list);
            if let (TextLimit::Bytes(limit), false) = (request.text, diff.files.is_empty()) {
                let context = format!("--unified={}", request.context);
                let form = words(["--patch", context.as_str()]);
                diff.read_text(git, repository, &build(form), limit).await?;
            }
        }
        if between.to == Side::Worktree
            && let Some(status) = status
        {
            let room = match (request.untracked, request.text) {
                (Untracked::Content, TextLimit::Bytes(limit)) => {
                    Room::Bytes(if diff.is_cut { 0 } else { limit.saturating_sub(diff.text.len()) })
                }
                (Untracked::Names, _) | (_, TextLimit::None) => Room::NotWanted,
            };
            let (found, whole) = untracked::read(git, repository, status, room).await?;
            diff.is_untracked_cut = whole == Whole::No;
            diff.add_untracked(found);
        }
        Ok(diff)
    }

    async fn read_text(
        &mut self,
        git: &Git,
        repository: &Repository,
        arguments: &[OsString],
        limit: usize,
    ) -> Result<(), GitError> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let whole = git
            .stream(repository.place(), arguments, limit, |chunk| bytes.extend_from_slice(chunk))
            .await?;
        self.is_cut = whole == Whole::No;
        self.text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                self.is_lossy = true;
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        Ok(())
    }

    fn add_untracked(&mut self, found: Vec<NewFile>) {
        for file in found {
            let patch = match file.content {
                Content::Read(patch) => patch,
                Content::NotWanted => String::new(),
                Content::LeftOut(reason) => {
                    self.left_out.push((file.path.clone(), reason));
                    String::new()
                }
            };
            self.text.push_str(&patch);
            self.is_lossy |= file.is_lossy;
            let lines = file.lines.map(|added| (added, 0));
            self.files.push(DiffFile {
                path: file.path,
                from: None,
                kind: DiffKind::Untracked,
                lines,
                modes: None,
            });
        }
    }
}

/// The paths that can differ, if the status tells: those of a comparison with HEAD or the index.
fn changed_paths(between: &Between, status: &Status) -> Option<Vec<Pathspec>> {
    let head = status.branch.commit.as_deref();
    let is_near = |side: &Side| match side {
        Side::Worktree | Side::Index | Side::Nothing(_) => true,
        Side::Commit(commit) => Some(commit.as_str()) == head,
    };
    let tracked = status.entries.iter().filter(|entry| !entry.is_untracked());
    let paths = tracked.flat_map(|entry| std::iter::once(&entry.path).chain(&entry.from));
    let mut paths: Vec<_> =
        paths.take(MAX_NAMED_PATHS + 1).map(|path| Pathspec::of_path(path)).collect();
    paths.sort_unstable();
    paths.dedup();
    let is_whole = status.beyond == 0 && paths.len() <= MAX_NAMED_PATHS;
    (is_whole && is_near(&between.from) && is_near(&between.to)).then_some(paths)
}

fn arguments(command: &[OsString], form: Vec<OsString>, limits: &[OsString]) -> Vec<OsString> {
    let fixed = words([
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=dirty",
        "--submodule=short",
        "--no-relative",
        "--find-renames",
        "--inter-hunk-context=0",
    ]);
    let (name, rest) = command.split_at(1);
    [name, &fixed, &form, rest, limits].concat()
}

/// Reads `--raw --numstat -z`: first what became of each file, then how many lines.
fn files(list: &[u8]) -> Vec<DiffFile> {
    let mut files: Vec<DiffFile> = Vec::new();
    let mut counted = 0;
    let mut records = list.split(|byte| *byte == 0).filter(|record| !record.is_empty());
    while let Some(record) = records.next() {
        if record.starts_with(b":") {
            let fields: Vec<_> = record[1..].split(|byte| *byte == b' ').collect();
            let [before, after, _, _, letter] = fields[..] else { continue };
            let kind = kind(letter.first().copied().unwrap_or_default());
            let Some(path) = records.next() else { break };
            let second = match kind {
                DiffKind::Renamed | DiffKind::Copied => records.next(),
                DiffKind::Added
                | DiffKind::Modified
                | DiffKind::Deleted
                | DiffKind::TypeChanged
                | DiffKind::Unmerged
                | DiffKind::Untracked => None,
            };
            let text = |mode: &[u8]| String::from_utf8_lossy(mode).into_owned();
            let is_there = |mode: &[u8]| mode != b"000000";
            let changed = before != after && is_there(before) && is_there(after);
            files.push(DiffFile {
                path: second.unwrap_or(path).to_vec(),
                from: second.map(|_| path.to_vec()),
                kind,
                lines: None,
                modes: changed.then(|| (text(before), text(after))),
            });
            continue;
        }
        let mut fields = record.splitn(3, |byte| *byte == b'\t');
        let (added, removed) = (number(fields.next()), number(fields.next()));
        let path = match fields.next() {
            Some(b"") => {
                records.next();
                records.next()
            }
            path => path,
        };
        // Both lists are in one order; one of files whose content is the same lacks some.
        let at = files[counted..].iter().position(|file| Some(file.path.as_slice()) == path);
        if let Some(at) = at {
            counted += at;
            files[counted].lines = added.zip(removed);
        }
    }
    files
}

fn kind(letter: u8) -> DiffKind {
    match letter {
        b'A' => DiffKind::Added,
        b'D' => DiffKind::Deleted,
        b'R' => DiffKind::Renamed,
        b'C' => DiffKind::Copied,
        b'T' => DiffKind::TypeChanged,
        b'U' => DiffKind::Unmerged,
        _ => DiffKind::Modified,
    }
}

fn number(field: Option<&[u8]>) -> Option<u64> {
    std::str::from_utf8(field?).ok()?.parse().ok()
}
