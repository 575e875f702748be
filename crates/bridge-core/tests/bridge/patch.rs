//! How a change of Codex's patch tool looks as a diff.

use bridge_core::{ChangeKind, CommandStatus, FileChange, ItemId, Patch};
use expect_test::{Expect, expect};

fn patch(path: &str, kind: ChangeKind, diff: &str) -> Patch {
    let change = FileChange { path: path.to_owned(), kind, diff: diff.to_owned() };
    let (item, status) = (ItemId("p".to_owned()), CommandStatus::Completed);
    Patch { item, changes: vec![change], status }
}

fn check(path: &str, kind: ChangeKind, diff: &str, expected: Expect) {
    expected.assert_eq(&patch(path, kind, diff).unified_diff());
}

#[test]
fn a_file_that_moves_is_two() {
    let moves = ChangeKind::Update { moved_to: Some("/etc/b".to_owned()) };
    assert_eq!(patch("/w/a", moves, "").paths(), ["/w/a", "/etc/b"]);
    assert_eq!(patch("/w/a", ChangeKind::Delete, "").paths(), ["/w/a"]);
}

#[test]
fn a_new_file_is_all_plus() {
    check(
        "/w/a.txt",
        ChangeKind::Add,
        "one\ntwo\n",
        expect![[r#"
            diff --git a/w/a.txt b/w/a.txt
            new file mode 100644
            --- /dev/null
            +++ b/w/a.txt
            @@ -0,0 +1,2 @@
            +one
            +two
        "#]],
    );
}

#[test]
fn an_empty_file_has_no_hunk() {
    check(
        "a",
        ChangeKind::Add,
        "",
        expect![[r#"
            diff --git a/a b/a
            new file mode 100644
            --- /dev/null
            +++ b/a
        "#]],
    );
}

#[test]
fn a_deleted_file_without_an_end_of_line_says_so() {
    check(
        "/w/a.txt",
        ChangeKind::Delete,
        "one",
        expect![[r#"
            diff --git a/w/a.txt b/w/a.txt
            deleted file mode 100644
            --- a/w/a.txt
            +++ /dev/null
            @@ -1,1 +0,0 @@
            -one
            \ No newline at end of file
        "#]],
    );
}

#[test]
fn a_changed_file_keeps_its_hunks() {
    check(
        "/w/a.txt",
        ChangeKind::Update { moved_to: None },
        "@@ -1 +1 @@\n-ü\n+u\n",
        expect![[r#"
            diff --git a/w/a.txt b/w/a.txt
            --- a/w/a.txt
            +++ b/w/a.txt
            @@ -1 +1 @@
            -ü
            +u
        "#]],
    );
}

#[test]
fn a_file_that_only_moves_has_no_hunk() {
    check(
        "/w/a.txt",
        ChangeKind::Update { moved_to: Some("/w/b.txt".to_owned()) },
        "",
        expect![[r#"
            diff --git a/w/a.txt b/w/b.txt
            rename from w/a.txt
            rename to w/b.txt
        "#]],
    );
}
