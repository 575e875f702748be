//! What somebody does to a copy, carried to the original, is exactly the copy; taken back, exactly the original.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;

use crate::git::git;
use crate::tree::{Node, Place, Tree, put, read, reversed};

/// What somebody does in a tree.
#[derive(Clone, Debug)]
enum Edit {
    Put(String, Node),
    Append(String, Vec<u8>),
    Remove(String),
    Move(String, String),
    Mode(String, u32),
}

fn path() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("a"),
        Just("b"),
        Just("c.txt"),
        Just("-x"),
        Just("with space"),
        Just("ü"),
        Just("100%"),
        Just("new\nline"),
    ];
    prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"))
}

fn node() -> impl Strategy<Value = Node> {
    let bytes = prop_oneof![
        3 => "([a-c]{0,3}\n){0,6}[a-c]{0,2}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => Just(b"one\r\ntwo\r\n".to_vec()),
    ];
    let mode = prop_oneof![Just(0o644), Just(0o755), Just(0o600), Just(0o444)];
    prop_oneof![
        6 => (mode, bytes).prop_map(|(mode, bytes)| Node::File(mode, bytes)),
        1 => prop_oneof![Just("a"), Just("../out"), Just("/etc/passwd")]
            .prop_map(|target| Node::Link(target.to_owned())),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => (path(), node()).prop_map(|(path, node)| Edit::Put(path, node)),
        2 => (path(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(path, bytes)| Edit::Append(path, bytes)),
        2 => path().prop_map(Edit::Remove),
        2 => (path(), path()).prop_map(|(from, to)| Edit::Move(from, to)),
        1 => (path(), prop_oneof![Just(0o644), Just(0o755), Just(0o600)]).prop_map(|(path, mode)| Edit::Mode(path, mode)),
    ]
}

/// Does as a shell would: what does not work is left.
fn perform(edit: &Edit, tree: &Path) {
    match edit {
        Edit::Put(path, node) => {
            // A directory may have to give way to a file.
            if tree.join(path).is_dir() && !tree.join(path).is_symlink() {
                fs::remove_dir_all(tree.join(path)).unwrap();
            }
            if let Some(file) = first_file(tree, path) {
                fs::remove_file(file).unwrap();
            }
            put(tree, path, node);
        }
        Edit::Append(path, bytes) => {
            let path = tree.join(path);
            if let (Ok(found), Ok(mut text)) = (fs::symlink_metadata(&path), fs::read(&path))
                && found.is_file()
            {
                text.extend(bytes);
                fs::write(&path, text).unwrap();
            }
        }
        Edit::Remove(path) => {
            let path = tree.join(path);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
        Edit::Move(from, to) => {
            let (from, to) = (tree.join(from), tree.join(to));
            if from.symlink_metadata().is_ok() {
                let _ = fs::create_dir_all(to.parent().unwrap());
                let _ = fs::rename(from, to);
            }
        }
        Edit::Mode(path, mode) => {
            let path = tree.join(path);
            if fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            }
        }
    }
}

/// The file that stands where a path needs a directory.
fn first_file(tree: &Path, path: &str) -> Option<std::path::PathBuf> {
    let above = Path::new(path).ancestors().skip(1).map(|folder| tree.join(folder));
    above
        .filter(|folder| folder != tree)
        .find(|folder| fs::symlink_metadata(folder).is_ok_and(|found| !found.is_dir()))
}

fn start() -> impl Strategy<Value = Vec<(String, Node)>> {
    prop::collection::vec((path(), node()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_copy_is_carried_over_and_taken_back(
        start in start(),
        first in prop::collection::vec(edit(), 0..8),
        second in prop::collection::vec(edit(), 0..8),
        in_git in any::<bool>(),
    ) {
        let place = Place::new(&Tree::new());
        for (path, node) in &start {
            perform(&Edit::Put(path.clone(), node.clone()), &place.path());
        }
        if in_git {
            git(&place.path(), &["init", "-q"]);
            git(&place.path(), &["add", "-A"]);
        }
        let original = read(&place.path());
        let scratch = place.scratch();
        if in_git {
            let staged = git(&place.path(), &["ls-files", "--stage"]);
            prop_assert_eq!(git(&scratch.tree(), &["ls-files", "--stage"]), staged);
        }
        prop_assert_eq!(&read(&scratch.tree()), &original);
        for edit in &first {
            perform(edit, &scratch.tree());
        }
        let halfway = read(&scratch.tree());
        let collected = place.collect(&scratch);
        prop_assert_eq!(&collected.changes, &collected.latest);
        for edit in &second {
            perform(edit, &scratch.tree());
        }
        let collected = place.collect(&scratch);
        prop_assert_eq!(collected.latest.is_empty(), halfway == read(&scratch.tree()));
        prop_assert_eq!(&read(&place.path()), &original);

        let steps = place.steps(&collected.changes);
        place.apply(&steps).unwrap();
        prop_assert_eq!(&read(&place.path()), &read(&scratch.tree()));
        prop_assert!(place.steps(&collected.changes).is_empty());
        place.apply(&reversed(&steps)).unwrap();
        prop_assert_eq!(&read(&place.path()), &original);
    }
}
