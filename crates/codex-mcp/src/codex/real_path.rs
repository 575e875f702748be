//! Where a change of Codex really goes: paths without links, so that rules and persons decide on the file that is written
//! and not on a name for it. The core, which compares them, sees no file system.

use std::path::{Component, Path, PathBuf};

use bridge_core::{ChangeKind, FileChange, Item, Question, TurnEvent};

/// Resolves the files of a change that an event tells of.
pub(crate) fn of_event(event: &mut TurnEvent) {
    if let TurnEvent::ItemStarted(Item::Patch(patch))
    | TurnEvent::ItemCompleted(Item::Patch(patch)) = event
    {
        patch.changes.iter_mut().for_each(of_change);
    }
}

/// Resolves the folder that a question would open.
pub(crate) fn of_question(question: &mut Question) {
    if let Question::FileChange { grants: Some(folder), .. } = question {
        replace(folder, resolved);
    }
}

fn of_change(change: &mut FileChange) {
    match &mut change.kind {
        // A link that is deleted is itself what goes.
        ChangeKind::Delete => replace(&mut change.path, in_resolved_folder),
        ChangeKind::Add | ChangeKind::Update { moved_to: None } => {
            replace(&mut change.path, resolved);
        }
        ChangeKind::Update { moved_to: Some(to) } => {
            replace(to, resolved);
            replace(&mut change.path, resolved);
        }
    }
}

fn replace(path: &mut String, resolve: impl Fn(&str) -> Option<PathBuf>) {
    let real = resolve(path).and_then(|real| real.into_os_string().into_string().ok());
    *path = real.unwrap_or_else(|| std::mem::take(path));
}

fn in_resolved_folder(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    Some(resolved(path.parent()?.to_str()?)?.join(path.file_name()?))
}

/// The path without links, as far as it is there; `None` if that cannot be told.
fn resolved(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    if !path.is_absolute() {
        return None;
    }
    let there = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    let (there, real) = there?;
    let missing = path.strip_prefix(there).ok()?;
    let is_plain = missing.components().all(|part| matches!(part, Component::Normal(_)));
    is_plain.then(|| if missing.as_os_str().is_empty() { real } else { real.join(missing) })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use bridge_core::{CommandStatus, ItemId, Patch};

    use super::*;

    #[test]
    fn a_change_through_a_link_is_one_of_what_it_leads_to() {
        let test = tempfile::tempdir().unwrap();
        let test = test.path().canonicalize().unwrap();
        fs::create_dir_all(test.join("w")).unwrap();
        fs::create_dir_all(test.join("etc")).unwrap();
        fs::write(test.join("etc/passwd"), "").unwrap();
        symlink("../etc", test.join("w/out")).unwrap();
        symlink("../etc/passwd", test.join("w/file")).unwrap();
        let update = || ChangeKind::Update { moved_to: None };
        for (path, kind, expected) in [
            ("w/a", ChangeKind::Add, "w/a"),
            ("w/new/deep/a", ChangeKind::Add, "w/new/deep/a"),
            ("w/out/a", ChangeKind::Add, "etc/a"),
            ("w/out/new/a", ChangeKind::Add, "etc/new/a"),
            ("w/file", update(), "etc/passwd"),
            ("w/file", ChangeKind::Add, "etc/passwd"),
            ("w/file", ChangeKind::Delete, "w/file"),
            ("w/out/passwd", ChangeKind::Delete, "etc/passwd"),
            ("w/../etc/passwd", update(), "etc/passwd"),
            ("w/new/../../etc/a", ChangeKind::Add, "w/new/../../etc/a"),
        ] {
            let path = test.join(path).display().to_string();
            let change = FileChange { path: path.clone(), kind, diff: String::new() };
            let (item, status) = (ItemId("p".to_owned()), CommandStatus::InProgress);
            let patch = Patch { item, changes: vec![change], status };
            let mut event = TurnEvent::ItemStarted(Item::Patch(patch));
            of_event(&mut event);
            let TurnEvent::ItemStarted(Item::Patch(patch)) = event else { unreachable!() };
            assert_eq!(patch.changes[0].path, test.join(expected).display().to_string(), "{path}");
        }
        let grants = Some(test.join("w/out").display().to_string());
        let item = ItemId("p".to_owned());
        let mut question = Question::FileChange { item, grants, reason: None };
        of_question(&mut question);
        let Question::FileChange { grants: Some(folder), .. } = question else { unreachable!() };
        assert_eq!(folder, test.join("etc").display().to_string());
    }
}
