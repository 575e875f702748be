//! Tells whether a repository may have changed since it was looked at, without looking at its files again.
//!
//! Linux tells of every change in the folders that are watched, before whoever made the change goes on; so no news is
//! proof. Watched are the folders with tracked files (before git looks), `.git` with its refs, and the folders that git
//! found besides, except those that are ignored: what happens there changes no answer. Where that cannot be had (too
//! many folders, submodules, a file system of another machine, another system), there is no watch, and git is asked
//! each time. What Linux does not tell of, a file that is written through a memory map or under another name of a hard
//! link, is why an answer is also never given again after [`MAX_AGE_MS`].

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Git, Place, Repository, words};
use crate::clock;

/// How many folders are watched at most.
const MAX_FOLDERS: usize = 20_000;
/// How many untracked files are looked at at most, to know that they are older than the watch.
const MAX_UNTRACKED: usize = 20_000;
/// How long an answer holds at most.
const MAX_AGE_MS: i64 = 60_000;
/// How much coarser the times of files are than the clock.
const COARSE_MS: i64 = 50;

/// Everything that has to stay as it is.
#[derive(Debug)]
pub(super) struct Watch {
    folders: system::Folders,
    facts: Vec<(PathBuf, Option<Fact>)>,
    since: i64,
}

impl Watch {
    /// Whether nothing has happened so far.
    pub(super) fn is_quiet(&self) -> bool {
        clock::timestamp_ms().0 - self.since < MAX_AGE_MS && self.folders.is_quiet() && self.holds()
    }

    /// The same watch for the next look, if all that happened is that files came, went or changed: it still watches
    /// every folder that it has to.
    pub(super) fn again(self) -> Option<Self> {
        let since = clock::timestamp_ms().0;
        (self.folders.only_files_changed() && self.holds()).then(|| Self { since, ..self })
    }

    fn holds(&self) -> bool {
        self.facts.iter().all(|(file, known)| Fact::of(file) == *known)
    }
}

/// A watch that is being set up while git looks.
#[derive(Debug)]
pub(super) struct Watching {
    watch: Watch,
    top: PathBuf,
    /// The folders with tracked files, and those above them; below the top, without a slash at the end.
    tracked: Arc<Tracked>,
}

/// The folders with tracked files that are there, the top included, with how many of them lie in each.
type Tracked = HashMap<Vec<u8>, u64>;

/// The folders with tracked files of a repository, as far as there can be a watch over them.
pub(super) struct Folders {
    folders: HashSet<Vec<u8>>,
    since: i64,
}

impl Folders {
    /// Asks git, from anywhere in the working tree.
    pub(super) async fn list(git: &Git, place: Place<'_>) -> Option<Self> {
        let since = clock::timestamp_ms().0;
        let mut paths = Paths::default();
        let list = words(["ls-files", "-z", "--full-name", "--", ":/"]);
        git.stream(place, &list, super::MAX_OUTPUT, |chunk| paths.push(chunk)).await.ok()?;
        (paths.folders.len() <= MAX_FOLDERS).then_some(Self { folders: paths.folders, since })
    }
}

impl Watching {
    /// Begins before git looks. `None`: there can be no watch.
    pub(super) fn begin(
        git: &Git,
        repository: &Repository,
        directory: &Path,
        found: Folders,
    ) -> Option<Self> {
        if !system::tells_all(&repository.top) || repository.common_dir.join("modules").exists() {
            return None;
        }
        let watch = Watch {
            folders: system::Folders::new()?,
            facts: facts(git, repository),
            since: found.since,
        };
        let mut watching = Self { watch, top: repository.top.clone(), tracked: Arc::default() };
        watching.add_gits(repository)?;
        watching.add_tracked(directory, found.folders)?;
        Some(watching)
    }

    fn add_gits(&mut self, repository: &Repository) -> Option<()> {
        let folders = &mut self.watch.folders;
        for git_dir in [&repository.git_dir, &repository.common_dir] {
            folders.add_gits(git_dir)?;
            for name in
                ["info", "logs/refs", "rebase-merge", "rebase-apply", "sequencer", "reftable"]
            {
                folders.add_gits(&git_dir.join(name))?;
            }
            add_tree(folders, &git_dir.join("refs"))?;
        }
        Some(())
    }

    fn add_tracked(&mut self, directory: &Path, found: HashSet<Vec<u8>>) -> Option<()> {
        let folders = &mut self.watch.folders;
        // Between the top and the folder of the call another repository can come to be.
        let between = directory.ancestors().take_while(|folder| *folder != self.top);
        for folder in between.filter(|folder| folder.starts_with(&self.top)) {
            folders.add(folder)?;
        }
        folders.add(&self.top)?;
        let mut tracked = Tracked::from([(Vec::new(), 0)]);
        for folder in found {
            if folders.add(&join(&self.top, &folder))? == Found::Folder {
                *tracked.entry(above(&folder).to_vec()).or_default() += 1;
                tracked.entry(folder).or_default();
            }
        }
        self.tracked = Arc::new(tracked);
        Some(())
    }

    /// Folders beside the tracked ones. Blocks; meant to run while git does.
    pub(super) fn others(&self) -> impl FnOnce() -> Vec<Vec<u8>> + Send + 'static {
        let (top, tracked) = (self.top.clone(), self.tracked.clone());
        move || {
            let unknown = |folder: &[u8]| has_others(&join(&top, folder), tracked[folder]);
            let inside = tracked.keys().filter(|folder| unknown(folder)).flat_map(|folder| {
                let entries = fs::read_dir(join(&top, folder)).into_iter().flatten().flatten();
                let entries =
                    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
                entries.map(|entry| below(folder, entry.file_name().as_bytes()))
            });
            inside.filter(|folder| folder != b".git" && !tracked.contains_key(folder)).collect()
        }
    }

    /// Watches also what git found besides the tracked files; `None` if that may have changed since git began to look.
    pub(super) fn complete(mut self, others: Vec<Vec<u8>>, ignored: &[Vec<u8>]) -> Option<Watch> {
        let ignored: HashSet<&[u8]> =
            ignored.iter().map(|folder| folder.strip_suffix(b"/").unwrap_or(folder)).collect();
        let mut left = others;
        let mut looked_at = 0;
        while let Some(folder) = left.pop() {
            if ignored.contains(folder.as_slice()) {
                continue;
            }
            let path = join(&self.top, &folder);
            self.watch.folders.add(&path)?;
            self.is_older(&path)?;
            for entry in fs::read_dir(&path).ok()? {
                let entry = entry.ok()?;
                looked_at += 1;
                // What is inside of another repository is another matter.
                if looked_at > MAX_UNTRACKED || entry.file_name() == ".git" {
                    return None;
                }
                if entry.file_type().ok()?.is_dir() {
                    left.push(below(&folder, entry.file_name().as_bytes()));
                } else {
                    self.is_older(&entry.path())?;
                }
            }
        }
        Some(self.watch)
    }

    fn is_older(&self, path: &Path) -> Option<()> {
        let changed = fs::symlink_metadata(path).ok()?;
        let changed = changed.ctime() * 1000 + changed.ctime_nsec() / 1_000_000;
        (changed < self.watch.since - COARSE_MS).then_some(())
    }
}

/// What there is at a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Folder,
    None,
}

/// Whether a folder may have others in it than so many. Most file systems count them as links to it.
fn has_others(folder: &Path, known: u64) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.nlink() != 2 + known)
}

fn add_tree(folders: &mut system::Folders, folder: &Path) -> Option<()> {
    folders.add_gits(folder)?;
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut inside = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    inside.try_for_each(|entry| add_tree(folders, &entry.path()))
}

fn join(top: &Path, folder: &[u8]) -> PathBuf {
    top.join(std::ffi::OsStr::from_bytes(folder))
}

fn below(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

/// What tells one state of a file from another.
#[derive(Debug, PartialEq, Eq)]
struct Fact(u64, u64, u64, i64, i64);

impl Fact {
    fn of(file: &Path) -> Option<Self> {
        let known = fs::metadata(file).ok()?;
        Some(Self(known.dev(), known.ino(), known.size(), known.ctime(), known.ctime_nsec()))
    }
}

/// The files outside of the repository that decide what git says: its configuration and the user's lists.
fn facts(git: &Git, repository: &Repository) -> Vec<(PathBuf, Option<Fact>)> {
    let variable = |wanted: &str| {
        let found = git.environment.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| PathBuf::from(value)).filter(|path| path.is_absolute())
    };
    let home = variable("HOME");
    let config_home = variable("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
    let lists = ["git/config", "git/ignore", "git/attributes"];
    let files = config_home.iter().flat_map(|folder| lists.map(|name| folder.join(name)));
    let files = files.chain(home.iter().map(|home| home.join(".gitconfig")));
    let files = files.chain([PathBuf::from("/etc/gitconfig"), PathBuf::from("/etc/gitattributes")]);
    let files = files.chain(repository.config_files.iter().cloned());
    files.map(|file| (Fact::of(&file), file)).map(|(fact, file)| (file, fact)).collect()
}

/// Collects the folders of a list of paths that comes in pieces.
#[derive(Default)]
struct Paths {
    folders: HashSet<Vec<u8>>,
    partial: Vec<u8>,
    last: Vec<u8>,
}

impl Paths {
    fn push(&mut self, mut chunk: &[u8]) {
        while let Some(end) = memchr::memchr(0, chunk) {
            if self.partial.is_empty() {
                self.add(&chunk[..end]);
            } else {
                self.partial.extend_from_slice(&chunk[..end]);
                let path = std::mem::take(&mut self.partial);
                self.add(&path);
            }
            chunk = &chunk[end + 1..];
        }
        self.partial.extend_from_slice(chunk);
    }

    fn add(&mut self, path: &[u8]) {
        // The list is sorted, so most files share their folder with the one before.
        let mut folder = above(path);
        if self.folders.len() > MAX_FOLDERS || folder == self.last {
            return;
        }
        self.last = folder.to_vec();
        while !folder.is_empty() && self.folders.insert(folder.to_vec()) {
            folder = above(folder);
        }
    }
}

/// The folder that a path lies in; nothing, if that is the top.
fn above(path: &[u8]) -> &[u8] {
    &path[..memchr::memrchr(b'/', path).unwrap_or(0)]
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::HashSet;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
    use rustix::io::Errno;

    use super::Found;

    /// ext, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS: what happens there happens on this machine.
    const LOCAL: [u64; 7] =
        [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1, 0xF2F5_2010];

    const CHANGES: WatchFlags = WatchFlags::MODIFY
        .union(WatchFlags::ATTRIB)
        .union(WatchFlags::CREATE)
        .union(WatchFlags::DELETE)
        .union(WatchFlags::MOVED_FROM)
        .union(WatchFlags::MOVED_TO)
        .union(WatchFlags::DELETE_SELF)
        .union(WatchFlags::MOVE_SELF)
        .union(WatchFlags::ONLYDIR)
        .union(WatchFlags::DONT_FOLLOW);

    /// Whether every change in a folder comes from this machine.
    pub(super) fn tells_all(folder: &Path) -> bool {
        let kind = rustix::fs::statfs(folder).map(|found| u64::try_from(found.f_type));
        matches!(kind, Ok(Ok(kind)) if LOCAL.contains(&kind))
    }

    /// What no watch over the folders of a list outlasts: a folder that came or went, or news that were lost.
    const OF_FOLDERS: ReadFlags = ReadFlags::ISDIR
        .union(ReadFlags::DELETE_SELF)
        .union(ReadFlags::MOVE_SELF)
        .union(ReadFlags::IGNORED)
        .union(ReadFlags::UNMOUNT)
        .union(ReadFlags::QUEUE_OVERFLOW);

    #[derive(Debug)]
    pub(super) struct Folders {
        events: OwnedFd,
        count: usize,
        /// Those that git keeps its own files in.
        gits: HashSet<i32>,
    }

    impl Folders {
        pub(super) fn new() -> Option<Self> {
            let events = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            Some(Self { events, count: 0, gits: HashSet::new() })
        }

        /// Watches a folder; what is none needs no watch, for the one above tells when it becomes one.
        pub(super) fn add(&mut self, folder: &Path) -> Option<Found> {
            let watched = self.watch(folder)?;
            Some(if watched.is_some() { Found::Folder } else { Found::None })
        }

        /// The same for a folder of git's own.
        pub(super) fn add_gits(&mut self, folder: &Path) -> Option<()> {
            let watched = self.watch(folder)?;
            self.gits.extend(watched);
            Some(())
        }

        fn watch(&mut self, folder: &Path) -> Option<Option<i32>> {
            self.count += 1;
            if self.count > super::MAX_FOLDERS {
                return None;
            }
            match inotify::add_watch(&self.events, folder, CHANGES) {
                Ok(watched) => Some(Some(watched)),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Some(None),
                Err(_) => None,
            }
        }

        pub(super) fn is_quiet(&self) -> bool {
            let mut event = [0u8; 4096];
            matches!(rustix::io::read(&self.events, &mut event), Err(Errno::AGAIN))
        }

        /// Takes in what happened: whether that were only files, none of which decides what else is looked at.
        pub(super) fn only_files_changed(&self) -> bool {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut news = inotify::Reader::new(&self.events, &mut buffer);
            loop {
                let event = match news.next() {
                    Ok(event) => event,
                    Err(error) => return error == Errno::AGAIN,
                };
                let decides =
                    event.file_name().is_some_and(|name| name.to_bytes().starts_with(b".git"));
                if decides
                    || event.events().intersects(OF_FOLDERS)
                    || self.gits.contains(&event.wd())
                {
                    return false;
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::Path;

    pub(super) fn tells_all(_folder: &Path) -> bool {
        false
    }

    #[derive(Debug)]
    pub(super) struct Folders;

    impl Folders {
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) fn add(&mut self, _folder: &Path) -> Option<super::Found> {
            None
        }

        pub(super) fn add_gits(&mut self, _folder: &Path) -> Option<()> {
            None
        }

        pub(super) fn is_quiet(&self) -> bool {
            false
        }

        pub(super) fn only_files_changed(&self) -> bool {
            false
        }
    }
}
