//! A change as the text that git shows and takes.

use crate::change::Change;
use crate::hunk::{Hunk, hunks};
use crate::mode::Side;
use crate::path::TreePath;
use crate::quote::quote;
use crate::text::is_binary;

/// How a change is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions<'a> {
    /// How many lines around a change.
    pub context: usize,
    /// What to name the contents in the line `index`; without it there is no such line.
    pub identities: Option<Identities<'a>>,
}

/// The caller's names for the contents of both sides, hexadecimal as git's; zeros for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identities<'a> {
    /// Of the old side.
    pub before: &'a str,
    /// Of the new side.
    pub after: &'a str,
}

impl Default for RenderOptions<'_> {
    /// Three lines of context, as git has it, and no identities.
    fn default() -> Self {
        Self { context: 3, identities: None }
    }
}

/// The diff of one file. A file that became a link, or the other way, is deleted and added, as git shows it. Empty
/// when nothing changed that git would show.
#[must_use]
pub fn render(change: &Change<'_>, options: &RenderOptions<'_>) -> Vec<u8> {
    let mut diff = Diff { text: Vec::new(), options };
    match *change {
        Change::Added { path, after } => diff.added(path, after),
        Change::Deleted { path, before } => diff.deleted(path, before),
        Change::Modified { path, before, after } if before.mode.kind() != after.mode.kind() => {
            diff.deleted(path, before);
            diff.added(path, after);
        }
        Change::Modified { path, before, after } => {
            if before.mode.git() != after.mode.git() || before.content != after.content {
                diff.names(path, path);
                diff.modes(before, after);
                diff.content(Some((path, before)), Some((path, after)));
            }
        }
        Change::Renamed { from, to, before, after, .. }
            if before.mode.kind() != after.mode.kind() =>
        {
            diff.deleted(from, before);
            diff.added(to, after);
        }
        Change::Renamed { from, to, similarity, before, after } => {
            diff.names(from, to);
            diff.modes(before, after);
            diff.line(&format!("similarity index {similarity}%"));
            diff.line(&format!("rename from {from}"));
            diff.line(&format!("rename to {to}"));
            diff.content(Some((from, before)), Some((to, after)));
        }
    }
    diff.text
}

impl Hunk<'_> {
    /// Writes the hunk as it stands in a diff.
    pub fn write_to(&self, text: &mut Vec<u8>) {
        let range = |start: usize, lines: usize| match lines {
            1 => start.to_string(),
            _ => format!("{start},{lines}"),
        };
        let old = range(self.old_start, self.old_lines);
        let new = range(self.new_start, self.new_lines);
        text.extend_from_slice(format!("@@ -{old} +{new} @@").as_bytes());
        if !self.section.is_empty() {
            text.push(b' ');
            text.extend_from_slice(self.section);
        }
        text.push(b'\n');
        for line in &self.lines {
            text.push(line.kind.sign());
            text.extend_from_slice(line.text);
            text.push(b'\n');
            if !line.newline {
                text.extend_from_slice(b"\\ No newline at end of file\n");
            }
        }
    }
}

struct Diff<'a> {
    text: Vec<u8>,
    options: &'a RenderOptions<'a>,
}

/// One side with its name; none where there is no file.
type Named<'a> = Option<(&'a TreePath, Side<'a>)>;

impl Diff<'_> {
    fn added(&mut self, path: &TreePath, after: Side<'_>) {
        self.names(path, path);
        self.line(&format!("new file mode {}", after.mode));
        self.content(None, Some((path, after)));
    }

    fn deleted(&mut self, path: &TreePath, before: Side<'_>) {
        self.names(path, path);
        self.line(&format!("deleted file mode {}", before.mode));
        self.content(Some((path, before)), None);
    }

    fn line(&mut self, line: &str) {
        self.text.extend_from_slice(line.as_bytes());
        self.text.push(b'\n');
    }

    fn names(&mut self, old: &TreePath, new: &TreePath) {
        self.line(&format!("diff --git {} {}", prefixed("a/", old), prefixed("b/", new)));
    }

    fn modes(&mut self, before: Side<'_>, after: Side<'_>) {
        if before.mode.git() != after.mode.git() {
            self.line(&format!("old mode {}", before.mode));
            self.line(&format!("new mode {}", after.mode));
        }
    }

    fn content(&mut self, before: Named<'_>, after: Named<'_>) {
        let (old, new) = (bytes(before), bytes(after));
        if old == new && before.is_some() == after.is_some() {
            return;
        }
        self.index(before, after);
        let name = |prefix, side: Named<'_>| {
            side.map_or_else(|| "/dev/null".to_owned(), |(path, _)| prefixed(prefix, path))
        };
        let (old_name, new_name) = (name("a/", before), name("b/", after));
        if is_binary(old) || is_binary(new) {
            self.line(&format!("Binary files {old_name} and {new_name} differ"));
            return;
        }
        let hunks = hunks(old, new, self.options.context);
        if hunks.is_empty() {
            return;
        }
        self.line(&format!("--- {}", ended(old_name)));
        self.line(&format!("+++ {}", ended(new_name)));
        for hunk in &hunks {
            hunk.write_to(&mut self.text);
        }
    }

    fn index(&mut self, before: Named<'_>, after: Named<'_>) {
        let Some(identities) = self.options.identities else {
            return;
        };
        let mut line = format!("index {}..{}", identities.before, identities.after);
        if let (Some((_, before)), Some((_, after))) = (before, after)
            && before.mode.git() == after.mode.git()
        {
            line.push(' ');
            line.push_str(after.mode.git());
        }
        self.line(&line);
    }
}

fn bytes<'a>(side: Named<'a>) -> &'a [u8] {
    side.map_or(b"", |(_, side)| side.content)
}

fn prefixed(prefix: &str, path: &TreePath) -> String {
    quote(&[prefix.as_bytes(), path.as_bytes()].concat()).into_owned()
}

/// A tab says where a name with spaces ends.
fn ended(mut name: String) -> String {
    if !name.starts_with('"') && name.contains(' ') {
        name.push('\t');
    }
    name
}
