//! The same by git.

#![expect(clippy::disallowed_methods, reason = "compares with git")]

use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use tempfile::TempDir;

use crate::texts::{applied, diff, text};

/// A folder that is no repository, with one file or none.
struct Folder(TempDir);

impl Folder {
    fn with(content: Option<&[u8]>) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path().join("src")).unwrap();
        if let Some(content) = content {
            std::fs::write(folder.file(), content).unwrap();
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self) -> std::path::PathBuf {
        self.path().join("src/lib.rs")
    }

    fn git(&self, arguments: &[&str]) -> Output {
        Command::new("git")
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path())
            .env("GIT_CEILING_DIRECTORIES", self.path().parent().unwrap())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap()
    }
}

/// What `git apply` makes of a content; an error with what it says.
fn git_apply(diff: &[u8], current: Option<&[u8]>) -> Result<Option<Vec<u8>>, String> {
    let folder = Folder::with(current);
    std::fs::write(folder.path().join("a.diff"), diff).unwrap();
    let output = folder.git(&["apply", "--whitespace=nowarn", "a.diff"]);
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(std::fs::read(folder.file()).ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn git_takes_our_diffs(before in prop::option::of(text()), after in prop::option::of(text())) {
        prop_assume!(before != after);
        let diff = diff(before.as_deref(), after.as_deref(), 3);
        let by_git = git_apply(&diff, before.as_deref());
        prop_assert_eq!(by_git.as_ref(), Ok(&after));
        prop_assert_eq!(applied(&diff, before.as_deref()), after);
    }
}
