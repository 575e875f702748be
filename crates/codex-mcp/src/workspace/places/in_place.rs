//! Work in place: a snapshot of the folder that a turn may change, and what it is of. It lasts as long as the turn.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use bridge_core::{Changes, ThreadId, TurnNumber};
use change_set::{Root, Rules, ScratchError, Snapshot};
use serde::{Deserialize, Serialize};

use super::Wanted;

const ABOUT: &str = "turn.json";

/// The snapshot of a folder in which a turn works.
pub(super) struct InPlace {
    directory: PathBuf,
    about: About,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    thread: String,
    turn: u64,
    root: PathBuf,
    confined: bool,
}

impl InPlace {
    /// Takes the snapshot. What is said of it comes last, so that half of one is none.
    pub(super) fn begin(
        all: &Path,
        name: &str,
        wanted: &Wanted,
        tree: &Root,
        rules: &Rules,
        give_up: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), ScratchError> {
        let directory = all.join(name);
        remove(&directory).map_err(ScratchError::Unwritable)?;
        Snapshot::take(tree, &directory, rules, give_up)?;
        let about = About {
            thread: wanted.thread.as_str().to_owned(),
            turn: wanted.number.0,
            root: tree.path().to_owned(),
            confined: wanted.changes != Changes::Unconfined,
        };
        let written = serde_json::to_vec(&about).map_err(io::Error::from);
        written
            .and_then(|text| fs::write(directory.join(ABOUT), text))
            .map_err(ScratchError::Unwritable)
    }

    pub(super) fn find(all: &Path, name: &str) -> Option<Self> {
        let directory = all.join(name);
        let about = serde_json::from_slice(&fs::read(directory.join(ABOUT)).ok()?).ok()?;
        Some(Self { directory, about })
    }

    /// All that there are; what is left of others is removed.
    pub(super) fn all(all: &Path) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(all) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            match name.to_str().and_then(|name| Self::find(all, name)) {
                Some(place) => found.push(place),
                None => remove(&all.join(name))?,
            }
        }
        Ok(found)
    }

    pub(super) fn thread(&self) -> ThreadId {
        ThreadId(self.about.thread.clone())
    }

    pub(super) fn number(&self) -> TurnNumber {
        TurnNumber(self.about.turn)
    }

    pub(super) fn changes(&self) -> Changes {
        match self.about.confined {
            true => Changes::Direct,
            false => Changes::Unconfined,
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.about.root
    }

    pub(super) fn snapshot(&self) -> io::Result<Snapshot> {
        Snapshot::load(&self.directory)
    }

    pub(super) fn end(self) {
        if let Err(error) = remove(&self.directory) {
            tracing::warn!(%error, "the snapshot of a folder could not be removed");
        }
    }
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
