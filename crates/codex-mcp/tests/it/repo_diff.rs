//! `codex.repo.diff`: states against each other, pages, and names that are no plain text.

use std::fmt::Write as _;
use std::fs;

use expect_test::expect_file;
use serde_json::{Value, json};

use crate::bridge::{Setup, TestBridge, text};
use crate::repository::{bridge, bridge_with, make, run, told, traces};

/// Three commits, a branch beside them, and something in the index and in the working tree.
const START: &str = "git init -q; seq 1 30 >a; echo b >b; git add .; git commit -qm 1; git tag one; \
    git mv b c; echo x >>a; git commit -qam 2; git checkout -qb side one; echo s >s; git add s; git commit -qm s; \
    git checkout -q main; git branch -- -x 2>/dev/null || git update-ref refs/heads/-x HEAD; \
    sed -i 's/^5$/five/' a; git add a; sed -i 's/^25$/25+/' a; printf 'no end' >new; chmod +x new";

/// Calls by their arguments.
const CALLS: &[&str] = &[
    r#"{}"#,
    r#"{"stat": true}"#,
    r#"{"untracked": false, "context": 0}"#,
    r#"{"from": "index"}"#,
    r#"{"to": "index"}"#,
    r#"{"from": "worktree", "to": "index"}"#,
    r#"{"from": "worktree", "to": "HEAD", "stat": true}"#,
    r#"{"from": "one", "to": "HEAD"}"#,
    r#"{"from": "one..main", "stat": true}"#,
    r#"{"from": "side...main", "stat": true}"#,
    r#"{"from": "main...side", "stat": true}"#,
    r#"{"from": "side..", "stat": true}"#,
    r#"{"from": "one", "stat": true}"#,
    r#"{"from": "-x", "stat": true}"#,
    r#"{"paths": ["new"]}"#,
    r#"{"paths": ["c", "nowhere"]}"#,
    r#"{"from": "nowhere"}"#,
    r#"{"from": "--output=pwned"}"#,
    r#"{"from": "HEAD:a"}"#,
    r#"{"from": "one..main", "to": "index"}"#,
    r#"{"to": ""}"#,
    r#"{"from": "worktree"}"#,
    r#"{"paths": ["../.."]}"#,
    r#"{"context": 1001}"#,
];

#[tokio::test]
async fn states_are_compared() {
    let mut bridge = bridge().await;
    make(&bridge.home, "r", START);
    let before = traces(&bridge.home.workspace());
    let mut report = String::new();
    for call in CALLS {
        let mut arguments: Value = serde_json::from_str(call).unwrap();
        arguments["cwd"] = json!("r");
        let said = told(&mut bridge, "codex.repo.diff", arguments).await;
        writeln!(report, "# {call}\n{said}").unwrap();
    }
    expect_file!["repo_diff/calls.txt"].assert_eq(&report);
    assert_eq!(traces(&bridge.home.workspace()), before, "something was written");
    bridge.finish().await;
}

/// A repository by its name, and how it is made.
const STATES: &[(&str, &str)] = &[
    ("unborn", "git init -q; echo x >staged; git add .; echo y >new"),
    (
        "conflict",
        "git init -q; echo 1 >a; git add .; git commit -qm 1; git checkout -qb o; echo 2 >a; git commit -qam 2; \
        git checkout -q main; echo 3 >a; git commit -qam 3; git merge o || true",
    ),
    (
        "binary",
        "git init -q; printf '\\0' >b; git add .; git commit -qm 1; printf '\\0\\1' >b; printf '\\0' >new",
    ),
    (
        "bytes",
        "git init -q; printf 'caf\\351\\n' >l; git add .; git commit -qm 1; printf 'th\\351\\n' >l",
    ),
    (
        "names",
        "git init -q; git commit -qm 1 --allow-empty; echo x >\"$(printf 'a\\nb')\"; echo x >'a b'; echo x >-x; \
        echo x >\"$(printf 'u\\377')\"; git add .; git commit -qm 2; for f in *; do echo y >\"./$f\"; done",
    ),
    (
        "new names",
        "git init -q; git commit -qm 1 --allow-empty; echo x >\"$(printf 'a\\nb')\"; echo x >'a b'; echo x >-x; \
        echo x >\"$(printf 'u\\377')\"",
    ),
    (
        "links and others",
        "git init -q; git commit -qm 1 --allow-empty; ln -s /etc/passwd link; mkfifo pipe; touch empty; \
        git init -q inner; head -c 300000 /dev/zero | tr '\\0' 'x' >large",
    ),
    (
        "modes",
        "git init -q; echo x >a; echo x >b; git add .; git commit -qm 1; chmod +x a; rm b; ln -s a b",
    ),
    (
        "only touched",
        "git init -q; echo x >a; git add .; git commit -qm 1; touch -d '1 hour ago' a",
    ),
    (
        "carriage returns",
        "git init -q; printf 'a\\r\\nb\\r\\n' >a; git add .; git commit -qm 1; printf 'a\\r\\nc\\r\\n' >a",
    ),
    (
        "wishes",
        "git init -q; echo x >a; git add .; git commit -qm 1; echo y >a; git config diff.noprefix true; \
        git config color.ui always; git config diff.mnemonicPrefix true; git config diff.context 0",
    ),
];

#[tokio::test]
async fn every_state_is_told() {
    let mut bridge = bridge().await;
    let mut report = String::new();
    for (name, script) in STATES {
        make(&bridge.home, name, script);
        let said = told(&mut bridge, "codex.repo.diff", json!({ "cwd": name })).await;
        writeln!(report, "# {name}\n{said}").unwrap();
    }
    expect_file!["repo_diff/states.txt"].assert_eq(&report);
    bridge.finish().await;
}

/// The diff of everything, untracked files included, gives the very tree when it is applied.
#[tokio::test]
async fn a_diff_applies() {
    let mut bridge = bridge().await;
    let folder = make(
        &bridge.home,
        "r",
        &format!("{START}\necho 'in it' >'a new name'; mkdir d; printf 'x\\r\\n' >d/x"),
    );
    let answer = bridge.call("codex.repo.diff", json!({ "cwd": "r" })).await;
    fs::write(folder.join("../patch"), text(&answer["structuredContent"]["diff"])).unwrap();
    let apply = "git clone -q r copy; cd copy; git apply ../patch; cd ..; \
        diff -r --exclude=.git r copy; test -x copy/new";
    run(&bridge.home, &bridge.home.workspace(), apply);
    bridge.finish().await;
}

#[tokio::test]
async fn a_long_diff_comes_in_pages() {
    let arguments = vec!["--result-page-chars=8000".into()];
    let mut bridge = bridge_with(Setup { arguments, ..Setup::default() }).await;
    let script = "git init -q; git commit -qm 1 --allow-empty; \
        for i in $(seq 100 400); do seq $i $((i + 20)) >file$i; done; git add .";
    let folder = make(&bridge.home, "r", script);
    let answer = bridge.call("codex.repo.diff", json!({ "cwd": "r" })).await;
    let page = &answer["structuredContent"];
    assert_eq!((&page["fileCount"], &page["added"]), (&json!(301), &json!(301 * 21)));
    let files = page["files"].as_array().unwrap();
    let listed = files.iter().map(|file| file.to_string() + "\n").collect::<String>();
    let more = page["more"].as_array().unwrap();
    let fields: Vec<_> = more.iter().map(|more| text(&more["field"])).collect();
    assert_eq!(fields, ["files", "diff"]);
    let list = read_on(&mut bridge, listed, &more[0]).await;
    assert_eq!(list.lines().count(), 301);
    let diff = read_on(&mut bridge, text(&page["diff"]), &more[1]).await;
    assert_eq!(diff.matches("diff --git ").count(), 301);
    fs::write(folder.join("../patch"), diff).unwrap();
    let apply =
        "git clone -q r copy; cd copy; git apply ../patch; cd ..; diff -r --exclude=.git r copy";
    run(&bridge.home, &bridge.home.workspace(), apply);
    bridge.finish().await;
}

async fn read_on(bridge: &mut TestBridge, mut whole: String, more: &Value) -> String {
    let mut token = more["token"].clone();
    while !token.is_null() {
        let page =
            bridge.call("codex.read", json!({ "token": token })).await["structuredContent"].take();
        whole += &text(&page["content"]);
        token = page["token"].clone();
    }
    assert_eq!(whole.chars().count(), more["totalChars"]);
    whole
}

#[tokio::test]
async fn a_diff_beyond_what_is_kept_says_so() {
    let arguments = vec!["--max-output-megabytes=1".into()];
    let mut bridge = bridge_with(Setup { arguments, ..Setup::default() }).await;
    make(
        &bridge.home,
        "r",
        "git init -q; git commit -qm 1 --allow-empty; seq 1 300000 >long; git add .; echo x >new",
    );
    let answer = bridge.call("codex.repo.diff", json!({ "cwd": "r" })).await;
    let warnings = answer["structuredContent"]["warnings"].to_string();
    assert!(warnings.contains("ends early; limit it with `paths`"), "{warnings}");
    assert!(warnings.contains("new (the diff is too long already)"), "{warnings}");
    assert_eq!(answer["structuredContent"]["files"][0]["added"], 300_000);
    bridge.finish().await;
}

/// What one client was told is not told to another one that may see less.
#[tokio::test]
async fn a_client_with_a_narrower_root_sees_less_of_the_same_diff() {
    let mut bridge = bridge().await;
    let script = "git init -q; git commit -qm 1 --allow-empty; mkdir inner; echo x >inner/a; echo secret >b; \
        git add .; git commit -qm 2";
    make(&bridge.home, "r", script);
    let range = json!({ "from": "HEAD~1..HEAD", "cwd": "r" });
    let all = bridge.call("codex.repo.diff", range).await;
    assert_eq!(all["structuredContent"]["fileCount"], 2, "{all}");
    let arguments = vec!["--workspace-root=r/inner".into()];
    let mut other = bridge.beside(Setup { arguments, ..Setup::default() }).await;
    for range in ["HEAD~1..HEAD", "HEAD~1"] {
        let some = other.call_tool("codex.repo.diff", json!({ "from": range })).await;
        assert_eq!(some["result"]["structuredContent"]["fileCount"], 1, "{some}");
        assert!(!some.to_string().contains("secret"), "{some}");
    }
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn more_untracked_files_than_are_listed_are_said() {
    let mut bridge = bridge().await;
    let script = "git init -q; git commit -qm 1 --allow-empty; mkdir n; cd n; touch $(seq 2001)";
    make(&bridge.home, "r", script);
    let answer = bridge.call("codex.repo.diff", json!({ "cwd": "r" })).await;
    assert_eq!(answer["structuredContent"]["fileCount"], 2000);
    let warnings = answer["structuredContent"]["warnings"].to_string();
    assert!(warnings.contains("more untracked files than are listed"), "{warnings}");
    bridge.finish().await;
}
