//! How changes fit a tree that has moved on, and what is left alone.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use change_set::{ApplyError, Fit, fit};
use expect_test::{Expect, expect};

use crate::tree::{Place, put, read, tree};

/// Says how a change of one file fits when the workspace has moved on. `-` is no file.
fn check(base: &str, proposed: &str, current: &str, expected: &Expect) {
    let text = |text: &str| text.replace('|', "\n");
    let place = Place::new(&tree(&[("other", "")]));
    let set = |tree: &std::path::Path, content: &str| match content {
        "-" => drop(fs::remove_file(tree.join("file"))),
        "dir" => {
            let _ = fs::remove_file(tree.join("file"));
            fs::create_dir(tree.join("file")).unwrap();
        }
        "link" => put(tree, "file", &crate::tree::Node::Link("other".to_owned())),
        content => {
            let (mode, content) = match content.strip_prefix('x') {
                Some(content) => (0o755, content),
                None => (0o644, content),
            };
            put(tree, "file", &crate::tree::Node::File(mode, text(content).into_bytes()));
        }
    };
    set(&place.path(), base);
    let scratch = place.scratch();
    set(&scratch.tree(), proposed);
    let changes = place.collect(&scratch).changes;
    let [change] = &changes[..] else { panic!("{changes:?}") };
    set(&place.path(), current);
    let planned = fit(&place.root(), &place.contents, change).unwrap();
    let mut said = match planned.fit {
        Fit::Conflicts { count, marked } => {
            format!("{count} conflict: {}", String::from_utf8(marked).unwrap().replace('\n', "|"))
        }
        other @ (Fit::Clean | Fit::Applied | Fit::Merged | Fit::Blocked(_)) => format!("{other:?}"),
    };
    if let Some(step) = planned.step {
        place.apply(&[step]).unwrap();
        let path = place.path().join("file");
        match fs::symlink_metadata(&path) {
            Ok(found) => {
                let mode = found.permissions().mode() & 0o777;
                let now = fs::read_to_string(&path).unwrap().replace('\n', "|");
                write!(said, " -> {now} {mode:o}").unwrap();
            }
            Err(_) => said.push_str(" -> nothing"),
        }
    }
    expected.assert_eq(&said);
}

#[test]
fn a_change_fits_or_says_why_not() {
    check("a|", "b|", "a|", &expect!["Clean -> b| 644"]);
    check("a|", "b|", "b|", &expect!["Applied"]);
    check("a|b|c|d|", "A|b|c|d|", "a|b|c|D|", &expect!["Merged -> A|b|c|D| 644"]);
    check(
        "a|",
        "b|",
        "c|",
        &expect!["1 conflict: <<<<<<< current|c|||||||| base|a|=======|b|>>>>>>> patch|"],
    );
    check("a|", "b|", "-", &expect!["Blocked(Missing)"]);
    check("a|", "b|", "dir", &expect!["Blocked(NoFile)"]);
    check("a|", "b|", "link", &expect!["Blocked(NotText)"]);
    check("a|", "-", "a|", &expect!["Clean -> nothing"]);
    check("a|", "-", "-", &expect!["Applied"]);
    check("a|", "-", "b|", &expect!["Blocked(Changed)"]);
    check("-", "a|", "-", &expect!["Clean -> a| 644"]);
    check("-", "a|", "a|", &expect!["Applied"]);
    check("-", "a|", "b|", &expect!["Blocked(Exists)"]);
    check("a|", "xa|", "a|", &expect!["Clean -> a| 755"]);
    check("a|", "xa|", "b|", &expect!["Clean -> b| 755"]);
    check("a|", "b|", "xa|", &expect!["Clean -> b| 755"]);
    check("a|", "b|", "xb|", &expect!["Applied"]);
    check("a|", "link", "a|", &expect!["Clean ->  777"]);
}

/// What happens between the look and the deed, at each thing that is done.
#[test]
fn what_somebody_writes_meanwhile_is_never_lost() {
    let (mut refused, mut at) = (0, 0);
    loop {
        let place = Place::new(&tree(&[("one", "1\n"), ("two", "2\n"), ("three", "3\n")]));
        let scratch = place.scratch();
        for (path, node) in &tree(&[("one", "ONE\n"), ("two", "TWO\n"), ("new", "NEW\n")]) {
            put(&scratch.tree(), path, node);
        }
        fs::remove_file(scratch.tree().join("three")).unwrap();
        let steps = place.steps(&place.collect(&scratch).changes);
        let mut count = 0;
        let mine = tree(&[("two", "mine\n"), ("three", "mine\n"), ("new", "mine\n")]);
        let result = place.apply_watched(&steps, &mut || {
            if count == at {
                for (path, node) in &mine {
                    put(&place.path(), path, node);
                }
            }
            count += 1;
        });
        if at >= count {
            result.unwrap();
            break;
        }
        let found = read(&place.path());
        for (path, node) in &mine {
            assert_eq!(found.get(path), Some(node), "{path}, written at {at}: {result:?}");
        }
        assert!(found.keys().all(|path| !path.starts_with(".codex-mcp")), "{found:?}");
        match result {
            // What was put into place and overwritten at once cannot be taken back, and is told.
            Err(ApplyError::Changed { .. } | ApplyError::Stuck(_)) => refused += 1,
            Ok(()) => {}
            Err(other) => panic!("{at}: {other}"),
        }
        at += 1;
    }
    assert!(refused > 4, "{refused}");
}
