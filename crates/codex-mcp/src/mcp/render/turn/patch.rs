//! What a turn changed, as a client is told with its result: a summary. The whole is asked for by its id.

use std::fmt;

use bridge_core::{ChangeSet, Changes};
use schemars::JsonSchema;
use serde::Serialize;

/// A patch of more files than this is not looked at for its length.
const SMALL_FILES: usize = 20;
/// Nor is one of more lines.
const SMALL_LINES: u64 = 200;

/// What the turn changed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PatchResult {
    /// Its name for codex.patch.preview and codex.patch.apply.
    pub(super) patch_id: String,
    /// Whether the files of the workspace have changed already, or wait for codex.patch.apply.
    in_place: bool,
    /// How many files changed.
    files: usize,
    /// Lines added.
    added: u64,
    /// Lines removed.
    removed: u64,
    /// The files, or the first of them.
    paths: Vec<String>,
    /// The whole diff, if it is short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) diff: Option<String>,
    /// How many ignored files changed too; they are not in the patch.
    #[serde(skip_serializing_if = "is_zero")]
    ignored: usize,
    /// What else is worth knowing of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl From<ChangeSet> for PatchResult {
    fn from(change_set: ChangeSet) -> Self {
        let ChangeSet { id, kind, files, added, removed, paths, ignored, notes } = change_set;
        let in_place = match kind {
            Changes::None | Changes::Propose => false,
            Changes::Direct | Changes::Unconfined => true,
        };
        Self { patch_id: id, in_place, files, added, removed, paths, diff: None, ignored, notes }
    }
}

impl PatchResult {
    /// Whether its diff may be short.
    pub(super) fn is_small(&self) -> bool {
        self.files <= SMALL_FILES && self.added.saturating_add(self.removed) <= SMALL_LINES
    }
}

/// One line for a reader, and one for each note.
impl fmt::Display for PatchResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { patch_id, files, added, removed, .. } = self;
        let what = if *files == 1 { "file" } else { "files" };
        write!(f, "Patch {patch_id}: {files} {what}, +{added} -{removed}")?;
        f.write_str(match self.in_place {
            false => ". See it with codex.patch.preview.",
            true => ", in place. Take it back with codex.patch.apply (`reverse`).",
        })?;
        if self.ignored > 0 {
            write!(f, "\n{} ignored files changed too: they are not in the patch.", self.ignored)?;
        }
        for note in &self.notes {
            write!(f, "\nOf the patch: {note}.")?;
        }
        match &self.diff {
            Some(diff) => write!(f, "\n{}", diff.trim_end()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(kind: Changes, ignored: usize, notes: &[&str], expected: Expect) {
        let patch = PatchResult::from(ChangeSet {
            id: "p-1".to_owned(),
            kind,
            files: if ignored == 0 { 1 } else { 3 },
            added: 12,
            removed: 4,
            paths: vec!["src/lib.rs".to_owned()],
            ignored,
            notes: notes.iter().map(|&note| note.to_owned()).collect(),
        });
        let data = serde_json::to_string(&patch).expect("it is plain data");
        expected.assert_eq(&format!("{patch}\n{data}\n"));
    }

    #[test]
    fn a_patch_says_whether_it_waits_or_is_in_place() {
        check(
            Changes::Propose,
            0,
            &[],
            expect![[r#"
            Patch p-1: 1 file, +12 -4. See it with codex.patch.preview.
            {"patchId":"p-1","inPlace":false,"files":1,"added":12,"removed":4,"paths":["src/lib.rs"]}
        "#]],
        );
        check(
            Changes::Direct,
            2,
            &["a commit was made"],
            expect![[r#"
            Patch p-1: 3 files, +12 -4, in place. Take it back with codex.patch.apply (`reverse`).
            2 ignored files changed too: they are not in the patch.
            Of the patch: a commit was made.
            {"patchId":"p-1","inPlace":true,"files":3,"added":12,"removed":4,"paths":["src/lib.rs"],"ignored":2,"notes":["a commit was made"]}
        "#]],
        );
    }
}
