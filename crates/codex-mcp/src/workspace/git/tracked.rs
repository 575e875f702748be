//! Which files git tracks: they belong to a workspace also where a rule ignores them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patch::TreePath;

use super::{Git, GitError, Repository, words};

impl Git {
    /// The top of the working tree that a folder belongs to, if that lies in `root`.
    ///
    /// # Errors
    /// Git cannot be run, or not read what is there.
    pub(crate) async fn top(
        &self,
        directory: &Path,
        root: &Path,
    ) -> Result<Option<PathBuf>, GitError> {
        match Repository::find(self, directory, root).await {
            Ok(repository) => Ok(Some(repository.top).filter(|top| top.starts_with(root))),
            Err(GitError::NotARepository { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The files that git tracks below a folder, named from there. None where there is no repository.
    ///
    /// # Errors
    /// Git cannot be run, or not read what is there.
    pub(crate) async fn tracked(&self, folder: &Path) -> Result<BTreeSet<TreePath>, GitError> {
        let repository = match Repository::find(self, folder, folder).await {
            Ok(repository) => repository,
            Err(GitError::NotARepository { .. }) => return Ok(BTreeSet::new()),
            Err(error) => return Err(error),
        };
        let place = super::Place { directory: folder, overrides: &repository.overrides };
        let ask = words(["ls-files", "-z", "--cached", "--recurse-submodules"]);
        let said = self.output(place, &ask).await?;
        let paths = said.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        // What is no path in a tree cannot be one of ours either.
        Ok(paths.filter_map(|path| TreePath::new(path).ok()).collect())
    }

    /// What the rules of a copy ignore and is there all the same: files, and directories as a whole.
    ///
    /// # Errors
    /// Git cannot be run, or not read what is there.
    pub(crate) async fn ignored(&self, folder: &Path) -> Result<Vec<Vec<u8>>, GitError> {
        let repository = match Repository::find(self, folder, folder).await {
            Ok(repository) => repository,
            Err(GitError::NotARepository { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let place = super::Place { directory: folder, overrides: &repository.overrides };
        let ask =
            words(["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"]);
        let said = self.output(place, &ask).await?;
        let paths = said.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(<[u8]>::to_vec).collect())
    }
}
