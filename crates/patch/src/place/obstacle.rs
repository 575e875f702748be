//! Why a patch cannot be placed.

use std::fmt;

use crate::mode::Kind;
use crate::path::TreePath;

/// Why a patch does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{obstacle}", At(*hunk))]
pub struct HunkConflict {
    /// Which hunk, counted from 0; none when it is about the file.
    pub hunk: Option<usize>,
    /// What stands in the way.
    pub obstacle: Obstacle,
}

struct At(Option<usize>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hunk| write!(f, "hunk {}: ", hunk + 1))
    }
}

/// What stands in the way of a patch or of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The patch changes a file that is not there.
    #[error("`{path}` is not there")]
    Missing {
        /// The file.
        path: TreePath,
    },
    /// The patch makes or moves a file to where there is one already.
    #[error("`{path}` is there already, and not by this patch")]
    Exists {
        /// The file.
        path: TreePath,
    },
    /// The patch deletes a file that has changed.
    #[error("the file to delete is not as the patch knows it")]
    DeletedButChanged,
    /// A file became a link, or the other way.
    #[error("the patch is for a {}, and there is a {}", kind(*.expected), kind(*.found))]
    OtherKind {
        /// What the patch is for.
        expected: Kind,
        /// What is there.
        found: Kind,
    },
    /// The old lines are nowhere.
    #[error(
        "the lines that it changes are not in the file; line {line} is the first that is not as the hunk has it"
    )]
    NotFound {
        /// Where the file and the hunk first differ, at the place that the diff names; counted from 1, and one more than
        /// the file has where it ends too early.
        line: usize,
    },
    /// They are there but for white space at the beginnings or ends of lines, such as the carriage return.
    #[error("the lines that it changes are at line {line} with other indentation or line ends")]
    WhiteSpace {
        /// Where, counted from 1.
        line: usize,
    },
    /// They are there, but the hunk is of the beginning or the end of the file, and there is more before or after.
    #[error(
        "the lines that it changes are at line {line}, which is not at the {edge} of the file as in the diff; give more context"
    )]
    NotAtEdge {
        /// Where, counted from 1.
        line: usize,
        /// `beginning` or `end`.
        edge: &'static str,
    },
    /// The patch is for an empty file.
    #[error("the hunk is for an empty file, and there is something in it; give context")]
    NotEmpty,
    /// Too many places look almost right.
    #[error(
        "the file repeats itself so often that the place was not found within the limit of work"
    )]
    TooMuchWork,
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Regular => "regular file",
        Kind::Symlink => "symbolic link",
    }
}
