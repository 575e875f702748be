//! Other programs than Codex: which are there, and the environment of those that test a project.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::codex_bin::is_executable;
use super::keys::Config;
use super::secrets::is_secret;

/// What Codex is given for itself, and a project's tests have no use for.
const FOR_CODEX: &[&str] = &["OPENAI_", "AZURE_OPENAI_", "SSH_AUTH_SOCK"];

impl Config {
    /// Finds a program in a directory of `PATH`; relative directories are skipped.
    pub(crate) fn program_on_path(&self, name: &str) -> Option<PathBuf> {
        self.find_on_path(Path::new(name)).ok()
    }

    /// Whether there is a program: a path from `directory` on, or a name on `PATH`.
    pub(crate) fn has_program(&self, name: &str, directory: &Path) -> bool {
        match name.contains('/') {
            true => is_executable(&directory.join(name)),
            false => self.program_on_path(name).is_some(),
        }
    }

    /// The environment of a Codex that only runs a project's tests: the usual one without anybody's secrets.
    pub(crate) fn test_environment(&self) -> Vec<(OsString, OsString)> {
        let mut environment = self.codex_environment();
        environment.retain(|(name, _)| !is_secret(name) && !is_for_codex(name));
        environment
    }
}

fn is_for_codex(name: &OsStr) -> bool {
    FOR_CODEX.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
}
