//! Texts that repeat themselves enough to be hard to diff, and changes of them.

use patch::{
    Change, FilePatch, Limits, Mode, Outcome, RenderOptions, Side, TreePath, parse, render,
};
use proptest::prelude::*;

/// A text of a few different lines, perhaps without a newline at its end.
pub(crate) fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "a", "b", "c", "}", "", "  x", "fn f() {", "-- x", "++ y", "z\r",
    ]);
    (prop::collection::vec(line, 0..24), any::<bool>()).prop_map(|(lines, newline)| {
        let mut text = lines.join("\n");
        if newline && !lines.is_empty() {
            text.push('\n');
        }
        text.into_bytes()
    })
}

pub(crate) fn path(name: &str) -> TreePath {
    TreePath::new(name).expect("the test names a file in the tree")
}

pub(crate) fn file(content: &[u8]) -> Side<'_> {
    Side { mode: Mode::FILE, content }
}

/// The diff of `src/lib.rs` between two contents, either of which may be missing.
pub(crate) fn diff(before: Option<&[u8]>, after: Option<&[u8]>, context: usize) -> Vec<u8> {
    let path = path("src/lib.rs");
    let path = &path;
    let change = match (before.map(file), after.map(file)) {
        (None, None) => return Vec::new(),
        (None, Some(after)) => Change::Added { path, after },
        (Some(before), None) => Change::Deleted { path, before },
        (Some(before), Some(after)) => Change::Modified { path, before, after },
    };
    render(&change, &RenderOptions { context, identities: None })
}

pub(crate) fn parse_one(diff: &[u8]) -> FilePatch<'_> {
    let mut files = parse(diff, &Limits::default()).expect("the diff is well-formed");
    assert_eq!(files.len(), 1);
    files.remove(0)
}

/// What a diff makes of a content; none for a file that goes.
pub(crate) fn applied(diff: &[u8], current: Option<&[u8]>) -> Option<Vec<u8>> {
    match parse_one(diff).place(|_| current.map(file)).expect("the diff fits").outcome {
        Outcome::Write { content, .. } => Some(content),
        Outcome::Delete => None,
        Outcome::AlreadyApplied => current.map(<[u8]>::to_vec),
    }
}

/// Lines of which none is like another.
pub(crate) fn numbered(lines: usize) -> Vec<String> {
    (0..lines).map(|line| format!("line {line}\n")).collect()
}

/// Where to insert, change and remove lines.
pub(crate) fn edits() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((0_usize..30, 0_u8..3), 0..5)
}

/// The lines with these edits; `word` begins each new line.
pub(crate) fn edited(before: &[String], edits: &[(usize, u8)], word: &str) -> Vec<String> {
    let mut after = before.to_vec();
    for (number, (at, edit)) in edits.iter().enumerate() {
        let at = at % (after.len() + 1);
        let line = format!("{word} {number}\n");
        match edit {
            0 => after.insert(at, line),
            1 if at < after.len() => after[at] = line,
            _ if at < after.len() => drop(after.remove(at)),
            _ => {}
        }
    }
    after
}
