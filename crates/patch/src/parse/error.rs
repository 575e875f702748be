//! What is wrong with a diff, where, and what to do about it.

use crate::path::InvalidPath;

/// Why a diff was refused. Nothing of it is used: half a change is no change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// The line of the diff, counted from 1; 0 where it is about all of it.
    pub line: usize,
    /// What is wrong there.
    pub problem: ParseProblem,
}

/// What is wrong. Each says what was found and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseProblem {
    /// There is no diff in the text.
    #[error(
        "there is no diff here; a file's diff begins with `diff --git a/name b/name`, or with `--- a/name` and \
         `+++ b/name`"
    )]
    NoDiff,
    /// It is in the format of the tool `apply_patch`.
    #[error(
        "this is an `apply_patch` text, not a diff; write a unified diff with `--- a/name`, `+++ b/name` and `@@` lines"
    )]
    ApplyPatch,
    /// The text is too long.
    #[error("the diff has {bytes} bytes and at most {limit} are taken; send it in parts")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// There are too many files in it.
    #[error("the diff has more than {limit} files; send it in parts")]
    TooManyFiles {
        /// How many there may be.
        limit: usize,
    },
    /// There are too many hunks in it.
    #[error("the diff has more than {limit} hunks; send it in parts")]
    TooManyHunks {
        /// How many there may be.
        limit: usize,
    },
    /// A name leads where no diff may.
    #[error("the path `{path}` is refused: {reason}; name a file inside the workspace")]
    Path {
        /// The name, quoted as git does it.
        path: String,
        /// Why.
        reason: InvalidPath,
    },
    /// A quoted name does not end, or has an escape that git does not write.
    #[error(
        "the name in `{found}` is not well quoted; write it without quotation marks or escape it as git does"
    )]
    Quoting {
        /// The line.
        found: String,
    },
    /// There is no way to tell the names in the header.
    #[error(
        "`{found}` does not name one file; add `--- a/name` and `+++ b/name`, or `rename from` and `rename to`"
    )]
    NoName {
        /// The line.
        found: String,
    },
    /// The lines of a header name different files.
    #[error(
        "the header names both `{one}` and `{other}`; name one file, or use `diff --git` with `rename from` and \
         `rename to`"
    )]
    Names {
        /// One name.
        one: String,
        /// Another.
        other: String,
    },
    /// Two parts of the diff are about one file.
    #[error(
        "`{path}` is changed a second time (first in line {first}); put all its hunks under one header"
    )]
    Twice {
        /// The file.
        path: String,
        /// Where it was first.
        first: usize,
    },
    /// The mode of a file is none that can be written.
    #[error("`{found}` is no mode of a file; 100644, 100755 and 120000 are")]
    Mode {
        /// The mode.
        found: String,
    },
    /// It is about a submodule.
    #[error(
        "this changes a submodule (mode 160000), which has no text; update the submodule with git"
    )]
    Submodule,
    /// A line of the header contradicts the others.
    #[error("the header says {one} and {other}; only one of them can be")]
    Contradiction {
        /// One.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A header changes nothing.
    #[error("nothing follows the header of `{path}`; it has no hunk and no change of mode or name")]
    Nothing {
        /// The file.
        path: String,
    },
    /// It shows a merge against all its parents.
    #[error(
        "this is a combined diff of a merge, which cannot be applied; make one against one parent"
    )]
    Combined,
    /// There is a hunk that belongs to no file.
    #[error(
        "there is a hunk before any file is named; write `--- a/name` and `+++ b/name` above it"
    )]
    HunkWithoutFile,
    /// The numbers of a hunk cannot be read.
    #[error(
        "`{found}` is no header of a hunk; write `@@ -start,lines +start,lines @@` with numbers"
    )]
    HunkHeader {
        /// The line.
        found: String,
    },
    /// The hunk ends before it has as many lines as its header says.
    #[error(
        "the hunk of line {header} says {old} old and {new} new lines and is {old_missing} old and {new_missing} new \
         short here, at `{found}`; correct the numbers, and begin every line with a space, `-` or `+`"
    )]
    HunkShort {
        /// Where its header is.
        header: usize,
        /// Old lines as the header says.
        old: usize,
        /// New lines as the header says.
        new: usize,
        /// How many old lines are missing.
        old_missing: usize,
        /// How many new lines are missing.
        new_missing: usize,
        /// What is there instead.
        found: String,
    },
    /// The hunk goes on when it has as many lines as its header says.
    #[error(
        "the hunk of line {header} says {old} old and {new} new lines and goes on with `{found}`; correct the numbers"
    )]
    HunkLong {
        /// Where its header is.
        header: usize,
        /// Old lines as the header says.
        old: usize,
        /// New lines as the header says.
        new: usize,
        /// What is there.
        found: String,
    },
    /// Hunks overlap or are not in the order of the file.
    #[error(
        "the hunk starts at line {start} of the file, before the one above ends ({end}); put hunks in order"
    )]
    HunkOrder {
        /// Where it starts.
        start: usize,
        /// Where the one before ends.
        end: usize,
    },
    /// A file that is new or goes has old or new lines.
    #[error("the header says that the file is {state}, and the hunk has lines of {side}")]
    HunkSide {
        /// New or deleted.
        state: &'static str,
        /// Which lines it may not have.
        side: &'static str,
    },
    /// Something follows a line that has no line feed at its end.
    #[error(
        "`\\ No newline at end of file` stands before the end; only the last line of a file is without one"
    )]
    NoNewline,
    /// The file is binary and the diff does not have its content.
    #[error(
        "`{path}` is binary and the diff does not have its content; leave the file out, or write the file itself"
    )]
    BinaryWithoutContent {
        /// The file.
        path: String,
    },
    /// The content is there, in git's binary form.
    #[error(
        "`{path}` is in git's binary form, which is not read here; leave the file out, or use `git apply` for it"
    )]
    BinaryPatch {
        /// The file.
        path: String,
    },
}
