//! The state of a repository: `git status --porcelain=v2 -z`.

use super::operation;
use super::{Git, GitError, Operation, Pathspec, Repository, words};

/// The most entries that are kept; more are only counted.
const MAX_ENTRIES: usize = 50_000;

/// What git says of a working tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) branch: Branch,
    /// How many stashes there are.
    pub(crate) stashes: u64,
    /// Conflicts first, then what is tracked, then what is not; each in git's order.
    pub(crate) entries: Vec<Entry>,
    /// How many further ones there are.
    pub(crate) beyond: usize,
    pub(crate) operations: Vec<Operation>,
    /// Whether somebody holds the index, or died while they did.
    pub(crate) is_locked: bool,
    /// Folders that are ignored. Only for the watch.
    pub(super) ignored: Vec<Vec<u8>>,
}

/// Whether git says also which folders are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ignored {
    List,
    Skip,
}

/// Where HEAD is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Branch {
    /// `None`: detached.
    pub(crate) name: Option<String>,
    /// `None`: there is no commit yet.
    pub(crate) commit: Option<String>,
    pub(crate) upstream: Option<String>,
    /// Commits ahead of it and behind it; `None` if it is gone.
    pub(crate) ahead_behind: Option<(u64, u64)>,
}

/// What has become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Modified,
    Deleted,
    Renamed,
    Copied,
    TypeChanged,
}

impl Change {
    fn of(letter: u8) -> Option<Self> {
        Some(match letter {
            b'A' => Self::Added,
            b'M' => Self::Modified,
            b'D' => Self::Deleted,
            b'R' => Self::Renamed,
            b'C' => Self::Copied,
            b'T' => Self::TypeChanged,
            _ => return None,
        })
    }
}

/// What both sides of a conflict did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) ours: &'static str,
    pub(crate) theirs: &'static str,
}

impl Conflict {
    fn of(letters: [u8; 2]) -> Self {
        let (ours, theirs) = match &letters {
            b"DD" => ("deleted", "deleted"),
            b"AU" => ("added", "absent"),
            b"UD" => ("modified", "deleted"),
            b"UA" => ("absent", "added"),
            b"DU" => ("deleted", "modified"),
            b"AA" => ("added", "added"),
            _ => ("modified", "modified"),
        };
        Self { ours, theirs }
    }
}

/// A path that is not as HEAD has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Below the top level; a folder ends in a slash.
    pub(crate) path: Vec<u8>,
    /// Where it was before it was renamed or copied.
    pub(crate) from: Option<Vec<u8>>,
    pub(crate) staged: Option<Change>,
    pub(crate) unstaged: Option<Change>,
    pub(crate) conflict: Option<Conflict>,
    pub(crate) is_submodule: bool,
}

impl Entry {
    pub(crate) fn is_untracked(&self) -> bool {
        self.staged.is_none() && self.unstaged.is_none() && self.conflict.is_none()
    }
}

impl Status {
    /// Asks git.
    pub(super) async fn read(
        git: &Git,
        repository: &Repository,
        paths: &[Pathspec],
        ignored: Ignored,
    ) -> Result<Self, GitError> {
        let mut arguments = words([
            "status",
            "--porcelain=v2",
            "-z",
            "--branch",
            "--show-stash",
            "--untracked-files=normal",
            "--ignore-submodules=dirty",
            "--ahead-behind",
            "--find-renames",
        ]);
        match ignored {
            Ignored::List => arguments.extend(words(["--ignored=matching"])),
            Ignored::Skip => {}
        }
        arguments.extend(repository.limits(paths));
        let mut parser = Parser::default();
        git.stream(repository.place(), &arguments, super::MAX_OUTPUT, |chunk| parser.push(chunk))
            .await?;
        let mut status = parser.status;
        // Stable, so that git's order stays within each kind.
        status.entries.sort_by_key(|entry| (entry.conflict.is_none(), entry.is_untracked()));
        status.operations = operation::found(&repository.git_dir);
        status.is_locked = repository.git_dir.join("index.lock").exists();
        Ok(status)
    }
}

/// Reads the output as it comes: of a record only what is not complete yet is held.
#[derive(Default)]
struct Parser {
    status: Status,
    partial: Vec<u8>,
    /// A renamed entry whose former path comes next.
    renamed: Option<Entry>,
}

impl Parser {
    fn push(&mut self, mut chunk: &[u8]) {
        while let Some(end) = memchr::memchr(0, chunk) {
            let (record, rest) = (&chunk[..end], &chunk[end + 1..]);
            if self.partial.is_empty() {
                self.record(record);
            } else {
                self.partial.extend_from_slice(record);
                let record = std::mem::take(&mut self.partial);
                self.record(&record);
            }
            chunk = rest;
        }
        self.partial.extend_from_slice(chunk);
    }

    fn record(&mut self, record: &[u8]) {
        if let Some(entry) = self.renamed.take() {
            return self.add(Entry { from: Some(record.to_vec()), ..entry });
        }
        let Some((kind, rest)) = record.split_first_chunk::<2>() else { return };
        match kind {
            b"# " => self.header(&String::from_utf8_lossy(rest)),
            b"1 " => self.add(changed(rest, 6)),
            b"2 " => self.renamed = changed(rest, 7),
            b"u " => {
                let entry = changed(rest, 8);
                let letters = rest.first_chunk::<2>().copied().unwrap_or_default();
                self.add(entry.map(|entry| Entry {
                    staged: None,
                    unstaged: None,
                    conflict: Some(Conflict::of(letters)),
                    ..entry
                }));
            }
            b"? " => self.add(Some(untracked(rest))),
            b"! " if rest.ends_with(b"/") => self.status.ignored.push(rest.to_vec()),
            _ => {}
        }
    }

    fn add(&mut self, entry: impl Into<Option<Entry>>) {
        match entry.into() {
            Some(entry) if self.status.entries.len() < MAX_ENTRIES => {
                self.status.entries.push(entry)
            }
            Some(_) => self.status.beyond += 1,
            None => {}
        }
    }

    fn header(&mut self, header: &str) {
        let branch = &mut self.status.branch;
        match header.split_once(' ') {
            Some(("branch.oid", "(initial)")) => branch.commit = None,
            Some(("branch.oid", commit)) => branch.commit = Some(commit.to_owned()),
            Some(("branch.head", "(detached)")) => branch.name = None,
            Some(("branch.head", name)) => branch.name = Some(name.to_owned()),
            Some(("branch.upstream", name)) => branch.upstream = Some(name.to_owned()),
            Some(("branch.ab", counts)) => {
                let counts = counts.split_once(' ');
                let number = |text: &str| text.trim_start_matches(['+', '-']).parse().ok();
                branch.ahead_behind =
                    counts.and_then(|(ahead, behind)| number(ahead).zip(number(behind)));
            }
            Some(("stash", count)) => self.status.stashes = count.parse().unwrap_or_default(),
            Some(_) | None => {}
        }
    }
}

/// An entry whose path stands behind so many fields, the first of which are its letters and what it says of a submodule.
fn changed(record: &[u8], fields: usize) -> Option<Entry> {
    let mut parts = record.splitn(fields + 2, |byte| *byte == b' ');
    let letters = parts.next()?;
    let submodule = parts.next()?;
    let path = parts.last()?;
    let (staged, unstaged) = (*letters.first()?, *letters.get(1)?);
    Some(Entry {
        path: path.to_vec(),
        from: None,
        staged: Change::of(staged),
        unstaged: Change::of(unstaged),
        conflict: None,
        is_submodule: submodule.starts_with(b"S"),
    })
}

fn untracked(path: &[u8]) -> Entry {
    Entry {
        path: path.to_vec(),
        from: None,
        staged: None,
        unstaged: None,
        conflict: None,
        is_submodule: false,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::shown;
    use super::Parser;

    const SAMPLE: &[u8] =
        b"# branch.oid 0123\0# branch.head (detached)\0# branch.upstream origin/x y\0\
        # branch.ab +2 -13\0# stash 4\0\
        1 .M N... 100644 100644 100644 aa bb a file\0\
        2 R. N... 100644 100644 100644 aa bb R100 new name\0old\nname\0\
        u UD N... 100644 100644 000000 100644 aa bb cc conf\xff\0\
        1 .M SC.. 160000 160000 160000 aa bb sub\0\
        ? -x\0! target/\0! one.log\0? dir/\0";

    fn parsed(chunk: usize) -> String {
        let mut parser = Parser::default();
        SAMPLE.chunks(chunk).for_each(|chunk| parser.push(chunk));
        let status = parser.status;
        let entries = status.entries.iter().map(|entry| {
            let from = entry.from.as_deref().map(shown);
            let conflict = entry.conflict.map(|conflict| (conflict.ours, conflict.theirs));
            let (staged, unstaged, sub) = (entry.staged, entry.unstaged, entry.is_submodule);
            format!("{} {from:?} {staged:?} {unstaged:?} {conflict:?} {sub}\n", shown(&entry.path))
        });
        let entries: String = entries.collect();
        format!(
            "{:?}, {} stashes, {} ignored\n{entries}",
            status.branch,
            status.stashes,
            status.ignored.len()
        )
    }

    #[test]
    fn records_are_read_however_they_come() {
        let expected = expect![[r#"
            Branch { name: None, commit: Some("0123"), upstream: Some("origin/x y"), ahead_behind: Some((2, 13)) }, 4 stashes, 1 ignored
            a file None None Some(Modified) None false
            new name Some("\"old\\nname\"") Some(Renamed) None None false
            "conf\377" None None None Some(("modified", "deleted")) false
            sub None None Some(Modified) None true
            -x None None None None false
            dir/ None None None None false
        "#]];
        let whole = parsed(SAMPLE.len());
        expected.assert_eq(&whole);
        for chunk in 1..20 {
            assert_eq!(parsed(chunk), whole, "in chunks of {chunk}");
        }
    }
}
