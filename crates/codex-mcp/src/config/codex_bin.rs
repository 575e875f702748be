//! Finds the Codex program. It is looked for when Codex is first needed, so that a server without one can start and
//! say what is missing; nothing is run to find it.

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
        // A relative directory in PATH would be looked up in the workspace, which Codex itself may write.
        let path = self.environment.get("PATH").unwrap_or_default();
        let directories: Vec<PathBuf> =
            std::env::split_paths(path).filter(|path| path.is_absolute()).collect();
        directories
            .iter()
            .map(|directory| directory.join(&self.codex_bin))
            .find(|path| is_executable(path))
            .ok_or_else(|| CodexBinError::NotOnPath {
                name: self.codex_bin.clone(),
                searched: searched(&directories),
            })
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
