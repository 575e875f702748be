//! Which files moved.

use std::collections::HashSet;

use expect_test::{Expect, expect};
use patch::{Mode, Rename, Side, TreePath, renames};
use proptest::prelude::*;

use crate::texts::{file, path};

type Files = Vec<(TreePath, String)>;

/// Each with its lines, between spaces.
fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(name, lines)| (path(name), lines.replace(' ', "\n"))).collect()
}

fn found(deleted: &Files, added: &Files) -> Vec<Rename> {
    fn sides(files: &Files) -> Vec<(&TreePath, Side<'_>)> {
        files.iter().map(|(path, content)| (path, file(content.as_bytes()))).collect()
    }
    renames(&sides(deleted), &sides(added))
}

/// What moved, a line a file.
fn shown(deleted: &Files, added: &Files) -> String {
    let line = |rename: &Rename| {
        let (from, to) = (&deleted[rename.from].0, &added[rename.to].0);
        format!("{from} → {to} {}%\n", rename.similarity)
    };
    found(deleted, added).iter().map(line).collect()
}

#[track_caller]
fn check(deleted: &[(&str, &str)], added: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&shown(&files(deleted), &files(added)));
}

#[test]
fn the_same_content_moved() {
    check(
        &[("a", "1 2")],
        &[("b", "1 2")],
        expect![[r#"
        a → b 100%
    "#]],
    );
    check(
        &[("x/a", "1"), ("x/b", "1"), ("x/c", "1")],
        &[("y/b", "1"), ("y/d", "1"), ("y/z", "2")],
        expect![[r#"
            x/b → y/b 100%
            x/a → y/d 100%
        "#]],
    );
    check(&[("a", "")], &[("b", "")], expect![[r#""#]]);
    check(
        &[("a", "1")],
        &[("b", "1"), ("c", "1")],
        expect![[r#"
        a → b 100%
    "#]],
    );
}

#[test]
fn most_of_the_content_moved() {
    check(
        &[("a", "1 2 3 4 ")],
        &[("b", "1 2 3 5 ")],
        expect![[r#"
        a → b 75%
    "#]],
    );
    check(
        &[("a", "1 2 3 4 ")],
        &[("b", "1 2 5 6 ")],
        expect![[r#"
        a → b 50%
    "#]],
    );
    check(&[("a", "1 2 3 4 ")], &[("b", "1 5 6 7 ")], expect![[r#""#]]);
    check(
        &[("x/a", "1 2 3 4 "), ("x/b", "1 2 3 4 5 ")],
        &[("y/a", "1 2 3 6 "), ("y/b", "1 2 3 6 ")],
        expect![[r#"
            x/a → y/a 75%
            x/b → y/b 60%
        "#]],
    );
    check(
        &[("a", "1 2 3 4 "), ("b", "1 2 3 9 ")],
        &[("c", "1 2 3 4 "), ("d", "1 2 8 9 ")],
        expect![[r#"
            a → c 100%
            b → d 75%
        "#]],
    );
    check(
        &[("a", "4 3 2 1 ")],
        &[("b", "1 2 3 4 ")],
        expect![[r#"
        a → b 99%
    "#]],
    );
    check(&[("a", "1 1 1 1 ")], &[("b", "1 ")], expect![[r#""#]]);
}

#[test]
fn a_link_is_no_file_that_moved() {
    let (a, b) = (path("a"), path("b"));
    let link = Side { mode: Mode::SYMLINK, content: b"x" };
    assert_eq!(renames(&[(&a, file(b"x"))], &[(&b, link)]), []);
    assert_eq!(renames(&[(&a, link)], &[(&b, link)]).len(), 1);
}

#[test]
fn ten_thousand_files_are_paired_by_content() {
    let many = |folder: &str| -> Files {
        let content = |number: usize| format!("1\n2\n3\n{}\n", number % 100);
        (0..10_000).map(|number| (path(&format!("{folder}/{number}")), content(number))).collect()
    };
    let found = found(&many("old"), &many("new"));
    assert_eq!(found.len(), 10_000);
    assert!(found.iter().all(|rename| rename.from == rename.to && rename.similarity == 100));
}

#[test]
fn too_many_files_are_not_compared_by_their_lines() {
    let many = |folder: &str, last: &str| -> Files {
        let file =
            |number| (path(&format!("{folder}/{number}")), format!("1\n2\n3\n{last}{number}\n"));
        (0..401).map(file).collect()
    };
    assert_eq!(found(&many("old", "x"), &many("new", "y")), []);
}

/// A few files of a few lines.
fn some_files(folder: &'static str) -> impl Strategy<Value = Files> {
    let lines = prop::collection::vec(prop::sample::select(vec!["1\n", "2\n", "3\n", "4\n"]), 0..5);
    prop::collection::vec(lines, 0..6).prop_map(move |files| {
        let name = |number: usize| path(&format!("{folder}{}/{}", number % 2, number / 2));
        files.iter().enumerate().map(|(number, lines)| (name(number), lines.concat())).collect()
    })
}

proptest! {
    #[test]
    fn each_file_moves_once_and_the_order_says_nothing(mut deleted in some_files("old"), mut added in some_files("new")) {
        let renames = found(&deleted, &added);
        let from: HashSet<_> = renames.iter().map(|rename| rename.from).collect();
        let to: HashSet<_> = renames.iter().map(|rename| rename.to).collect();
        prop_assert_eq!((from.len(), to.len()), (renames.len(), renames.len()));
        for rename in &renames {
            let same = deleted[rename.from].1 == added[rename.to].1;
            prop_assert_eq!(same, rename.similarity == 100);
        }
        let before = shown(&deleted, &added);
        deleted.reverse();
        added.reverse();
        prop_assert_eq!(before, shown(&deleted, &added));
    }
}
