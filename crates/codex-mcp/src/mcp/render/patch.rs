//! A patch as a client sees it: file by file, with how it fits and what to look at first.

use std::fmt;

use change_set::{Contents, Fit, Obstacle, Planned, Root, fit};
use patch::{Hunk, Severity};
use schemars::JsonSchema;
use serde::Serialize;

use crate::workspace::patches;

/// How many hunks of one file are named.
const MAX_HUNKS: usize = 200;

/// A file of a patch.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::mcp) struct FileResult {
    pub(in crate::mcp) path: String,
    /// Where it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// `added`, `modified`, `deleted`, `renamed` or `mode`.
    kind: &'static str,
    pub(in crate::mcp) added: usize,
    pub(in crate::mcp) removed: usize,
    /// It is no text, or too long to be compared.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    binary: bool,
    /// Its mode before and after, where that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    /// Whether it still applies: `clean`, `applied` (it is there already), `merges` (with `threeWay`), `conflicts` or
    /// `blocked`.
    pub(in crate::mcp) fit: &'static str,
    /// What stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) why: Option<String>,
    /// Its hunks by name, for codex.patch.apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hunks: Vec<HunkResult>,
    /// What to look at before it is applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningResult>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct HunkResult {
    id: String,
    /// Its header: where it is in the old and in the new file.
    lines: String,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct WarningResult {
    /// `note`, `caution` or `danger`.
    severity: &'static str,
    kind: &'static str,
    message: String,
    /// In the new file.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

/// A file of a patch, looked at in the user's folder.
pub(in crate::mcp) struct Looked {
    pub(in crate::mcp) result: FileResult,
    pub(in crate::mcp) planned: Vec<Planned>,
    /// The file with the marks of its conflicts.
    pub(in crate::mcp) marked: Option<Vec<u8>>,
}

/// Looks whether a file of a patch still fits.
///
/// # Errors
/// The folder or the contents cannot be read.
pub(in crate::mcp) fn look(
    file: &patches::File,
    root: &Root,
    contents: &Contents,
) -> std::io::Result<Looked> {
    let mut planned = Vec::new();
    for change in &file.changes {
        planned.push(fit(root, contents, change)?);
    }
    let worst = planned.iter().map(|planned| &planned.fit).max_by_key(|fit| rank(fit));
    let marked = match worst {
        Some(Fit::Conflicts { marked, .. }) => Some(marked.clone()),
        Some(Fit::Clean | Fit::Applied | Fit::Merged | Fit::Blocked(_)) | None => None,
    };
    let hunks = file.hunks();
    let stat = patch::stat(&hunks);
    let result = FileResult {
        path: file.path.to_string(),
        from: file.from.as_ref().map(|(from, _)| from.to_string()),
        kind: file.kind(),
        added: stat.added,
        removed: stat.removed,
        binary: file.is_binary(),
        mode: file.modes().map(|(before, after)| format!("{before} to {after}")),
        fit: worst.map_or("clean", word),
        why: worst.and_then(why),
        hunks: hunks.iter().take(MAX_HUNKS).map(HunkResult::from).collect(),
        warnings: file.warnings().iter().map(WarningResult::from).collect(),
    };
    Ok(Looked { result, planned, marked })
}

fn rank(fit: &Fit) -> u8 {
    match fit {
        Fit::Applied => 0,
        Fit::Clean => 1,
        Fit::Merged => 2,
        Fit::Conflicts { .. } => 3,
        Fit::Blocked(_) => 4,
    }
}

fn word(fit: &Fit) -> &'static str {
    match fit {
        Fit::Applied => "applied",
        Fit::Clean => "clean",
        Fit::Merged => "merges",
        Fit::Conflicts { .. } => "conflicts",
        Fit::Blocked(_) => "blocked",
    }
}

fn why(fit: &Fit) -> Option<String> {
    match fit {
        Fit::Applied | Fit::Clean => None,
        Fit::Merged => Some("it has changed, elsewhere in the text".to_owned()),
        Fit::Conflicts { count: 1, .. } => Some("it has changed in the same lines".to_owned()),
        Fit::Conflicts { count, .. } => {
            Some(format!("it has changed in the same lines, in {count} places"))
        }
        Fit::Blocked(obstacle) => Some(
            match obstacle {
                Obstacle::Missing => "it is not there any more",
                Obstacle::Exists => "another file of this name is there already",
                Obstacle::Changed => "it would be deleted, and has changed",
                Obstacle::NotText => "it has changed, and is no text that could be joined",
                Obstacle::NoFile => "no regular file stands there now",
                Obstacle::NoWay => "a link or a file is on the way there",
            }
            .to_owned(),
        ),
    }
}

impl From<&Hunk<'_>> for HunkResult {
    fn from(hunk: &Hunk<'_>) -> Self {
        let mut text = Vec::new();
        hunk.write_to(&mut text);
        let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Self { id: hunk.id().to_string(), lines: String::from_utf8_lossy(header).into_owned() }
    }
}

impl From<&patch::Warning> for WarningResult {
    fn from(warning: &patch::Warning) -> Self {
        Self {
            severity: match warning.severity() {
                Severity::Note => "note",
                Severity::Caution => "caution",
                Severity::Danger => "danger",
            },
            kind: warning.code(),
            message: warning.to_string(),
            line: warning.line(),
        }
    }
}

impl fmt::Display for FileResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, path, added, removed, .. } = self;
        write!(f, "{kind} {path}")?;
        if let Some(from) = &self.from {
            write!(f, " (from {from})")?;
        }
        match self.binary {
            true => f.write_str(" binary")?,
            false => write!(f, " +{added} -{removed}")?,
        }
        if let Some(mode) = &self.mode {
            write!(f, ", mode {mode}")?;
        }
        if self.fit != "clean" {
            write!(f, ": {}", self.fit)?;
        }
        if let Some(why) = &self.why {
            write!(f, " ({why})")?;
        }
        // One hunk is the whole file.
        for hunk in self.hunks.iter().filter(|_| self.hunks.len() > 1) {
            write!(f, "\n  hunk {} {}", hunk.id, hunk.lines)?;
        }
        for warning in &self.warnings {
            write!(f, "\n  {}: {}", warning.severity, warning.message)?;
        }
        Ok(())
    }
}
