//! Git, in a folder of its own and with nobody's configuration.

#![expect(clippy::disallowed_methods, reason = "compares with git, which is found on PATH")]

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

use patch::{Kind, Mode, Side, TreePath};
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

    /// Makes a file or a link.
    pub(crate) fn put(&self, path: &TreePath, side: Side<'_>) {
        let at = self.0.path().join(path.to_path());
        let folder = at.parent().expect("a file is in a folder");
        std::fs::create_dir_all(folder).expect("the folder is ours");
        match side.mode.kind() {
            Kind::Symlink => {
                symlink(OsStr::from_bytes(side.content), at).expect("the folder is ours")
            }
            Kind::Regular => {
                std::fs::write(&at, side.content).expect("the folder is ours");
                let permissions = Permissions::from_mode(side.mode.permissions());
                std::fs::set_permissions(at, permissions).expect("the file is ours");
            }
        }
    }

    /// What git would say of a file or a link; none where there is nothing.
    pub(crate) fn get(&self, path: &TreePath) -> Option<(&'static str, Vec<u8>)> {
        let at = self.0.path().join(path.to_path());
        let metadata = at.symlink_metadata().ok()?;
        if metadata.is_symlink() {
            let target = std::fs::read_link(at).expect("the link is ours");
            return Some((Mode::SYMLINK.git(), target.into_os_string().into_vec()));
        }
        let content = std::fs::read(at).expect("the file is ours");
        Some((Mode::regular(metadata.permissions().mode()).git(), content))
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
