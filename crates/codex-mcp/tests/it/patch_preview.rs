//! `codex.patch.preview`: a patch whole, and how it fits.

use std::fs;

use expect_test::expect;
use serde_json::json;
use testkit::model::{runs, says};

use crate::bridge::{TestBridge, error_code, text};

#[tokio::test]
async fn a_proposal_is_seen_whole() {
    let script = [
        runs(
            "printf 'one\\nTWO\\nthree\\n' > a.txt; git mv moved.txt elsewhere.txt; rm gone.txt; \
             printf 'echo hi\\n' > run.sh; chmod +x run.sh; printf 'key = AKIAABCDEFGHIJKLMNOP\\n' > .env; \
             printf '\\0\\1' > data.bin",
        ),
        says("Done."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let workspace = bridge.home.workspace().to_owned();
    for (file, content) in [
        ("a.txt", "one\ntwo\nthree\n"),
        ("moved.txt", "it\nstays\nthe\nsame\n"),
        ("gone.txt", "gone\n"),
    ] {
        fs::write(workspace.join(file), content).unwrap();
    }
    bridge.home.git(&["add", "-A"]);
    let answer =
        bridge.call("codex", json!({ "prompt": "Change it.", "changes": "propose" })).await;
    let id = text(&answer["structuredContent"]["patch"]["patchId"]);
    let preview = bridge.call("codex.patch.preview", json!({ "patchId": id })).await;
    expect![[r#"
        Patch [patch-1]: 6 files, +3 -2, in [workspace]. It applies as it is.
        added .env +1 -0
          danger: line 1 adds what looks like a key of Amazon Web Services
        modified a.txt +1 -1
        added data.bin binary
          note: a binary file: what changed cannot be shown
        renamed elsewhere.txt (from moved.txt) +0 -0
        deleted gone.txt +0 -1
        added run.sh +1 -0
          caution: the file becomes executable

        diff --git a/.env b/.env
        new file mode 100644
        --- /dev/null
        +++ b/.env
        @@ -0,0 +1 @@
        +key = AKIAABCDEFGHIJKLMNOP
        diff --git a/a.txt b/a.txt
        --- a/a.txt
        +++ b/a.txt
        @@ -1,3 +1,3 @@
         one
        -two
        +TWO
         three
        diff --git a/data.bin b/data.bin
        new file mode 100644
        Binary files /dev/null and b/data.bin differ
        diff --git a/moved.txt b/elsewhere.txt
        similarity index 100%
        rename from moved.txt
        rename to elsewhere.txt
        diff --git a/gone.txt b/gone.txt
        deleted file mode 100644
        --- a/gone.txt
        +++ /dev/null
        @@ -1 +0,0 @@
        -gone
        diff --git a/run.sh b/run.sh
        new file mode 100755
        --- /dev/null
        +++ b/run.sh
        @@ -0,0 +1 @@
        +echo hi

        ---
        {
          "added": 3,
          "diff": "diff --git a/.env b/.env\nnew file mode 100644\n--- /dev/null\n+++ b/.env\n@@ -0,0 +1 @@\n+key = AKIAABCDEFGHIJKLMNOP\ndiff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\ndiff --git a/data.bin b/data.bin\nnew file mode 100644\nBinary files /dev/null and b/data.bin differ\ndiff --git a/moved.txt b/elsewhere.txt\nsimilarity index 100%\nrename from moved.txt\nrename to elsewhere.txt\ndiff --git a/gone.txt b/gone.txt\ndeleted file mode 100644\n--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\ndiff --git a/run.sh b/run.sh\nnew file mode 100755\n--- /dev/null\n+++ b/run.sh\n@@ -0,0 +1 @@\n+echo hi\n",
          "fileCount": 6,
          "files": [
            {
              "added": 1,
              "fit": "clean",
              "hunks": [
                {
                  "id": "b4cf532dd1d0",
                  "lines": "@@ -0,0 +1 @@"
                }
              ],
              "kind": "added",
              "path": ".env",
              "removed": 0,
              "warnings": [
                {
                  "kind": "secret",
                  "line": 1,
                  "message": "line 1 adds what looks like a key of Amazon Web Services",
                  "severity": "danger"
                }
              ]
            },
            {
              "added": 1,
              "fit": "clean",
              "hunks": [
                {
                  "id": "2627ff634f77",
                  "lines": "@@ -1,3 +1,3 @@"
                }
              ],
              "kind": "modified",
              "path": "a.txt",
              "removed": 1
            },
            {
              "added": 0,
              "binary": true,
              "fit": "clean",
              "kind": "added",
              "path": "data.bin",
              "removed": 0,
              "warnings": [
                {
                  "kind": "binary",
                  "message": "a binary file: what changed cannot be shown",
                  "severity": "note"
                }
              ]
            },
            {
              "added": 0,
              "fit": "clean",
              "from": "moved.txt",
              "kind": "renamed",
              "path": "elsewhere.txt",
              "removed": 0
            },
            {
              "added": 0,
              "fit": "clean",
              "hunks": [
                {
                  "id": "a5e0adbd7cfd",
                  "lines": "@@ -1 +0,0 @@"
                }
              ],
              "kind": "deleted",
              "path": "gone.txt",
              "removed": 1
            },
            {
              "added": 1,
              "fit": "clean",
              "hunks": [
                {
                  "id": "7b22adc0af46",
                  "lines": "@@ -0,0 +1 @@"
                }
              ],
              "kind": "added",
              "path": "run.sh",
              "removed": 0,
              "warnings": [
                {
                  "kind": "executable",
                  "message": "the file becomes executable",
                  "severity": "caution"
                }
              ]
            }
          ],
          "fit": "clean",
          "patchId": "[patch-1]",
          "removed": 2,
          "reversible": false,
          "root": "[workspace]",
          "threadId": "[thread-1]"
        }
    "#]].assert_eq(&bridge.show(&preview));
    let one = json!({ "patchId": id, "paths": ["gone.txt"] });
    let one = bridge.call("codex.patch.preview", one).await;
    expect![[r#"
        diff --git a/gone.txt b/gone.txt
        deleted file mode 100644
        --- a/gone.txt
        +++ /dev/null
        @@ -1 +0,0 @@
        -gone
    "#]]
    .assert_eq(&text(&one["structuredContent"]["diff"]));
    let other = json!({ "patchId": id, "paths": ["nothing.txt"] });
    assert_eq!(error_code(&bridge.call("codex.patch.preview", other).await), "invalid_arguments");
    bridge.finish().await;
}

#[tokio::test]
async fn files_that_moved_on_are_told_one_by_one() {
    let script = [
        runs(
            "for f in a b c d; do printf 'ONE\\n2\\n3\\n4\\n5\\n' > $f.txt; done; echo new > e.txt",
        ),
        says("Done."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let workspace = bridge.home.workspace().to_owned();
    let write = |file: &str, content: &str| fs::write(workspace.join(file), content).unwrap();
    for file in ["a.txt", "b.txt", "c.txt", "d.txt"] {
        write(file, "1\n2\n3\n4\n5\n");
    }
    let answer =
        bridge.call("codex", json!({ "prompt": "Change it.", "changes": "propose" })).await;
    let id = text(&answer["structuredContent"]["patch"]["patchId"]);
    write("b.txt", "1\n2\n3\n4\nFIVE\n");
    write("c.txt", "one\n2\n3\n4\n5\n");
    fs::remove_file(workspace.join("d.txt")).unwrap();
    write("e.txt", "mine\n");
    let preview = bridge.call("codex.patch.preview", json!({ "patchId": id })).await;
    let said = text(&preview["content"][0]["text"]);
    let said = said.split("\n\ndiff --git").next().unwrap();
    expect![[r#"
        Patch [patch-1]: 5 files, +5 -4, in [workspace]. Not all of it can be applied.
        modified a.txt +1 -1
        modified b.txt +1 -1: merges (it has changed, elsewhere in the text)
        modified c.txt +1 -1: conflicts (it has changed in the same lines)
        modified d.txt +1 -1: blocked (it is not there any more)
        added e.txt +1 -0: blocked (another file of this name is there already)

        Conflicts:
        --- c.txt
        <<<<<<< current
        one
        ||||||| base
        1
        =======
        ONE
        >>>>>>> patch
        2
        3
        4
        5
    "#]]
    .assert_eq(&testkit::normalise::Normaliser::for_home(&bridge.home).text(said));
    bridge.finish().await;
}

#[tokio::test]
async fn a_diff_of_ones_own_is_looked_at_in_the_same_way() {
    let mut bridge = TestBridge::start([]).await;
    let workspace = bridge.home.workspace().to_owned();
    fs::write(workspace.join("a.txt"), "zero\none\ntwo\n").unwrap();
    let diff = "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n-one\n+ONE\n two\n";
    let preview = bridge.call("codex.patch.preview", json!({ "diff": diff })).await;
    expect![[r#"
        Patch [patch-1]: 1 file, +1 -1, in [workspace]. It applies as it is.
        modified a.txt +1 -1

        diff --git a/a.txt b/a.txt
        --- a/a.txt
        +++ b/a.txt
        @@ -1,3 +1,3 @@
         zero
        -one
        +ONE
         two

        ---
        {
          "added": 1,
          "diff": "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n zero\n-one\n+ONE\n two\n",
          "fileCount": 1,
          "files": [
            {
              "added": 1,
              "fit": "clean",
              "hunks": [
                {
                  "id": "04529c069f07",
                  "lines": "@@ -1,3 +1,3 @@"
                }
              ],
              "kind": "modified",
              "path": "a.txt",
              "removed": 1
            }
          ],
          "fit": "clean",
          "patchId": "[patch-1]",
          "removed": 1,
          "reversible": false,
          "root": "[workspace]"
        }
    "#]].assert_eq(&bridge.show(&preview));
    for hostile in [
        "--- a/../../.ssh/authorized_keys\n+++ b/../../.ssh/authorized_keys\n@@ -0,0 +1 @@\n+key\n",
        "--- /dev/null\n+++ /etc/passwd\n@@ -0,0 +1 @@\n+root\n",
        "--- /dev/null\n+++ b/.git/hooks/post-checkout\n@@ -0,0 +1 @@\n+evil\n",
        "",
        "hello",
    ] {
        let answer = bridge.call("codex.patch.preview", json!({ "diff": hostile })).await;
        assert_eq!(error_code(&answer), "diff_invalid", "{hostile}: {answer}");
    }
    bridge.finish().await;
}
