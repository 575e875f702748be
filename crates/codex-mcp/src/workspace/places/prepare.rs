//! Makes the place of a turn: a copy, or a snapshot of what it may change.

use std::io;
use std::path::{Path, PathBuf};

use bridge_core::{Changes, Failure, Place, WorkspaceFailure};
use change_set::{Root, Rules, Scratch, ScratchError, SnapshotError, Source};
use tokio_util::sync::CancellationToken;

use super::in_place::InPlace;
use super::{Places, Wanted, name, note, private};
use crate::workspace::git::{Git, GitError};

impl Places {
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
        self.used().insert(name.clone(), wanted.number);
        let place = self.make(&name, wanted, &tree, below, rules, give_up);
        let place = place.map_err(|error| refused(&error, &wanted.workspace)).and_then(written);
        if place.is_err() {
            self.used().remove(&name);
        }
        place
    }

    fn make(
        &self,
        name: &str,
        wanted: &Wanted,
        tree: &Root,
        below: &Path,
        rules: &Rules,
        give_up: &(dyn Fn() -> bool + Sync),
    ) -> Result<Made, ScratchError> {
        let temporary = self.0.temporary.clone();
        match wanted.changes {
            Changes::None | Changes::Propose => {
                let scratch = self.scratch_for(name, wanted, tree, rules, give_up)?;
                // As Codex names it, and every path in it.
                let copy = scratch.tree().canonicalize().map_err(ScratchError::Unwritable)?;
                let git = Some(copy.join(".git")).filter(|git| git.is_dir());
                let writable = [Some(copy.clone()), git, Some(temporary)];
                Ok(Made {
                    working_directory: copy.join(below),
                    writable: writable.into_iter().flatten().collect(),
                    confined: true,
                    copy: Some((copy, tree.path().to_owned())),
                })
            }
            Changes::Direct | Changes::Unconfined => {
                InPlace::begin(&self.0.in_place, name, wanted, tree, rules, give_up)?;
                let folder = wanted.working_directory.clone();
                Ok(Made {
                    writable: vec![folder.clone(), temporary],
                    working_directory: folder,
                    confined: wanted.changes == Changes::Direct,
                    copy: None,
                })
            }
        }
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
}

/// A place, before it is told to Codex.
struct Made {
    working_directory: PathBuf,
    writable: Vec<PathBuf>,
    confined: bool,
    copy: Option<(PathBuf, PathBuf)>,
}

/// A place in words, which is how Codex is told of it.
fn written(made: Made) -> Result<Place, Failure> {
    let text = |path: &Path| {
        let detail = || format!("the path {} is not valid UTF-8", path.display());
        path.to_str().map(str::to_owned).ok_or_else(|| failure(WorkspaceFailure::Other, detail()))
    };
    let copy =
        made.copy.map(|(copy, original)| Ok((text(&copy)?, text(&original)?))).transpose()?;
    Ok(Place {
        working_directory: text(&made.working_directory)?,
        writable: made.writable.iter().map(|path| text(path)).collect::<Result<_, _>>()?,
        confined: made.confined,
        network: false,
        copy,
    })
}

fn failure(kind: WorkspaceFailure, detail: String) -> Failure {
    Failure::Workspace { kind, detail }
}

fn unwritable(error: &io::Error) -> Failure {
    let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let kind = if is_full { WorkspaceFailure::NoSpace } else { WorkspaceFailure::Other };
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
