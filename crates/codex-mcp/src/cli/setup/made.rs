//! What `codex-mcp setup` has made, in a file of its own: only that is ever taken back.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text_file;

/// The largest record that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// What was made.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Made {
    #[serde(skip)]
    file: PathBuf,
    /// With Claude Code.
    pub(super) claude: Claude,
    /// With other clients, by name.
    pub(super) clients: BTreeMap<String, Entry>,
}

/// What Claude Code was asked for.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Claude {
    /// Our folder is one of its marketplaces.
    pub(super) marketplace: bool,
    /// The plugin is installed from it.
    pub(super) plugin: bool,
}

/// An entry in a client's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// The file.
    pub(super) file: PathBuf,
    /// What the entry says.
    pub(super) entry: Value,
    /// Whether the file was made for it.
    pub(super) made_file: bool,
}

impl Made {
    /// # Errors
    /// There is a record that cannot be read: nobody knows then what is ours.
    pub(super) fn read(data: &Path) -> anyhow::Result<Self> {
        let file = data.join("setup.json");
        let mut made: Self = match text_file::read(&file, MAX_BYTES) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("{} is not the record of a setup", file.display()))?,
            Err(_) if !file.exists() => Self::default(),
            Err(error) => anyhow::bail!("{} cannot be read: {error}", file.display()),
        };
        made.file = file;
        Ok(made)
    }

    /// Keeps it; without anything in it, there is no file.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        let file = &self.file;
        let context = || format!("cannot write {}", file.display());
        let is_empty = !self.claude.marketplace && !self.claude.plugin && self.clients.is_empty();
        if is_empty {
            return match fs::remove_file(file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(error).with_context(context)
                }
                Ok(()) | Err(_) => Ok(()),
            };
        }
        super::write_whole(file, &(serde_json::to_string_pretty(self)? + "\n"))
    }
}
