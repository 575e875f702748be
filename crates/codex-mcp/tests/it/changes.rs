//! Turns that change files: in a copy, or in place.

use std::fs;

use change_set::{Contents, Entry, Root, Step, apply};
use expect_test::expect;
use rustix::process::{Signal, kill_process};
use serde_json::json;
use testkit::gate::Gate;
use testkit::model::{Reply, patches, reply, runs, says};

use crate::bridge::{Setup, TestBridge, error_code, text};

fn allowed(more: &[&str]) -> Setup {
    let flags = ["--destructive-operations"].iter().chain(more);
    Setup { arguments: flags.map(Into::into).collect(), ..Setup::default() }
}

#[tokio::test]
async fn a_state_directory_behind_a_link_holds_copies_too() {
    let script =
        [patches("*** Begin Patch\n*** Add File: new.txt\n+new\n*** End Patch"), says("Done.")];
    let mut bridge = TestBridge::start(script).await;
    let (real, link) = (bridge.home.root().join("state"), bridge.home.root().join("link"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let arguments = vec!["--state-dir".into(), link.into()];
    bridge.restart_all(Setup { arguments, ..Setup::default() }).await;
    let asked = json!({ "prompt": "Change it.", "changes": "propose" });
    let answer = bridge.call("codex", asked).await;
    assert_eq!(answer["structuredContent"]["patch"]["paths"], json!(["new.txt"]), "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_proposal_leaves_the_users_files_alone() {
    let script = [
        runs(
            "printf 'from the shell\\n' > new.txt && git add -A && git -c user.name=n -c user.email=e@x commit -qm inside && git log --oneline | wc -l",
        ),
        patches(
            "*** Begin Patch\n*** Update File: README.md\n@@\n-hello\n+hello, patched\n*** End Patch",
        ),
        says("Done."),
    ];
    let mut bridge = TestBridge::start(script).await;
    let workspace = bridge.home.workspace().to_owned();
    fs::write(workspace.join("README.md"), "hello\n").unwrap();
    let answer =
        bridge.call("codex", json!({ "prompt": "Change it.", "changes": "propose" })).await;
    expect![[r#"
        Done.

        [thread [thread-1], turn [turn-1]: completed, gpt-5.5 medium, [time], 30 tokens in and 15 out]
        Patch [patch-1]: 2 files, +2 -1. See it with codex.patch.preview.
        diff --git a/README.md b/README.md
        --- a/README.md
        +++ b/README.md
        @@ -1 +1 @@
        -hello
        +hello, patched
        diff --git a/new.txt b/new.txt
        new file mode 100644
        --- /dev/null
        +++ b/new.txt
        @@ -0,0 +1 @@
        +from the shell

        Commands:
        $ printf 'from the shell\\n' > new.txt && git add -A && git -c user.name=n -c user.email=e@x commit -qm inside && git log --oneline | wc -l (exit 0)
        2
        ---
        {
          "artifacts": [
            {
              "kind": "patch",
              "mimeType": "text/x-diff",
              "name": "[patch-1]",
              "uri": "codex://patches/[patch-1]"
            }
          ],
          "commands": [
            {
              "command": "printf 'from the shell\\\\n' > new.txt && git add -A && git -c user.name=n -c user.email=e@x commit -qm inside && git log --oneline | wc -l",
              "cwd": "[workspace]",
              "durationMs": "[time]",
              "exitCode": 0,
              "output": "2\n",
              "status": "completed"
            }
          ],
          "content": "Done.",
          "durationMs": "[time]",
          "effort": "medium",
          "model": "gpt-5.5",
          "patch": {
            "added": 2,
            "diff": "diff --git a/README.md b/README.md\n--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-hello\n+hello, patched\ndiff --git a/new.txt b/new.txt\nnew file mode 100644\n--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+from the shell\n",
            "files": 2,
            "inPlace": false,
            "patchId": "[patch-1]",
            "paths": [
              "README.md",
              "new.txt"
            ],
            "removed": 1
          },
          "status": "completed",
          "threadId": "[thread-1]",
          "turnId": "[turn-1]",
          "usage": {
            "cachedInputTokens": 0,
            "contextWindow": 258400,
            "inputTokens": 30,
            "outputTokens": 15,
            "reasoningOutputTokens": 0,
            "threadTotalTokens": 45
          }
        }
    "#]].assert_eq(&bridge.show(&answer));
    assert_eq!(fs::read_to_string(workspace.join("README.md")).unwrap(), "hello\n");
    assert!(!workspace.join("new.txt").exists());
    bridge.finish().await;
}

/// Where a turn that proposes may write: in its copy and among its own temporary files, and nowhere else.
#[tokio::test]
async fn a_copy_is_all_that_a_proposal_can_write() {
    let probe = "for place in . .git \"$(mktemp -d)\" \"$HOME\" /tmp \"$OLD\"; do \
                 (touch \"$place/probe\") 2>/dev/null && echo yes || echo no; done";
    let script = [runs("pwd"), runs(probe), says("Done.")];
    let mut bridge = TestBridge::start(script).await;
    let probe = json!({ "prompt": "Try.", "changes": "propose" });
    let answer = bridge.call("codex", probe).await;
    let commands = answer["structuredContent"]["commands"].as_array().unwrap().clone();
    let copy = text(&commands[0]["output"]);
    assert!(copy.contains("/codex-mcp/scratch/"), "{copy}");
    expect!["yes yes yes no no no"]
        .assert_eq(&text(&commands[1]["output"]).split_whitespace().collect::<Vec<_>>().join(" "));
    bridge.finish().await;
}

#[tokio::test]
async fn a_thread_goes_on_with_its_proposal_until_it_is_applied() {
    let script = [
        runs("echo one > one.txt"),
        says("One."),
        runs("cat one.txt; echo two > two.txt"),
        says("Two."),
        runs("ls"),
        says("Read."),
        runs("cat one.txt; echo three > three.txt"),
        says("Three."),
    ];
    let mut bridge = TestBridge::start_with(script, allowed(&[])).await;
    let first = bridge.call("codex", json!({ "prompt": "One.", "changes": "propose" })).await;
    let thread = text(&first["structuredContent"]["threadId"]);
    let propose = json!({ "prompt": "Go on.", "threadId": thread, "changes": "propose" });
    let second = bridge.call("codex-reply", propose.clone()).await;
    let patch = &second["structuredContent"]["patch"];
    expect![[r#"["one.txt","two.txt"]"#]].assert_eq(&patch["paths"].to_string());
    let alone = text(&patch["notes"][0]);
    let alone = alone.rsplit(' ').next().unwrap();
    let alone = bridge.call("codex.patch.preview", json!({ "patchId": alone })).await;
    assert_eq!(alone["structuredContent"]["files"][0]["path"], "two.txt");
    // A turn that may change nothing sees the user's files.
    let read = bridge.call("codex-reply", json!({ "prompt": "Look.", "threadId": thread })).await;
    assert_eq!(read["structuredContent"]["commands"][0]["output"], "README.md\n");
    let apply = json!({ "patchId": patch["patchId"] });
    assert_eq!(bridge.call("codex.patch.apply", apply).await["isError"], false);
    fs::write(bridge.home.workspace().join("one.txt"), "edited\n").unwrap();
    // What was applied is not proposed again: the next proposal begins with the files as they are.
    let third = bridge.call("codex-reply", propose).await;
    assert_eq!(third["structuredContent"]["commands"][0]["output"], "edited\n");
    expect![[r#"["three.txt"]"#]]
        .assert_eq(&third["structuredContent"]["patch"]["paths"].to_string());
    bridge.finish().await;
}

#[tokio::test]
async fn a_turn_that_changes_nothing_has_no_patch() {
    let mut bridge = TestBridge::start([says("Nothing to do.")]).await;
    let answer = bridge.call("codex", json!({ "prompt": "Look.", "changes": "propose" })).await;
    assert!(answer["structuredContent"].get("patch").is_none(), "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn changes_in_place_need_a_yes_and_can_be_taken_back() {
    let change = "echo changed > kept.txt; rm gone.txt; echo new > new.txt; (echo x > .git/x) 2>/dev/null || echo no";
    let mut bridge = TestBridge::start_with([runs(change), says("Done.")], Setup::default()).await;
    let workspace = bridge.home.workspace().to_owned();
    fs::write(workspace.join("kept.txt"), "kept\n").unwrap();
    fs::write(workspace.join("gone.txt"), "gone\n").unwrap();
    for words in [json!({ "changes": "direct" }), json!({ "sandbox": "workspace-write" })] {
        let mut arguments = words;
        arguments["prompt"] = json!("Change it.");
        assert_eq!(error_code(&bridge.call("codex", arguments).await), "consent_required");
    }
    let mut person = bridge.beside(Setup { elicits: true, ..Setup::default() }).await;
    let call =
        person.start_call("codex", json!({ "prompt": "Change it.", "changes": "direct" })).await;
    let asked = person.peer.incoming("elicitation/create").await;
    let question = text(&asked["params"]["message"]);
    assert!(question.starts_with("May codex-mcp let Codex change files in /"), "{question}");
    person.peer.respond(&asked["id"], json!({ "action": "accept", "content": {} })).await;
    let answer = person.peer.reply(call).await;
    let data = &answer["result"]["structuredContent"];
    assert_eq!(data["commands"][0]["output"], "no\n", "{data}");
    assert_eq!((&data["patch"]["inPlace"], &data["patch"]["files"]), (&json!(true), &json!(3)));
    assert_eq!(fs::read_to_string(workspace.join("kept.txt")).unwrap(), "changed\n");
    let id = data["patch"]["patchId"].clone();
    let call =
        person.start_call("codex.patch.apply", json!({ "patchId": id, "reverse": true })).await;
    let asked = person.peer.incoming("elicitation/create").await;
    person.peer.respond(&asked["id"], json!({ "action": "accept", "content": {} })).await;
    assert_eq!(person.peer.reply(call).await["result"]["structuredContent"]["action"], "reversed");
    assert_eq!(fs::read_to_string(workspace.join("kept.txt")).unwrap(), "kept\n");
    assert_eq!(fs::read_to_string(workspace.join("gone.txt")).unwrap(), "gone\n");
    assert!(!workspace.join("new.txt").exists());
    person.peer.close_input();
    person.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn without_its_sandbox_codex_works_only_where_two_switches_say_so() {
    let script = [runs("echo free > \"$HOME/free.txt\"; echo in > in.txt"), says("Done.")];
    let mut bridge = TestBridge::start_with(script, allowed(&["--danger-full-access"])).await;
    let arguments = json!({ "prompt": "Go.", "sandbox": "danger-full-access" });
    let answer = bridge.call("codex", arguments).await;
    assert_eq!(answer["structuredContent"]["patch"]["paths"], json!(["in.txt"]), "{answer}");
    assert_eq!(fs::read_to_string(bridge.home.home().join("free.txt")).unwrap(), "free\n");
    bridge.finish().await;
}

/// Kills the engine while a turn works that has made a file: with the thread.
async fn killed(changes: &str, then: Vec<Reply>) -> (TestBridge, String) {
    let gate = Gate::new("the turn goes on");
    let mut script = vec![runs("echo made > made.txt"), reply().holds(&gate)];
    script.extend(then);
    let mut bridge = TestBridge::start_with(script, allowed(&[])).await;
    let call = bridge.begin("codex", json!({ "prompt": "Make it.", "changes": changes })).await;
    gate.reached().await;
    kill_process(bridge.engine(), Signal::KILL).unwrap();
    bridge.result(call).await;
    let threads = bridge.call("codex.thread.list", json!({})).await;
    let thread = text(&threads["structuredContent"]["threads"][0]["threadId"]);
    (bridge, thread)
}

#[tokio::test]
async fn what_a_killed_turn_did_in_place_can_be_taken_back() {
    let (mut bridge, thread) = killed("direct", Vec::new()).await;
    assert!(bridge.home.workspace().join("made.txt").exists());
    let turn = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    let patch = turn["structuredContent"]["patch"]["patchId"].clone();
    let back = json!({ "patchId": patch, "reverse": true });
    assert_eq!(
        bridge.call("codex.patch.apply", back).await["structuredContent"]["action"],
        "reversed"
    );
    assert!(!bridge.home.workspace().join("made.txt").exists());
    bridge.finish().await;
}

#[tokio::test]
async fn what_a_killed_turn_proposed_is_in_the_next_patch() {
    let then = vec![runs("echo more > more.txt"), says("Done.")];
    let (mut bridge, thread) = killed("propose", then).await;
    let more = json!({ "prompt": "Go on.", "threadId": thread, "changes": "propose" });
    let answer = bridge.call("codex-reply", more).await;
    let paths = &answer["structuredContent"]["patch"]["paths"];
    expect![[r#"["made.txt","more.txt"]"#]].assert_eq(&paths.to_string());
    assert!(!bridge.home.workspace().join("made.txt").exists());
    bridge.finish().await;
}

/// An application that was killed half way is ended before anybody works.
#[tokio::test]
async fn a_cut_application_is_taken_back_at_the_next_start() {
    let mut bridge = TestBridge::start([]).await;
    bridge.leave().await;
    let workspace = bridge.home.workspace().to_owned();
    let state = bridge.home.home().join(".local/state/codex-mcp");
    let contents = Contents::new(state.join("contents"));
    fs::write(workspace.join("one.txt"), "1\n").unwrap();
    let root = Root::hold(&workspace).unwrap();
    let entry = |content: &[u8]| Entry {
        mode: patch::Mode::FILE,
        size: content.len() as u64,
        content: contents.put(content).unwrap(),
    };
    let step = |path: &str, before: Option<Entry>| Step {
        path: patch::TreePath::new(path).unwrap(),
        before,
        after: Some(entry(b"2\n")),
    };
    let steps = [step("one.txt", Some(entry(b"1\n"))), step("two.txt", None)];
    let mut count = 0;
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        apply(&root, &state.join("applying"), "a-1", &steps, &contents, &mut || {
            count += 1;
            assert!(count < 6, "killed here");
        })
    }));
    assert!(killed.is_err());
    assert_eq!(
        fs::read_to_string(workspace.join("one.txt")).unwrap(),
        "2\n",
        "half of it is there"
    );
    bridge.come_back(Setup::default()).await;
    assert_eq!(fs::read_to_string(workspace.join("one.txt")).unwrap(), "1\n");
    assert!(!workspace.join("two.txt").exists());
    bridge.finish().await;
}

/// A patch is tried before it is applied: its tests run in the copy, where they pass, and not in the workspace.
#[tokio::test]
async fn tests_run_in_the_copy_of_a_patch() {
    let script = [runs("echo 'exit 0' > check.sh"), says("Fixed."), runs("ls"), says("More.")];
    let setup = Setup {
        arguments: ["--test-command=sh", "--test-command=check.sh", "--destructive-operations"]
            .map(Into::into)
            .to_vec(),
        ..Setup::default()
    };
    let mut bridge = TestBridge::start_with(script, setup).await;
    fs::write(bridge.home.workspace().join("check.sh"), "exit 1\n").unwrap();
    let answer = bridge.call("codex", json!({ "prompt": "Fix it.", "changes": "propose" })).await;
    let patch = answer["structuredContent"]["patch"]["patchId"].clone();
    let here = bridge.call("codex.tests.run", json!({})).await;
    let there = bridge.call("codex.tests.run", json!({ "patchId": patch })).await;
    let status = |answer: &serde_json::Value| text(&answer["structuredContent"]["status"]);
    assert_eq!((&*status(&here), &*status(&there)), ("failed", "passed"), "{here} {there}");
    assert_eq!(there["structuredContent"]["cwd"], here["structuredContent"]["cwd"]);
    let run = bridge.call("codex.tests.run", json!({ "patchId": patch, "background": true })).await;
    let run = json!({ "runId": run["structuredContent"]["runId"] });
    assert_eq!(status(&bridge.call("codex.tests.run", run).await), "passed");
    // Once it is applied there is no copy any more, and no need of one.
    bridge.call("codex.patch.apply", json!({ "patchId": patch })).await;
    assert_eq!(status(&bridge.call("codex.tests.run", json!({})).await), "passed");
    let gone = bridge.call("codex.tests.run", json!({ "patchId": patch })).await;
    assert_eq!(error_code(&gone), "scratch_gone");
    let thread = answer["structuredContent"]["threadId"].clone();
    let review = json!({ "prompt": "Look.", "threadId": thread });
    bridge.call("codex-reply", review).await;
    bridge.finish().await;
}
