//! From what has changed to what is kept of it.

use std::path::Path;

use bridge_core::{ChangeSet, Changes, ThreadId, TurnNumber};
use bridge_store::{ApplicationRow, ApplicationState, ChangeSetKind, ChangeSetRow, Write};
use change_set::{Change, Collected, ContentId, Contents, Step};
use serde_json::Value;

use super::collect::Notes;
use crate::workspace::patches;

/// How many files a summary names.
const NAMED: usize = 20;

/// What a change set is of.
pub(super) struct Of<'a> {
    pub(super) thread: &'a ThreadId,
    pub(super) number: TurnNumber,
    pub(super) changes: Changes,
    pub(super) root: &'a Path,
    pub(super) contents: &'a Contents,
}

impl Of<'_> {
    /// What is told of the changes, and everything that is to be kept of them.
    pub(super) fn writes(
        &self,
        collected: &Collected,
        mut notes: Notes,
    ) -> Result<(ChangeSet, Vec<Write>), String> {
        let mut writes = Vec::new();
        // Of a proposal that goes on, this turn's own part can be looked at as well.
        if !collected.latest.is_empty() && collected.latest != collected.changes {
            let row = self.row(&collected.latest, Notes::default())?;
            notes.words.push(format!("what this turn alone changed is patch {}", row.id));
            writes.push(Write::ChangeSet(Box::new(row)));
        }
        let row = self.row(&collected.changes, notes)?;
        let told = ChangeSet {
            id: row.id.clone(),
            kind: self.changes,
            files: row.files,
            added: row.added,
            removed: row.removed,
            paths: row.paths.clone(),
            ignored: row.ignored,
            notes: row.notes.clone(),
        };
        let application = self.application(&row.id, &collected.changes)?;
        writes.push(Write::ChangeSet(Box::new(row)));
        writes.extend(application.map(Write::Application));
        Ok((told, writes))
    }

    fn row(&self, changes: &[Change], notes: Notes) -> Result<ChangeSetRow, String> {
        let text = to_json(changes)?;
        let stat = patches::total(changes, self.contents);
        let unique = format!("{} {} {text}", self.thread, self.number.0);
        Ok(ChangeSetRow {
            id: patches::id(unique.as_bytes()),
            thread: Some(self.thread.clone()),
            number: Some(self.number),
            kind: match self.changes {
                Changes::None | Changes::Propose => ChangeSetKind::Proposed,
                Changes::Direct => ChangeSetKind::Direct,
                Changes::Unconfined => ChangeSetKind::Unconfined,
            },
            root: self.root.to_string_lossy().into_owned(),
            files: changes.len(),
            added: stat.added as u64,
            removed: stat.removed as u64,
            paths: changes.iter().take(NAMED).map(|change| change.path.to_string()).collect(),
            ignored: notes.ignored,
            notes: notes.words,
            changes: text,
        })
    }

    /// What was done in place is applied already, and can be taken back like anything that was.
    fn application(&self, id: &str, changes: &[Change]) -> Result<Option<ApplicationRow>, String> {
        let is_in_place = match self.changes {
            Changes::None | Changes::Propose => false,
            Changes::Direct | Changes::Unconfined => true,
        };
        let step = |change: &Change| Step {
            path: change.path.clone(),
            before: change.before.clone(),
            after: change.after.clone(),
        };
        let steps: Vec<Step> = changes.iter().map(step).collect();
        Ok(is_in_place.then_some(ApplicationRow {
            id: format!("{id}-direct"),
            change_set: id.to_owned(),
            state: ApplicationState::Applied,
            reverses: None,
            steps: to_json(&steps)?,
        }))
    }
}

fn to_json<T: serde::Serialize + ?Sized>(files: &T) -> Result<String, String> {
    serde_json::to_string(files).map_err(|error| error.to_string())
}

/// The contents that kept files name.
pub(super) fn contents(files: &str) -> Vec<ContentId> {
    let files: Vec<Value> = serde_json::from_str(files).unwrap_or_default();
    let sides = files.iter().flat_map(|file| [&file["before"], &file["after"]]);
    sides.filter_map(|side| side["content"].as_str()?.parse().ok()).collect()
}
