//! Workspace roots: which directories a caller may name, and what is said about the others.

use std::fs;
use std::path::{Path, PathBuf};

use codex_mcp::workspace::Roots;
use expect_test::{Expect, expect};

/// Makes the tree that all cases look at; the first root is `$TEST/a/root`.
fn tree() -> tempfile::TempDir {
    let test = tempfile::tempdir().unwrap();
    let at = |path: &str| test.path().join(path);
    for directory in ["a/root/sub/deep", "a/root-evil", "b", "a/root/~"] {
        fs::create_dir_all(at(directory)).unwrap();
    }
    fs::write(at("a/root/file"), "").unwrap();
    for (link, target) in [
        ("a/root/inward", "sub"),
        ("a/root/sub/outward", "../../root-evil"),
        ("a/root/to-file", "file"),
        ("a/root/dangling", "nowhere"),
        ("a/root/loop", "loop"),
        ("a/link-to-root", "root"),
    ] {
        std::os::unix::fs::symlink(target, at(link)).unwrap();
    }
    test
}

fn check(roots: &[&str], cases: &[Option<&str>], expected: Expect) {
    let test = tree();
    let shown = |text: String| text.replace(test.path().to_str().unwrap(), "$TEST");
    let roots: Vec<PathBuf> = roots.iter().map(|root| test.path().join(root)).collect();
    let roots = match Roots::new(&roots) {
        Ok(roots) => roots,
        Err(error) => return expected.assert_eq(&shown(format!("{error}\n"))),
    };
    let mut text = String::new();
    for case in cases {
        let given = case.map(|path| path.replace("$TEST", test.path().to_str().unwrap()));
        let answer = match roots.resolve(given.as_deref()) {
            Ok(directory) => directory.confirm().unwrap().display().to_string(),
            Err(error) => format!("error: {error}"),
        };
        text += &format!("{case:?}\n    {answer}\n");
    }
    expected.assert_eq(&shown(text));
}

#[test]
fn directories_in_a_root_are_resolved() {
    check(
        &["a/root", "b"],
        &[
            None,
            Some("."),
            Some("sub"),
            Some("sub/../sub/deep/"),
            Some("inward/deep"),
            Some("$TEST/a/root/sub"),
            Some("$TEST/a/link-to-root/sub"),
            Some("$TEST/a/root/../../b"),
            Some("./~"),
        ],
        expect![[r#"
            None
                $TEST/a/root
            Some(".")
                $TEST/a/root
            Some("sub")
                $TEST/a/root/sub
            Some("sub/../sub/deep/")
                $TEST/a/root/sub/deep
            Some("inward/deep")
                $TEST/a/root/sub/deep
            Some("$TEST/a/root/sub")
                $TEST/a/root/sub
            Some("$TEST/a/link-to-root/sub")
                $TEST/a/root/sub
            Some("$TEST/a/root/../../b")
                $TEST/b
            Some("./~")
                $TEST/a/root/~
        "#]],
    );
}

#[test]
fn everything_else_is_refused_with_a_remedy() {
    check(
        &["a/root"],
        &[
            Some(""),
            Some("sub\0"),
            Some("~"),
            Some("~/project"),
            Some("~user"),
            Some("missing"),
            Some("dangling"),
            Some("loop"),
            Some("file"),
            Some("file/below"),
            Some("to-file"),
            Some(".."),
            Some("sub/outward"),
            Some("sub/outward/.."),
            Some("../root-evil"),
            Some("$TEST/a/root-evil"),
            Some("$TEST/b"),
            Some("/"),
        ],
        expect![[r#"
            Some("")
                error: the path is empty; leave it out to work in $TEST/a/root
            Some("sub\0")
                error: the path "sub\0" has a NUL byte in it
            Some("~")
                error: `~` is not expanded in "~"; give an absolute path, or one relative to $TEST/a/root
            Some("~/project")
                error: `~` is not expanded in "~/project"; give an absolute path, or one relative to $TEST/a/root
            Some("~user")
                error: "~user" does not exist (looked for $TEST/a/root/~user); give an existing directory in one of $TEST/a/root
            Some("missing")
                error: "missing" does not exist (looked for $TEST/a/root/missing); give an existing directory in one of $TEST/a/root
            Some("dangling")
                error: "dangling" does not exist (looked for $TEST/a/root/dangling); give an existing directory in one of $TEST/a/root
            Some("loop")
                error: "loop" cannot be resolved ($TEST/a/root/loop); give an existing directory in one of $TEST/a/root
            Some("file")
                error: "file" is not a directory ($TEST/a/root/file); give an existing directory in one of $TEST/a/root
            Some("file/below")
                error: "file/below" is not a directory ($TEST/a/root/file/below); give an existing directory in one of $TEST/a/root
            Some("to-file")
                error: "to-file" is not a directory ($TEST/a/root/file); give an existing directory in one of $TEST/a/root
            Some("..")
                error: ".." is $TEST/a, outside the workspace roots $TEST/a/root; give a directory in one of them, or start the server with --workspace-root for it
            Some("sub/outward")
                error: "sub/outward" is $TEST/a/root-evil, outside the workspace roots $TEST/a/root; give a directory in one of them, or start the server with --workspace-root for it
            Some("sub/outward/..")
                error: "sub/outward/.." is $TEST/a, outside the workspace roots $TEST/a/root; give a directory in one of them, or start the server with --workspace-root for it
            Some("../root-evil")
                error: "../root-evil" is $TEST/a/root-evil, outside the workspace roots $TEST/a/root; give a directory in one of them, or start the server with --workspace-root for it
            Some("$TEST/a/root-evil")
                error: "$TEST/a/root-evil" is $TEST/a/root-evil, outside the workspace roots $TEST/a/root; give a directory in one of them, or start the server with --workspace-root for it
            Some("$TEST/b")
                error: "$TEST/b" is $TEST/b, outside the workspace roots $TEST/a/root; give a directory in one of them, or start the server with --workspace-root for it
            Some("/")
                error: "/" is /, outside the workspace roots $TEST/a/root; give a directory in one of them, or start the server with --workspace-root for it
        "#]],
    );
}

#[test]
fn a_root_may_be_a_link_and_is_listed_once() {
    check(
        &["a/link-to-root", "a/root"],
        &[None, Some("$TEST/b")],
        expect![[r#"
            None
                $TEST/a/root
            Some("$TEST/b")
                error: "$TEST/b" is $TEST/b, outside the workspace roots $TEST/a/root; give a directory in one of them, or start the server with --workspace-root for it
        "#]],
    );
}

#[test]
fn the_file_system_as_a_root_holds_everything() {
    check(
        &["/"],
        &[None, Some("$TEST/b"), Some("nowhere-at-all")],
        expect![[r#"
            None
                /
            Some("$TEST/b")
                $TEST/b
            Some("nowhere-at-all")
                error: "nowhere-at-all" does not exist (looked for /nowhere-at-all); give an existing directory in one of /
        "#]],
    );
}

#[test]
fn roots_are_existing_directories() {
    check(
        &[],
        &[],
        expect![[r#"
        there is no workspace root; name one with --workspace-root
    "#]],
    );
    check(
        &["b", "missing"],
        &[],
        expect![[r#"
        the workspace root "$TEST/missing" does not exist
    "#]],
    );
    check(
        &["a/root/file"],
        &[],
        expect![[r#"
        the workspace root "$TEST/a/root/file" is not a directory
    "#]],
    );
    check(
        &["a/root/file/below"],
        &[],
        expect![[r#"
        the workspace root "$TEST/a/root/file/below" cannot be resolved
    "#]],
    );
    check(
        &["a/root/loop"],
        &[],
        expect![[r#"
        the workspace root "$TEST/a/root/loop" cannot be resolved
    "#]],
    );
}

/// Linux only: other systems refuse to make such a name.
#[cfg(target_os = "linux")]
#[test]
fn a_root_need_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt as _;
    let test = tempfile::tempdir().unwrap();
    let root = test.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir_all(root.join("sub")).unwrap();
    let roots = Roots::new(std::slice::from_ref(&root)).unwrap();
    assert_eq!(roots.resolve(Some("sub")).unwrap().path(), root.join("sub"));
    assert_eq!(roots.first(), Path::new(&root));
    let error = roots.resolve(Some("/")).unwrap_err().to_string();
    assert!(error.contains("caf\u{fffd}"), "{error}");
}

/// What is done to the tree, between the start, the check and the use of a directory, and what is said of it.
fn check_swap(given: &str, before_check: fn(&Path), before_use: fn(&Path), expected: Expect) {
    let test = tree();
    let root = test.path().join("a/root");
    let roots = Roots::new(std::slice::from_ref(&root)).unwrap();
    before_check(&root);
    let found = roots.resolve(Some(given));
    before_use(&root);
    let path = found.and_then(|directory| directory.confirm());
    let said =
        path.map_or_else(|error| format!("error: {error}"), |path| path.display().to_string());
    expected.assert_eq(&format!("{said}\n").replace(test.path().to_str().unwrap(), "$TEST"));
}

fn nothing(_root: &Path) {}

fn away(path: &Path) {
    fs::rename(path, path.with_extension("away")).unwrap();
}

fn link(target: &str, path: &Path) {
    std::os::unix::fs::symlink(target, path).unwrap();
}

#[test]
fn a_directory_that_is_swapped_before_its_use_is_noticed() {
    let by_link = |root: &Path| {
        away(&root.join("sub"));
        link("../root-evil", &root.join("sub"));
    };
    check_swap(
        "sub",
        nothing,
        by_link,
        expect![[r#"
        error: $TEST/a/root/sub was moved, deleted or replaced meanwhile
    "#]],
    );
    let to_itself = |root: &Path| {
        away(&root.join("sub"));
        link("sub.away", &root.join("sub"));
    };
    check_swap(
        "sub",
        nothing,
        to_itself,
        expect![[r#"
        error: $TEST/a/root/sub was moved, deleted or replaced meanwhile
    "#]],
    );
    let by_another = |root: &Path| {
        away(&root.join("sub"));
        fs::create_dir(root.join("sub")).unwrap();
    };
    check_swap(
        "sub",
        nothing,
        by_another,
        expect![[r#"
        error: $TEST/a/root/sub was moved, deleted or replaced meanwhile
    "#]],
    );
    let above = |root: &Path| {
        away(&root.join("sub"));
        link("../root-evil", &root.join("sub"));
        fs::create_dir(root.join("sub/deep")).unwrap();
    };
    check_swap(
        "sub/deep",
        nothing,
        above,
        expect![[r#"
        error: $TEST/a/root/sub/deep was moved, deleted or replaced meanwhile
    "#]],
    );
    check_swap(
        "sub",
        nothing,
        |root| fs::remove_dir_all(root.join("sub")).unwrap(),
        expect![[r#"
        error: $TEST/a/root/sub was moved, deleted or replaced meanwhile
    "#]],
    );
    let by_file = |root: &Path| {
        away(&root.join("sub"));
        fs::write(root.join("sub"), "").unwrap();
    };
    check_swap(
        "sub",
        nothing,
        by_file,
        expect![[r#"
        error: $TEST/a/root/sub was moved, deleted or replaced meanwhile
    "#]],
    );
}

#[test]
fn a_root_that_is_swapped_is_noticed() {
    let by_another = |root: &Path| {
        away(root);
        fs::create_dir_all(root.join("sub")).unwrap();
    };
    check_swap(
        "sub",
        by_another,
        nothing,
        expect![[r#"
        error: the workspace root $TEST/a/root was moved, deleted or replaced since the server started; start the server anew
    "#]],
    );
    check_swap(
        "sub",
        nothing,
        by_another,
        expect![[r#"
        error: $TEST/a/root/sub was moved, deleted or replaced meanwhile
    "#]],
    );
    let by_link = |root: &Path| {
        away(root);
        link("../b", root);
    };
    check_swap(
        ".",
        by_link,
        nothing,
        expect![[r#"
        error: "." is $TEST/b, outside the workspace roots $TEST/a/root; give a directory in one of them, or start the server with --workspace-root for it
    "#]],
    );
    check_swap(
        ".",
        nothing,
        by_link,
        expect![[r#"
        error: $TEST/a/root was moved, deleted or replaced meanwhile
    "#]],
    );
    check_swap(
        ".",
        away,
        nothing,
        expect![[r#"
        error: "." does not exist (looked for $TEST/a/root/.); give an existing directory in one of $TEST/a/root
    "#]],
    );
    check_swap(
        "sub",
        nothing,
        nothing,
        expect![[r#"
        $TEST/a/root/sub
    "#]],
    );
}

#[test]
fn the_default_is_a_directory_like_any_other() {
    let test = tree();
    let root = test.path().join("a/root");
    let roots = Roots::new(std::slice::from_ref(&root)).unwrap();
    away(&root);
    let error = roots.resolve(None).unwrap_err().to_string();
    assert!(error.contains("since the server started"), "{error}");
}

#[test]
fn case_and_length_count() {
    check(
        &["a/root"],
        &[Some("SUB"), Some("sub/"), Some("sub//deep/."), Some("$TEST/A/root")],
        expect![[r#"
            Some("SUB")
                error: "SUB" does not exist (looked for $TEST/a/root/SUB); give an existing directory in one of $TEST/a/root
            Some("sub/")
                $TEST/a/root/sub
            Some("sub//deep/.")
                $TEST/a/root/sub/deep
            Some("$TEST/A/root")
                error: "$TEST/A/root" does not exist (looked for $TEST/A/root); give an existing directory in one of $TEST/a/root
        "#]],
    );
    let test = tree();
    let roots = Roots::new(&[test.path().join("a/root")]).unwrap();
    for (length, said) in
        [(300, "cannot be resolved"), (4_096, "at most 4095"), (1 << 20, "at most")]
    {
        let error = roots.resolve(Some(&"x".repeat(length))).unwrap_err().to_string();
        assert!(error.contains(said), "{length}: {}", &error[..60]);
    }
}
