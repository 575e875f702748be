//! Repositories that mean harm: whatever their configuration names as a program would leave a file behind, and none may.

use std::fs;

use serde_json::json;

use crate::repository::{bridge, make, run};

/// Everything in a repository's own power that makes git run a program or go elsewhere. Each would make `pwned`.
const HOSTILE: &str = r#"
    pwn() { printf '#!/bin/sh\necho "$0 $*" >>"%s/pwned"\ncat\n' "$ROOT" >"$1"; chmod +x "$1"; }
    ROOT="${ROOT:-$PWD/..}"; mkdir -p "$ROOT/bin"
    for name in fsmonitor external textconv clean smudge process pager alias gpg ssh editor askpass credential \
        merge filter=x odd proxy helper; do pwn "$ROOT/bin/$name"; done
    b() { echo "$ROOT/bin/$1 %f"; }
    git config core.fsmonitor "$ROOT/bin/fsmonitor"
    git config core.hooksPath hooks; mkdir -p hooks .git/hooks
    for hook in post-index-change post-checkout pre-commit fsmonitor-watchman reference-transaction pre-auto-gc; do
        pwn hooks/$hook; pwn .git/hooks/$hook; done
    git config diff.external "$ROOT/bin/external"
    git config diff.evil.textconv "$ROOT/bin/textconv"; git config diff.evil.command "$ROOT/bin/external"
    git config filter.evil.clean "$ROOT/bin/clean"; git config filter.evil.smudge "$ROOT/bin/smudge"
    git config filter.evil.required true
    git config filter.slow.process "$ROOT/bin/process"; git config filter.slow.required true
    git config 'filter.o=dd.clean' "$ROOT/bin/odd"
    git config 'filter.up.clean' "$ROOT/bin/clean"
    git config core.pager "$ROOT/bin/pager"; git config pager.status "$ROOT/bin/pager"
    git config pager.diff-index "$ROOT/bin/pager"
    git config alias.status "!$ROOT/bin/alias"; git config alias.diff-index "!$ROOT/bin/alias"
    git config gpg.program "$ROOT/bin/gpg"; git config log.showSignature true
    git config core.sshCommand "$ROOT/bin/ssh"; git config core.editor "$ROOT/bin/editor"
    git config core.askPass "$ROOT/bin/askpass"; git config credential.helper "$ROOT/bin/credential"
    git config core.gitProxy "$ROOT/bin/proxy"
    git config merge.evil.driver "$ROOT/bin/merge"
    git config status.submoduleSummary true; git config diff.submodule diff
    git config protocol.ext.allow always; git config protocol.allow always
    git config remote.origin.url "ext::$ROOT/bin/ssh %S"; git config remote.origin.promisor true
    git config remote.origin.uploadpack "$ROOT/bin/ssh"
    git config extensions.partialClone origin
    git config core.alternateRefsCommand "$ROOT/bin/helper"
    git config diff.autoRefreshIndex true
    git config include.path ../more; printf '[filter "up"]\n\tprocess = %s\n' "$ROOT/bin/process" >more
"#;

const FILES: &str = r#"
    git init -q
    echo '*.e filter=evil diff=evil merge=evil' >.gitattributes; echo '*.s filter=slow' >>.gitattributes
    echo '*.o filter=o=dd' >>.gitattributes; echo '*.u filter=up' >>.gitattributes
    for f in a.e b.s c.o d.u; do echo one >$f; done
    git add .; git commit -qm First
"#;

/// Changes that make git compare contents, and a commit whose objects are missing.
const CHANGES: &str = r#"
    for f in a.e b.s c.o d.u; do echo two >>$f; done; echo three >new.e
    touch -d '2 hours ago' .gitattributes
"#;

const CALLS: &[(&str, &str)] = &[
    ("codex.repo.status", r#"{}"#),
    ("codex.repo.diff", r#"{}"#),
    ("codex.repo.diff", r#"{"from": "index"}"#),
    ("codex.repo.diff", r#"{"to": "index"}"#),
    ("codex.repo.diff", r#"{"from": "HEAD~1", "to": "HEAD"}"#),
    ("codex.repo.diff", r#"{"from": "HEAD~1...HEAD"}"#),
    ("codex.repo.diff", r#"{"from": "origin/main"}"#),
    ("codex.repo.diff", r#"{"from": "0123456789012345678901234567890123456789"}"#),
    ("codex.repo.diff", r#"{"paths": ["a.e", "sub"]}"#),
];

#[tokio::test]
async fn no_program_of_a_repository_runs() {
    let mut bridge = bridge().await;
    let second = "echo 2 >>a.e; git commit -qam Second";
    let plain = make(&bridge.home, "plain", &format!("{FILES}\n{second}"));
    run(&bridge.home, &plain, &format!("{HOSTILE}\n{CHANGES}"));
    make(&bridge.home, "inner", FILES);
    let outer = make(
        &bridge.home,
        "outer",
        &format!("{FILES}\n{second}\ngit submodule -q add ../inner sub; git commit -qm sub"),
    );
    // A submodule's configuration lies in the outer `.git`, and is its own.
    run(
        &bridge.home,
        &outer,
        &format!(
            "cd sub; export ROOT=\"$PWD/../..\"; mkdir -p .git_; {}\n{CHANGES}\ncd ..\n{HOSTILE}\n{CHANGES}",
            HOSTILE.replace(".git/hooks", "../.git/modules/sub/hooks")
        ),
    );
    let missing = make(&bridge.home, "missing", &format!("{FILES}\n{second}"));
    run(&bridge.home, &missing, &format!("{HOSTILE}\n{CHANGES}\nrm -rf .git/objects/[0-9a-c]*"));
    let pwned = bridge.home.workspace().join("pwned");
    let made =
        |stage: &str| assert!(!pwned.exists(), "{stage}: {}", fs::read_to_string(&pwned).unwrap());
    let _ = fs::remove_file(&pwned);
    for folder in ["plain", "outer", "outer/sub", "missing"] {
        for (tool, arguments) in CALLS {
            let mut arguments: serde_json::Value = serde_json::from_str(arguments).unwrap();
            arguments["cwd"] = json!(folder);
            let answer = bridge.call(tool, arguments.clone()).await;
            made(&format!("{folder}: {tool} {arguments}: {answer}"));
        }
    }
    // The trap is one: git without our options falls into it.
    run(&bridge.home, &plain, "git status || true");
    assert!(pwned.exists(), "nothing would have been run anyway");
    bridge.finish().await;
}
