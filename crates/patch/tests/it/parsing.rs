//! Diffs as they come: from git, from GNU diff, in a mail, from a model.

use expect_test::{Expect, expect};
use patch::{FilePatch, Hunk, Limits, Line, LineKind, parse};

/// What was read, a line a file and a line a hunk.
#[track_caller]
fn check(diff: &str, expected: Expect) {
    let files = parse(diff.as_bytes(), &Limits::default()).expect("the diff is well-formed");
    expected.assert_eq(&files.iter().map(shown).collect::<String>());
}

fn shown(file: &FilePatch<'_>) -> String {
    let modes = [file.old_mode, file.new_mode].map(|mode| mode.map_or("-", |mode| mode.git()));
    let hunks: String = file.hunks.iter().map(shown_hunk).collect();
    format!("{} {:?} {} {}\n{hunks}", file.line, file.action, file.path, modes.join(" "))
}

fn shown_hunk(hunk: &Hunk<'_>) -> String {
    let section = String::from_utf8_lossy(hunk.section);
    let lines: String = hunk.lines.iter().map(shown_line).collect();
    format!("  {:?} {:?} {section:?}{lines}\n", hunk.old_range(), hunk.new_range())
}

fn shown_line(line: &Line<'_>) -> String {
    let sign = match line.kind {
        LineKind::Context => ' ',
        LineKind::Removed => '-',
        LineKind::Added => '+',
    };
    let end = if line.newline { "" } else { "\\" };
    format!(" {:?}", format!("{sign}{}{end}", String::from_utf8_lossy(line.text)))
}

#[test]
fn a_mail_of_git_is_read() {
    check(
        "From 1234 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] x\n\n---\n a | 2 +-\n\ndiff --git a/a b/a\nindex 1..2 100755\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@ fn f() {\n-a\n+b\n c\n-- \n2.47.3\n\n",
        expect![[r#"
            7 Modify a 100755 -
              0..2 0..2 "fn f() {" "-a" "+b" " c"
        "#]],
    );
}

#[test]
fn everything_that_git_does_with_a_file_is_read() {
    check(
        "diff --git a/new b/new\nnew file mode 100755\nindex 0..1\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n\
         diff --git a/empty b/empty\nnew file mode 100644\nindex 0..e\n\
         diff --git a/gone b/gone\ndeleted file mode 120000\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-t\n\\ No newline at end of file\n\
         diff --git a/old name b/new name\nsimilarity index 90%\nrename from old name\nrename to new name\nindex 1..2 100644\n--- a/old name\t\n+++ b/new name\t\n@@ -2 +2 @@\n-a\n+b\n\
         diff --git a/c b/d\nsimilarity index 100%\ncopy from c\ncopy to d\n\
         diff --git a/run b/run\nold mode 100644\nnew mode 100755\n\
         diff --git \"a/\\303\\244\\t\\\"\" \"b/\\303\\244\\t\\\"\"\nold mode 100755\nnew mode 100644\n\
         diff --git a/link b/link\ndeleted file mode 100644\n--- a/link\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\
         diff --git a/link b/link\nnew file mode 120000\n--- /dev/null\n+++ b/link\n@@ -0,0 +1 @@\n+t\n\\ No newline at end of file\n",
        expect![[r#"
            1 Create new - 100755
              0..0 0..1 "" "+a\\"
            9 Create empty - 100644
            12 Delete gone 120000 -
              0..1 0..0 "" "-t\\"
            19 Rename { from: TreePath(old name) } new name 100644 -
              1..2 1..2 "" "-a" "+b"
            29 Copy { from: TreePath(c) } d - -
            33 Modify run 100644 100755
            36 Modify "ä\t\"" 100755 100644
            39 Replace { removed: [Hunk { old_start: 1, old_lines: 1, new_start: 0, new_lines: 0, section: [], lines: [Line { kind: Removed, text: [97], newline: true }] }] } link 100644 120000
              0..0 0..1 "" "+t\\"
        "#]],
    );
}

#[test]
fn other_prefixes_and_none_are_read() {
    check(
        "diff --git i/x w/x\n--- i/x\n+++ w/x\n@@ -1 +1 @@\n-a\n+b\n\
         diff --git y/a b y/a b\n--- y/a b\t\n+++ y/a b\t\n@@ -1 +1 @@\n-a\n+b\n\
         diff --git i/new w/new\nnew file mode 100644\n--- /dev/null\n+++ w/new\n@@ -0,0 +1 @@\n+b\n",
        expect![[r#"
            1 Modify x - -
              0..1 0..1 "" "-a" "+b"
            7 Modify y/a b - -
              0..1 0..1 "" "-a" "+b"
            13 Create new - 100644
              0..0 0..1 "" "+b"
        "#]],
    );
}

#[test]
fn plain_diffs_are_read() {
    check(
        "diff -ru old/x new/x\n--- a/x\t2024-01-01 10:00:00.0 +0000\n+++ b/x\t2024-01-01 10:00:01.0 +0000\n@@ -3,0 +4 @@\n+b\n\
         --- y.orig\n+++ y\n@@ -1 +1 @@\n-a\n+b\n\
         --- z\t1970-01-01 00:00:00.0 +0000\n+++ z\t2024-01-01 10:00:00.0 +0000\n@@ -0,0 +1 @@\n+b\n\
         --- a/w\n+++ /dev/null\n@@ -1,2 +0,0 @@\n--- a\n-++ b\n",
        expect![[r#"
            2 Modify x - -
              3..3 3..4 "" "+b"
            6 Modify y - -
              0..1 0..1 "" "-a" "+b"
            11 Create z - -
              0..0 0..1 "" "+b"
            15 Delete w - -
              0..2 0..0 "" "--- a" "-++ b"
        "#]],
    );
}

#[test]
fn what_a_model_says_around_its_diff_is_left_out() {
    check(
        "Here you are:\n\n```diff\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n```\n\n- It changes `b`.\n+ And so on.\n",
        expect![[r#"
            4 Modify x - -
              0..3 0..3 "" " a" " " "-b" "+c"
        "#]],
    );
}

#[test]
fn carriage_returns_are_of_the_content_and_not_of_headers() {
    check(
        "diff --git a/x b/x\r\nindex 1..2 100644\r\n--- a/x\r\n+++ b/x\r\n@@ -1,2 +1,2 @@\r\n-a\r\n+b\r\n\r\n",
        expect![[r#"
            1 Modify x 100644 -
              0..2 0..2 "" "-a\r" "+b\r" " \r"
        "#]],
    );
}

#[test]
fn a_last_line_without_its_own_end_is_a_line() {
    check(
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b",
        expect![[r#"
        1 Modify x - -
          0..1 0..1 "" "-a" "+b"
    "#]],
    );
}
