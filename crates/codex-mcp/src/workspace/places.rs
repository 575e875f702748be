//! Where turns may change files, and what they changed there.
//!
//! A turn that proposes works in a scratch workspace of its thread, which begins as the exact state of the user's files and
//! stays until what was proposed is applied. A turn that works in place gets a snapshot before it, so that it can be taken
//! back. Both are compared with their snapshot when the turn is over: what a shell did counts as well as what a tool did.
//!
//! All of it lies in the state directory, and a crash leaves nothing that the next start does not end.

mod base;
mod record;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bridge_core::{ChangeSet, Changes, Failure, Place, ThreadId, TurnNumber, WorkspaceFailure};
use bridge_store::{ApplicationState, Write};
use change_set::{
    ApplyError, Collected, ContentId, Contents, Ending, Root, Rules, Scratch, ScratchError,
    Scratches, Snapshot, SnapshotError, Source, Step,
};
use tokio_util::sync::CancellationToken;

use super::git::{Git, GitError};
use crate::clock;
use crate::config::Config;
use crate::ledger::Ledger;
use base::InPlace;

/// Directories that are linked into a scratch workspace instead of being copied: dependencies, which the sandbox keeps as
/// they are.
const LINKED: &[&str] = &["node_modules", ".venv", "venv"];
/// How long a content may lie about before a record names it.
const UNNAMED: Duration = Duration::from_secs(86_400);
/// How many names of ignored files a note has.
const NAMED: usize = 5;

/// Makes places for turns and tells what they changed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    scratches: Scratches,
    contents: Contents,
    /// Snapshots of folders in which a turn works.
    in_place: PathBuf,
    journals: PathBuf,
    temporary: PathBuf,
    config: Arc<Config>,
    ledger: Ledger,
    /// The names of the places that a turn uses now.
    used: Mutex<HashSet<String>>,
    /// Held by who carries changes into the user's files.
    applying: tokio::sync::Mutex<()>,
}

/// What a turn needs.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) thread: ThreadId,
    pub(crate) number: TurnNumber,
    pub(crate) changes: Changes,
    /// The folder that is copied, or of which a snapshot is taken.
    pub(crate) workspace: PathBuf,
    /// Where the turn works, in there.
    pub(crate) working_directory: PathBuf,
}

impl Places {
    /// Uses the state directory. Nothing is made before it is needed.
    #[must_use]
    pub fn new(config: Arc<Config>, ledger: Ledger) -> Self {
        let state = &config.state_dir;
        Self(Arc::new(Inner {
            scratches: Scratches::new(state.join("scratch")),
            contents: Contents::new(state.join("contents")),
            in_place: state.join("in-place"),
            journals: state.join("applying"),
            temporary: Self::temporary(state),
            ledger,
            used: Mutex::default(),
            applying: tokio::sync::Mutex::default(),
            config: config.clone(),
        }))
    }

    /// Where the programs that Codex runs put their temporary files.
    pub(crate) fn temporary(state_dir: &Path) -> PathBuf {
        state_dir.join("tmp")
    }

    /// Contents of changed files.
    pub(crate) fn contents(&self) -> &Contents {
        &self.0.contents
    }

    /// Carries steps into the user's files, all or none, one call after the other. It waits for the disk.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub(crate) async fn apply(
        &self,
        root: Arc<Root>,
        id: String,
        steps: Vec<Step>,
    ) -> Result<(), ApplyError> {
        let places = self.clone();
        let _alone = self.0.applying.lock().await;
        // Once begun it goes on to its end, whether anybody waits or not.
        let applying = tokio::task::spawn_blocking(move || {
            let Inner { journals, contents, .. } = &*places.0;
            change_set::apply(&root, journals, &id, &steps, contents, &mut || {})
        });
        applying.await.unwrap_or_else(|panic| Err(ApplyError::Unprepared(io::Error::other(panic))))
    }

    /// The scratch workspace of a thread, if it has one.
    pub(crate) fn scratch(&self, thread: &ThreadId) -> Option<Scratch> {
        self.0.scratches.find(&name(thread))
    }

    /// How many scratch workspaces there are.
    pub(crate) fn count(&self) -> usize {
        self.0.scratches.list().map_or(0, |scratches| scratches.len())
    }

    /// Ends what a crash has left, before anybody works.
    pub fn recover(&self) {
        note("temporary files", private(&self.0.temporary));
        note("applications of patches", self.end_applications());
        note("scratch workspaces", self.0.scratches.recover());
        note("work in place", self.collect_left());
    }

    /// Removes what nobody needs any more, while others work. It waits for the disk.
    pub fn tidy(&self) {
        note("scratch workspaces", self.remove_old());
        note("contents of files", self.sweep_contents());
    }

    fn end_applications(&self) -> io::Result<()> {
        let Inner { journals, contents, ledger, .. } = &*self.0;
        for (application, ending) in change_set::recover(journals, contents, &mut || {})? {
            tracing::warn!(%application, ?ending, "an application of a patch was cut");
            let state = match ending {
                Ending::Applied => ApplicationState::Applied,
                Ending::TakenBack | Ending::Stuck(_) => ApplicationState::Failed,
            };
            ledger.write(vec![Write::ApplicationEnded { application, state }]);
        }
        Ok(())
    }

    /// Keeps what turns did in place that were cut by a crash.
    fn collect_left(&self) -> io::Result<()> {
        for place in InPlace::all(&self.0.in_place)? {
            let thread = place.thread();
            match self.collect_blocking(&thread, place.number(), &[]) {
                Ok(Some(change_set)) => {
                    tracing::warn!(%thread, patch = %change_set.id, "kept what a turn did in place that was cut");
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%thread, error, "what a turn did in place is not known")
                }
            }
        }
        Ok(())
    }

    fn sweep_contents(&self) -> io::Result<()> {
        let Some(files) = self.0.ledger.read_blocking(|store| store.changed_files()) else {
            // Whoever cannot say what is wanted removes nothing.
            return Ok(());
        };
        let wanted: HashSet<ContentId> =
            files.iter().flat_map(|files| record::contents(files)).collect();
        let Some(before) = clock::wall().checked_sub(UNNAMED) else {
            return Ok(());
        };
        let removed = self.0.contents.sweep(before, |content| wanted.contains(&content))?;
        tracing::debug!(removed, "removed contents that nobody wants");
        Ok(())
    }

    /// Removes scratch workspaces that are too old or too many, and what others have put away.
    fn remove_old(&self) -> io::Result<()> {
        let Inner { scratches, config, .. } = &*self.0;
        scratches.sweep()?;
        let patience = Duration::from_secs(86_400)
            .saturating_mul(u32::try_from(config.scratch_days).unwrap_or(u32::MAX));
        let oldest = clock::wall().checked_sub(patience);
        let kept = config.scratch_max_count;
        for (position, scratch) in scratches.list()?.into_iter().enumerate() {
            let is_old = oldest.is_some_and(|oldest| scratch.used_at() < oldest);
            if (is_old || position >= kept) && !self.is_used(scratch.name()) {
                scratches.remove(scratch.name())?;
            }
        }
        Ok(())
    }

    /// Removes the scratch workspace of a thread that is gone, or whose proposal is where it should be. It waits for the
    /// disk.
    pub(crate) fn forget(&self, thread: &ThreadId) {
        let name = name(thread);
        if !self.is_used(&name)
            && let Err(error) = self.0.scratches.remove(&name)
        {
            tracing::warn!(%thread, %error, "a scratch workspace could not be removed");
        }
    }

    /// Makes the place of a turn.
    ///
    /// # Errors
    /// [`Failure::Workspace`].
    pub(crate) async fn prepare(
        &self,
        git: Option<Git>,
        wanted: Wanted,
        give_up: CancellationToken,
    ) -> Result<Place, Failure> {
        let tracked = match git {
            Some(git) => git.tracked(&wanted.workspace).await,
            None => Ok(Default::default()),
        };
        let tracked = tracked.map_err(|error| match error {
            GitError::Failed { .. } | GitError::TooSlow { .. } => {
                failure(WorkspaceFailure::Unreadable, error.to_string())
            }
            GitError::NotFound { .. }
            | GitError::TooOld { .. }
            | GitError::NotARepository { .. }
            | GitError::BadArgument { .. }
            | GitError::BadPath { .. }
            | GitError::Cancelled => failure(WorkspaceFailure::Other, error.to_string()),
        })?;
        let places = self.clone();
        let made = tokio::task::spawn_blocking(move || {
            let rules = Rules { tracked, ..places.rules() };
            places.prepare_blocking(&wanted, &rules, &|| give_up.is_cancelled())
        });
        made.await.unwrap_or_else(|panic| Err(failure(WorkspaceFailure::Other, panic.to_string())))
    }

    fn prepare_blocking(
        &self,
        wanted: &Wanted,
        rules: &Rules,
        give_up: &(dyn Fn() -> bool + Sync),
    ) -> Result<Place, Failure> {
        let inner = &self.0;
        private(&inner.temporary).map_err(|error| unwritable(&error))?;
        let below = wanted.working_directory.strip_prefix(&wanted.workspace);
        let below = below.map_err(|_| {
            let detail = format!(
                "{} is not in {}",
                wanted.working_directory.display(),
                wanted.workspace.display()
            );
            failure(WorkspaceFailure::Moved, detail)
        })?;
        let tree = Root::hold(&wanted.workspace).map_err(|error| {
            failure(WorkspaceFailure::Moved, format!("{}: {error}", wanted.workspace.display()))
        })?;
        let name = name(&wanted.thread);
        self.used().insert(name.clone());
        let made = match wanted.changes {
            Changes::None | Changes::Propose => {
                self.scratch_for(&name, wanted, &tree, rules, give_up).map(|scratch| {
                    let copy = scratch.tree();
                    let git = copy.join(".git");
                    let git = git.is_dir().then_some(git);
                    let writable = [Some(copy.clone()), git, Some(inner.temporary.clone())];
                    (copy.join(below), writable.into_iter().flatten().collect(), true)
                })
            }
            Changes::Direct | Changes::Unconfined => {
                InPlace::begin(&inner.in_place, &name, wanted, &tree, rules, give_up).map(|()| {
                    let folder = wanted.working_directory.clone();
                    let writable = vec![folder.clone(), inner.temporary.clone()];
                    (folder, writable, wanted.changes == Changes::Direct)
                })
            }
        };
        let place = made.map_err(|error| refused(&error, &wanted.workspace)).and_then(
            |(working_directory, writable, confined)| place(&working_directory, writable, confined),
        );
        if place.is_err() {
            self.used().remove(&name);
        }
        place
    }

    /// The scratch workspace of a thread: the one that it has, or a new one if that holds no proposal.
    fn scratch_for(
        &self,
        name: &str,
        wanted: &Wanted,
        tree: &Root,
        rules: &Rules,
        give_up: &(dyn Fn() -> bool + Sync),
    ) -> Result<Scratch, ScratchError> {
        let scratches = &self.0.scratches;
        if let Some(scratch) = scratches.find(name)
            && scratch.original() == tree.path()
            && self.holds_changes(&scratch)
        {
            return Ok(scratch);
        }
        let owner = wanted.thread.as_str();
        let made = scratches.create(name, &Source { tree, rules, owner, give_up })?;
        note("scratch workspaces", self.remove_old());
        Ok(made)
    }

    fn holds_changes(&self, scratch: &Scratch) -> bool {
        let collected = self.look(scratch.snapshot(), &scratch.tree());
        collected.is_ok_and(|collected| !collected.changes.is_empty())
    }

    fn look(
        &self,
        snapshot: io::Result<Snapshot>,
        tree: &Path,
    ) -> Result<Collected, SnapshotError> {
        let mut snapshot = snapshot.map_err(SnapshotError::Unreadable)?;
        let tree = Root::hold(tree).map_err(SnapshotError::Unreadable)?;
        snapshot.collect(&tree, &self.rules(), &self.0.contents)
    }

    /// Tells what a turn has changed, and keeps it.
    pub(crate) async fn collect(
        &self,
        git: Option<Git>,
        thread: ThreadId,
        number: TurnNumber,
    ) -> Result<Option<ChangeSet>, String> {
        let ignored = match (git, self.scratch(&thread)) {
            // What cannot be said of what is ignored is left out.
            (Some(git), Some(scratch)) => git.ignored(&scratch.tree()).await.unwrap_or_default(),
            (Some(_), None) | (None, _) => Vec::new(),
        };
        let places = self.clone();
        let collecting =
            tokio::task::spawn_blocking(move || places.collect_blocking(&thread, number, &ignored));
        collecting.await.unwrap_or_else(|panic| Err(panic.to_string()))
    }

    fn collect_blocking(
        &self,
        thread: &ThreadId,
        number: TurnNumber,
        ignored: &[Vec<u8>],
    ) -> Result<Option<ChangeSet>, String> {
        let name = name(thread);
        let found = match InPlace::find(&self.0.in_place, &name) {
            Some(place) => {
                let of = self.of(thread, number, place.changes(), place.root());
                let told =
                    self.keep(self.look(place.snapshot(), place.root()), &of, Notes::default());
                // What is known now is kept; what is not known now never will be.
                place.end();
                told
            }
            None => match self.0.scratches.find(&name) {
                Some(scratch) => {
                    let of = self.of(thread, number, Changes::Propose, scratch.original());
                    let collected = self.look(scratch.snapshot(), &scratch.tree());
                    self.keep(collected, &of, Notes::new(scratch.notes(), ignored))
                }
                None => Err("the place in which the turn worked is gone".to_owned()),
            },
        };
        self.used().remove(&name);
        found.map_err(|why| format!("what the turn changed is not known: {why}"))
    }

    fn of<'a>(
        &'a self,
        thread: &'a ThreadId,
        number: TurnNumber,
        changes: Changes,
        root: &'a Path,
    ) -> record::Of<'a> {
        record::Of { thread, number, changes, root, contents: &self.0.contents }
    }

    fn keep(
        &self,
        collected: Result<Collected, SnapshotError>,
        of: &record::Of<'_>,
        notes: Notes,
    ) -> Result<Option<ChangeSet>, String> {
        let collected = collected.map_err(|error| in_words(&error))?;
        if collected.changes.is_empty() {
            return match notes.ignored {
                0 => Ok(None),
                _ => Err(format!("nothing but {}", notes.words.join("; "))),
            };
        }
        let (change_set, writes) = of.writes(&collected, notes)?;
        self.0.ledger.write(writes);
        Ok(Some(change_set))
    }

    fn rules(&self) -> Rules {
        let config = &self.0.config;
        Rules {
            linked: LINKED.iter().map(|&name| name.to_owned()).collect(),
            max_files: config.scratch_max_files,
            max_bytes: (config.scratch_max_megabytes as u64) << 20,
            ..Rules::default()
        }
    }

    fn used(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_used(&self, name: &str) -> bool {
        self.used().contains(name)
    }
}

/// Whoever needs what is wrong with the disk is told then.
fn note(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "could not tidy up: {what}");
    }
}

/// The name of a thread's place: what Codex calls the thread may be no name of a directory.
fn name(thread: &ThreadId) -> String {
    ContentId::of(thread.as_str().as_bytes()).to_string()[..16].to_owned()
}

fn place(
    working_directory: &Path,
    writable: Vec<PathBuf>,
    confined: bool,
) -> Result<Place, Failure> {
    let text = |path: &Path| {
        let detail = || format!("the path {} is not valid UTF-8", path.display());
        path.to_str().map(str::to_owned).ok_or_else(|| failure(WorkspaceFailure::Other, detail()))
    };
    Ok(Place {
        working_directory: text(working_directory)?,
        writable: writable.iter().map(|path| text(path)).collect::<Result<_, _>>()?,
        confined,
        network: false,
    })
}

/// What is told of a change set besides its files.
#[derive(Debug, Default)]
struct Notes {
    words: Vec<String>,
    /// How many ignored files and directories there are in the copy, of which it had none when it was made.
    ignored: usize,
}

impl Notes {
    fn new(of_scratch: &[String], ignored: &[Vec<u8>]) -> Self {
        let is_linked = |path: &[u8]| {
            let name = path.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty());
            LINKED.iter().any(|linked| Some(linked.as_bytes()) == name)
        };
        let names: Vec<_> = ignored.iter().filter(|path| !is_linked(path)).collect();
        let mut words = of_scratch.to_vec();
        if !names.is_empty() {
            let named = names.iter().take(NAMED).map(|name| String::from_utf8_lossy(name));
            let more = if names.len() > NAMED { ", …" } else { "" };
            let named = named.collect::<Vec<_>>().join(", ");
            words.push(format!("ignored by git and therefore not in the patch: {named}{more}"));
        }
        Self { words, ignored: names.len() }
    }
}

/// A directory for its owner alone.
fn private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

fn failure(kind: WorkspaceFailure, detail: String) -> Failure {
    Failure::Workspace { kind, detail }
}

fn unwritable(error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => WorkspaceFailure::NoSpace,
        _ => WorkspaceFailure::Other,
    };
    failure(kind, format!("the state directory cannot be written: {error}"))
}

fn refused(error: &ScratchError, workspace: &Path) -> Failure {
    let place = workspace.display();
    match error {
        ScratchError::Unwritable(error)
        | ScratchError::Snapshot(SnapshotError::Unwritable(error)) => unwritable(error),
        ScratchError::Snapshot(SnapshotError::TooManyFiles { limit }) => failure(
            WorkspaceFailure::TooLarge,
            format!("{place} has more than {limit} files (`scratch_max_files`)"),
        ),
        ScratchError::Snapshot(SnapshotError::TooManyBytes { limit }) => failure(
            WorkspaceFailure::TooLarge,
            format!("{place} has more than {} MB (`scratch_max_megabytes`)", limit >> 20),
        ),
        ScratchError::Snapshot(SnapshotError::Unreadable(error)) => {
            failure(WorkspaceFailure::Unreadable, format!("{place}: {error}"))
        }
        ScratchError::Snapshot(SnapshotError::GivenUp) => {
            failure(WorkspaceFailure::Other, "the turn was stopped meanwhile".to_owned())
        }
    }
}

fn in_words(error: &SnapshotError) -> String {
    let source = std::error::Error::source(error);
    source.map_or(error.to_string(), |source| format!("{error}: {source}"))
}
