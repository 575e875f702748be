//! Reads a diff that anybody may have written: git, GNU diff, a mail, a model.
//!
//! What stands around the diffs is ignored; what stands in them is not: a diff that could mean two things, or whose
//! numbers do not add up, is refused as a whole, with the line and what to do. Nothing is read from a file, and no
//! content is guessed.

mod cursor;
mod error;
mod header;
mod hunks;
mod name;

use std::collections::HashMap;

pub use error::{ParseError, ParseProblem};

use crate::hunk::Hunk;
use crate::mode::Mode;
use crate::path::TreePath;
use cursor::Cursor;

/// What is to be done with one file, as a diff says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch<'a> {
    /// The file that is written, or deleted.
    pub path: TreePath,
    /// What is done.
    pub action: Action<'a>,
    /// What the diff says that the file was, where it says it.
    pub old_mode: Option<Mode>,
    /// What the file becomes, where the diff says that this changes.
    pub new_mode: Option<Mode>,
    /// What changes in its text, in the order of the file.
    pub hunks: Vec<Hunk<'a>>,
    /// The line of the diff in which its header begins, counted from 1.
    pub line: usize,
}

/// What is done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action<'a> {
    /// It is new.
    Create,
    /// It goes.
    Delete,
    /// It changes.
    Modify,
    /// It comes from another path, where there is nothing any more.
    Rename {
        /// The other path.
        from: TreePath,
    },
    /// It is made from a file at another path, which stays.
    Copy {
        /// The other path.
        from: TreePath,
    },
    /// A file becomes a link, or the other way: the hunks are of the new one.
    Replace {
        /// What the old one held.
        removed: Vec<Hunk<'a>>,
    },
}

impl FilePatch<'_> {
    /// The file whose content the hunks are about; none where the file is new.
    #[must_use]
    pub fn source(&self) -> Option<&TreePath> {
        match &self.action {
            Action::Create => None,
            Action::Delete | Action::Modify | Action::Replace { .. } => Some(&self.path),
            Action::Rename { from } | Action::Copy { from } => Some(from),
        }
    }

    /// The file that is not where it was when the patch is applied.
    fn consumed(&self) -> Option<&TreePath> {
        match &self.action {
            Action::Create | Action::Copy { .. } => None,
            Action::Delete | Action::Modify | Action::Replace { .. } => Some(&self.path),
            Action::Rename { from } => Some(from),
        }
    }
}

/// How much of a diff is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may be.
    pub bytes: usize,
    /// How many files it may change.
    pub files: usize,
    /// How many hunks it may have, in all files.
    pub hunks: usize,
}

impl Default for Limits {
    /// 16 MiB, 10,000 files, 100,000 hunks.
    fn default() -> Self {
        Self { bytes: 16 << 20, files: 10_000, hunks: 100_000 }
    }
}

/// Reads all the diffs in a text: git's, and plain unified ones.
///
/// # Errors
/// When there is none, when one is not well-formed or not whole, names a path that no diff may, or is over a limit.
pub fn parse<'a>(text: &'a [u8], limits: &Limits) -> Result<Vec<FilePatch<'a>>, ParseError> {
    let nowhere = |problem| Err(ParseError { line: 0, problem });
    if text.len() > limits.bytes {
        return nowhere(ParseProblem::TooLong { bytes: text.len(), limit: limits.bytes });
    }
    let mut cursor = Cursor::new(text);
    let mut files = Files::default();
    let mut hunks_left = limits.hunks;
    let mut apply_patch = false;
    while let Some(line) = cursor.peek_header() {
        apply_patch |= line == b"*** Begin Patch";
        if header::begins(&cursor) {
            if files.list.len() == limits.files {
                return cursor.here(ParseProblem::TooManyFiles { limit: limits.files });
            }
            let file = header::file(&mut cursor, &mut hunks_left, limits.hunks)?;
            files.push(file)?;
        } else if [&b"diff --cc "[..], b"diff --combined "]
            .iter()
            .any(|mark| line.starts_with(mark))
        {
            return cursor.here(ParseProblem::Combined);
        } else if line.starts_with(b"@@ -") {
            return cursor.here(ParseProblem::HunkWithoutFile);
        } else if line.starts_with(b"Binary files ") && line.ends_with(b" differ") {
            let path = cursor::shown(&line[b"Binary files ".len()..line.len() - b" differ".len()]);
            return cursor.here(ParseProblem::BinaryWithoutContent { path });
        } else {
            cursor.next();
        }
    }
    if !files.list.is_empty() {
        return Ok(files.list);
    }
    nowhere(if apply_patch { ParseProblem::ApplyPatch } else { ParseProblem::NoDiff })
}

/// What was read so far, and which path was used in which line.
#[derive(Default)]
struct Files<'a> {
    list: Vec<FilePatch<'a>>,
    written: HashMap<TreePath, usize>,
    consumed: HashMap<TreePath, usize>,
}

impl<'a> Files<'a> {
    fn push(&mut self, file: FilePatch<'a>) -> Result<(), ParseError> {
        let index = self.list.len();
        if let Some(&earlier) = self.written.get(&file.path) {
            return self.again(earlier, file);
        }
        if let Some(consumed) = file.consumed()
            && let Some(earlier) = self.consumed.insert(consumed.clone(), index)
        {
            return twice(consumed, self.list[earlier].line, &file);
        }
        self.written.insert(file.path.clone(), index);
        self.list.push(file);
        Ok(())
    }

    /// A file that becomes a link is deleted and made.
    fn again(&mut self, earlier: usize, file: FilePatch<'a>) -> Result<(), ParseError> {
        let old = &mut self.list[earlier];
        let kind = |mode: Option<Mode>| mode.unwrap_or(Mode::FILE).kind();
        let both = (&old.action, &file.action) == (&Action::Delete, &Action::Create);
        if both && kind(old.old_mode) != kind(file.new_mode) {
            let removed = std::mem::replace(&mut old.hunks, file.hunks);
            old.action = Action::Replace { removed };
            old.new_mode = file.new_mode.or(Some(Mode::FILE));
            return Ok(());
        }
        twice(&file.path, old.line, &file)
    }
}

fn twice<T>(path: &TreePath, first: usize, file: &FilePatch<'_>) -> Result<T, ParseError> {
    Err(ParseError {
        line: file.line,
        problem: ParseProblem::Twice { path: path.to_string(), first },
    })
}
