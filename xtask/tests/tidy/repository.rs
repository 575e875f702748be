//! The files of the repository: what git tracks, and what it would track.
//!
//! Ignored files are never read.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A file, with its path from the root of the repository, in forward slashes.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// The content; a file that is not text is the finding of another rule, and empty for the others.
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.bytes).unwrap_or_default()
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Written by a package manager, which answers for what is in it.
    pub(crate) fn is_lock_file(&self) -> bool {
        self.path == "Cargo.lock" || self.path.ends_with("package-lock.json")
    }
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Every file of the repository; links and files that are deleted but still tracked are left out.
pub(crate) fn files() -> Vec<File> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is on PATH");
    assert!(
        output.status.success(),
        "run the tests in a git checkout: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let paths = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let files: Vec<File> = paths.split_terminator('\0').filter_map(read).collect();
    assert!(
        files.iter().any(|file| file.path == "xtask/Cargo.toml"),
        "git does not list this very crate"
    );
    files
}

fn read(path: &str) -> Option<File> {
    let full = root().join(path);
    let is_file = fs::symlink_metadata(&full).is_ok_and(|metadata| metadata.is_file());
    let bytes = is_file.then(|| fs::read(&full).ok()).flatten()?;
    Some(File { path: path.to_owned(), bytes })
}

/// A file for the tests of the rules themselves.
pub(crate) fn sample(path: &str, content: impl Into<Vec<u8>>) -> File {
    File { path: path.to_owned(), bytes: content.into() }
}
