//! Diffs that must be refused, and what is said of them. Nothing that is read panics.

use patch::{FilePatch, Limits, parse};
use proptest::prelude::*;

use crate::texts::{diff, file, text};

/// A diff and why it is refused.
const REFUSED: &[[&str; 2]] = &[
    [
        "",
        "line 0: there is no diff here; a file's diff begins with `diff --git a/name b/name`, or with `--- a/name` and \
         `+++ b/name`",
    ],
    [
        "*** Begin Patch\n*** Update File: a.rs\n@@\n-a\n+b\n*** End Patch\n",
        "line 0: this is an `apply_patch` text, not a diff; write a unified diff with `--- a/name`, `+++ b/name` and \
         `@@` lines",
    ],
    [
        "@@ -1 +1 @@\n-a\n+b\n",
        "line 1: there is a hunk before any file is named; write `--- a/name` and `+++ b/name` above it",
    ],
    // Paths.
    [
        "--- a/../../.ssh/authorized_keys\n+++ b/../../.ssh/authorized_keys\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: the path `../../.ssh/authorized_keys` is refused: the path has `.` or `..` in it; name a file inside \
         the workspace",
    ],
    [
        "--- /dev/null\n+++ /etc/passwd\n@@ -0,0 +1 @@\n+a\n",
        "line 1: the path `/etc/passwd` is refused: the path is absolute; name a file inside the workspace",
    ],
    [
        "Hello.\n\ndiff --git a/.git/hooks/x b/.git/hooks/x\nnew file mode 100755\n--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+a\n",
        "line 3: the path `.git/hooks/x` is refused: the path leads into a repository's own `.git`; name a file \
         inside the workspace",
    ],
    [
        "diff --git a/a b/sub/.GIT/config\nsimilarity index 100%\nrename from a\nrename to sub/.GIT/config\n",
        "line 1: the path `sub/.GIT/config` is refused: the path leads into a repository's own `.git`; name a file \
         inside the workspace",
    ],
    [
        "diff --git a/x b/y\nsimilarity index 100%\ncopy from ../x\ncopy to y\n",
        "line 1: the path `../x` is refused: the path has `.` or `..` in it; name a file inside the workspace",
    ],
    [
        "--- \"a/\\056\\056/x\"\n+++ \"b/\\056\\056/x\"\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: the path `../x` is refused: the path has `.` or `..` in it; name a file inside the workspace",
    ],
    [
        "--- \"a/x\\q\"\n+++ \"b/x\\q\"\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: the name in `\"a/x\\q\"` is not well quoted; write it without quotation marks or escape it as git does",
    ],
    [
        "--- a/\n+++ b/\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: the path `` is refused: the path, or a part of it between two slashes, is empty; name a file inside \
         the workspace",
    ],
    // Headers.
    [
        "--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: the header names both `x` and `y`; name one file, or use `diff --git` with `rename from` and `rename to`",
    ],
    [
        "diff --git a/x b/x\n--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: the header names both `b/y` and `b/x`; name one file, or use `diff --git` with `rename from` and \
         `rename to`",
    ],
    [
        "diff --git a/x b/y\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: `a/x b/y` does not name one file; add `--- a/name` and `+++ b/name`, or `rename from` and `rename to`",
    ],
    [
        "diff --git a/x b/y\nrename from x\n",
        "line 1: `a/x b/y` does not name one file; add `--- a/name` and `+++ b/name`, or `rename from` and `rename to`",
    ],
    [
        "--- /dev/null\n+++ /dev/null\n",
        "line 1: `/dev/null` does not name one file; add `--- a/name` and `+++ b/name`, or `rename from` and `rename to`",
    ],
    [
        "--- a/x\n+++ b/x\n",
        "line 1: nothing follows the header of `x`; it has no hunk and no change of mode or name",
    ],
    [
        "diff --git a/x b/x\nnew file mode 100644\ndeleted file mode 100644\n",
        "line 1: the header says that the file is new and that it is deleted; only one of them can be",
    ],
    [
        "diff --git a/x b/y\nnew file mode 100644\nrename from x\nrename to y\n",
        "line 1: the header says that the file has another name and that it is new or goes; only one of them can be",
    ],
    [
        "diff --git a/x b/x\nold mode 100644\nnew mode 120000\n",
        "line 1: the header says that a file becomes a link or a link a file and that it is changed; only one of them \
         can be",
    ],
    [
        "diff --git a/x b/x\nold mode 100644\nnew mode 104755 \n",
        "line 3: `104755 ` is no mode of a file; 100644, 100755 and 120000 are",
    ],
    [
        "diff --git a/lib b/lib\nindex 1234567..89abcde 160000\n--- a/lib\n+++ b/lib\n@@ -1 +1 @@\n-a\n+b\n",
        "line 2: this changes a submodule (mode 160000), which has no text; update the submodule with git",
    ],
    [
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- a/x\n+++ b/x\n@@ -9 +9 @@\n-c\n+d\n",
        "line 6: `x` is changed a second time (first in line 1); put all its hunks under one header",
    ],
    [
        "diff --git a/x b/y\nrename from x\nrename to y\ndiff --git a/x b/z\nrename from x\nrename to z\n",
        "line 4: `x` is changed a second time (first in line 1); put all its hunks under one header",
    ],
    // Hunks.
    [
        "--- a/x\n+++ b/x\n@@ ... @@\n-a\n+b\n",
        "line 3: `@@ ... @@` is no header of a hunk; write `@@ -start,lines +start,lines @@` with numbers",
    ],
    [
        "--- a/x\n+++ b/x\n@@ -1,99999999999999999999 +1 @@\n-a\n+b\n",
        "line 3: `@@ -1,99999999999999999999 +1 @@` is no header of a hunk; write `@@ -start,lines +start,lines @@` \
         with numbers",
    ],
    [
        "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n",
        "line 7: the hunk of line 3 says 3 old and 3 new lines and is 1 old and 1 new short here, at `the end of the \
         diff`; correct the numbers, and begin every line with a space, `-` or `+`",
    ],
    [
        "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+c\nd\n",
        "line 7: the hunk of line 3 says 3 old and 3 new lines and is 1 old and 1 new short here, at `d`; correct the \
         numbers, and begin every line with a space, `-` or `+`",
    ],
    [
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n d\n",
        "line 7: the hunk of line 3 says 2 old and 2 new lines and goes on with ` d`; correct the numbers",
    ],
    [
        "--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-b\n-c\n+c\n",
        "line 5: the hunk of line 3 says 1 old and 2 new lines and goes on with `-c`; correct the numbers",
    ],
    [
        "--- a/x\n+++ b/x\n@@ -9 +9 @@\n-a\n+b\n@@ -3 +3 @@\n-a\n+b\n",
        "line 6: the hunk starts at line 3 of the file, before the one above ends (9); put hunks in order",
    ],
    [
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n\\ No newline at end of file\n+b\n c\n",
        "line 5: `\\ No newline at end of file` stands before the end; only the last line of a file is without one",
    ],
    [
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n@@ -5 +5 @@\n-a\n+b\n",
        "line 7: `\\ No newline at end of file` stands before the end; only the last line of a file is without one",
    ],
    [
        "--- /dev/null\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: the header says that the file is new, and the hunk has lines of an old one",
    ],
    [
        "--- a/x\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n",
        "line 1: the header says that the file is deleted, and the hunk has lines of a new one",
    ],
    [
        "diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1,1 -1,1 +1,1 @@@\n++a\n",
        "line 1: this is a combined diff of a merge, which cannot be applied; make one against one parent",
    ],
    // Binary files.
    [
        "diff --git a/x.png b/x.png\nindex 1234567..89abcde 100644\nBinary files a/x.png and b/x.png differ\n",
        "line 3: `x.png` is binary and the diff does not have its content; leave the file out, or write the file itself",
    ],
    [
        "Only in b: y\nBinary files a/x.png and b/x.png differ\n",
        "line 2: `a/x.png and b/x.png` is binary and the diff does not have its content; leave the file out, or write \
         the file itself",
    ],
    [
        "diff --git a/x.png b/x.png\nindex 1234567..89abcde 100644\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n",
        "line 3: `x.png` is in git's binary form, which is not read here; leave the file out, or use `git apply` for it",
    ],
];

#[test]
fn what_cannot_be_trusted_is_refused_with_its_line() {
    for [diff, said] in REFUSED {
        let error = parse(diff.as_bytes(), &Limits::default()).expect_err(diff);
        assert_eq!(error.to_string(), *said, "{diff}");
    }
}

#[test]
fn the_same_with_carriage_returns_is_refused_in_the_same_line() {
    for [diff, said] in REFUSED {
        let diff = diff.replace('\n', "\r\n");
        let error = parse(diff.as_bytes(), &Limits::default()).expect_err(&diff);
        assert_eq!(error.to_string(), *said, "{diff}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let one = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n@@ -5 +5 @@\n-a\n+b\n";
    let diff = [one, &one.replace("/x", "/y")].concat();
    let most = Limits { bytes: diff.len(), files: 2, hunks: 4 };
    let refused = |limits| {
        parse(diff.as_bytes(), &limits).map(|files| files.len()).map_err(|error| error.to_string())
    };
    assert_eq!(refused(most), Ok(2));
    let said = |text: &str| Err(text.to_owned());
    assert_eq!(
        refused(Limits { bytes: 103, ..most }),
        said("line 0: the diff has 104 bytes and at most 103 are taken; send it in parts")
    );
    assert_eq!(
        refused(Limits { files: 1, ..most }),
        said("line 9: the diff has more than 1 files; send it in parts")
    );
    assert_eq!(
        refused(Limits { hunks: 3, ..most }),
        said("line 14: the diff has more than 3 hunks; send it in parts")
    );
}

/// Whatever was read can be placed on anything without a panic.
fn read(text: &[u8], current: &[u8]) {
    for file in parse(text, &Limits::default()).unwrap_or_default() {
        place(&file, current);
    }
}

fn place(patch: &FilePatch<'_>, current: &[u8]) {
    drop(patch.place(|_| Some(file(current))));
    drop(patch.place(|_| None));
    drop(patch.place(|path| (Some(path) == patch.source()).then(|| file(current))));
}

/// Pieces of diffs, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "diff --git a/x b/x\n",
        "diff --git \"a/\\303\\244\" b/x y\n",
        "--- a/x\n+++ b/x\n",
        "--- /dev/null\n",
        "+++ b/y\n",
        "--- x\t1970-01-01 00:00:00 +0000\n",
        "new file mode 100644\n",
        "deleted file mode 120000\n",
        "old mode 100644\n",
        "new mode 100755\n",
        "rename from x\n",
        "rename to z\n",
        "copy from x\n",
        "copy to z\n",
        "index 1..2 100644\n",
        "@@ -1 +1 @@\n",
        "@@ -0,0 +1,2 @@\n",
        "@@ -1,2 +1,0 @@ f\n",
        "@@ -2,0 +3 @@\n",
        " a\n",
        "-a\n",
        "+a\n",
        "+b\r\n",
        "\n",
        "\\ No newline at end of file\n",
        "-- \n",
        "```\n",
        "+a",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200), current in text()) {
        read(&bytes, &current);
    }

    #[test]
    fn any_pieces_are_read(pieces in pieces(), current in text()) {
        read(pieces.as_bytes(), &current);
    }

    #[test]
    fn broken_diffs_are_read(
        before in text(),
        after in text(),
        current in text(),
        breaks in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..4),
    ) {
        let mut diff = diff(Some(&before), Some(&after), 2);
        for (at, byte, how) in breaks {
            if diff.is_empty() {
                break;
            }
            let at = at.index(diff.len());
            match how {
                0 => diff[at] = byte,
                1 => diff.truncate(at),
                _ => drop(diff.remove(at)),
            }
        }
        read(&diff, &current);
    }
}
