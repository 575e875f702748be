//! What a turn brings forth beside its transcript: long logs and images, which are kept whole and named by it.
//!
//! The core holds names alone. Who keeps the contents, gives the names.

use crate::ItemId;

/// Artifacts that a turn keeps the names of.
pub(crate) const MAX_ARTIFACTS: usize = 100;

/// Something of a turn that is kept whole, apart from its transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The item that it came with.
    pub item: ItemId,
    /// The output that holds it.
    pub output: String,
    /// What it is.
    pub kind: ArtifactKind,
    /// What it is called, for a person: a command line, a file's name, a tool.
    pub name: String,
    /// Its media type.
    pub mime: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Of a log the first lines that tell of a failure, as far as the transcript does not show them.
    pub failing: Vec<FailingLine>,
}

/// What an artifact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// All that Codex told of a command's output.
    Log,
    /// An image that Codex made, looked at, or was given by a tool.
    Image,
}

impl ArtifactKind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Image => "image",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Log, Self::Image].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A line of a log that tells of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingLine {
    /// Its number, from 1.
    pub line: u64,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Its beginning.
    pub text: String,
}
