//! Where turns may change files, and what they changed there.
//!
//! A turn that proposes works in a scratch workspace of its thread, which begins as the exact state of the user's files and
//! stays until what was proposed is applied. A turn that works in place gets a snapshot before it, so that it can be taken
//! back. Both are compared with their snapshot when the turn is over: what a shell did counts as well as what a tool did.
//!
//! All of it lies in the state directory, and a crash leaves nothing that the next start does not end.

mod collect;
mod in_place;
mod prepare;
mod record;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bridge_core::{Changes, ThreadId, TurnNumber};
use bridge_store::{ApplicationState, Write};
use change_set::{
    ApplyError, Collected, ContentId, Contents, Ending, Root, Rules, Scratch, Scratches, Snapshot,
    SnapshotError, Step,
};

use crate::clock;
use crate::config::Config;
use crate::ledger::Ledger;
use in_place::InPlace;

/// Directories that are linked into a scratch workspace instead of being copied: dependencies, which the sandbox keeps as
/// they are.
const LINKED: &[&str] = &["node_modules", ".venv", "venv"];
/// How long a content may lie about before a record names it.
const UNNAMED: Duration = Duration::from_secs(86_400);

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
    /// The names of the places that a turn uses now, and the turns.
    used: Mutex<HashMap<String, TurnNumber>>,
    /// Held by who carries changes into the user's files.
    applying: Arc<tokio::sync::Mutex<()>>,
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
            applying: Arc::default(),
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
        let alone = self.0.applying.clone().lock_owned().await;
        // Once begun it goes on to its end, alone, whether anybody waits or not.
        let applying = tokio::task::spawn_blocking(move || {
            let _alone = alone;
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
        let Some(before) = clock::system_time().checked_sub(UNNAMED) else {
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
        let oldest = clock::system_time().checked_sub(patience);
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

    /// Gives up the place of a turn that does not run after all; that of a later turn of the thread is left alone. It waits
    /// for the disk.
    pub(crate) fn give_up(&self, thread: &ThreadId, number: TurnNumber) {
        let name = name(thread);
        // Held to the end: a later turn takes its place only then.
        let mut used = self.used();
        if used.get(&name) != Some(&number) {
            return;
        }
        used.remove(&name);
        let place = InPlace::find(&self.0.in_place, &name);
        if let Some(place) = place.filter(|place| place.number() == number) {
            place.end();
        }
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

    fn rules(&self) -> Rules {
        let config = &self.0.config;
        Rules {
            linked: LINKED.iter().map(|&name| name.to_owned()).collect(),
            max_files: config.scratch_max_files,
            max_bytes: (config.scratch_max_megabytes as u64) << 20,
            ..Rules::default()
        }
    }

    fn used(&self) -> std::sync::MutexGuard<'_, HashMap<String, TurnNumber>> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_used(&self, name: &str) -> bool {
        self.used().contains_key(name)
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

/// A directory for its owner alone.
fn private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}
