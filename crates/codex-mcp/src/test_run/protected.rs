//! Takes away what Codex's sandbox leaves in a folder in which it could write.
//!
//! Codex puts these folders there, empty, so that a command cannot put something of the name there itself, and leaves them
//! when it is ended. Those that were not there before go again, once no run has the folder any more: a sandbox that is being
//! made must find them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const NAMES: &[&str] = &[".git", ".codex", ".agents", ".aws"];

/// The folders that runs have.
#[derive(Debug, Default)]
pub(super) struct Protected(Mutex<BTreeMap<PathBuf, Held>>);

#[derive(Debug)]
struct Held {
    runs: usize,
    /// What was not there before the first of them.
    absent: Vec<PathBuf>,
}

/// A run has a folder, until this is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    protected: Arc<Protected>,
    folder: PathBuf,
}

impl Protected {
    pub(super) fn hold(self: &Arc<Self>, folder: &Path) -> Hold {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = folders.entry(folder.to_owned()).or_insert_with(|| {
            let paths = NAMES.iter().map(|name| folder.join(name));
            Held {
                runs: 0,
                absent: paths.filter(|path| path.symlink_metadata().is_err()).collect(),
            }
        });
        held.runs += 1;
        Hold { protected: self.clone(), folder: folder.to_owned() }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut folders = self.protected.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = folders.get_mut(&self.folder) else { return };
        held.runs -= 1;
        if held.runs == 0 {
            for path in &held.absent {
                // Only an empty one goes.
                let _ = fs::remove_dir(path);
            }
            folders.remove(&self.folder);
        }
    }
}
