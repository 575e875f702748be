//! A repository for a copy of a working tree: the same history, index and state of a merge, with the objects of the
//! original shared and nothing that could reach it or run a program.
//!
//! Git's files are laid out as in `gitrepository-layout(5)`. The original is only read.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use patch::TreePath;

/// What a merge, a rebase and the like keep beside `HEAD`, and what says which commits are there.
const STATE: &[&str] = &[
    "HEAD",
    "ORIG_HEAD",
    "FETCH_HEAD",
    "MERGE_HEAD",
    "MERGE_MODE",
    "MERGE_MSG",
    "AUTO_MERGE",
    "SQUASH_MSG",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "BISECT_LOG",
    "BISECT_START",
    "BISECT_NAMES",
    "BISECT_TERMS",
    "index",
    "rebase-merge",
    "rebase-apply",
    "sequencer",
    "info/sparse-checkout",
];
const SHARED: &[&str] =
    &["packed-refs", "refs", "reftable", "shallow", "info/exclude", "info/attributes"];
/// Settings that say how files and objects are read. Everything else could run a program or reach the original.
const SETTINGS: &[(&str, &str)] = &[
    ("core", "repositoryformatversion"),
    ("core", "filemode"),
    ("core", "ignorecase"),
    ("core", "symlinks"),
    ("core", "precomposeunicode"),
    ("core", "autocrlf"),
    ("core", "eol"),
    ("core", "quotepath"),
    ("core", "sparsecheckout"),
    ("core", "sparsecheckoutcone"),
    ("extensions", "objectformat"),
    ("extensions", "refstorage"),
    ("user", "name"),
    ("user", "email"),
];

/// A repository of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The directory that it belongs to; none is the whole tree.
    pub folder: Option<TreePath>,
    git_dir: PathBuf,
    common_dir: PathBuf,
}

impl Repository {
    /// The repository of a directory, if it has one.
    pub(crate) fn of(tree: &Path, folder: Option<&TreePath>) -> Option<Self> {
        let place = folder.map_or(tree.to_owned(), |folder| tree.join(folder.to_path()));
        let link = place.join(".git");
        let git_dir = match fs::symlink_metadata(&link).ok()?.is_dir() {
            true => link,
            false => {
                let text = fs::read(&link).ok()?;
                let target = text.strip_prefix(b"gitdir:")?.trim_ascii();
                place.join(Path::new(std::ffi::OsStr::from_bytes(target)))
            }
        };
        let git_dir = git_dir.canonicalize().ok()?;
        let common_dir = match fs::read(git_dir.join("commondir")) {
            Ok(text) => {
                let target = Path::new(std::ffi::OsStr::from_bytes(text.trim_ascii()));
                git_dir.join(target).canonicalize().ok()?
            }
            Err(_) => git_dir.clone(),
        };
        let is_repository = git_dir.join("HEAD").exists() && common_dir.join("objects").is_dir();
        is_repository.then(|| Self { folder: folder.cloned(), git_dir, common_dir })
    }

    /// Makes the same repository for a copy of the tree. `placed` are links of ours in it, which git shall not see.
    pub(crate) fn copy_to(&self, tree: &Path, placed: &[TreePath]) -> io::Result<()> {
        let place = self.folder.as_ref().map_or(tree.to_owned(), |at| tree.join(at.to_path()));
        let to = place.join(".git");
        for folder in ["objects/info", "objects/pack", "refs/heads", "info"] {
            fs::create_dir_all(to.join(folder))?;
        }
        let objects = self.common_dir.join("objects");
        if objects.as_os_str().as_bytes().contains(&b'\n') {
            return Err(io::Error::other("the repository's path has a line feed in it"));
        }
        let alternates = [objects.as_os_str().as_bytes(), b"\n"].concat();
        fs::write(to.join("objects/info/alternates"), alternates)?;
        for name in SHARED {
            copy(&self.common_dir.join(name), &to.join(name))?;
        }
        for name in STATE {
            copy(&self.git_dir.join(name), &to.join(name))?;
        }
        for entry in fs::read_dir(&self.git_dir)? {
            let name = entry?.file_name();
            if name.as_bytes().starts_with(b"sharedindex.") {
                copy(&self.git_dir.join(&name), &to.join(&name))?;
            }
        }
        self.hide(placed, &to)?;
        fs::write(to.join("config"), self.settings()?)
    }

    fn hide(&self, placed: &[TreePath], to: &Path) -> io::Result<()> {
        let exclude = to.join("info/exclude");
        let mut text = fs::read(&exclude).unwrap_or_default();
        if text.last().is_some_and(|last| *last != b'\n') {
            text.push(b'\n');
        }
        for path in placed {
            let path = path.as_bytes();
            let below = match &self.folder {
                None => Some(path),
                Some(folder) => {
                    path.strip_prefix(folder.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"))
                }
            };
            // A name with a line feed cannot be written in this file.
            if let Some(below) = below.filter(|below| !below.contains(&b'\n')) {
                text.push(b'/');
                for byte in below {
                    if b"*?[\\ !#".contains(byte) {
                        text.push(b'\\');
                    }
                    text.push(*byte);
                }
                text.push(b'\n');
            }
        }
        fs::write(exclude, text)
    }

    /// The settings of the copy. Times of files are copied, other facts cannot be: git shall not read all files anew.
    fn settings(&self) -> io::Result<String> {
        let original = fs::read(self.common_dir.join("config"))?;
        let original = String::from_utf8_lossy(&original);
        let mut text = String::from(
            "[core]\n\tbare = false\n\ttrustctime = false\n\tcheckStat = minimal\n\tfsmonitor = false\n[gc]\n\tauto = 0\n",
        );
        for (section, key, value) in simple_settings(&original) {
            if SETTINGS.contains(&(section.as_str(), key.as_str())) {
                text.push_str(&format!("[{section}]\n\t{key} = {value}\n"));
            }
        }
        Ok(text)
    }
}

/// The settings of a file of git's that stand on a line of their own; others are none that matter here.
fn simple_settings(text: &str) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut settings = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.split(']').next().unwrap_or_default().trim().to_ascii_lowercase();
        } else if let Some((key, value)) = line.split_once('=')
            && !line.starts_with(['#', ';'])
            && !value.ends_with('\\')
        {
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().to_owned());
            settings.push((section.clone(), key, value));
        }
    }
    settings
}

/// Copies a file or a directory with all below; nothing if there is none. Links are not followed and not copied.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(from) else {
        return Ok(());
    };
    if found.is_file() {
        // Locks are somebody's who works there now.
        if from.extension().is_some_and(|extension| extension == "lock") {
            return Ok(());
        }
        return fs::copy(from, to).map(drop);
    }
    if found.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}
