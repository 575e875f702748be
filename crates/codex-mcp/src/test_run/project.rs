//! Reads what tells how a project is tested: names and a few small files, with limits on both.

use std::fs;
use std::path::{Path, PathBuf};

use test_runners::Facts;

use crate::config::Config;
use crate::text_file;

/// Names of a folder that are looked at.
const MAX_NAMES: usize = 10_000;
/// The largest file that is read, in bytes.
const MAX_TEXT: u64 = 1 << 20;

/// What is known of the project in a folder.
pub(crate) fn facts(config: &Config, directory: &Path) -> Facts {
    let mut facts = Facts::default();
    for folder in Facts::FOLDERS {
        let entries = fs::read_dir(directory.join(folder)).into_iter().flatten().flatten();
        let names =
            entries.take(MAX_NAMES).filter_map(|entry| entry.file_name().into_string().ok());
        facts.names.insert((*folder).to_owned(), names.collect());
    }
    for name in Facts::TEXTS {
        if let Ok(text) = text_file::read(&directory.join(name), MAX_TEXT) {
            facts.texts.insert((*name).to_owned(), text);
        }
    }
    let is_there = |name: &&&str| config.program_on_path(name).is_some();
    facts.programs = Facts::PROGRAMS.iter().filter(is_there).map(|&name| name.to_owned()).collect();
    facts
}

/// Where a run in a folder may write: the repository around it, or the folder. Never above the workspace root that it
/// lies in.
pub(crate) fn writable(directory: &Path, root: &Path) -> PathBuf {
    let inside = directory.ancestors().take_while(|folder| folder.starts_with(root));
    let repository = inside.into_iter().find(|folder| folder.join(".git").exists());
    repository.unwrap_or(directory).to_owned()
}
