//! A change of one file, both sides known.

use crate::hunk::{Hunk, hunks};
use crate::mode::Side;
use crate::path::TreePath;
use crate::text::is_binary;

/// What happened to one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// There was none.
    Added {
        /// Where it is.
        path: &'a TreePath,
        /// What it is.
        after: Side<'a>,
    },
    /// There is none any more.
    Deleted {
        /// Where it was.
        path: &'a TreePath,
        /// What it was.
        before: Side<'a>,
    },
    /// Its content, its mode or both changed.
    Modified {
        /// Where it is.
        path: &'a TreePath,
        /// What it was.
        before: Side<'a>,
        /// What it is.
        after: Side<'a>,
    },
    /// It moved, and may have changed as well.
    Renamed {
        /// Where it was.
        from: &'a TreePath,
        /// Where it is.
        to: &'a TreePath,
        /// How alike both sides are, in percent; as [`crate::renames`] tells it.
        similarity: u8,
        /// What it was.
        before: Side<'a>,
        /// What it is.
        after: Side<'a>,
    },
}

impl<'a> Change<'a> {
    /// Where the file is, or was when there is none any more.
    #[must_use]
    pub const fn path(&self) -> &'a TreePath {
        match self {
            Self::Added { path, .. } | Self::Deleted { path, .. } | Self::Modified { path, .. } => {
                path
            }
            Self::Renamed { to, .. } => to,
        }
    }

    /// The old side, where there is one.
    #[must_use]
    pub const fn before(&self) -> Option<Side<'a>> {
        match *self {
            Self::Added { .. } => None,
            Self::Deleted { before, .. }
            | Self::Modified { before, .. }
            | Self::Renamed { before, .. } => Some(before),
        }
    }

    /// The new side, where there is one.
    #[must_use]
    pub const fn after(&self) -> Option<Side<'a>> {
        match *self {
            Self::Deleted { .. } => None,
            Self::Added { after, .. }
            | Self::Modified { after, .. }
            | Self::Renamed { after, .. } => Some(after),
        }
    }

    /// Whether a side is binary, so that there are no hunks.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        [self.before(), self.after()].iter().flatten().any(|side| is_binary(side.content))
    }

    /// What changed in its text; nothing for a binary file.
    #[must_use]
    pub fn hunks(&self, context: usize) -> Vec<Hunk<'a>> {
        if self.is_binary() {
            return Vec::new();
        }
        let content = |side: Option<Side<'a>>| side.map_or(&b""[..], |side| side.content);
        hunks(content(self.before()), content(self.after()), context)
    }
}
