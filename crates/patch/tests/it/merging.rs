//! Three-way merges, by themselves and as git does them.

use expect_test::{Expect, expect};
use patch::{Labels, Merge, lines, merge};
use proptest::prelude::*;

use crate::git::Folder;
use crate::texts::{edited, edits, numbered, text};

fn merged<'a>(base: &'a [u8], ours: &'a [u8], theirs: &'a [u8]) -> Merge<'a> {
    merge(base, ours, theirs, Labels::default())
}

/// What git makes of it, and whether there is a conflict.
fn by_git(base: &[u8], ours: &[u8], theirs: &[u8]) -> (Vec<u8>, bool) {
    let folder = Folder::new();
    folder.write("base", base);
    folder.write("ours", ours);
    folder.write("theirs", theirs);
    let output = folder.git(&[
        "merge-file",
        "--diff3",
        "--diff-algorithm=histogram",
        "-p",
        "ours",
        "base",
        "theirs",
    ]);
    let conflicts = output.status.code().expect("git exits");
    assert!(conflicts < 128, "{}", String::from_utf8_lossy(&output.stderr));
    (output.stdout, conflicts != 0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_merge_is_what_git_makes_of_it(lines in 0_usize..20, our_edits in edits(), their_edits in edits()) {
        let base = numbered(lines);
        let (ours, theirs) = (edited(&base, &our_edits, "x"), edited(&base, &their_edits, "x"));
        let (base, ours, theirs) = (base.concat(), ours.concat(), theirs.concat());
        let (base, ours, theirs) = (base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
        let merge = merged(base, ours, theirs);
        let (content, conflict) = by_git(base, ours, theirs);
        prop_assert_eq!(String::from_utf8_lossy(&merge.content), String::from_utf8_lossy(&content));
        prop_assert_eq!(!merge.conflicts.is_empty(), conflict);
    }

    /// Where lines repeat themselves, two diffs can be as good, and git may have taken the other one: then a conflict has
    /// other lines in it. What merges without a conflict is the same.
    #[test]
    fn a_clean_merge_of_repeated_lines_is_what_git_makes_of_it(base in text(), our_edits in edits(), their_edits in edits()) {
        let base_lines: Vec<_> = lines(&base).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let ours = edited(&base_lines, &our_edits, "x").concat().into_bytes();
        let theirs = edited(&base_lines, &their_edits, "x").concat().into_bytes();
        let merge = merged(&base, &ours, &theirs);
        let (content, conflict) = by_git(&base, &ours, &theirs);
        if merge.conflicts.is_empty() && !conflict {
            prop_assert_eq!(String::from_utf8_lossy(&merge.content), String::from_utf8_lossy(&content));
        }
    }

    #[test]
    fn both_sides_of_a_conflict_are_all_there(base in text(), ours in text(), theirs in text()) {
        let merge = merged(&base, &ours, &theirs);
        let (ours_lines, theirs_lines): (Vec<_>, Vec<_>) = (lines(&ours).collect(), lines(&theirs).collect());
        for conflict in &merge.conflicts {
            prop_assert_eq!(ours_lines[conflict.ours_lines.clone()].concat(), conflict.ours);
            prop_assert_eq!(theirs_lines[conflict.theirs_lines.clone()].concat(), conflict.theirs);
            prop_assert_ne!(conflict.ours, conflict.theirs);
        }
    }
}

#[track_caller]
fn check(base: &str, ours: &str, theirs: &str, expected: Expect) {
    let merge = merged(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
    let places: Vec<_> =
        merge.conflicts.iter().map(|conflict| conflict.ours_lines.clone()).collect();
    expected.assert_eq(&format!(
        "{}conflicts at {places:?}\n",
        String::from_utf8_lossy(&merge.content)
    ));
}

#[test]
fn changes_apart_merge_and_changes_that_meet_are_conflicts() {
    check(
        "1\n2\n3\n4\n5\n",
        "1\nours\n3\n4\n5\n",
        "1\n2\n3\ntheirs\n5\n",
        expect![[r#"
            1
            ours
            3
            theirs
            5
            conflicts at []
        "#]],
    );
    check(
        "1\n2\n3\n",
        "1\nours\n3\n",
        "1\n2\ntheirs\n",
        expect![[r#"
            1
            <<<<<<< ours
            ours
            3
            ||||||| base
            2
            3
            =======
            2
            theirs
            >>>>>>> theirs
            conflicts at [1..3]
        "#]],
    );
    check(
        "1\n2\n3\n",
        "1\nsame\n3\n",
        "1\nsame\n3\n4\n",
        expect![[r#"
            1
            same
            3
            4
            conflicts at []
        "#]],
    );
    check(
        "1\n2\n3\n",
        "1\n3\n",
        "1\ntheirs\n3\n",
        expect![[r#"
            1
            <<<<<<< ours
            ||||||| base
            2
            =======
            theirs
            >>>>>>> theirs
            3
            conflicts at [1..1]
        "#]],
    );
    check(
        "1\n",
        "1\nours",
        "1\ntheirs\n",
        expect![[r#"
            1
            <<<<<<< ours
            ours
            ||||||| base
            =======
            theirs
            >>>>>>> theirs
            conflicts at [1..2]
        "#]],
    );
    check(
        "",
        "ours\n",
        "theirs\n",
        expect![[r#"
            <<<<<<< ours
            ours
            ||||||| base
            =======
            theirs
            >>>>>>> theirs
            conflicts at [0..1]
        "#]],
    );
}

#[test]
fn a_binary_conflict_is_all_of_it_and_keeps_ours() {
    let merge = merged(b"1\0\n2\n3\n", b"1\0\nours\n3\n", b"1\0\n2\ntheirs\n");
    assert_eq!(merge.content, b"1\0\nours\n3\n");
    assert_eq!(merge.conflicts[0].ours_lines, 0..3);
    assert_eq!(merged(b"1\0", b"1\0", b"2\0").content, b"2\0");
}
