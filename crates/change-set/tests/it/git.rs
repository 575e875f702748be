//! Copies of repositories: the original is never touched, and git sees in the copy what it sees in the original.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use patch::TreePath;

use crate::tree::{Place, Tree, read};

#[expect(clippy::disallowed_methods, reason = "a test that runs the real git")]
pub(crate) fn git(at: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=n",
            "-c",
            "user.email=e@example.invalid",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgSign=false"])
        .args(arguments)
        .current_dir(at)
        .env_clear()
        .env("PATH", path())
        .env("HOME", at)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "git {arguments:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[expect(clippy::disallowed_methods, reason = "where the test's git is")]
fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap()
}

/// Like `git`, where a failure is what is wanted.
#[expect(clippy::disallowed_methods, reason = "a test that runs the real git")]
fn git_fails(at: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=n", "-c", "user.email=e@example.invalid"])
        .args(arguments)
        .current_dir(at)
        .env_clear()
        .env("PATH", path())
        .output()
        .unwrap();
    assert!(!output.status.success());
}

/// Everything that a directory has, `.git` included.
fn everything(at: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut folders = vec![at.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let at = fs::symlink_metadata(&path).unwrap();
            if at.is_dir() {
                folders.push(path.clone());
                found.push((path, None));
            } else if at.is_symlink() {
                let target = fs::read_link(&path).unwrap().to_str().unwrap().as_bytes().to_vec();
                found.push((path, Some(target)));
            } else {
                let content = fs::read(&path).unwrap();
                found.push((path, Some(content)));
            }
        }
    }
    found.sort();
    found
}

/// A repository with a commit, made into a state by a list of steps: `git …`, or `file text` that is written.
fn repository(at: &Path, steps: &[&str]) {
    git(at, &["init", "-q"]);
    for (file, text) in [
        ("tracked", "one\ntwo\nthree\n"),
        (".gitignore", "target/\n*.log\nnode_modules/\n"),
        ("kept.log", "k\n"),
    ] {
        fs::write(at.join(file), text).unwrap();
    }
    git(at, &["add", "-f", "."]);
    git(at, &["commit", "-qm", "first"]);
    for step in steps {
        match step.strip_prefix("git ") {
            Some(arguments) => drop(git(at, &arguments.split(' ').collect::<Vec<_>>())),
            None => match step.strip_prefix("fails ") {
                Some(arguments) => git_fails(at, &arguments.split(' ').collect::<Vec<_>>()),
                None => {
                    let (file, text) = step.split_once(' ').unwrap();
                    fs::create_dir_all(at.join(file).parent().unwrap()).unwrap();
                    fs::write(at.join(file), format!("{text}\n")).unwrap();
                }
            },
        }
    }
}

fn tracked(tree: &Path) -> BTreeSet<TreePath> {
    let files = git(tree, &["ls-files", "-z", "--recurse-submodules"]);
    files.split_terminator('\0').filter_map(|path| TreePath::new(path).ok()).collect()
}

const STATUS: &[&str] = &["status", "--porcelain=v2", "--branch"];

/// Copies a repository in some state, works in the copy, and compares.
fn check(steps: &[&str]) {
    check_at(steps, |place| place.to_owned());
}

fn check_at(steps: &[&str], work: impl Fn(&Path) -> PathBuf) {
    let mut place = Place::new(&Tree::new());
    let main = place.outside();
    fs::create_dir(&main).unwrap();
    repository(&main, steps);
    fs::remove_dir(place.path()).unwrap();
    let tree = work(&main);
    std::os::unix::fs::symlink(&tree, place.path()).unwrap();
    place.rules.tracked = tracked(&tree);
    let status = git(&tree, STATUS);
    let before = everything(&main);
    let scratch = place.scratch();
    let copy = scratch.tree();
    assert_eq!(git(&copy, STATUS), status);
    assert_eq!(
        git(&copy, &["log", "--oneline", "--all"]),
        git(&tree, &["log", "--oneline", "--all"])
    );
    let (diff, staged) = (&["diff"], &["diff", "--cached"]);
    assert_eq!(git(&copy, diff), git(&tree, diff));
    assert_eq!(git(&copy, staged), git(&tree, staged));
    assert_eq!(scratch.notes(), &[] as &[String]);
    fs::write(copy.join("tracked"), "in the copy\n").unwrap();
    fs::write(copy.join("made.log"), "ignored\n").unwrap();
    fs::write(copy.join("kept.log"), "changed\n").unwrap();
    git(&copy, &["add", "-A"]);
    git(&copy, &["commit", "-qm", "in the copy"]);
    git(&copy, &["gc", "-q", "--prune=now"]);
    let changed: Vec<String> =
        place.collect(&scratch).changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(changed, ["kept.log", "tracked"]);
    assert!(before == everything(&main), "the original was touched");
}

#[test]
fn clean() {
    check(&[]);
}

#[test]
fn dirty_staged_and_untracked() {
    check(&[
        "tracked changed",
        "new/file untracked",
        "staged yes",
        "git add staged",
        "staged again",
        "ignored.log no",
    ]);
}

#[test]
fn deleted_and_renamed() {
    check(&["git mv tracked moved", "tracked again"]);
}

#[test]
fn in_the_middle_of_a_merge() {
    check(&[
        "git checkout -qb side",
        "tracked side",
        "git commit -qam side",
        "git checkout -q main",
        "tracked main",
        "git commit -qam main",
        "fails merge side",
        "tracked solved",
        "git add tracked",
    ]);
}

#[test]
fn detached_with_a_stash() {
    check(&["tracked stashed", "git stash -q", "git checkout -q --detach"]);
}

#[test]
fn with_packed_refs_and_objects() {
    check(&["git branch other", "git pack-refs --all", "git gc -q"]);
}

#[test]
fn in_a_linked_worktree() {
    check_at(&["git worktree add -q ../outside/linked -b linked"], |main| main.join("linked"));
}

#[test]
fn with_another_object_format() {
    let place = Place::new(&Tree::new());
    git(&place.path(), &["init", "-q", "--object-format=sha256"]);
    fs::write(place.path().join("a"), "a\n").unwrap();
    git(&place.path(), &["add", "."]);
    git(&place.path(), &["commit", "-qm", "a"]);
    let scratch = place.scratch();
    assert_eq!(git(&scratch.tree(), STATUS), git(&place.path(), STATUS));
}

#[test]
fn with_a_submodule() {
    let mut place = Place::new(&Tree::new());
    let sub = place.outside();
    fs::create_dir(&sub).unwrap();
    repository(&sub, &[]);
    repository(&place.path(), &[]);
    git(&place.path(), &["submodule", "-q", "add", sub.to_str().unwrap(), "deps/sub"]);
    git(&place.path(), &["commit", "-qm", "with a submodule"]);
    fs::write(place.path().join("deps/sub/tracked"), "changed in the submodule\n").unwrap();
    place.rules.tracked = tracked(&place.path());
    let before = everything(&place.path());
    let status = git(&place.path(), STATUS);
    let scratch = place.scratch();
    let copy = scratch.tree();
    assert_eq!(git(&copy, STATUS), status);
    git(&copy.join("deps/sub"), &["commit", "-qam", "in the submodule of the copy"]);
    assert_eq!(read(&copy.join("deps/sub")), read(&place.path().join("deps/sub")));
    assert!(before == everything(&place.path()), "the original was touched");
}

#[test]
fn an_unborn_branch_and_an_empty_tree() {
    let place = Place::new(&Tree::new());
    git(&place.path(), &["init", "-q"]);
    let scratch = place.scratch();
    assert_eq!(git(&scratch.tree(), STATUS), git(&place.path(), STATUS));
}

/// What could run a program or reach the original is not among the settings of the copy.
#[test]
fn settings_that_run_programs_stay_behind() {
    let place = Place::new(&Tree::new());
    repository(&place.path(), &[]);
    let settings = [
        ("core.fsmonitor", "touch pwned"),
        ("core.hooksPath", "."),
        ("core.pager", "touch pwned"),
        ("core.worktree", "/tmp"),
        ("filter.x.clean", "touch pwned"),
        ("diff.external", "touch pwned"),
        ("remote.origin.url", "https://user:secret@example.invalid/"),
        ("include.path", "evil"),
    ];
    for (key, value) in settings {
        git(&place.path(), &["config", "--local", "--add", key, value]);
    }
    let scratch = place.scratch();
    let config = fs::read_to_string(scratch.tree().join(".git/config")).unwrap();
    for (key, value) in settings {
        assert!(!config.contains(value), "{key}: {config}");
    }
}
