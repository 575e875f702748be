//! Finds the repository that a folder belongs to.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::closed::{self, Overrides};
use super::error::{no_repository, without_files};
use super::{Git, GitError, Pathspec, Place, words};

/// The oldest version with all the options that close it: settings by the environment.
const OLDEST: (u32, u32) = (2, 31);

/// A repository with a working tree.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// The top of its working tree.
    pub(crate) top: PathBuf,
    /// Where this working tree's HEAD and index are.
    pub(super) git_dir: PathBuf,
    /// Where the refs are, which all working trees share.
    pub(super) common_dir: PathBuf,
    /// The part of it that may be looked at, where it begins above the workspace root.
    pub(super) limit: Option<Pathspec>,
    pub(super) overrides: Overrides,
    /// Everything that its configuration was read from.
    pub(super) config_files: Vec<PathBuf>,
}

impl Repository {
    /// Finds it. `directory` lies in `root`, and nothing outside of that is shown.
    ///
    /// # Errors
    /// There is none, or none with files; git cannot be run.
    pub(crate) async fn find(git: &Git, directory: &Path, root: &Path) -> Result<Self, GitError> {
        let none = Overrides::new();
        let place = Place { directory, overrides: &none };
        let ask = words([
            "rev-parse",
            "--is-bare-repository",
            "--is-inside-work-tree",
            "--show-cdup",
            "--git-common-dir",
            "--absolute-git-dir",
        ]);
        let list = words(["config", "--list", "--show-scope", "--show-origin", "-z"]);
        let version = words(["version"]);
        let (version, said, list) = tokio::join!(
            git.output(place, &version),
            git.output(place, &ask),
            git.output(place, &list)
        );
        // An older one would not be held by its settings.
        if let Some(version) = too_old(&String::from_utf8_lossy(&version?)) {
            return Err(GitError::TooOld { version });
        }
        let said = said.map_err(|error| explained(directory, error))?;
        let list = list?;
        let mut lines = said.splitn(5, |byte| *byte == b'\n');
        let mut next = || lines.next().unwrap_or_default();
        match (next(), next()) {
            (b"true", _) => return Err(without_files(directory, "a bare repository")),
            (_, b"true") => {}
            _ => return Err(without_files(directory, "inside of a `.git` folder")),
        }
        let top = directory.join(path(next())).canonicalize();
        let common_dir = directory.join(path(next())).canonicalize();
        let git_dir = path(next().strip_suffix(b"\n").unwrap_or_default());
        let (Ok(top), Ok(common_dir)) = (top, common_dir) else {
            return Err(GitError::unreadable("rev-parse"));
        };
        accepted(directory, &top)?;
        let limit = Pathspec::of_folder(root, &top);
        Ok(Self {
            config_files: config_files(&list, &top),
            overrides: closed::filters_off(&list),
            top,
            git_dir,
            common_dir,
            limit,
        })
    }

    /// The part that may be looked at, if that is not all.
    pub(crate) fn limit_text(&self) -> Option<String> {
        self.limit.as_ref().map(ToString::to_string)
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place { directory: &self.top, overrides: &self.overrides }
    }

    /// The end of a command line: what it is limited to.
    pub(super) fn limits(&self, paths: &[Pathspec]) -> Vec<OsString> {
        let given = if paths.is_empty() { self.limit.as_slice() } else { paths };
        let paths = given.iter().map(Pathspec::argument);
        std::iter::once(OsString::from("--")).chain(paths).collect()
    }
}

/// Git passes over a `.git` that is no repository and takes the next one above, which nobody means.
fn accepted(directory: &Path, top: &Path) -> Result<(), GitError> {
    let mut below = directory.ancestors().take_while(|folder| *folder != top);
    match below.find(|folder| is_meant_as_one(folder)) {
        Some(folder) => {
            let message = format!("{} has a `.git` that git does not accept", folder.display());
            Err(GitError::Failed { command: "rev-parse".to_owned(), words: message })
        }
        None => Ok(()),
    }
}

/// Tells a folder of no repository from a repository that git does not read.
fn explained(directory: &Path, error: GitError) -> GitError {
    let has_one = directory.ancestors().any(is_meant_as_one);
    if !has_one && error.to_string().contains("not a git repository") {
        return no_repository(directory);
    }
    error
}

/// Whether somebody meant a folder to be a repository. An empty `.git` is what a sandbox leaves behind that hid one.
fn is_meant_as_one(folder: &Path) -> bool {
    let git = folder.join(".git");
    git.is_file() || git.join("HEAD").exists()
}

/// The version, if it is too old.
fn too_old(said: &str) -> Option<String> {
    let version = said.trim().strip_prefix("git version ")?;
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    let known = (numbers.next()??, numbers.next()??);
    (known < OLDEST).then(|| version.to_owned())
}

fn path(bytes: &[u8]) -> PathBuf {
    OsString::from_vec(bytes.to_vec()).into()
}

fn config_files(list: &[u8], top: &Path) -> Vec<PathBuf> {
    let files = closed::settings(list).filter_map(|setting| setting.origin.strip_prefix(b"file:"));
    let mut files: Vec<_> = files.map(|file| top.join(path(file))).collect();
    files.sort_unstable();
    files.dedup();
    files
}
