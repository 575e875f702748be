//! A run's own folder: for its reports, what it has to be told in files, and its temporary and cached files. It goes with
//! the run. What lies in it was written by the tests and is read with care.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::OFlags;

use test_runners::Source;

const STDIO: &str = include_str!("stdio.cjs");

/// The largest report that is read, in bytes.
const MAX_REPORT: u64 = 32 << 20;
/// How many reports are read, and how many files are looked at to find them.
const MAX_REPORTS: usize = 2_000;
const MAX_LOOKS: usize = 200_000;
/// How deep below the project reports are looked for.
const MAX_DEPTH: usize = 6;

/// The folder; dropping it removes it.
#[derive(Debug)]
pub(crate) struct RunFolder(PathBuf);

impl RunFolder {
    /// A folder that is not there yet.
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Makes it, for its owner alone, with what every Node.js loads first.
    pub(super) fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        let parts = [self.reports(), self.temporary(), self.cache()];
        parts.iter().try_for_each(|part| builder.create(part))?;
        fs::write(self.stdio(), STDIO)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What every Node.js loads first.
    pub(super) fn stdio(&self) -> PathBuf {
        self.0.join("stdio.cjs")
    }

    /// Where reports belong.
    pub(crate) fn reports(&self) -> PathBuf {
        self.0.join("reports")
    }

    /// Where tests put what they need for a while.
    pub(super) fn temporary(&self) -> PathBuf {
        self.0.join("tmp")
    }

    /// Where tools keep what they have made, for this run alone: nothing of it reaches another project.
    pub(super) fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes a folder with all that tests have put there.
pub(super) fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(folder = %folder.display(), %error, "a folder of tests stays"),
    }
}

/// The texts of a source's reports; those below a folder only if they were written since `began`.
pub(super) fn read(source: &Source, directory: &Path, began: SystemTime) -> Vec<String> {
    match source {
        Source::File { path, .. } => read_file(Path::new(path)).into_iter().collect(),
        Source::Below { folder, parent, end, .. } => {
            let mut found = Search { parent, end, began, looks: 0, files: Vec::new() };
            let folder = directory.join(folder);
            found.look(&folder, folder.file_name().is_some_and(|name| name == *parent), 0);
            found.files.sort();
            found.files.iter().filter_map(|file| read_file(file)).collect()
        }
    }
}

/// A regular file, no link: else a report could be any file of the user's.
fn read_file(path: &Path) -> Option<String> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).ok()?;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let mut bytes = Vec::new();
    if !metadata.is_file() || metadata.len() > MAX_REPORT {
        return None;
    }
    file.take(MAX_REPORT).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

struct Search<'a> {
    parent: &'a str,
    end: &'a str,
    began: SystemTime,
    looks: usize,
    files: Vec<PathBuf>,
}

impl Search<'_> {
    fn look(&mut self, folder: &Path, is_inside: bool, depth: usize) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            self.looks += 1;
            if self.looks > MAX_LOOKS || self.files.len() >= MAX_REPORTS {
                return;
            }
            // Of the entry itself, so no link is followed.
            let Ok(metadata) = entry.metadata() else { continue };
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_hidden = name.starts_with('.') || name == "node_modules";
            if metadata.is_dir() && !is_hidden && depth < MAX_DEPTH {
                self.look(&entry.path(), is_inside || name == self.parent, depth + 1);
            }
            let is_new = metadata.modified().is_ok_and(|at| at >= self.began);
            if metadata.is_file() && is_inside && is_new && name.ends_with(self.end) {
                self.files.push(entry.path());
            }
        }
    }
}
