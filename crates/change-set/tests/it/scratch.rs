//! Scratches as such: found again, listed, replaced, removed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use change_set::{ScratchError, Scratches, SnapshotError, Source};

use crate::tree::{Node, Place, file, read, tree};

#[test]
fn a_scratch_is_found_again_and_removed() {
    let place = Place::new(&tree(&[("a", "1\n")]));
    place.scratch();
    let found = place.scratches.find("one").unwrap();
    assert_eq!((found.name(), found.owner(), found.original()), ("one", "me", place.root().path()));
    fs::write(found.tree().join("a"), "2\n").unwrap();
    assert_eq!(place.collect(&found).changes.len(), 1);
    // One of the same name begins anew, and the old one goes when somebody has time for it.
    let again = place.scratch();
    assert_eq!(place.collect(&again).changes, []);
    place.scratches.sweep().unwrap();
    assert_eq!(place.scratches.list().unwrap().len(), 1);
    let forbidden = again.tree().join("forbidden");
    fs::create_dir(&forbidden).unwrap();
    fs::write(forbidden.join("file"), "").unwrap();
    fs::set_permissions(&forbidden, fs::Permissions::from_mode(0o500)).unwrap();
    place.scratches.remove("one").unwrap();
    place.scratches.remove("one").unwrap();
    assert!(place.scratches.find("one").is_none());
    assert_eq!(fs::read_dir(place.path().with_file_name("scratch")).unwrap().count(), 0);
}

#[test]
fn limits_hold_and_leave_nothing() {
    let mut place = Place::new(&tree(&[("a", "12345"), ("b", "12345"), ("c", "12345")]));
    let mut refused = |max_files, max_bytes| {
        (place.rules.max_files, place.rules.max_bytes) = (max_files, max_bytes);
        let source =
            Source { tree: &place.root(), rules: &place.rules, owner: "", give_up: &|| false };
        place.scratches.create("one", &source).unwrap_err()
    };
    assert!(matches!(
        refused(2, 100),
        ScratchError::Snapshot(SnapshotError::TooManyFiles { limit: 2 })
    ));
    assert!(matches!(
        refused(9, 14),
        ScratchError::Snapshot(SnapshotError::TooManyBytes { limit: 14 })
    ));
    assert!(place.scratches.list().unwrap().is_empty());
    (place.rules.max_files, place.rules.max_bytes) = (9, 100);
    let source = Source { tree: &place.root(), rules: &place.rules, owner: "", give_up: &|| true };
    let given_up = place.scratches.create("one", &source).unwrap_err();
    assert!(matches!(given_up, ScratchError::Snapshot(SnapshotError::GivenUp)));
    assert_eq!(fs::read_dir(place.path().with_file_name("scratch")).unwrap().count(), 0);
}

#[test]
fn what_a_crash_leaves_is_swept() {
    let place = Place::new(&tree(&[("a", "1\n")]));
    place.scratch();
    let half = place.path().with_file_name("scratch").join("two.making");
    fs::create_dir_all(half.join("work")).unwrap();
    // It may still be being made.
    place.scratches.sweep().unwrap();
    assert!(half.exists());
    place.scratches.recover().unwrap();
    place.scratches.sweep().unwrap();
    assert!(!half.exists());
    assert!(place.scratches.find("one").is_some());
    Scratches::new(place.outside()).sweep().unwrap();
}

#[test]
fn ignored_files_stay_and_dependencies_are_linked() {
    let mut place = Place::new(&tree(&[
        (".gitignore", "node_modules/\ntarget/\n.env\n"),
        ("src/a", "1\n"),
        ("target/big", "x"),
        (".env", "SECRET=1\n"),
        ("node_modules/dep/index.js", "1\n"),
        ("web/node_modules/dep/index.js", "2\n"),
    ]));
    place.rules.linked = vec!["node_modules".to_owned()];
    let scratch = place.scratch();
    let found = read(&scratch.tree());
    let link = |path: &str| Node::Link(place.root().path().join(path).to_str().unwrap().to_owned());
    let expected = [
        (".gitignore", file("node_modules/\ntarget/\n.env\n")),
        ("node_modules", link("node_modules")),
        ("src/a", file("1\n")),
        ("web/node_modules", link("web/node_modules")),
    ];
    assert_eq!(found, expected.map(|(path, node)| (path.to_owned(), node)).into_iter().collect());
    fs::create_dir(scratch.tree().join("target")).unwrap();
    fs::write(scratch.tree().join("target/out"), "built\n").unwrap();
    assert_eq!(place.collect(&scratch).changes, []);
}

#[test]
fn names_that_are_not_text_are_kept() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new(&tree(&[]));
    let name = OsStr::from_bytes(b"\xff\xfe%41\n");
    fs::write(place.path().join(name), "1\n").unwrap();
    let scratch = place.scratch();
    fs::write(scratch.tree().join(name), "2\n").unwrap();
    let changes = place.collect(&place.scratches.find("one").unwrap()).changes;
    let text = serde_json::to_string(&changes).unwrap();
    assert_eq!(serde_json::from_str::<Vec<change_set::Change>>(&text).unwrap(), changes);
    place.apply(&place.steps(&changes)).unwrap();
    assert_eq!(fs::read(place.path().join(name)).unwrap(), b"2\n");
}
