//! What git knows of the user's files: read by git as a program, so that it is what git says.
//!
//! Nothing that a repository says about itself makes git run another program or go to the network ([`closed`]), and
//! nothing is written: no lock, no ref, and the index only where that is asked for ([`stage`]). What came of it is kept for as long as it provably holds ([`cache`]).

mod cache;
mod closed;
mod diff;
mod error;
mod operation;
mod path;
mod repository;
mod stage;
mod status;
mod tracked;
mod untracked;
mod watch;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_client::Launch;
use codex_client::program::{Ended, Limits, Program, Reach, Reason, Source};
use tokio_util::sync::CancellationToken;

pub use cache::Repositories;
pub(crate) use cache::{At, State};
use closed::Overrides;
pub(crate) use diff::{
    Base, Diff, DiffFile, DiffKind, DiffRequest, Revision, Side, TextLimit, Untracked,
};
pub(crate) use error::GitError;
pub(crate) use operation::Operation;
pub(crate) use path::{Pathspec, shown, unquoted};
pub(crate) use repository::Repository;
pub(crate) use status::{Change, Entry, Status};

/// How long git may go on after it was asked to end.
const GRACE: Duration = Duration::from_secs(1);
/// How much of what git says of a failure is kept.
const WORDS_BYTES: usize = 4_000;
/// The most that git may write where no smaller limit is given: a list of a few million files.
const MAX_OUTPUT: u64 = 1 << 30;

/// Git as a program, with what it may use.
#[derive(Debug)]
pub(crate) struct Git {
    /// Its absolute path.
    pub(crate) program: PathBuf,
    /// Its whole environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// How long it may run.
    pub(crate) time_limit: Duration,
    /// Ends it when the call that needs it is given up.
    pub(crate) cancel: CancellationToken,
}

impl Git {
    /// Runs git in a directory, with options that are closed, and gives all that it writes.
    async fn output(&self, place: Place<'_>, arguments: &[OsString]) -> Result<Vec<u8>, GitError> {
        let mut output = Vec::new();
        self.stream(place, arguments, MAX_OUTPUT, |chunk| output.extend_from_slice(chunk)).await?;
        Ok(output)
    }

    /// Runs git, and hands on what it writes up to a limit; whether that was all.
    async fn stream(
        &self,
        place: Place<'_>,
        arguments: &[OsString],
        max_bytes: u64,
        mut heard: impl FnMut(&[u8]) + Send,
    ) -> Result<Whole, GitError> {
        let listen = |source, chunk: &[u8]| match source {
            Source::Stdout => heard(chunk),
            Source::Stderr => {}
        };
        let ended = self.run(place, arguments, max_bytes, listen).await?;
        match ended.reason {
            Reason::Finished if ended.code == Some(0) => Ok(Whole::Yes),
            Reason::OutputLimit => Ok(Whole::No),
            Reason::Finished => Err(GitError::failed(arguments, &ended.code, ended.stderr)),
            Reason::TimeLimit => Err(GitError::TooSlow { limit: self.time_limit }),
            Reason::Cancelled => Err(GitError::Cancelled),
        }
    }

    async fn run(
        &self,
        place: Place<'_>,
        arguments: &[OsString],
        max_bytes: u64,
        heard: impl FnMut(Source, &[u8]) + Send,
    ) -> Result<Ended, GitError> {
        let limits = Limits {
            time: self.time_limit,
            grace: GRACE,
            output_bytes: max_bytes,
            kept_bytes: WORDS_BYTES,
        };
        let launch = Launch {
            program: self.program.clone(),
            args: closed::options().chain(arguments.iter().cloned()).collect(),
            environment: closed::environment(&self.environment, place.overrides),
            working_directory: place.directory.to_owned(),
        };
        // It starts nothing, so nothing can leave its group.
        let program = Program { launch, input: Vec::new(), reach: Reach::Group };
        program.run(limits, &self.cancel, heard).await.map_err(GitError::from)
    }
}

/// Where git runs, and which settings hold there besides the usual ones.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    directory: &'a Path,
    overrides: &'a Overrides,
}

/// Whether an output was within its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// Texts of arguments, for git.
fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).to_vec()
}
