//! Finds the Codex program and git. Each is looked for when it is needed, so that a server without one can start and say
//! what is missing; nothing is run to find it.

use std::fs;
use std::path::{Path, PathBuf};

use super::keys::Config;

/// The Codex program cannot be started as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodexBinError {
    /// No absolute directory of `PATH` has an executable file of that name.
    #[error(
        "no program `{}` on PATH ({searched}); install Codex with \
         `npm install -g @openai/codex`, or name its program with --codex-bin or CODEX_MCP_CODEX_BIN",
        .name.display()
    )]
    NotOnPath {
        /// The bare name that was looked for.
        name: PathBuf,
        /// The directories that were searched, in words.
        searched: String,
    },
    /// The configured path is not an executable file.
    #[error(
        "{} is not an executable file; set --codex-bin or CODEX_MCP_CODEX_BIN to the Codex program",
        .path.display()
    )]
    NotExecutable {
        /// The absolute path.
        path: PathBuf,
    },
}

impl Config {
    /// Finds the Codex program and returns its absolute path, links unresolved: a launcher goes by its own name.
    ///
    /// # Errors
    /// The program is not there; the text says where it was looked for.
    pub fn find_codex_bin(&self) -> Result<PathBuf, CodexBinError> {
        if self.codex_bin.is_absolute() {
            let path = self.codex_bin.clone();
            return if is_executable(&path) {
                Ok(path)
            } else {
                Err(CodexBinError::NotExecutable { path })
            };
        }
        self.find_on_path(&self.codex_bin).map_err(|directories| CodexBinError::NotOnPath {
            name: self.codex_bin.clone(),
            searched: searched(&directories),
        })
    }

    /// Finds git, as the Codex program is found.
    ///
    /// # Errors
    /// It is not there; the text says where it was looked for.
    pub(crate) fn find_git_bin(&self) -> Result<PathBuf, String> {
        let git = &self.git_bin;
        match git.is_absolute() {
            true if is_executable(git) => Ok(git.clone()),
            true => Err(format!("{} is not an executable file", git.display())),
            false => self.find_on_path(git).map_err(|directories| {
                format!("no program `{}` on PATH ({})", git.display(), searched(&directories))
            }),
        }
    }

    /// Looks for a program in the directories of `PATH`; the error says in which.
    pub(super) fn find_on_path(&self, name: &Path) -> Result<PathBuf, Vec<PathBuf>> {
        self.environment.find_on_path(name)
    }
}

fn searched(directories: &[PathBuf]) -> String {
    if directories.is_empty() {
        return "which names no absolute directory".to_owned();
    }
    let directories: Vec<_> =
        directories.iter().map(|directory| directory.display().to_string()).collect();
    format!("searched {}", directories.join(", "))
}

#[cfg(unix)]
pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}
