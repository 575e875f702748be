//! What a person should look at before a change is applied.
//!
//! The warnings are about what a change brings, never about what was there before: only lines that are new are searched.
//! A secret is told by its kind and its line; its text is never repeated.

mod line;
mod path;
mod secret;

use std::fmt;

pub use secret::SecretKind;

use crate::change::Change;
use crate::diff::readable;
use crate::mode::{Kind, Side};
use crate::path::TreePath;
use crate::text::{is_binary, lines};

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A line that is new looks like a secret.
    Secret {
        /// What kind of secret.
        kind: SecretKind,
        /// The line in the new file, counted from 1.
        line: usize,
    },
    /// A program writes the file, and locks with it what is installed.
    LockFile,
    /// A program writes the file.
    Generated,
    /// The file can be run now.
    Executable,
    /// The file is large.
    Large {
        /// How many bytes it has.
        bytes: usize,
    },
    /// There is a link that was not there, or led elsewhere.
    Symlink {
        /// Where it leads.
        target: Target,
    },
    /// The file has commands that some tool runs without being asked each time.
    RunsCode {
        /// Which tool, in words.
        by: &'static str,
    },
    /// The file tells an agent what to do, or which tools it has.
    InstructsAgent,
    /// There is a marker of a merge in the text.
    ConflictMarker {
        /// The line in the new file, counted from 1.
        line: usize,
    },
    /// There are characters that change the direction of the text, so that it reads otherwise than it runs.
    BidirectionalControl {
        /// The line in the new file, counted from 1.
        line: usize,
    },
    /// The file has no text that could be shown.
    Binary,
}

/// Where a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Into the tree.
    Inside,
    /// Above the root of the tree.
    Outside,
    /// To a place on this machine.
    Absolute,
}

/// How much a warning matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// To be looked at.
    Caution,
    /// Not to be applied unseen.
    Danger,
}

/// Everything to look at in one change, by kind and line. A file above `large` bytes is large.
#[must_use]
pub fn warnings(change: &Change<'_>, large: usize) -> Vec<Warning> {
    let Some(after) = change.after() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    match after.mode.kind() {
        Kind::Symlink => found.extend(link(change, after)),
        Kind::Regular => {
            path::check(change, after, &mut found);
            if after.mode.is_executable()
                && !change.before().is_some_and(|side| side.mode.is_executable())
            {
                found.push(Warning::Executable);
            }
            if after.content.len() > large {
                found.push(Warning::Large { bytes: after.content.len() });
            }
            if is_binary(after.content) {
                found.push(Warning::Binary);
            } else {
                let before = change.before().filter(|side| side.mode.kind() == Kind::Regular);
                line::check(&new_lines(before, after), &mut found);
            }
        }
    }
    found
}

/// The lines that only the new side has, with their numbers.
fn new_lines<'a>(before: Option<Side<'a>>, after: Side<'a>) -> Vec<(usize, &'a [u8])> {
    let before = before.map_or(&b""[..], |side| side.content);
    let after_lines: Vec<_> = lines(after.content).collect();
    let runs = readable(before, after.content);
    let numbers = runs.into_iter().flat_map(|run| run.after);
    numbers.map(|number| (number + 1, after_lines[number])).collect()
}

fn link(change: &Change<'_>, after: Side<'_>) -> Option<Warning> {
    let same = change.before() == Some(after) && !matches!(change, Change::Renamed { .. });
    (!same).then(|| Warning::Symlink { target: target(change.path(), after.content) })
}

fn target(path: &TreePath, target: &[u8]) -> Target {
    if target.starts_with(b"/") {
        return Target::Absolute;
    }
    let mut depth = path.components().count() - 1;
    for component in target.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return Target::Outside,
            },
            _ => depth += 1,
        }
    }
    Target::Inside
}

impl Warning {
    /// A short name of the kind of warning, which stays the same.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Secret { .. } => "secret",
            Self::LockFile => "lock-file",
            Self::Generated => "generated",
            Self::Executable => "executable",
            Self::Large { .. } => "large",
            Self::Symlink { .. } => "symlink",
            Self::RunsCode { .. } => "runs-code",
            Self::InstructsAgent => "instructs-agent",
            Self::ConflictMarker { .. } => "conflict-marker",
            Self::BidirectionalControl { .. } => "bidirectional-control",
            Self::Binary => "binary",
        }
    }

    /// How much it matters.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::LockFile | Self::Generated | Self::Large { .. } | Self::Binary => Severity::Note,
            Self::Executable
            | Self::RunsCode { .. }
            | Self::InstructsAgent
            | Self::ConflictMarker { .. }
            | Self::Symlink { target: Target::Inside } => Severity::Caution,
            Self::Secret { .. }
            | Self::BidirectionalControl { .. }
            | Self::Symlink { target: Target::Outside | Target::Absolute } => Severity::Danger,
        }
    }

    /// The line in the new file, counted from 1, where the warning is about one.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        match self {
            Self::Secret { line, .. }
            | Self::ConflictMarker { line }
            | Self::BidirectionalControl { line } => Some(*line),
            Self::LockFile
            | Self::Generated
            | Self::Executable
            | Self::Large { .. }
            | Self::Symlink { .. }
            | Self::RunsCode { .. }
            | Self::InstructsAgent
            | Self::Binary => None,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret { kind, line } => write!(f, "line {line} adds what looks like {kind}"),
            Self::LockFile => f.write_str(
                "a lock file: a package manager writes it and decides by it what is installed",
            ),
            Self::Generated => {
                f.write_str("a generated file: change what it is generated from instead")
            }
            Self::Executable => f.write_str("the file becomes executable"),
            Self::Large { bytes } => write!(f, "the file has {bytes} bytes"),
            Self::Symlink { target: Target::Inside } => {
                f.write_str("a link to another file of the tree")
            }
            Self::Symlink { target: Target::Outside } => {
                f.write_str("a link that leads out of the tree")
            }
            Self::Symlink { target: Target::Absolute } => f.write_str("a link to an absolute path"),
            Self::RunsCode { by } => write!(f, "{by} runs commands of this file"),
            Self::InstructsAgent => {
                f.write_str("agents take their instructions or tools from this file")
            }
            Self::ConflictMarker { line } => {
                write!(f, "line {line} is a marker of an unfinished merge")
            }
            Self::BidirectionalControl { line } => {
                write!(
                    f,
                    "line {line} has characters that change the direction of the text: it may read otherwise than it runs"
                )
            }
            Self::Binary => f.write_str("a binary file: what changed cannot be shown"),
        }
    }
}
