//! `codex.repo.status`: repositories in every state, whole and broken.

use std::fmt::Write as _;
use std::fs;

use expect_test::{Expect, expect, expect_file};
use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::mcp::McpDriver;

use crate::bridge::{Setup, TestBridge, error_code, launch, result_of, text};
use crate::repository::{at, bridge, bridge_with, make, run, told, traces};

/// A commit with two files, and what then becomes of it.
const START: &str = "git init -q; echo one >a; echo two >b; git add .; git commit -qm First";

/// A repository by its name, how it is made after [`START`], and where in it the call works.
const STATES: &[(&str, &str, &str)] = &[
    ("clean", "", ""),
    ("below", "mkdir -p sub/deep; echo x >sub/deep/new", "sub/deep"),
    ("changed", "echo x >>a; rm b; echo c >c; git add c; echo c >>c; mkdir d; touch d/1 d/2", ""),
    ("renamed", "git mv a 'a new name'; rm b; ln -s a b", ""),
    ("executable", "chmod +x a", ""),
    ("intended", "echo n >n; git add -N n", ""),
    ("unborn", "rm -rf .git; git init -q", ""),
    ("detached", "git checkout -q --detach", ""),
    (
        "upstream",
        "git checkout -qb topic; git commit -qm 2 --allow-empty; git branch -f old main; \
         git checkout -q old; git commit -qm 3 --allow-empty; git checkout -q topic; git branch -q -u old",
        "",
    ),
    (
        "upstream gone",
        "git checkout -qb topic; git branch x; git branch -qu x; git branch -qD x",
        "",
    ),
    (
        "merge",
        "git checkout -qb other; echo x >a; git rm -qf b; git commit -qam x; git checkout -q main; \
         echo y >a; echo y >b; git commit -qam y; git merge other || true",
        "",
    ),
    (
        "rebase",
        "git checkout -qb topic; echo 1 >c; git add c; git commit -qm c; echo x >a; git commit -qam x; \
         git checkout -q main; echo y >a; git commit -qam y; git checkout -q topic; git rebase main || true",
        "",
    ),
    (
        "am",
        "echo x >a; git commit -qam x; git format-patch -q -1 -o p; git reset -q --hard HEAD^; \
         echo y >a; git commit -qam y; git am -q p/* || true",
        "",
    ),
    (
        "cherry-pick",
        "git checkout -qb o; echo x >a; git commit -qam x; git checkout -q main; echo y >a; \
         git commit -qam y; git cherry-pick o || true",
        "",
    ),
    ("revert", "echo x >a; git commit -qam x; git revert --no-commit HEAD", ""),
    ("bisect", "git bisect start", ""),
    ("stashes", "echo x >a; git stash -q; echo y >a; git stash -q", ""),
    ("locked", "touch .git/index.lock", ""),
    ("a branch like an option", "git branch -m main x; git symbolic-ref HEAD refs/heads/-x", ""),
    ("sha256", "rm -rf .git; git init -q --object-format=sha256; git add .; git commit -qm x", ""),
    (
        "names",
        "touch -- -x ' ' '\"' \"$(printf 'a\\nb')\" \"$(printf '\\377')\" 'ü' '--output=x' ':(top)'; mkdir e; touch e/1",
        "",
    ),
    ("linked worktree", "git worktree add -q ../linked; echo x >../linked/a", "../linked"),
    (
        "submodule",
        "git submodule -q add ./ sub; git commit -qm sub; cd sub; git commit -qm more --allow-empty; echo x >a",
        "",
    ),
    ("ignored", "echo 'i*' >.gitignore; mkdir i1; touch i1/x i2", ""),
    ("in .git", "", ".git"),
    ("bare", "git clone -q --bare . bare", "bare"),
    ("HEAD is garbage", "echo garbage >.git/HEAD", ""),
    ("HEAD names nothing", "echo 0123456789012345678901234567890123456789 >.git/HEAD", ""),
    ("index is cut", "head -c 40 .git/index >x; mv x .git/index", ""),
    ("objects are gone", "rm -rf .git/objects/*; echo x >a", ""),
    ("config is broken", "echo '[' >.git/config", ""),
    ("unknown format", "git config core.repositoryFormatVersion 99", ""),
    (".git leads nowhere", "rm -rf .git; echo 'gitdir: nowhere' >.git", ""),
];

#[tokio::test]
async fn every_state_is_told() {
    let mut bridge = bridge().await;
    let mut report = String::new();
    for (name, script, folder) in STATES {
        make(&bridge.home, name, &format!("{START}\n{script}"));
        let before = traces(&bridge.home.workspace());
        let status = told(&mut bridge, "codex.repo.status", at(&format!("{name}/{folder}"))).await;
        writeln!(
            report,
            "# {name}: {}\n{status}",
            script.split_whitespace().collect::<Vec<_>>().join(" ")
        )
        .unwrap();
        assert_eq!(traces(&bridge.home.workspace()), before, "{name}: something was written");
    }
    expect_file!["repo_status/states.txt"].assert_eq(&report);
    bridge.finish().await;
}

#[tokio::test]
async fn data_says_what_the_text_says() {
    let mut bridge = bridge().await;
    make(&bridge.home, "r", &format!("{START}\ngit mv a c; echo x >>b; touch u"));
    let answer = bridge.call("codex.repo.status", at("r")).await;
    let shown = bridge.show(&answer);
    expect_file!["repo_status/data.txt"].assert_eq(&shown);
    bridge.finish().await;
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let mut bridge = bridge().await;
    let folder = make(
        &bridge.home,
        "r",
        &format!("{START}\nmkdir x; touch x/t; git add x; git commit -qm x"),
    );
    for number in 0..7 {
        fs::write(folder.join(format!("x/{number}")), "").unwrap();
    }
    let mut found = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let arguments = json!({ "cwd": "r", "limit": 3, "cursor": cursor });
        let page = bridge.call("codex.repo.status", arguments).await["structuredContent"].take();
        assert_eq!((&page["counts"]["files"], &page["folders"]), (&json!(7), &json!({ "x/": 7 })));
        found.extend(page["files"].as_array().unwrap().iter().map(|file| text(&file["path"])));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(found, ["x/0", "x/1", "x/2", "x/3", "x/4", "x/5", "x/6"]);
    let first = bridge.call("codex.repo.status", json!({ "cwd": "r", "limit": 3 })).await;
    fs::write(folder.join("x/00"), "").unwrap();
    let cursor = &first["structuredContent"]["nextCursor"];
    let next = bridge.call("codex.repo.status", json!({ "cwd": "r", "cursor": cursor })).await;
    let warning = text(&next["structuredContent"]["warnings"][0]);
    assert!(warning.starts_with("the repository changed since the page before"), "{warning}");
    bridge.finish().await;
}

async fn check(arguments: Value, expected: Expect) {
    let mut bridge = bridge().await;
    make(&bridge.home, "r", &format!("{START}\nmkdir s; echo x >s/new; echo x >a"));
    expected.assert_eq(&told(&mut bridge, "codex.repo.status", arguments).await);
    bridge.finish().await;
}

#[tokio::test]
async fn paths_limit_it() {
    check(
        json!({ "cwd": "r/s", "paths": ["../a", "nowhere"] }),
        expect![[r#"
        [workspace]/r: on main at 946fbcb9fd4c0888cb3575c19ebc2d6f941d1082.
        0 staged, 1 unstaged, 0 untracked, 0 in conflict.
        unstaged modified: a
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_path_outside_is_refused() {
    check(json!({ "cwd": "r", "paths": ["../../.."] }), expect![[r#"
        Error invalid_arguments: argument `paths`: "../../.." is no path below the workspace root and the top of the repository
        What to do: Correct the argument; the tool's input schema lists all of them.
        Retry: only after changing the call.
    "#]]).await;
}

/// Only what lies in the root is shown, whatever begins above it.
#[tokio::test]
async fn a_repository_that_begins_above_the_root() {
    let home = CodexHome::new("http://127.0.0.1:9/v1");
    make(&home, "r/inner", "");
    run(
        &home,
        &home.workspace().join("r"),
        &format!("{START}\necho secret >outside; echo x >a; touch inner/new"),
    );
    let arguments = vec!["--workspace-root=r/inner".into()];
    let mut client = McpDriver::spawn(&launch(&home, Setup { arguments, ..Setup::default() }));
    client.initialize_legacy("2025-11-25").await;
    let mut said = String::new();
    for (tool, arguments) in [
        ("codex.repo.status", json!({})),
        ("codex.repo.diff", json!({})),
        ("codex.repo.status", json!({ "paths": ["../a"] })),
        ("codex.repo.diff", json!({ "paths": ["../outside"] })),
    ] {
        let answer = result_of(client.call_tool(tool, arguments).await);
        said += &text(&answer["content"][0]["text"]);
        said += "\n";
    }
    let workspace = home.workspace().canonicalize().unwrap();
    let said = said.replace(workspace.to_str().unwrap(), "[workspace]");
    expect![[r#"
        [workspace]/r: on main at 946fbcb9fd4c0888cb3575c19ebc2d6f941d1082.
        0 staged, 0 unstaged, 1 untracked, 0 in conflict.
        untracked: inner/
        Warning: only inner is shown: the rest of the repository lies outside of the workspace roots.
        [workspace]/r: from 946fbcb9fd4c0888cb3575c19ebc2d6f941d1082 to worktree, 1 file, lines +0 -0.
        untracked inner/new +0 -0

        diff --git a/inner/new b/inner/new
        new file mode 100644

        Error invalid_arguments: argument `paths`: "../a" is no path below the workspace root and the top of the repository
        What to do: Correct the argument; the tool's input schema lists all of them.
        Retry: only after changing the call.
        Error invalid_arguments: argument `paths`: "../outside" is no path below the workspace root and the top of the repository
        What to do: Correct the argument; the tool's input schema lists all of them.
        Retry: only after changing the call.
    "#]].assert_eq(&said);
    client.peer.close_input();
    client.peer.wait_exit().await;
}

/// A later call sees each change, whether or not an answer was kept.
#[tokio::test]
async fn every_change_is_seen() {
    let mut bridge = bridge().await;
    let start = format!(
        "{START}\nmkdir -p t/u empty logs; echo x >t/u/f; echo '*.log' >.gitignore; touch logs/x.log; git add .; git commit -qm x"
    );
    let folder = make(&bridge.home, "r", &start);
    let home = &bridge.home;
    // What is young is not kept: its times do not tell it from what comes next.
    run(home, &folder, "find . -exec touch -h -d '1 hour ago' {} +; sleep 0.2; git status");
    let mut seen = Vec::new();
    for change in [
        "true",
        "true",
        "echo y >t/u/f",
        "echo z >t/u/f",
        "git add t",
        "touch empty/new",
        "touch logs/new",
        "mkdir -p n/e/w",
        "touch n/e/w/1",
        "git commit -qam c",
        "git branch other; git checkout -q other",
        "git tag x",
        "echo x >a; git stash -q",
        "git stash drop -q",
        "echo '*' >.git/info/exclude",
        "mkdir -p ../../home/.config/git; echo '!*' >../../home/.config/git/ignore",
        "rm -rf t",
        "mv a b2; mv b a; mv b2 b",
        "true",
    ] {
        run(&bridge.home, &folder, change);
        let ours = told(&mut bridge, "codex.repo.status", at("r")).await;
        let again = told(&mut bridge, "codex.repo.status", at("r")).await;
        assert_eq!(ours, again, "{change}");
        seen.push((change, ours));
    }
    let mut report = String::new();
    for (change, status) in seen {
        writeln!(report, "# {change}\n{status}").unwrap();
    }
    expect_file!["repo_status/changes.txt"].assert_eq(&report);
    bridge.finish().await;
}

/// A git that counts how often it is asked for a status.
const COUNTING: &str = "printf '#!/bin/sh\\ncase \"$*\" in *porcelain*) echo >>\"%s/asked\";; esac\\nexec git \"$@\"\\n' \"$PWD\" >git; chmod +x git";

async fn counting() -> (TestBridge, impl Fn() -> usize) {
    let arguments = vec!["--git-bin=count/git".into()];
    let bridge = bridge_with(Setup { arguments, ..Setup::default() }).await;
    let folder = make(&bridge.home, "count", COUNTING);
    let asked =
        move || fs::read_to_string(folder.join("asked")).unwrap_or_default().lines().count();
    (bridge, asked)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn git_is_not_asked_again_while_nothing_changes() {
    let (mut bridge, asked) = counting().await;
    let folder = make(&bridge.home, "r", &format!("{START}\nmkdir -p t empty; touch t/x"));
    run(&bridge.home, &folder, "find . -exec touch -h -d '1 hour ago' {} +; sleep 0.2; git status");
    for (change, expected) in [("true", 1), ("true", 1), ("touch a", 2), ("true", 2)] {
        run(&bridge.home, &folder, change);
        bridge.call("codex.repo.status", at("r")).await;
        bridge.call("codex.repo.diff", at("r")).await;
        assert_eq!(asked(), expected, "{change}");
    }
    run(&bridge.home, &folder, "touch empty/x");
    bridge.call("codex.repo.status", at("r")).await;
    assert_eq!(asked(), 3);
    bridge.finish().await;
}

#[tokio::test]
async fn calls_at_once_share_an_answer() {
    let (mut bridge, asked) = counting().await;
    // With a submodule there is no watch, and each call of its own asks git.
    make(&bridge.home, "r", &format!("{START}\ngit submodule -q add ./ sub"));
    let mut calls = Vec::new();
    for _ in 0..10 {
        calls.push(bridge.begin("codex.repo.status", at("r")).await);
    }
    for call in calls {
        assert_eq!(bridge.result(call).await["structuredContent"]["branch"], "main");
    }
    assert!(asked() <= 3, "{} times", asked());
    let before = asked();
    bridge.call("codex.repo.status", at("r")).await;
    assert_eq!(asked(), before + 1);
    bridge.finish().await;
}

#[tokio::test]
async fn it_is_told_while_codex_cannot_be_started() {
    let mut bridge =
        bridge_with(Setup { codex: Some("/no/such/codex".into()), ..Setup::default() }).await;
    make(&bridge.home, "r", START);
    let answer = bridge.call("codex.repo.status", at("r")).await;
    assert_eq!(answer["structuredContent"]["branch"], "main", "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_folder_of_no_repository() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = vec![format!("--workspace-root={}", folder.path().display()).into()];
    let mut bridge = TestBridge::start_with([], Setup { arguments, ..Setup::default() }).await;
    let answer = bridge.call("codex.repo.status", json!({})).await;
    assert_eq!(error_code(&answer), "not_a_repository");
    assert!(answer.to_string().contains("is in no git repository"), "{answer}");
    bridge.finish().await;
}

#[tokio::test]
async fn an_old_git_is_refused() {
    let setup = Setup { arguments: vec!["--git-bin=old/git".into()], ..Setup::default() };
    let mut bridge = bridge_with(setup).await;
    make(&bridge.home, "old", "printf '#!/bin/sh\\necho git version 2.30.9\\n' >git; chmod +x git");
    let answer = bridge.call("codex.repo.status", json!({})).await;
    assert_eq!(error_code(&answer), "git_too_old");
    bridge.finish().await;
}

#[tokio::test]
async fn a_git_that_hangs_is_ended() {
    let arguments =
        ["--git-bin=old/git", "--command-time-limit-seconds=1"].map(Into::into).to_vec();
    let mut bridge = bridge_with(Setup { arguments, ..Setup::default() }).await;
    make(&bridge.home, "old", "printf '#!/bin/sh\\nexec sleep 600\\n' >git; chmod +x git");
    let answer = bridge.call("codex.repo.status", json!({})).await;
    assert_eq!(error_code(&answer), "git_failed");
    assert!(text(&answer["content"][0]["text"]).contains("command_time_limit_seconds"), "{answer}");
    bridge.finish().await;
}
