//! `codex.patch.apply`: whole, by file, by hunk, and taken back.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use expect_test::expect;
use serde_json::{Value, json};
use testkit::model::{Reply, runs, says};

use crate::bridge::{Setup, TestBridge, error_code, text};

/// All files of a folder, `.git` and everything else included, with their modes.
fn files(at: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![at.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let at_path = fs::symlink_metadata(&path).unwrap();
            if at_path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(at).unwrap().to_str().unwrap().to_owned();
            let content = match at_path.is_symlink() {
                true => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
                false => fs::read(&path).unwrap(),
            };
            found.insert(name, (at_path.permissions().mode(), content));
        }
    }
    found
}

fn allowed() -> Setup {
    Setup { arguments: vec!["--destructive-operations".into()], ..Setup::default() }
}

/// A bridge whose Codex proposes what a command does: with the patch's name.
async fn proposal(command: &str, setup: Setup, before: &[(&str, &str)]) -> (TestBridge, String) {
    let script: [Reply; 2] = [runs(command), says("Done.")];
    let mut bridge = TestBridge::start_with(script, setup).await;
    for (file, content) in before {
        let path = bridge.home.workspace().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let answer =
        bridge.call("codex", json!({ "prompt": "Change it.", "changes": "propose" })).await;
    let id = text(&answer["structuredContent"]["patch"]["patchId"]);
    (bridge, id)
}

async fn apply(bridge: &mut TestBridge, arguments: Value) -> Value {
    bridge.call("codex.patch.apply", arguments).await
}

fn action(answer: &Value) -> String {
    assert_eq!(answer["isError"], false, "{answer}");
    text(&answer["structuredContent"]["action"])
}

#[tokio::test]
async fn a_patch_is_applied_and_taken_back_byte_for_byte() {
    let command = "printf 'TWO\\r\\n' > a.txt; rm b.txt; mkdir -p c/d; printf 'no newline' > c/d/new; chmod 755 run; \
                   ln -s a.txt link; git add -A";
    let before = [("a.txt", "one\n"), ("b.txt", "two\n"), ("run", "#!/bin/sh\n")];
    let (mut bridge, id) = proposal(command, allowed(), &before).await;
    let workspace = bridge.home.workspace().to_owned();
    let start = files(&workspace);
    let answer = apply(&mut bridge, json!({ "patchId": id })).await;
    expect![[r#"
        Patch [patch-1] is applied to 5 files in [workspace].
        written a.txt
        deleted b.txt
        written c/d/new
        written link
        written run
        It can be taken back with `reverse: true`.
        ---
        {
          "action": "applied",
          "files": [
            {
              "action": "written",
              "path": "a.txt"
            },
            {
              "action": "deleted",
              "path": "b.txt"
            },
            {
              "action": "written",
              "path": "c/d/new"
            },
            {
              "action": "written",
              "path": "link"
            },
            {
              "action": "written",
              "path": "run"
            }
          ],
          "patchId": "[patch-1]",
          "reversible": true,
          "root": "[workspace]"
        }
    "#]]
    .assert_eq(&bridge.show(&answer));
    let applied = files(&workspace);
    assert_eq!(applied["a.txt"].1, b"TWO\r\n");
    assert_eq!(applied["c/d/new"].1, b"no newline");
    assert_eq!(applied["run"].0 & 0o777, 0o755);
    assert_eq!(applied["link"].1, b"a.txt");
    assert!(!applied.contains_key("b.txt"));
    assert_eq!(applied[".git/index"], start[".git/index"], "the index stays as it is");
    assert_eq!(action(&apply(&mut bridge, json!({ "patchId": id })).await), "nothing");
    let back = apply(&mut bridge, json!({ "patchId": id, "reverse": true })).await;
    assert_eq!(action(&back), "reversed");
    assert_eq!(files(&workspace), start);
    assert!(!workspace.join("c").exists(), "no empty folder is left");
    let again = apply(&mut bridge, json!({ "patchId": id, "reverse": true })).await;
    assert_eq!(error_code(&again), "patch_not_applied");
    bridge.finish().await;
}

#[tokio::test]
async fn files_and_hunks_are_chosen() {
    let command = "sed -i -e 's/^2$/TWO/' -e 's/^19$/NINETEEN/' a.txt; echo b > b.txt";
    let lines: String = (1..=20).map(|line| format!("{line}\n")).collect();
    let (mut bridge, id) = proposal(command, allowed(), &[("a.txt", &lines)]).await;
    let workspace = bridge.home.workspace().to_owned();
    let preview = bridge.call("codex.patch.preview", json!({ "patchId": id })).await;
    let hunks = &preview["structuredContent"]["files"][0]["hunks"];
    assert_eq!(hunks.as_array().map(Vec::len), Some(2), "{preview}");
    let second = text(&hunks[1]["id"]);
    assert_eq!(
        action(&apply(&mut bridge, json!({ "patchId": id, "hunks": [second] })).await),
        "applied"
    );
    assert_eq!(
        fs::read_to_string(workspace.join("a.txt")).unwrap(),
        lines.replace("19\n", "NINETEEN\n")
    );
    assert!(!workspace.join("b.txt").exists());
    assert_eq!(
        action(&apply(&mut bridge, json!({ "patchId": id, "paths": ["b.txt"] })).await),
        "applied"
    );
    // The rest of the first file joins what is there already.
    let rest = json!({ "patchId": id, "threeWay": true });
    assert_eq!(action(&apply(&mut bridge, rest).await), "applied");
    let whole = lines.replace("19\n", "NINETEEN\n").replacen("2\n", "TWO\n", 1);
    assert_eq!(fs::read_to_string(workspace.join("a.txt")).unwrap(), whole);
    for wrong in [json!(["nothing"]), json!(["0123456789ab"])] {
        let answer = apply(&mut bridge, json!({ "patchId": id, "hunks": wrong })).await;
        assert_eq!(error_code(&answer), "invalid_arguments");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn what_is_taken_back_by_file_leaves_the_rest_to_be_taken_back() {
    let before = [("a.txt", "a\n"), ("b.txt", "b\n"), ("c.txt", "c\n")];
    let command = "for x in a b c; do echo more >> $x.txt; done";
    let (mut bridge, id) = proposal(command, allowed(), &before).await;
    let workspace = bridge.home.workspace().to_owned();
    let start = files(&workspace);
    assert_eq!(action(&apply(&mut bridge, json!({ "patchId": id })).await), "applied");
    let mut back = json!({ "patchId": id, "reverse": true, "paths": ["b.txt"] });
    let answer = apply(&mut bridge, back.clone()).await;
    assert_eq!(action(&answer), "reversed");
    assert_eq!(answer["structuredContent"]["reversible"], true, "{answer}");
    assert_eq!(fs::read_to_string(workspace.join("b.txt")).unwrap(), "b\n");
    assert_eq!(fs::read_to_string(workspace.join("a.txt")).unwrap(), "a\nmore\n");
    // It is not there a second time.
    assert_eq!(error_code(&apply(&mut bridge, back.clone()).await), "invalid_arguments");
    back["paths"] = json!(["a.txt", "c.txt"]);
    let answer = apply(&mut bridge, back.clone()).await;
    assert_eq!(action(&answer), "reversed");
    assert_eq!(answer["structuredContent"]["reversible"], false, "{answer}");
    assert!(files(&workspace) == start, "not byte for byte as before");
    back.as_object_mut().unwrap().remove("paths");
    assert_eq!(error_code(&apply(&mut bridge, back).await), "patch_not_applied");
    bridge.finish().await;
}

/// How many scratch workspaces there are.
async fn scratches(bridge: &mut TestBridge) -> Value {
    let health = bridge.call("codex.health", json!({})).await;
    health["structuredContent"]["engine"]["scratchWorkspaces"].clone()
}

#[tokio::test]
async fn a_moved_file_that_is_applied_leaves_no_scratch() {
    let before = [("a.txt", "one\ntwo\nthree\n")];
    let (mut bridge, id) = proposal("mv a.txt b.txt", allowed(), &before).await;
    assert_eq!(scratches(&mut bridge).await, 1);
    assert_eq!(action(&apply(&mut bridge, json!({ "patchId": id })).await), "applied");
    assert_eq!(scratches(&mut bridge).await, 0);
    bridge.finish().await;
}

#[tokio::test]
async fn an_older_patch_that_is_applied_leaves_the_scratch_of_a_newer_one() {
    let script =
        [runs("echo one > one.txt"), says("Done."), runs("echo two > two.txt"), says("Done too.")];
    let mut bridge = TestBridge::start_with(script, allowed()).await;
    let asked = json!({ "prompt": "Change it.", "changes": "propose" });
    let first = bridge.call("codex", asked).await["structuredContent"].take();
    let asked = json!({ "prompt": "Go on.", "changes": "propose", "threadId": first["threadId"] });
    let second = bridge.call("codex-reply", asked).await["structuredContent"].take();
    let older = json!({ "patchId": first["patch"]["patchId"] });
    assert_eq!(action(&apply(&mut bridge, older).await), "applied");
    assert_eq!(scratches(&mut bridge).await, 1, "the second file is only there");
    let newer = json!({ "patchId": second["patch"]["patchId"] });
    assert_eq!(action(&apply(&mut bridge, newer).await), "applied");
    assert_eq!(scratches(&mut bridge).await, 0);
    bridge.finish().await;
}

#[tokio::test]
async fn what_does_not_fit_changes_nothing() {
    let command = "echo A > a.txt; echo B > b.txt";
    let (mut bridge, id) =
        proposal(command, allowed(), &[("a.txt", "a\n"), ("b.txt", "b\n")]).await;
    let workspace = bridge.home.workspace().to_owned();
    fs::write(workspace.join("b.txt"), "mine\n").unwrap();
    let before = files(&workspace);
    for three_way in [false, true] {
        let answer = apply(&mut bridge, json!({ "patchId": id, "threeWay": three_way })).await;
        assert_eq!(error_code(&answer), "patch_conflicts");
    }
    assert_eq!(files(&workspace), before);
    // The other file can be had, and what is taken back must be what was applied.
    assert_eq!(
        action(&apply(&mut bridge, json!({ "patchId": id, "paths": ["a.txt"] })).await),
        "applied"
    );
    fs::write(workspace.join("a.txt"), "edited since\n").unwrap();
    let back = apply(&mut bridge, json!({ "patchId": id, "reverse": true })).await;
    assert_eq!(error_code(&back), "patch_conflicts");
    assert_eq!(fs::read_to_string(workspace.join("a.txt")).unwrap(), "edited since\n");
    bridge.finish().await;
}

#[tokio::test]
async fn the_user_is_asked_and_silence_is_a_no() {
    let (mut bridge, id) = proposal("echo A > a.txt", Setup::default(), &[]).await;
    let answer = apply(&mut bridge, json!({ "patchId": id })).await;
    assert_eq!(error_code(&answer), "consent_required");
    assert!(!bridge.home.workspace().join("a.txt").exists());
    let mut other = bridge.beside(Setup { elicits: true, ..Setup::default() }).await;
    for (action, done) in [("decline", false), ("accept", true)] {
        let call = other.start_call("codex.patch.apply", json!({ "patchId": id })).await;
        let asked = other.peer.incoming("elicitation/create").await;
        let question = text(&asked["params"]["message"]);
        assert!(question.contains("to 1 file in"), "{question}");
        other.peer.respond(&asked["id"], json!({ "action": action, "content": {} })).await;
        other.peer.reply(call).await;
        assert_eq!(bridge.home.workspace().join("a.txt").exists(), done);
    }
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_patch_outlives_the_server() {
    let (mut bridge, id) = proposal("echo A > a.txt", allowed(), &[]).await;
    bridge.restart_all(allowed()).await;
    assert_eq!(action(&apply(&mut bridge, json!({ "patchId": id })).await), "applied");
    bridge.restart_all(allowed()).await;
    let back = json!({ "patchId": id, "reverse": true });
    assert_eq!(action(&apply(&mut bridge, back).await), "reversed");
    assert!(!bridge.home.workspace().join("a.txt").exists());
    bridge.finish().await;
}

#[tokio::test]
async fn the_index_is_written_only_when_that_is_asked_for() {
    let command = "echo A > a.txt; git rm -q README.md; echo big > b.bin";
    let (mut bridge, id) = proposal(command, allowed(), &[]).await;
    let staged = |bridge: &TestBridge| bridge.home.git(&["diff", "--cached", "--name-status"]);
    apply(&mut bridge, json!({ "patchId": id })).await;
    assert_eq!(staged(&bridge), "");
    apply(&mut bridge, json!({ "patchId": id, "reverse": true })).await;
    let answer = apply(&mut bridge, json!({ "patchId": id, "stage": true })).await;
    assert_eq!(action(&answer), "applied");
    expect![[r#"
        D	README.md
        A	a.txt
        A	b.bin
    "#]]
    .assert_eq(&staged(&bridge));
    // No filter runs here that a repository names; the files are applied all the same.
    apply(&mut bridge, json!({ "patchId": id, "reverse": true, "stage": true })).await;
    assert_eq!(staged(&bridge), "");
    let workspace = bridge.home.workspace().to_owned();
    fs::write(workspace.join(".gitattributes"), "*.bin filter=evil\n").unwrap();
    bridge.home.git(&["config", "filter.evil.clean", "touch pwned"]);
    let answer = apply(&mut bridge, json!({ "patchId": id, "stage": true })).await;
    let warning = text(&answer["structuredContent"]["warnings"][0]);
    assert!(warning.contains("filter evil"), "{warning}");
    assert!(!workspace.join("pwned").exists() && workspace.join("b.bin").exists());
    bridge.finish().await;
}
