//! Which names are paths in a tree, and how they are written.

use patch::{InvalidPath, TreePath};

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let refused: &[(&str, InvalidPath)] = &[
        ("", InvalidPath::Empty),
        ("a//b", InvalidPath::Empty),
        ("a/", InvalidPath::Empty),
        ("/a", InvalidPath::Absolute),
        (".", InvalidPath::Dots),
        ("a/./b", InvalidPath::Dots),
        ("..", InvalidPath::Dots),
        ("a/../../b", InvalidPath::Dots),
        ("a\0b", InvalidPath::Nul),
        (".git", InvalidPath::Repository),
        (".GiT/config", InvalidPath::Repository),
        ("a/.git", InvalidPath::Repository),
        (".git. ./x", InvalidPath::Repository),
        ("git~1", InvalidPath::Repository),
        ("GIT~1 /x", InvalidPath::Repository),
        (".git::$INDEX_ALLOCATION/x", InvalidPath::Repository),
        (".git\\x", InvalidPath::Repository),
        (".g\u{200c}it/x", InvalidPath::Repository),
    ];
    for (name, reason) in refused {
        assert_eq!(TreePath::new(name), Err(*reason), "{name:?}");
    }
    assert_eq!(TreePath::new("a/".repeat(2048)), Err(InvalidPath::TooLong));
}

#[test]
fn all_other_names_are_paths() {
    let taken: &[&[u8]] = &[
        b"a",
        b"...",
        b".gitignore",
        b".github/x",
        b"a/..b",
        b"git~2",
        b"a b",
        b"\xff\n",
        b"-",
        b"C:\\x",
        b"x.git",
    ];
    for name in taken {
        assert_eq!(TreePath::new(name).unwrap().as_bytes(), *name);
    }
    let path = TreePath::new("a/b/c").unwrap();
    assert_eq!(path.components().collect::<Vec<_>>(), [b"a", b"b", b"c"]);
    assert_eq!(path.parent(), TreePath::new("a/b").ok());
    assert_eq!(path.file_name(), b"c");
    assert_eq!(TreePath::new("c").unwrap().parent(), None);
    #[cfg(unix)]
    assert_eq!(path.to_path(), std::path::Path::new("a/b/c"));
}

#[test]
fn names_are_quoted_only_where_they_have_to_be() {
    let quoted: &[(&[u8], &str)] = &[
        (b"a b/\xc3\xa4'", "a b/ä'"),
        (b"a\"b", r#""a\"b""#),
        (b"a\\b", r#""a\\b""#),
        (b"a\tb\n\x01\x7f", r#""a\tb\n\001\177""#),
        (b"\xff\xc3\xa4", r#""\377ä""#),
    ];
    for (name, written) in quoted {
        assert_eq!(TreePath::new(name).unwrap().to_string(), *written);
    }
}
