//! What an application is about to do, on disk before it is done: whoever comes after a crash can end it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use patch::TreePath;
use serde::{Deserialize, Serialize};

use crate::apply::Step;
use crate::text;

/// How an application that was cut has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything is as it should become.
    Applied,
    /// Everything is as it was.
    TakenBack,
    /// These files were changed by somebody else meanwhile, or cannot be reached, and were left alone.
    Stuck(Vec<TreePath>),
}

/// How far an application is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Stage {
    /// New files lie beside those that they will replace.
    Staging,
    /// They are being put into place.
    Placing,
    /// All are in place; what they replaced is being removed.
    Done,
}

/// An application under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) root: PathBuf,
    pub(crate) stage: Stage,
    pub(crate) steps: Vec<Step>,
    /// Directories that were made for it, those above first.
    #[serde(with = "folders")]
    pub(crate) folders: Vec<TreePath>,
}

/// The journal of one application.
pub(crate) struct JournalFile {
    directory: PathBuf,
    path: PathBuf,
}

impl JournalFile {
    pub(crate) fn new(directory: &Path, id: &str) -> Self {
        Self { directory: directory.to_owned(), path: directory.join(format!("{id}.json")) }
    }

    /// All journals of a directory, by the names of their applications.
    pub(crate) fn all(directory: &Path) -> io::Result<Vec<(String, Self)>> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            if let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".json")) {
                found.push((id.to_owned(), Self::new(directory, id)));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }

    /// Writes it anew. It is safe when this returns.
    pub(crate) fn write(&self, journal: &Journal) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let temporary = self.path.with_extension("new");
        let mut file = File::create(&temporary)?;
        file.write_all(&serde_json::to_vec(journal)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        File::open(&self.directory)?.sync_all()
    }

    pub(crate) fn read(&self) -> io::Result<Journal> {
        Ok(serde_json::from_slice(&fs::read(&self.path)?)?)
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.path)?;
        File::open(&self.directory)?.sync_all()
    }
}

mod folders {
    use patch::TreePath;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use super::text;

    pub(super) fn serialize<S: Serializer>(paths: &[TreePath], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(paths.iter().map(text::write))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<TreePath>, D::Error> {
        let paths = Vec::<String>::deserialize(from)?.into_iter();
        paths
            .map(|path| text::read(&path).ok_or_else(|| D::Error::custom("a path is damaged")))
            .collect()
    }
}
