//! Patches that a client may see: those of its threads, and those that it brought itself, in its workspace roots.

use std::path::Path;
use std::sync::Arc;

use bridge_core::ThreadId;
use bridge_store::{ApplicationRow, ApplicationState, ChangeSetKind, ChangeSetRow, Subject, Write};
use change_set::{Change, Contents, Entry, Found as At, Root, Step};
use patch::{FilePatch, Limits, Outcome, Side, TreePath};

use super::call::ToolCall;
use crate::error::{Code, Problem, brief};
use crate::workspace::patches;

/// A patch with the files that it is about.
#[derive(Debug)]
pub(super) struct Patch {
    pub(super) row: ChangeSetRow,
    pub(super) root: Arc<Root>,
    pub(super) changes: Vec<Change>,
    /// What of it was carried into the files, oldest first.
    pub(super) applications: Vec<ApplicationRow>,
}

impl Patch {
    /// What was applied last and has not been taken back.
    pub(super) fn applied(&self) -> Option<&ApplicationRow> {
        self.applications.iter().rev().find(|application| {
            application.state == ApplicationState::Applied && application.reverses.is_none()
        })
    }
}

/// Which patch a call is about.
pub(super) enum Which<'a> {
    Known(&'a str),
    /// A diff, and where it belongs.
    Brought(&'a str, Option<&'a str>),
}

impl<'a> Which<'a> {
    /// As the arguments say it.
    ///
    /// # Errors
    /// They name both or none.
    pub(super) fn of(
        id: Option<&'a str>,
        diff: Option<&'a str>,
        cwd: Option<&'a str>,
    ) -> Result<Self, Problem> {
        match (id, diff) {
            (Some(id), None) => Ok(Self::Known(id)),
            (None, Some(diff)) => Ok(Self::Brought(diff, cwd)),
            (Some(_), Some(_)) => {
                Err(Problem::argument("diff", "it stands beside `patchId`", "one of both"))
            }
            (None, None) => {
                let allowed = "the `patchId` of a turn's `patch`, or a `diff`";
                Err(Problem::argument("patchId", "it is missing", allowed))
            }
        }
    }
}

impl ToolCall<'_> {
    /// Finds a patch, or makes one of a diff.
    ///
    /// # Errors
    /// There is none that this client may see; its folder is not where it was; the diff cannot be read or does not fit.
    pub(super) async fn patch(&self, which: Which<'_>) -> Result<Patch, Problem> {
        match which {
            Which::Known(id) => self.known_patch(id).await,
            Which::Brought(diff, cwd) => self.brought_patch(diff, cwd).await,
        }
    }

    /// A patch as one diff in git's form.
    ///
    /// # Errors
    /// As [`ToolCall::patch`]; its contents are not kept any more.
    pub(super) async fn patch_diff(&self, which: Which<'_>) -> Result<String, Problem> {
        let patch = self.patch(which).await?;
        let contents = self.places().contents().clone();
        let diff = move || patches::diff(&patch.row.changes, &contents);
        let diff = tokio::task::spawn_blocking(diff).await.map_err(std::io::Error::other);
        diff.flatten().map_err(|error| {
            Problem::new(Code::PatchFailed, format!("the patch cannot be read: {error}"))
        })
    }

    async fn known_patch(&self, id: &str) -> Result<Patch, Problem> {
        let id = id.trim();
        let mut row = self.patch_row(id).await?;
        if row.is_none() {
            // What was recorded in this moment can be read once it is safe.
            let _ = self.ledger().settle(Vec::new()).await;
            row = self.patch_row(id).await?;
        }
        let row = row.ok_or_else(|| not_found(id))?;
        if let Some(thread) = &row.thread {
            self.threads().find(thread).await.map_err(|_| not_found(id))?;
        }
        let root = self.patch_root(&row.root)?;
        let changes = serde_json::from_str(&row.changes).map_err(|error| unreadable(id, &error))?;
        let set = row.id.clone();
        let applications = self.ledger().read(move |store| store.applications(&set)).await?;
        Ok(Patch { row, root, changes, applications })
    }

    async fn patch_row(&self, id: &str) -> Result<Option<ChangeSetRow>, Problem> {
        let wanted = id.to_owned();
        self.ledger().read(move |store| store.change_set(&wanted)).await
    }

    /// The folder of a patch, held open.
    fn patch_root(&self, path: &str) -> Result<Arc<Root>, Problem> {
        let folder = self.working_directory(Some(path))?;
        let folder = folder.confirm().map_err(|error| Problem::from(&error))?;
        let held = Root::hold(&folder).map_err(|error| {
            Problem::new(Code::DirectoryNotFound, format!("{}: {error}", folder.display()))
        });
        held.map(Arc::new)
    }

    async fn brought_patch(&self, diff: &str, cwd: Option<&str>) -> Result<Patch, Problem> {
        let folder = self.working_directory(cwd)?;
        let root = self.patch_root(&Self::confirmed(&folder)?)?;
        let (text, contents) = (diff.to_owned(), self.places().contents().clone());
        let (tree, place) = (root.clone(), folder.path().to_owned());
        let made = tokio::task::spawn_blocking(move || make(&text, &tree, &place, &contents));
        let made =
            made.await.map_err(|panic| Problem::new(Code::PatchFailed, panic.to_string()))?;
        let (row, changes) = made?;
        self.ledger().write(vec![Write::ChangeSet(Box::new(row.clone()))]);
        self.kept(&row.id).await?;
        let set = row.id.clone();
        let applications = self.ledger().read(move |store| store.applications(&set)).await?;
        Ok(Patch { row, root, changes, applications })
    }

    /// The newest patch that a thread proposed: what its scratch workspace holds.
    ///
    /// # Errors
    /// The records cannot be read.
    pub(super) async fn newest_proposal(
        &self,
        thread: &ThreadId,
    ) -> Result<Option<String>, Problem> {
        let thread = thread.clone();
        self.ledger().read(move |store| store.newest_proposal(&thread)).await
    }

    /// Waits until what was written of a patch is safe.
    ///
    /// # Errors
    /// It is lost.
    pub(super) async fn kept(&self, id: &str) -> Result<(), Problem> {
        match self.ledger().settle(vec![Subject::ChangeSet(id.to_owned())]).await {
            None => Ok(()),
            Some(warning) => Err(Problem::new(Code::StoreUnavailable, warning)),
        }
    }
}

fn not_found(id: &str) -> Problem {
    let message = format!(
        "there is no patch {:?} of the threads in the workspace roots",
        brief(id.to_owned())
    );
    Problem::new(Code::PatchNotFound, message)
}

fn unreadable(id: &str, error: &serde_json::Error) -> Problem {
    Problem::new(Code::StoreUnavailable, format!("patch {id} cannot be read: {error}"))
}

/// Makes a patch of a diff: what it would do to the files as they are now.
fn make(
    diff: &str,
    root: &Root,
    place: &Path,
    contents: &Contents,
) -> Result<(ChangeSetRow, Vec<Change>), Problem> {
    let files = patch::parse(diff.as_bytes(), &Limits::default())
        .map_err(|error| Problem::new(Code::DiffInvalid, brief(error.to_string())))?;
    let (mut changes, mut misfits) = (Vec::new(), Vec::new());
    for file in &files {
        let sides = Sides::of(file, root, contents)?;
        match file.place(|path| sides.side(path)) {
            Ok(placed) => changes.extend(sides.changes(file, placed.outcome, contents)?),
            Err(conflicts) => {
                let conflicts: Vec<_> = conflicts.iter().map(ToString::to_string).collect();
                misfits.push(format!("{}: {}", file.path, conflicts.join("; ")));
            }
        }
    }
    if !misfits.is_empty() {
        return Err(Problem::new(Code::PatchConflicts, brief(misfits.join("\n"))));
    }
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    let text = serde_json::to_string(&changes)
        .map_err(|error| Problem::new(Code::PatchFailed, error.to_string()))?;
    let root = place.to_string_lossy().into_owned();
    let stat = patches::total(&changes, contents);
    let row = ChangeSetRow {
        id: patches::id(format!("{root} {text}").as_bytes()),
        thread: None,
        number: None,
        kind: ChangeSetKind::Given,
        root,
        files: changes.len(),
        added: stat.added as u64,
        removed: stat.removed as u64,
        paths: changes.iter().take(20).map(|change| change.path.to_string()).collect(),
        ignored: 0,
        notes: Vec::new(),
        changes: text,
    };
    Ok((row, changes))
}

/// The files that one part of a diff is about, as they are.
struct Sides(Vec<(TreePath, Option<Known>)>);

/// A file as it is.
type Known = (Entry, Vec<u8>);

impl Sides {
    fn of(file: &FilePatch<'_>, root: &Root, contents: &Contents) -> Result<Self, Problem> {
        let mut sides = Vec::new();
        for path in file.source().into_iter().chain([&file.path]) {
            let failed = |error: std::io::Error| {
                Problem::new(Code::PatchFailed, format!("{path} cannot be read: {error}"))
            };
            let side = match root.look(path).map_err(failed)? {
                At::Nothing => None,
                At::Entry(entry) => {
                    let content = root.read(path, entry.mode.kind()).map_err(failed)?;
                    contents.put(&content).map_err(failed)?;
                    Some((entry, content))
                }
                At::Folder | At::Special | At::NoWay => {
                    let message =
                        format!("{path}: no regular file stands there, or a link is on the way");
                    return Err(Problem::new(Code::PatchConflicts, message));
                }
            };
            sides.push((path.clone(), side));
        }
        Ok(Self(sides))
    }

    fn find(&self, path: &TreePath) -> Option<&Known> {
        self.0.iter().find(|(known, _)| known == path)?.1.as_ref()
    }

    fn side(&self, path: &TreePath) -> Option<Side<'_>> {
        let (entry, content) = self.find(path)?;
        Some(Side { mode: entry.mode, content })
    }

    /// What comes of the part of the diff, as changes of files.
    fn changes(
        &self,
        file: &FilePatch<'_>,
        outcome: Outcome,
        contents: &Contents,
    ) -> Result<Vec<Change>, Problem> {
        let entry = |path: &TreePath| self.find(path).map(|(entry, _)| entry.clone());
        let change =
            |path: &TreePath, after| Change { path: path.clone(), before: entry(path), after };
        match outcome {
            Outcome::AlreadyApplied => Ok(Vec::new()),
            Outcome::Delete => Ok(vec![change(&file.path, None)]),
            Outcome::Write { mode, content } => {
                let kept = contents.put(&content);
                let content_id = kept.map_err(|error| {
                    let message = format!("{} cannot be kept: {error}", file.path);
                    Problem::new(Code::PatchFailed, message)
                })?;
                let size = content.len() as u64;
                let after = Some(Entry { mode, size, content: content_id });
                let mut changes = vec![change(&file.path, after)];
                if let patch::Action::Rename { from } = &file.action {
                    changes.push(change(from, None));
                }
                Ok(changes)
            }
        }
    }
}

/// The steps of an application.
///
/// # Errors
/// They cannot be read.
pub(super) fn steps(application: &ApplicationRow) -> Result<Vec<Step>, Problem> {
    serde_json::from_str(&application.steps)
        .map_err(|error| unreadable(&application.change_set, &error))
}
