//! Trees that somebody has prepared.

use std::fs;
use std::os::unix::fs::symlink;

use change_set::{ApplyError, Fit, Obstacle, fit};

use crate::tree::{Place, read, tree};

#[test]
fn a_pipe_makes_nobody_wait() {
    let place = Place::new(&tree(&[("a", "1\n")]));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.path().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let scratch = place.scratch();
    assert_eq!(scratch.notes(), ["1 could not be copied (unreadable, or no regular file): pipe"]);
    fs::remove_file(scratch.tree().join("a")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        scratch.tree().join("a"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let changes = place.collect(&scratch).changes;
    assert!(changes.len() == 1 && changes[0].after.is_none(), "{changes:?}");
}

#[test]
fn a_directory_that_becomes_a_link_leads_nowhere() {
    let place = Place::new(&tree(&[("folder/file", "1\n"), ("folder/other", "2\n")]));
    fs::create_dir(place.outside()).unwrap();
    fs::write(place.outside().join("file"), "secret\n").unwrap();
    let scratch = place.scratch();
    // In the copy: what lies outside is not read.
    fs::remove_dir_all(scratch.tree().join("folder")).unwrap();
    symlink(place.outside(), scratch.tree().join("folder")).unwrap();
    let changes = place.collect(&scratch).changes;
    let paths: Vec<_> =
        changes.iter().map(|change| (change.path.to_string(), change.after.is_some())).collect();
    assert_eq!(
        paths,
        [("folder".into(), true), ("folder/file".into(), false), ("folder/other".into(), false)]
    );
    // In the workspace: what lies outside is not written.
    let scratch = place.scratch();
    fs::write(scratch.tree().join("folder/file"), "changed\n").unwrap();
    fs::write(scratch.tree().join("folder/new"), "new\n").unwrap();
    let changes = place.collect(&scratch).changes;
    let steps = place.steps(&changes);
    fs::remove_dir_all(place.path().join("folder")).unwrap();
    symlink(place.outside(), place.path().join("folder")).unwrap();
    assert!(matches!(place.apply(&steps), Err(ApplyError::Changed { .. })));
    let planned = fit(&place.root(), &place.contents, &changes[0]).unwrap();
    assert_eq!(planned.fit, Fit::Blocked(Obstacle::NoWay));
    assert_eq!(read(&place.outside()), tree(&[("file", "secret\n")]));
    assert!(!place.path().join(".codex-mcp-a1").exists());
}

#[test]
fn a_workspace_that_was_replaced_is_noticed() {
    let place = Place::new(&tree(&[("a", "1\n")]));
    let root = place.root();
    assert!(root.is_in_place());
    fs::rename(place.path(), place.outside()).unwrap();
    fs::create_dir(place.path()).unwrap();
    assert!(!root.is_in_place());
}
