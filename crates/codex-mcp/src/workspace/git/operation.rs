//! What a repository is in the middle of. Git keeps that in small files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The longest such file that is read.
const MAX_BYTES: u64 = 1_000;

/// Something that was begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// `merge`, `rebase`, `am`, `cherry-pick`, `revert` or `bisect`.
    pub(crate) kind: &'static str,
    /// Which step of how many, of a rebase.
    pub(crate) step: Option<(u64, u64)>,
    /// The branch that is rebased.
    pub(crate) branch: Option<String>,
}

/// What goes on in a repository, given its `.git` folder. A rebase may have a cherry-pick or a merge in it.
pub(super) fn found(git_dir: &Path) -> Vec<Operation> {
    let rebases =
        [("rebase-merge", "rebase", "msgnum", "end"), ("rebase-apply", "rebase", "next", "last")];
    let mut found: Vec<_> = rebases
        .into_iter()
        .filter(|(folder, ..)| git_dir.join(folder).is_dir())
        .map(|(folder, kind, step, last)| {
            let folder = git_dir.join(folder);
            let kind = if folder.join("applying").exists() { "am" } else { kind };
            let number = |name: &str| line(&folder.join(name))?.parse().ok();
            let branch = line(&folder.join("head-name"));
            let branch = branch.map(|name| name.trim_start_matches("refs/heads/").to_owned());
            Operation { kind, step: number(step).zip(number(last)), branch }
        })
        .collect();
    let heads = [
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("BISECT_LOG", "bisect"),
    ];
    let heads = heads.into_iter().filter(|(file, _)| git_dir.join(file).exists());
    found.extend(heads.map(|(_, kind)| Operation { kind, step: None, branch: None }));
    found
}

/// The first line of a small file.
fn line(file: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(file).ok()?.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    text.lines().next().map(|line| line.trim().to_owned())
}
