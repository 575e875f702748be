//! Where a patch is put on a file that is not its base.

use expect_test::{Expect, expect};
use patch::{HunkPlace, Mode, Obstacle, Outcome, Side, TreePath};

use crate::texts::{diff, file, parse_one};

/// What becomes of files, or why nothing does.
fn placed(diff: &str, files: &[(&str, Side<'_>)]) -> String {
    let find = |path: &TreePath| {
        let file = files.iter().find(|(name, _)| name.as_bytes() == path.as_bytes());
        file.map(|(_, side)| *side)
    };
    let placed = match parse_one(diff.as_bytes()).place(find) {
        Ok(placed) => placed,
        Err(conflicts) => {
            return conflicts.iter().map(|conflict| format!("→ {conflict}\n")).collect();
        }
    };
    let place = |hunk: &HunkPlace| format!(" {}{:+} {:?}", hunk.line, hunk.offset, hunk.state);
    let places: String = placed.hunks.iter().map(place).collect();
    let outcome = match placed.outcome {
        Outcome::Write { mode, content } => {
            format!("{} {:o} {:?}", mode, mode.permissions(), String::from_utf8_lossy(&content))
        }
        Outcome::Delete => "deleted".to_owned(),
        Outcome::AlreadyApplied => "already applied".to_owned(),
    };
    format!("→ {outcome}{places}\n")
}

/// A diff on each of some files.
#[track_caller]
fn check(diff: &str, currents: &[Side<'_>], expected: Expect) {
    let shown = |current: &Side<'_>| {
        let content = String::from_utf8_lossy(current.content);
        format!("{} {content:?}\n{}", current.mode, placed(diff, &[("x", *current)]))
    };
    expected.assert_eq(&currents.iter().map(shown).collect::<String>());
}

#[track_caller]
fn check_texts(diff: &str, currents: &[&str], expected: Expect) {
    let sides: Vec<_> = currents.iter().map(|current| file(current.as_bytes())).collect();
    check(diff, &sides, expected);
}

const CHANGE: &str = "--- a/x\n+++ b/x\n@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n";

#[test]
fn a_hunk_is_put_where_its_lines_are() {
    let currents = [
        "a\nb\nc\nd\n",
        "0\n0\n0\na\nb\nc\nd\n",
        "b\nc\nd\n",
        "b\nc\nd\nb\nc\nd\n",
        "a\na\na\nb\nc\nd\n\n\n\nb\nc\nd\n",
        "a\nb\nC\nd\n",
        "a\nb\nC\nd\n9\n9\nb\nc\nd\n",
    ];
    check_texts(
        CHANGE,
        &currents,
        expect![[r#"
            100644 "a\nb\nc\nd\n"
            → 100644 644 "a\nb\nC\nd\n" 2+0 Applies
            100644 "0\n0\n0\na\nb\nc\nd\n"
            → 100644 644 "0\n0\n0\na\nb\nC\nd\n" 5+3 Applies
            100644 "b\nc\nd\n"
            → 100644 644 "b\nC\nd\n" 1-1 Applies
            100644 "b\nc\nd\nb\nc\nd\n"
            → 100644 644 "b\nC\nd\nb\nc\nd\n" 1-1 Applies
            100644 "a\na\na\nb\nc\nd\n\n\n\nb\nc\nd\n"
            → 100644 644 "a\na\na\nb\nC\nd\n\n\n\nb\nc\nd\n" 4+2 Applies
            100644 "a\nb\nC\nd\n"
            → already applied 2+0 AlreadyApplied
            100644 "a\nb\nC\nd\n9\n9\nb\nc\nd\n"
            → already applied 2+0 AlreadyApplied
        "#]],
    );
}

#[test]
fn a_hunk_whose_lines_are_not_there_is_a_conflict() {
    let currents = ["a\nb\nx\nd\n", "a\nb\r\nc\r\nd\r\n", "a\n\n  b\n  c\n  d\n", "a\nb\nc\nd", ""];
    check_texts(
        CHANGE,
        &currents,
        expect![[r#"
            100644 "a\nb\nx\nd\n"
            → hunk 1: the lines that it changes are not in the file; line 3 is the first that is not as the hunk has it
            100644 "a\nb\r\nc\r\nd\r\n"
            → hunk 1: the lines that it changes are at line 2 with other indentation or line ends
            100644 "a\n\n  b\n  c\n  d\n"
            → hunk 1: the lines that it changes are at line 3 with other indentation or line ends
            100644 "a\nb\nc\nd"
            → hunk 1: the lines that it changes are at line 2 with other indentation or line ends
            100644 ""
            → hunk 1: the lines that it changes are not in the file; line 1 is the first that is not as the hunk has it
        "#]],
    );
    assert_eq!(placed(CHANGE, &[]), "→ `x` is not there\n");
}

#[test]
fn the_edge_of_a_file_is_its_edge() {
    let append = "--- a/x\n+++ b/x\n@@ -2,2 +2,3 @@\n b\n c\n+d\n";
    let currents = ["a\nb\nc\n", "1\n2\na\nb\nc\n", "a\nb\nc\nd\n", "a\nb\nc\nx\n"];
    check_texts(
        append,
        &currents,
        expect![[r#"
            100644 "a\nb\nc\n"
            → 100644 644 "a\nb\nc\nd\n" 2+0 Applies
            100644 "1\n2\na\nb\nc\n"
            → 100644 644 "1\n2\na\nb\nc\nd\n" 4+2 Applies
            100644 "a\nb\nc\nd\n"
            → already applied 2+0 AlreadyApplied
            100644 "a\nb\nc\nx\n"
            → hunk 1: the lines that it changes are at line 2, which is not at the end of the file as in the diff; give more context
        "#]],
    );
    let prepend = "--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n+0\n a\n b\n";
    check_texts(
        prepend,
        &["a\nb\n", "0\na\nb\n", "x\na\nb\n"],
        expect![[r#"
            100644 "a\nb\n"
            → 100644 644 "0\na\nb\n" 1+0 Applies
            100644 "0\na\nb\n"
            → already applied 1+0 AlreadyApplied
            100644 "x\na\nb\n"
            → hunk 1: the lines that it changes are at line 2, which is not at the beginning of the file as in the diff; give more context
        "#]],
    );
    let unterminated =
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n";
    check_texts(
        unterminated,
        &["a\nb\n", "a\nb\nc\n"],
        expect![[r#"
            100644 "a\nb\n"
            → 100644 644 "a\nc" 1+0 Applies
            100644 "a\nb\nc\n"
            → hunk 1: the lines that it changes are at line 1, which is not at the end of the file as in the diff; give more context
        "#]],
    );
    let fill = "--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+a\n";
    check_texts(
        fill,
        &["", "b\n"],
        expect![[r#"
            100644 ""
            → 100644 644 "a\n" 1+0 Applies
            100644 "b\n"
            → hunk 1: the hunk is for an empty file, and there is something in it; give context
        "#]],
    );
}

#[test]
fn an_insertion_without_context_goes_by_its_number() {
    let insert = "--- a/x\n+++ b/x\n@@ -2,0 +3 @@\n+c\n";
    check_texts(
        insert,
        &["a\nb\n", "a\nb\nd\n", "a\nb", "a\n", "a\nb\nc\n"],
        expect![[r#"
            100644 "a\nb\n"
            → 100644 644 "a\nb\nc\n" 3+0 Applies
            100644 "a\nb\nd\n"
            → 100644 644 "a\nb\nc\nd\n" 3+0 Applies
            100644 "a\nb"
            → hunk 1: the lines that it changes are at line 2 with other indentation or line ends
            100644 "a\n"
            → hunk 1: the lines that it changes are not in the file; line 2 is the first that is not as the hunk has it
            100644 "a\nb\nc\n"
            → 100644 644 "a\nb\nc\nc\n" 3+0 Applies
        "#]],
    );
}

#[test]
fn what_is_replaced_shows_the_place_without_context_behind_it() {
    let replace = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n";
    check_texts(
        replace,
        &["a\nb\n1\n", "a\nb\na\nb\n", "a\nB\n1\n"],
        expect![[r#"
            100644 "a\nb\n1\n"
            → 100644 644 "a\nB\n1\n" 1+0 Applies
            100644 "a\nb\na\nb\n"
            → 100644 644 "a\nb\na\nB\n" 3+2 Applies
            100644 "a\nB\n1\n"
            → already applied 1+0 AlreadyApplied
        "#]],
    );
}

#[test]
fn hunks_keep_their_order_and_drift_together() {
    let two = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n 1\n@@ -5,3 +5,2 @@\n }\n-c\n }\n";
    let currents = [
        "a\nb\n1\n2\n}\nc\n}\n",
        "n\nn\nn\nn\na\nb\n1\n2\n}\nc\n}\n",
        "a\nB\n1\n2\n}\nc\n}\n",
        "a\nB\n1\n2\n}\n}\n",
        "}\nc\n}\na\nb\n1\n",
        "x\n",
    ];
    check_texts(
        two,
        &currents,
        expect![[r#"
            100644 "a\nb\n1\n2\n}\nc\n}\n"
            → 100644 644 "a\nB\n1\n2\n}\n}\n" 1+0 Applies 5+0 Applies
            100644 "n\nn\nn\nn\na\nb\n1\n2\n}\nc\n}\n"
            → 100644 644 "n\nn\nn\nn\na\nB\n1\n2\n}\n}\n" 5+4 Applies 9+4 Applies
            100644 "a\nB\n1\n2\n}\nc\n}\n"
            → 100644 644 "a\nB\n1\n2\n}\n}\n" 1+0 AlreadyApplied 5+0 Applies
            100644 "a\nB\n1\n2\n}\n}\n"
            → already applied 1+0 AlreadyApplied 5+0 AlreadyApplied
            100644 "}\nc\n}\na\nb\n1\n"
            → hunk 2: the lines that it changes are not in the file; line 7 is the first that is not as the hunk has it
            100644 "x\n"
            → hunk 1: the lines that it changes are not in the file; line 1 is the first that is not as the hunk has it
            → hunk 2: the lines that it changes are not in the file; line 2 is the first that is not as the hunk has it
        "#]],
    );
}

#[test]
fn files_that_come_and_go_meet_what_is_there() {
    let program = Side { mode: Mode::EXECUTABLE, content: b"a\n" };
    let link = Side { mode: Mode::SYMLINK, content: b"t" };
    let (a, b) = (file(b"a\n"), file(b"b\n"));
    let create =
        "diff --git a/x b/x\nnew file mode 100755\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n";
    check(
        create,
        &[program, a, b, link],
        expect![[r#"
            100755 "a\n"
            → already applied 1+0 AlreadyApplied
            100644 "a\n"
            → `x` is there already, and not by this patch
            100644 "b\n"
            → `x` is there already, and not by this patch
            120000 "t"
            → `x` is there already, and not by this patch
        "#]],
    );
    let delete = "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n";
    check(
        delete,
        &[program, a, b, link],
        expect![[r#"
            100755 "a\n"
            → deleted 1+0 Applies
            100644 "a\n"
            → deleted 1+0 Applies
            100644 "b\n"
            → the file to delete is not as the patch knows it
            120000 "t"
            → the patch is for a regular file, and there is a symbolic link
        "#]],
    );
    let turn = "diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\
                diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+t\n\
                \\ No newline at end of file\n";
    check(
        turn,
        &[a, b, link],
        expect![[r#"
            100644 "a\n"
            → 120000 777 "t" 1+0 Applies
            100644 "b\n"
            → the file to delete is not as the patch knows it
            120000 "t"
            → already applied 1+0 AlreadyApplied
        "#]],
    );
    let nothing = [create, delete, turn].map(|diff| placed(diff, &[]));
    expect![[r#"
        → 100755 755 "a\n" 1+0 Applies
        → already applied 1+0 AlreadyApplied
        → `x` is not there
    "#]]
    .assert_eq(&nothing.concat());
}

#[test]
fn a_mode_changes_only_where_the_diff_says_so() {
    let with = |permissions| Side { mode: Mode::regular(permissions), content: b"a\nb\nc\nd\n" };
    let link = Side { mode: Mode::SYMLINK, content: b"a\nb\nc\nd\n" };
    check(
        CHANGE,
        &[with(0o600), with(0o777), link],
        expect![[r#"
            100644 "a\nb\nc\nd\n"
            → 100644 600 "a\nb\nC\nd\n" 2+0 Applies
            100755 "a\nb\nc\nd\n"
            → 100755 777 "a\nb\nC\nd\n" 2+0 Applies
            120000 "a\nb\nc\nd\n"
            → the patch is for a regular file, and there is a symbolic link
        "#]],
    );
    let run = "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n";
    check(
        run,
        &[with(0o600), with(0o644), with(0o754), link],
        expect![[r#"
            100644 "a\nb\nc\nd\n"
            → 100755 700 "a\nb\nc\nd\n"
            100644 "a\nb\nc\nd\n"
            → 100755 755 "a\nb\nc\nd\n"
            100755 "a\nb\nc\nd\n"
            → already applied
            120000 "a\nb\nc\nd\n"
            → the patch is for a regular file, and there is a symbolic link
        "#]],
    );
    let stop = "diff --git a/x b/x\nold mode 100755\nnew mode 100644\n";
    check(
        stop,
        &[with(0o600), with(0o754)],
        expect![[r#"
            100644 "a\nb\nc\nd\n"
            → already applied
            100755 "a\nb\nc\nd\n"
            → 100644 644 "a\nb\nc\nd\n"
        "#]],
    );
}

#[test]
fn a_file_that_moves_needs_its_source_and_room() {
    let rename = "diff --git a/x b/y\nsimilarity index 50%\nrename from x\nrename to y\n--- a/x\n+++ b/y\n\
                  @@ -1,2 +1,2 @@\n a\n-b\n+c\n";
    let pure = "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n";
    let (old, new) = (file(b"a\nb\n"), file(b"a\nc\n"));
    let states: [&[_]; 5] =
        [&[("x", old)], &[("x", old), ("y", new)], &[("y", new)], &[("y", old)], &[]];
    let check = |diff: &str, expected: Expect| {
        expected.assert_eq(&states.iter().map(|files| placed(diff, files)).collect::<String>());
    };
    check(
        rename,
        expect![[r#"
            → 100644 644 "a\nc\n" 1+0 Applies
            → `y` is there already, and not by this patch
            → already applied 1+0 AlreadyApplied
            → `x` is not there
            → `x` is not there
        "#]],
    );
    check(
        &rename.replace("rename", "copy"),
        expect![[r#"
            → 100644 644 "a\nc\n" 1+0 Applies
            → already applied 1+0 AlreadyApplied
            → already applied 1+0 AlreadyApplied
            → `x` is not there
            → `x` is not there
        "#]],
    );
    check(
        pure,
        expect![[r#"
            → 100644 644 "a\nb\n"
            → `y` is there already, and not by this patch
            → `x` is not there
            → `x` is not there
            → `x` is not there
        "#]],
    );
}

/// Each hunk is looked for everywhere, and a hundred million times is enough.
#[test]
fn a_search_ends() {
    let line = "\n".repeat(20_000);
    let before = [&line, "x\n", &line].concat();
    let diff =
        diff(Some(before.as_bytes()), Some([&line, "y\n", &line].concat().as_bytes()), 20_000);
    let current = ["\n".repeat(100_000), "x\n".to_owned()].concat();
    let patch = parse_one(&diff);
    let conflicts = patch.place(|_| Some(file(current.as_bytes()))).unwrap_err();
    assert_eq!(conflicts[0].obstacle, Obstacle::TooMuchWork);
}
