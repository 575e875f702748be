//! An application that is killed at any step leaves the old tree or the new one.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use change_set::{Ending, recover};

use crate::tree::{Node, Place, Tree, read, tree, write};

fn before() -> Tree {
    let mut before = tree(&[
        ("changed", "one\n"),
        ("deleted", "two\n"),
        ("folder/deep/deleted", "three\n"),
        ("becomes-folder", "four\n"),
        ("becomes-file/a", "five\n"),
        ("becomes-file/b/c", "six\n"),
        ("same", "seven\n"),
    ]);
    before.insert("link".to_owned(), Node::Link("same".to_owned()));
    before
}

fn after() -> Tree {
    let mut after = tree(&[
        ("changed", "ONE\n"),
        ("new/folder/file", "new\n"),
        ("becomes-folder/file", "FOUR\n"),
        ("becomes-file", "FIVE\n"),
    ]);
    after.insert("same".to_owned(), Node::File(0o755, b"seven\n".to_vec()));
    after.insert("link".to_owned(), Node::Link("changed".to_owned()));
    after
}

/// Runs something that is killed at one of the things that it does. Nothing is undone while it unwinds: what is on disk
/// then is what a kill leaves.
fn killed_at<T>(at: usize, run: impl FnOnce(&mut dyn FnMut()) -> T) -> Option<T> {
    let mut count = 0;
    let mut watch = || {
        assert!(count != at, "killed here");
        count += 1;
    };
    catch_unwind(AssertUnwindSafe(|| run(&mut watch))).ok()
}

#[test]
fn a_kill_at_any_step_leaves_one_tree_whole() {
    let (old, new) = (before(), after());
    let place = Place::new(&old);
    let scratch = place.scratch();
    reset(&scratch.tree(), &new);
    let steps = place.steps(&place.collect(&scratch).changes);
    let (mut at, mut taken_back, mut applied) = (0, 0, 0);
    loop {
        reset(&place.path(), &old);
        let result = killed_at(at, |watch| place.apply_watched(&steps, watch));
        // The one that mends it is killed as well, somewhere.
        killed_at(at * 7 % 23, |watch| recover(&place.journals(), &place.contents, watch));
        let endings = recover(&place.journals(), &place.contents, &mut || {}).unwrap();
        let found = read(&place.path());
        match (result, &endings[..]) {
            (Some(result), []) => {
                result.unwrap();
                assert_eq!(found, new);
                break;
            }
            (None, [] | [(_, Ending::TakenBack)]) if found == old => taken_back += 1,
            (None, [] | [(_, Ending::Applied)]) if found == new => applied += 1,
            (_, endings) => panic!("killed at {at}: {endings:?} {found:?}"),
        }
        at += 1;
    }
    assert!(taken_back > 20 && applied > 5, "{taken_back} and {applied} of {at}");
}

fn reset(to: &Path, tree: &Tree) {
    fs::remove_dir_all(to).unwrap();
    fs::create_dir(to).unwrap();
    write(tree, to);
}

#[test]
fn a_journal_that_is_no_journal_is_nothing() {
    let place = Place::new(&before());
    fs::create_dir_all(place.journals()).unwrap();
    fs::write(place.journals().join("x.json"), "{").unwrap();
    assert_eq!(recover(&place.journals(), &place.contents, &mut || {}).unwrap(), []);
    assert_eq!(read(&place.path()), before());
}
