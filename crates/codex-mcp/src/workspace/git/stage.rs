//! Puts files into the index as they are: the only thing that is written in a user's repository, and only when it is asked
//! for.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use patch::TreePath;

use super::{Git, GitError, Place, Repository, words};

/// How many paths go into one command line.
const AT_ONCE: usize = 500;

impl Git {
    /// Stages files below a folder, those that are gone as well.
    ///
    /// # Errors
    /// There is no repository; git cannot be run or refuses; a filter of the repository would have to run for a file, which
    /// is never done here.
    pub(crate) async fn stage(&self, folder: &Path, paths: &[TreePath]) -> Result<(), GitError> {
        let repository = Repository::find(self, folder, folder).await?;
        let place = Place { directory: folder, overrides: &repository.overrides };
        for paths in paths.chunks(AT_ONCE) {
            let plain = paths.iter().map(|path| OsString::from_vec(path.as_bytes().to_vec()));
            let ask: Vec<_> =
                words(["check-attr", "-z", "filter", "--"]).into_iter().chain(plain).collect();
            refuse_filters(&self.output(place, &ask).await?)?;
            let literal = paths
                .iter()
                .map(|path| OsString::from_vec([b":(literal)", path.as_bytes()].concat()));
            let add: Vec<_> = words(["add", "--all", "--"]).into_iter().chain(literal).collect();
            self.output(place, &add).await?;
        }
        Ok(())
    }
}

/// Answers of `check-attr` are path, attribute and value, each with a NUL after it.
fn refuse_filters(said: &[u8]) -> Result<(), GitError> {
    let parts: Vec<&[u8]> = said.split(|byte| *byte == 0).collect();
    let filtered = parts.chunks_exact(3).find(|of| of[2] != b"unspecified" && of[2] != b"unset");
    match filtered {
        None => Ok(()),
        Some(of) => {
            let (path, filter) = (String::from_utf8_lossy(of[0]), String::from_utf8_lossy(of[2]));
            let words =
                format!("the filter {filter} would have to run for {path}: stage it yourself");
            Err(GitError::Failed { command: "add".to_owned(), words })
        }
    }
}
