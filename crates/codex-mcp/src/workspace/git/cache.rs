//! Shares what git says between calls: between those that ask for the same at once, and with later ones for as long as
//! a watch proves that nothing has changed.
//!
//! Each call sees the repository as it is at the call or later, never as it was before: of those that wait for the same,
//! the first one asks git, and the others take what was asked after they came.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::diff::{Between, Diff, DiffRequest};
use super::status::Ignored;
use super::watch::{Folders, Watch, Watching};
use super::{Git, GitError, Overrides, Pathspec, Place, Repository, Status};
use crate::clock;

/// How many answers of a kind are kept; the one that was used longest ago goes first.
const MAX_KEPT: usize = 4;
/// How long an answer is kept after it was last asked for.
const KEPT_MS: i64 = 120_000;

/// What is known of the repositories of all clients.
#[derive(Debug, Default)]
pub struct Repositories {
    statuses: Slots<StatusKey, Status>,
    diffs: Slots<DiffKey, Diff>,
    /// Numbers calls and questions to git in the order in which they come.
    order: AtomicU64,
}

/// Where a call works, and what it limits itself to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At {
    /// The folder, resolved.
    pub(crate) directory: PathBuf,
    /// The workspace root that it lies in.
    pub(crate) root: PathBuf,
    /// Paths, as the caller gives them.
    pub(crate) paths: Vec<String>,
}

impl At {
    pub(super) fn pathspecs(&self, repository: &Repository) -> Result<Vec<Pathspec>, GitError> {
        let read = |given: &String| {
            Pathspec::read(given, &self.directory, &self.root, &repository.top)
                .ok_or_else(|| GitError::BadPath { given: given.clone() })
        };
        self.paths.iter().map(read).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct StatusKey {
    at: At,
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct DiffKey {
    top: PathBuf,
    /// What lies outside is not shown.
    root: PathBuf,
    between: Between,
    request: DiffRequest,
    paths: Vec<Pathspec>,
    /// Which state of the working tree, if that is one of the sides.
    state: Option<u64>,
}

/// The state of a repository as one question to git has found it.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) repository: Arc<Repository>,
    pub(crate) status: Arc<Status>,
    /// Names this state; another question has another number.
    number: u64,
}

impl Repositories {
    /// What `git status` says.
    ///
    /// # Errors
    /// See [`GitError`].
    pub(crate) async fn status(&self, git: &Git, at: &At) -> Result<State, GitError> {
        let came = self.next();
        let key = StatusKey {
            at: at.clone(),
            program: git.program.clone(),
            environment: git.environment.clone(),
        };
        let slot = self.statuses.slot(&key);
        let mut kept = slot.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.holds(came)) {
            return Ok(kept.state());
        }
        let known = kept.take();
        let number = self.next();
        let reused = known.and_then(|kept| Some((kept.repository, kept.watch?.again()?)));
        let (repository, status, watch) = match reused {
            Some((repository, watch)) => {
                let paths = at.pathspecs(&repository)?;
                let status = Status::read(git, &repository, &paths, Ignored::Skip).await?;
                (repository, status, Some(watch))
            }
            None => look(git, at).await?,
        };
        let fresh = Kept { value: Arc::new(status), repository, number, watch };
        Ok(kept.insert(fresh).state())
    }

    /// A diff, with the state that it was made from, if the working tree or the index is a side of it.
    ///
    /// # Errors
    /// See [`GitError`].
    pub(crate) async fn diff(
        &self,
        git: &Git,
        at: &At,
        request: &DiffRequest,
    ) -> Result<(Arc<Repository>, Arc<Diff>), GitError> {
        let state = match request.needs_status() {
            true => Some(self.status(git, at).await?),
            false => None,
        };
        let repository = match &state {
            Some(state) => state.repository.clone(),
            None => Arc::new(Repository::find(git, &at.directory, &at.root).await?),
        };
        let paths = at.pathspecs(&repository)?;
        let between = Between::resolve(git, &repository, request, state.as_ref()).await?;
        let key = DiffKey {
            top: repository.top.clone(),
            root: at.root.clone(),
            between,
            request: request.clone(),
            paths,
            state: state.as_ref().map(|state| state.number),
        };
        let slot = self.diffs.slot(&key);
        let mut kept = slot.kept.lock().await;
        // What commits say never changes, and of a state the number is part of the key.
        if let Some(kept) = kept.as_ref() {
            return Ok((repository, kept.value.clone()));
        }
        let status = state.as_ref().map(|state| &*state.status);
        let diff = Diff::read(git, &repository, &key.between, request, &key.paths, status).await?;
        let fresh =
            Kept { value: Arc::new(diff), repository: repository.clone(), number: 0, watch: None };
        Ok((repository, kept.insert(fresh).value.clone()))
    }

    fn next(&self) -> u64 {
        self.order.fetch_add(1, Ordering::Relaxed)
    }
}

/// Asks git, with a watch set up meanwhile where there can be one.
async fn look(git: &Git, at: &At) -> Result<(Arc<Repository>, Status, Option<Watch>), GitError> {
    let none = Overrides::new();
    let place = Place { directory: &at.directory, overrides: &none };
    let found = Repository::find(git, &at.directory, &at.root);
    let (repository, folders) = tokio::join!(found, Folders::list(git, place));
    let repository = Arc::new(repository?);
    let paths = at.pathspecs(&repository)?;
    let begin = |folders| Watching::begin(git, &repository, &at.directory, folders);
    let Some(watching) = folders.and_then(begin) else {
        let status = Status::read(git, &repository, &paths, Ignored::Skip).await?;
        return Ok((repository, status, None));
    };
    let others = tokio::task::spawn_blocking(watching.others());
    let (status, others) =
        tokio::join!(Status::read(git, &repository, &paths, Ignored::List), others);
    let status = status?;
    // Limited to some paths, git does not say what is ignored elsewhere.
    let is_limited = !paths.is_empty() || repository.limit.is_some();
    let watch = match others {
        Ok(others) if !is_limited || others.is_empty() => {
            let ignored = status.ignored.clone();
            let completed =
                tokio::task::spawn_blocking(move || watching.complete(others, &ignored));
            completed.await.ok().flatten()
        }
        Ok(_) | Err(_) => None,
    };
    Ok((repository, status, watch))
}

/// Answers by what was asked, a bounded number.
#[derive(Debug)]
struct Slots<K, V>(Mutex<Vec<(K, Arc<Slot<V>>)>>);

impl<K, V> Default for Slots<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

#[derive(Debug)]
struct Slot<V> {
    used_at: AtomicI64,
    kept: tokio::sync::Mutex<Option<Kept<V>>>,
}

#[derive(Debug)]
struct Kept<V> {
    value: Arc<V>,
    repository: Arc<Repository>,
    number: u64,
    watch: Option<Watch>,
}

impl<V> Kept<V> {
    /// Whether it was asked after a call came, or nothing has happened since it was.
    fn holds(&self, came: u64) -> bool {
        self.number > came || self.watch.as_ref().is_some_and(Watch::is_quiet)
    }
}

impl Kept<Status> {
    fn state(&self) -> State {
        State {
            repository: self.repository.clone(),
            status: self.value.clone(),
            number: self.number,
        }
    }
}

impl<K: Clone + PartialEq, V> Slots<K, V> {
    /// The place of an answer. The lock is held for a look through a short list.
    fn slot(&self, key: &K) -> Arc<Slot<V>> {
        let now = clock::timestamp_ms().0;
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|(_, slot)| now - slot.used_at.load(Ordering::Relaxed) < KEPT_MS);
        let known = slots.iter().position(|(known, _)| known == key);
        let (key, slot) = known.map(|at| slots.remove(at)).unwrap_or_else(|| {
            let kept = tokio::sync::Mutex::new(None);
            (key.clone(), Arc::new(Slot { used_at: AtomicI64::new(now), kept }))
        });
        slot.used_at.store(now, Ordering::Relaxed);
        if slots.len() >= MAX_KEPT {
            slots.remove(0);
        }
        slots.push((key, slot.clone()));
        slot
    }
}
