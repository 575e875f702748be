//! How a change is shown, and that git takes what is shown.

use expect_test::{Expect, expect};
use patch::{Change, Identities, Mode, RenderOptions, Side, TreePath, hunks, parse, render};
use proptest::prelude::*;

use crate::git::Folder;
use crate::texts::{file, path};

fn link(target: &[u8]) -> Side<'_> {
    Side { mode: Mode::SYMLINK, content: target }
}

fn program(content: &[u8]) -> Side<'_> {
    Side { mode: Mode::EXECUTABLE, content }
}

#[track_caller]
fn check(change: &Change<'_>, expected: Expect) {
    let diff = render(change, &RenderOptions::default());
    let shown = String::from_utf8_lossy(&diff);
    // Without the marks of spaces at the ends of lines, which editors take off.
    expected.assert_eq(&shown.replace("\t\n", "→\n").replace(" \n", "·\n"));
    assert_git_takes(change, &diff);
}

/// Git makes the new side of the old one, bits and links and all.
#[track_caller]
fn assert_git_takes(change: &Change<'_>, diff: &[u8]) {
    if change.is_binary() || diff.is_empty() {
        return;
    }
    let folder = Folder::new();
    let source = match change {
        Change::Renamed { from, .. } => from,
        Change::Added { path, .. }
        | Change::Deleted { path, .. }
        | Change::Modified { path, .. } => path,
    };
    if let Some(before) = change.before() {
        folder.put(source, before);
    }
    assert_eq!(folder.apply(diff), Ok(()));
    let expected = change.after().map(|side| (side.mode.git(), side.content.to_vec()));
    assert_eq!(folder.get(change.path()), expected);
}

#[test]
fn a_change_of_text_is_shown_as_git_does() {
    let before = b"fn f() {\n    1\n    2\n    3\n    4\n    5\n    6\n}\n";
    let after = b"fn f() {\n    1\n    2\n    3\n    4\n    5\n    seven\n}";
    check(
        &Change::Modified { path: &path("src/a b.rs"), before: file(before), after: file(after) },
        expect![[r#"
            diff --git a/src/a b.rs b/src/a b.rs
            --- a/src/a b.rs→
            +++ b/src/a b.rs→
            @@ -4,5 +4,5 @@ fn f() {
                 3
                 4
                 5
            -    6
            -}
            +    seven
            +}
            \ No newline at end of file
        "#]],
    );
}

#[test]
fn files_that_come_go_move_and_turn_are_shown_as_git_does() {
    let (a, b) = (&path("a"), &path("sub/b"));
    check(
        &Change::Added { path: a, after: program(b"x\n") },
        expect![[r#"
        diff --git a/a b/a
        new file mode 100755
        --- /dev/null
        +++ b/a
        @@ -0,0 +1 @@
        +x
    "#]],
    );
    check(
        &Change::Added { path: a, after: file(b"") },
        expect![[r#"
        diff --git a/a b/a
        new file mode 100644
    "#]],
    );
    check(
        &Change::Added { path: a, after: link(b"sub/b") },
        expect![[r#"
        diff --git a/a b/a
        new file mode 120000
        --- /dev/null
        +++ b/a
        @@ -0,0 +1 @@
        +sub/b
        \ No newline at end of file
    "#]],
    );
    check(
        &Change::Deleted { path: b, before: file(b"x") },
        expect![[r#"
        diff --git a/sub/b b/sub/b
        deleted file mode 100644
        --- a/sub/b
        +++ /dev/null
        @@ -1 +0,0 @@
        -x
        \ No newline at end of file
    "#]],
    );
    check(
        &Change::Modified { path: a, before: file(b"x\n"), after: program(b"x\n") },
        expect![[r#"
            diff --git a/a b/a
            old mode 100644
            new mode 100755
        "#]],
    );
    check(
        &Change::Modified { path: a, before: file(b"x\n"), after: program(b"y\n") },
        expect![[r#"
            diff --git a/a b/a
            old mode 100644
            new mode 100755
            --- a/a
            +++ b/a
            @@ -1 +1 @@
            -x
            +y
        "#]],
    );
    check(
        &Change::Modified { path: a, before: file(b"x\n"), after: link(b"sub/b") },
        expect![[r#"
            diff --git a/a b/a
            deleted file mode 100644
            --- a/a
            +++ /dev/null
            @@ -1 +0,0 @@
            -x
            diff --git a/a b/a
            new file mode 120000
            --- /dev/null
            +++ b/a
            @@ -0,0 +1 @@
            +sub/b
            \ No newline at end of file
        "#]],
    );
    check(
        &Change::Renamed {
            from: a,
            to: b,
            similarity: 100,
            before: file(b"x\n"),
            after: file(b"x\n"),
        },
        expect![[r#"
            diff --git a/a b/sub/b
            similarity index 100%
            rename from a
            rename to sub/b
        "#]],
    );
    check(
        &Change::Renamed {
            from: a,
            to: b,
            similarity: 66,
            before: file(b"x\ny\nz\n"),
            after: program(b"x\ny\nw\n"),
        },
        expect![[r#"
            diff --git a/a b/sub/b
            old mode 100644
            new mode 100755
            similarity index 66%
            rename from a
            rename to sub/b
            --- a/a
            +++ b/sub/b
            @@ -1,3 +1,3 @@
             x
             y
            -z
            +w
        "#]],
    );
    check(
        &Change::Modified { path: a, before: file(b"x\0"), after: file(b"y\0") },
        expect![[r#"
            diff --git a/a b/a
            Binary files a/a and b/a differ
        "#]],
    );
    check(&Change::Modified { path: a, before: file(b"x"), after: file(b"x") }, expect![[r#""#]]);
}

#[test]
fn names_that_need_it_are_quoted() {
    let odd = &path("a\tb/\"ä\"");
    check(
        &Change::Modified { path: odd, before: file(b"x\n"), after: file(b"y\n") },
        expect![[r#"
            diff --git "a/a\tb/\"ä\"" "b/a\tb/\"ä\""
            --- "a/a\tb/\"ä\""
            +++ "b/a\tb/\"ä\""
            @@ -1 +1 @@
            -x
            +y
        "#]],
    );
}

#[test]
fn names_that_are_no_utf_8_come_back() {
    let odd = TreePath::new(b"a\xff b").unwrap();
    let diff =
        render(&Change::Added { path: &odd, after: file(b"x\n") }, &RenderOptions::default());
    assert!(std::str::from_utf8(&diff).is_ok());
    assert_eq!(parse(&diff, &patch::Limits::default()).unwrap()[0].path, odd);
}

/// Names that are hard to tell apart in a header.
fn odd_path() -> impl Strategy<Value = TreePath> {
    let name = prop::sample::select(vec![
        "a", "b", " ", "a b", "x ", " x", "b/a", "ä", "\"", "\\", "\t", "\n", "dev/null", "a.orig",
        "'",
    ]);
    prop::collection::vec(name, 1..4).prop_map(|names| path(&names.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_name_comes_back_and_git_finds_it(from in odd_path(), to in odd_path(), how in 0_u8..5) {
        let (before, after) = (file(b"x\ny\nz\n"), file(b"x\nY\nz\n"));
        let change = match how {
            0 => Change::Added { path: &to, after },
            1 => Change::Deleted { path: &to, before },
            2 => Change::Modified { path: &to, before, after },
            3 => Change::Modified { path: &to, before, after: Side { mode: Mode::EXECUTABLE, ..before } },
            _ => Change::Renamed { from: &from, to: &to, similarity: 66, before, after },
        };
        let in_the_other = |one: &TreePath, other: &TreePath| other.components().next() == one.components().next();
        prop_assume!(how < 4 || !in_the_other(&from, &to));
        let diff = render(&change, &RenderOptions::default());
        let read = parse(&diff, &patch::Limits::default()).unwrap();
        prop_assert_eq!(&read[0].path, &to);
        if how == 4 {
            prop_assert_eq!(read[0].source(), Some(&from));
        }
        assert_git_takes(&change, &diff);
    }
}

#[test]
fn identities_are_the_callers() {
    let options = RenderOptions {
        identities: Some(Identities { before: "12", after: "34" }),
        ..RenderOptions::default()
    };
    let path = path("a");
    let shown = |change| String::from_utf8(render(&change, &options)).unwrap();
    let modified =
        shown(Change::Modified { path: &path, before: file(b"x\n"), after: file(b"y\n") });
    assert!(modified.contains("\nindex 12..34 100644\n"), "{modified}");
    let added = shown(Change::Added { path: &path, after: file(b"x\n") });
    assert!(added.contains("\nindex 12..34\n"), "{added}");
}

#[test]
fn the_heading_is_the_last_line_that_begins_like_a_name() {
    let long = format!("fn {}(ä)", "é".repeat(60));
    let before =
        format!("fn one() {{ \n  1\n  2\n  3\n  4\n}}\n{long}\n{{\n  1\n  2\n  3\n  4\n}}\n");
    let after = before.replace("  4", "  5");
    let sections: Vec<_> = hunks(before.as_bytes(), after.as_bytes(), 1)
        .iter()
        .map(|hunk| String::from_utf8(hunk.section.to_vec()).unwrap())
        .collect();
    assert_eq!(sections, ["fn one() {", &format!("fn {}", "é".repeat(38))]);
}

#[test]
fn the_name_of_a_hunk_depends_on_what_it_does_and_where() {
    let id = |before: &str, after: &str, context| {
        hunks(before.as_bytes(), after.as_bytes(), context)[0].id().to_string()
    };
    let one = id("a\nb\nc\n", "a\nB\nc\n", 3);
    assert_eq!(one.len(), 12);
    assert_eq!(one, id("x\nb\ny\n", "x\nB\ny\n", 0), "context says nothing");
    assert_ne!(one, id("a\na\nb\nc\n", "a\na\nB\nc\n", 3), "the place does");
    assert_ne!(one, id("a\nb\nc\n", "a\nB2\nc\n", 3), "what is added does");
    assert_eq!(one.parse::<patch::HunkId>().unwrap().to_string(), one);
    assert!("12345678901g".parse::<patch::HunkId>().is_err());
}
