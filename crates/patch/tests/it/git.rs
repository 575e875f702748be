//! Git, in a folder of its own and with nobody's configuration.

#![expect(clippy::disallowed_methods, reason = "compares with git, which is found on PATH")]

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder that is no repository; git takes it for none above it either.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("the system has room for a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        let folder = path.parent().expect("a file is in a folder");
        std::fs::create_dir_all(folder).expect("the folder is ours");
        std::fs::write(path, content).expect("the folder is ours");
    }

    /// What a file holds; none where there is no file.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.path(name)).ok()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> Output {
        let path = self.0.path();
        Command::new("git")
            .args(arguments)
            .current_dir(path)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", path)
            .env("GIT_CEILING_DIRECTORIES", path.parent().unwrap_or(path))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git is installed")
    }

    /// Applies a diff; an error with what git says.
    pub(crate) fn apply(&self, diff: &[u8]) -> Result<(), String> {
        self.write("a.diff", diff);
        let output = self.git(&["apply", "--whitespace=nowarn", "a.diff"]);
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
