//! Which lines of which files a unified diff shows: what a finding of a review can speak of.

use std::collections::BTreeMap;

use crate::workspace::git::unquoted;

/// The lines that a diff shows, by file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    files: BTreeMap<String, Vec<Lines>>,
}

/// The first line and the last one.
type Lines = (u64, u64);

impl Places {
    /// Reads a diff, with git's headers or without. What is no part of one is passed over.
    pub(super) fn of(diff: &str) -> Self {
        let mut places = Self::default();
        let mut files: Vec<String> = Vec::new();
        let mut left = (0u64, 0u64);
        for line in diff.lines() {
            if left != (0, 0) {
                // A content line may look like any header.
                match line.as_bytes().first() {
                    Some(b'-') => left.0 = left.0.saturating_sub(1),
                    Some(b'+') => left.1 = left.1.saturating_sub(1),
                    Some(b'\\') => {}
                    _ => left = (left.0.saturating_sub(1), left.1.saturating_sub(1)),
                }
            } else if line.starts_with("diff --git ") {
                files.clear();
            } else if let Some(name) = header(line) {
                if line.starts_with("--- ") {
                    files.clear();
                }
                if let Some(name) = name {
                    places.files.entry(name.clone()).or_default();
                    files.push(name);
                }
            } else if let Some([before, after]) = hunk(line) {
                left = (before.1, after.1);
                for file in &files {
                    let lines = places.files.entry(file.clone()).or_default();
                    lines.extend([before, after].into_iter().filter_map(range));
                }
            } else if let Some(name) = binary(line) {
                places.files.entry(name).or_default();
            }
        }
        places
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The name that the diff has for a file, and whether it shows any of these lines. A diff that shows no lines of a
    /// file, such as a rename, shows all of it.
    pub(super) fn find(&self, file: &str, (start, end): Lines) -> Option<(&str, bool)> {
        let plain = file.trim_start_matches("./");
        let names = [plain, plain.strip_prefix("a/").or(plain.strip_prefix("b/")).unwrap_or(plain)];
        let exact = names.into_iter().find_map(|name| self.files.get_key_value(name));
        // A model may name a file by its whole path.
        let (name, lines) = exact.or_else(|| {
            let ends = |name: &str| file.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'));
            self.files.iter().find(|(name, _)| ends(name))
        })?;
        let shows = |(first, last): &Lines| *first <= end && start <= *last;
        Some((name, start <= end && (lines.is_empty() || lines.iter().any(shows))))
    }
}

/// The file of a header line; `Some(None)` if it names none.
fn header(line: &str) -> Option<Option<String>> {
    let name = ["--- ", "+++ ", "rename from ", "rename to ", "copy from ", "copy to "]
        .iter()
        .find_map(|header| line.strip_prefix(header).map(|name| (name, header.len() == 4)));
    let (name, has_prefix) = name?;
    let name = name.split('\t').next().unwrap_or(name);
    let name = unquoted(name).map(|name| String::from_utf8_lossy(&name).into_owned());
    let name = name.filter(|name| name != "/dev/null" && !name.is_empty());
    Some(name.map(|name| {
        let plain = name.strip_prefix("a/").or(name.strip_prefix("b/")).filter(|_| has_prefix);
        plain.map_or_else(|| name.clone(), str::to_owned)
    }))
}

fn binary(line: &str) -> Option<String> {
    let names = line.strip_prefix("Binary files ")?.strip_suffix(" differ")?;
    let (_, name) = names.split_once(" and ")?;
    Some(name.strip_prefix("b/").unwrap_or(name).to_owned())
}

/// Both ranges of `@@ -1,2 +3,4 @@`: where each begins, and how many lines it has.
fn hunk(line: &str) -> Option<[Lines; 2]> {
    let (before, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (after, _) = rest.split_once(" @@")?;
    let read = |range: &str| {
        let (start, count) = range.split_once(',').unwrap_or((range, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    Some([read(before)?, read(after)?])
}

fn range((start, count): Lines) -> Option<Lines> {
    (count > 0).then(|| (start, start.saturating_add(count - 1)))
}

#[cfg(test)]
mod tests {
    use super::Places;

    const DIFF: &str = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -3,2 +3,3 @@ fn\n x\n+--- a/evil\n-+++ b/evil\n+y\n\
        diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n\
        diff --git \"a/t\\303\\274r\" \"b/t\\303\\274r\"\n--- /dev/null\n+++ \"b/t\\303\\274r\"\n@@ -0,0 +1 @@\n+x\n\
        Binary files /dev/null and b/image differ\n--- plain.c\t2026\n+++ plain.c\t2026\n@@ -10 +10,0 @@\n-x\n";

    #[test]
    fn lines_and_files_are_found() {
        let places = Places::of(DIFF);
        assert_eq!(
            places.names().collect::<Vec<_>>(),
            ["a", "image", "new", "old", "plain.c", "tür"]
        );
        for (file, lines, expected) in [
            ("a", (5, 5), Some(("a", true))),
            ("./a", (1, 3), Some(("a", true))),
            ("b/a", (6, 9), Some(("a", false))),
            ("a", (5, 4), Some(("a", false))),
            ("/w/r/plain.c", (10, 10), Some(("plain.c", true))),
            ("new", (700, 700), Some(("new", true))),
            ("evil", (1, 1), None),
            ("tür", (1, 1), Some(("tür", true))),
        ] {
            assert_eq!(places.find(file, lines), expected, "{file} {lines:?}");
        }
    }

    #[test]
    fn what_is_no_diff_has_no_files() {
        for text in ["", "hello", "@@ -1 +1 @@\n-a\n+b", "--- a", "diff --git a/x b/x"] {
            let count = Places::of(text).count();
            assert!(count <= 1, "{text}");
        }
        assert!(Places::of("hello\n@@ no @@").is_empty());
    }
}
