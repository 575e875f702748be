//! Changes of files through Codex's patch tool, and how they look as a diff.

use std::fmt::Write as _;

use crate::{CommandStatus, ItemId};

/// A change of files through Codex's patch tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Its item.
    pub item: ItemId,
    /// What happens to which file.
    pub changes: Vec<FileChange>,
    /// How far it is.
    pub status: CommandStatus,
}

impl Patch {
    /// Returns the files: each where it is and, if it moves, where it goes.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let ends = |change: &FileChange| match &change.kind {
            ChangeKind::Update { moved_to: Some(to) } => vec![change.path.clone(), to.clone()],
            ChangeKind::Update { moved_to: None } | ChangeKind::Add | ChangeKind::Delete => {
                vec![change.path.clone()]
            }
        };
        self.changes.iter().flat_map(ends).collect()
    }

    /// Returns the whole as one unified diff in git's form.
    #[must_use]
    pub fn unified_diff(&self) -> String {
        self.changes.iter().map(FileChange::unified_diff).collect()
    }
}

/// What a patch does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The file, as Codex names it.
    pub path: String,
    /// What happens to it.
    pub kind: ChangeKind,
    /// Its hunks; of a new or deleted file its content (measured with Codex 0.169).
    pub diff: String,
}

/// What happens to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Add,
    /// It goes away.
    Delete,
    /// It changes.
    Update {
        /// Where it goes, if it gets another name.
        moved_to: Option<String>,
    },
}

impl FileChange {
    /// Returns its part of a unified diff. The paths are Codex's, without a slash in front.
    fn unified_diff(&self) -> String {
        let old = self.path.trim_start_matches('/');
        let new = match &self.kind {
            ChangeKind::Update { moved_to: Some(path) } => path.trim_start_matches('/'),
            ChangeKind::Update { moved_to: None } | ChangeKind::Add | ChangeKind::Delete => old,
        };
        let mut diff = format!("diff --git a/{old} b/{new}\n");
        match &self.kind {
            ChangeKind::Add => {
                let _ = write!(diff, "new file mode 100644\n--- /dev/null\n+++ b/{new}\n");
                whole_file(&mut diff, '+', &self.diff);
            }
            ChangeKind::Delete => {
                let _ = write!(diff, "deleted file mode 100644\n--- a/{old}\n+++ /dev/null\n");
                whole_file(&mut diff, '-', &self.diff);
            }
            ChangeKind::Update { .. } => {
                if old != new {
                    let _ = write!(diff, "rename from {old}\nrename to {new}\n");
                }
                if !self.diff.is_empty() {
                    let _ = write!(diff, "--- a/{old}\n+++ b/{new}\n{}", self.diff);
                }
                if !diff.ends_with('\n') {
                    diff.push('\n');
                }
            }
        }
        diff
    }
}

/// One hunk with all lines of a file.
fn whole_file(diff: &mut String, sign: char, content: &str) {
    let lines = content.split_inclusive('\n').count();
    let _ = match (sign, lines) {
        (_, 0) => return,
        ('+', lines) => writeln!(diff, "@@ -0,0 +1,{lines} @@"),
        (_, lines) => writeln!(diff, "@@ -1,{lines} +0,0 @@"),
    };
    for line in content.split_inclusive('\n') {
        diff.push(sign);
        diff.push_str(line);
    }
    if !content.ends_with('\n') {
        diff.push_str("\n\\ No newline at end of file\n");
    }
}
