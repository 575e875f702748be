//! Finds files that moved.

use std::collections::HashMap;

use crate::mode::Side;
use crate::path::TreePath;
use crate::text::{is_binary, lines};

/// How alike two files must be to be one that moved, in percent.
const MIN_SIMILARITY: u64 = 50;
/// How many files of each side are compared by their lines.
const MAX_FILES: usize = 400;
/// How long such a file may be.
const MAX_BYTES: usize = 1 << 20;
/// How long all such files together may be.
const MAX_TOTAL_BYTES: usize = 64 << 20;
/// How many lines are compared at most; whatever is left then did not move.
const MAX_WORK: usize = 50_000_000;

/// A file that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// Which of the deleted files, counted from 0.
    pub from: usize,
    /// Which of the added files, counted from 0.
    pub to: usize,
    /// How alike they are in percent; 100 only when they are the same.
    pub similarity: u8,
}

/// A file with its name.
type File<'a> = (&'a TreePath, Side<'a>);

/// Pairs deleted files with added ones: first those of the same content, then those that share at least half of their
/// lines, the most alike first; of equals, those that keep their name, then by path. A file and a link are no
/// pair, an empty file says nothing, and each file moves once. In the order of the added paths. Where files are too many
/// or too large to be compared by their lines, only those of the same content are found.
#[must_use]
pub fn renames(deleted: &[File<'_>], added: &[File<'_>]) -> Vec<Rename> {
    let mut pairs = Pairs::new(deleted, added);
    pairs.exact();
    pairs.similar();
    let mut found = pairs.found;
    found.sort_by_key(|rename| added[rename.to].0);
    found
}

struct Pairs<'p> {
    deleted: &'p [File<'p>],
    added: &'p [File<'p>],
    /// Files by path, as far as they have not moved.
    deleted_left: Vec<usize>,
    added_left: Vec<usize>,
    found: Vec<Rename>,
}

impl<'p> Pairs<'p> {
    fn new(deleted: &'p [File<'p>], added: &'p [File<'p>]) -> Self {
        let by_path = |files: &[File<'_>]| {
            let mut left: Vec<_> = (0..files.len()).collect();
            left.retain(|&file| !files[file].1.content.is_empty());
            left.sort_by_key(|&file| files[file].0);
            left
        };
        Self {
            deleted,
            added,
            deleted_left: by_path(deleted),
            added_left: by_path(added),
            found: Vec::new(),
        }
    }

    /// Those of the same content: first with the same name, then in order.
    fn exact(&mut self) {
        let key = |(_, side): &File<'p>| (side.mode.kind(), side.content);
        let mut groups: HashMap<_, Vec<usize>> = HashMap::new();
        for &from in self.deleted_left.iter().rev() {
            groups.entry(key(&self.deleted[from])).or_default().push(from);
        }
        let mut named: HashMap<_, Vec<usize>> = HashMap::new();
        for &from in self.deleted_left.iter().rev() {
            let file = &self.deleted[from];
            named.entry((key(file), file.0.file_name())).or_default().push(from);
        }
        let mut taken = vec![false; self.deleted.len()];
        let mut found = Vec::new();
        self.added_left.retain(|&to| {
            let file = &self.added[to];
            let from = named.get_mut(&(key(file), file.0.file_name())).and_then(Vec::pop);
            let Some(from) = from else {
                return true;
            };
            taken[from] = true;
            found.push(Rename { from, to, similarity: 100 });
            false
        });
        self.added_left.retain(|&to| {
            let Some(group) = groups.get_mut(&key(&self.added[to])) else {
                return true;
            };
            while let Some(from) = group.pop() {
                if !std::mem::replace(&mut taken[from], true) {
                    found.push(Rename { from, to, similarity: 100 });
                    return false;
                }
            }
            true
        });
        self.deleted_left.retain(|&from| !taken[from]);
        self.found = found;
    }

    /// Those that share lines.
    fn similar(&mut self) {
        let mut from = comparable(self.deleted, &self.deleted_left);
        let mut to = comparable(self.added, &self.added_left);
        let bytes: usize = from.iter().chain(&to).map(|file| file.side.content.len()).sum();
        let too_many = from.len().max(to.len()) > MAX_FILES || bytes > MAX_TOTAL_BYTES;
        if from.is_empty() || to.is_empty() || too_many {
            return;
        }
        number_lines(from.iter_mut().chain(&mut to));
        let mut candidates = candidates(&from, &to);
        candidates.sort();
        let (mut moved, mut made) =
            (vec![false; self.deleted.len()], vec![false; self.added.len()]);
        for Candidate { from, to, similarity, .. } in candidates {
            if !moved[from] && !made[to] {
                (moved[from], made[to]) = (true, true);
                self.found.push(Rename { from, to, similarity: similarity.0 });
            }
        }
    }
}

fn comparable<'p>(files: &'p [File<'p>], left: &[usize]) -> Vec<Profile<'p>> {
    let mut comparable = Vec::new();
    for &index in left {
        let (path, side) = files[index];
        if side.content.len() <= MAX_BYTES && !is_binary(side.content) {
            comparable.push(Profile { index, path, side, lines: Vec::new() });
        }
    }
    comparable
}

/// A file as its lines.
struct Profile<'p> {
    index: usize,
    path: &'p TreePath,
    side: Side<'p>,
    /// The number of each different line, and how many bytes of the file are such lines; by number.
    lines: Vec<(u32, u64)>,
}

/// A pair in the order of preference.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate<'p> {
    similarity: std::cmp::Reverse<u8>,
    other_name: bool,
    from_path: &'p TreePath,
    to_path: &'p TreePath,
    from: usize,
    to: usize,
}

fn number_lines<'a, 'p: 'a>(profiles: impl Iterator<Item = &'a mut Profile<'p>>) {
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    for profile in profiles {
        let mut bytes: HashMap<u32, u64> = HashMap::new();
        for line in lines(profile.side.content) {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            let number = *known.entry(line).or_insert(next);
            *bytes.entry(number).or_default() += line.len() as u64;
        }
        profile.lines = bytes.into_iter().collect();
        profile.lines.sort_unstable();
    }
}

fn candidates<'p>(from: &[Profile<'p>], to: &[Profile<'p>]) -> Vec<Candidate<'p>> {
    let mut candidates = Vec::new();
    let mut work_left = MAX_WORK;
    for to in to {
        for from in from {
            let longer = from.side.content.len().max(to.side.content.len()) as u64;
            let shorter = from.side.content.len().min(to.side.content.len()) as u64;
            let kinds = from.side.mode.kind() == to.side.mode.kind();
            if !kinds || shorter * 100 < longer * MIN_SIMILARITY {
                continue;
            }
            let steps = from.lines.len() + to.lines.len();
            if steps > work_left {
                return candidates;
            }
            work_left -= steps;
            let similarity = shared(&from.lines, &to.lines) * 100 / longer;
            if similarity >= MIN_SIMILARITY {
                candidates.push(Candidate {
                    similarity: std::cmp::Reverse(similarity.min(99) as u8),
                    other_name: from.path.file_name() != to.path.file_name(),
                    from_path: from.path,
                    to_path: to.path,
                    from: from.index,
                    to: to.index,
                });
            }
        }
    }
    candidates
}

/// How many bytes two files have in common.
fn shared(one: &[(u32, u64)], other: &[(u32, u64)]) -> u64 {
    let (mut one, mut other) = (one, other);
    let mut bytes = 0;
    while let ([(a, a_bytes), one_rest @ ..], [(b, b_bytes), other_rest @ ..]) = (one, other) {
        if a == b {
            bytes += a_bytes.min(b_bytes);
        }
        if a <= b {
            one = one_rest;
        }
        if b <= a {
            other = other_rest;
        }
    }
    bytes
}
