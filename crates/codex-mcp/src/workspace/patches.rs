//! A change set as a person looks at it: file by file, hunk by hunk, with what to be careful of.

use std::io;

use change_set::{Change, Contents, Entry};
use data_encoding::HEXLOWER;
use patch::{Hunk, HunkId, Side, Stat, TreePath, Warning};

/// The longest content that is compared line by line, in bytes.
const MAX_TEXT: u64 = 8 << 20;
/// Lines around a change, as git has it.
pub(crate) const CONTEXT: usize = 3;
/// From which size on a file is called large, in bytes.
const LARGE: usize = 1 << 20;

/// The name of a change set: `unique` tells it from all others.
pub(crate) fn id(unique: &[u8]) -> String {
    format!("p-{}", &HEXLOWER.encode(blake3::hash(unique).as_bytes())[..16])
}

/// How many lines changes add and remove.
pub(crate) fn total(changes: &[Change], contents: &Contents) -> Stat {
    let mut total = Stat::default();
    for file in read(changes, contents).unwrap_or_default() {
        let stat = file.stat();
        total.added += stat.added;
        total.removed += stat.removed;
    }
    total
}

/// A kept change set as one diff in git's form.
///
/// # Errors
/// It or a content of it cannot be read any more.
pub(crate) fn diff(changes: &str, contents: &Contents) -> io::Result<String> {
    let changes: Vec<Change> = serde_json::from_str(changes)?;
    let diff: Vec<u8> = read(&changes, contents)?.iter().flat_map(File::diff).collect();
    Ok(String::from_utf8_lossy(&diff).into_owned())
}

/// One file of a change set with both of its sides.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: TreePath,
    /// Where it was, if it moved, and how much of it stayed the same.
    pub(crate) from: Option<(TreePath, u8)>,
    before: Option<Loaded>,
    after: Option<Loaded>,
    /// What is to be done for it: two changes if it moved.
    pub(crate) changes: Vec<Change>,
}

#[derive(Debug)]
struct Loaded {
    entry: Entry,
    content: Vec<u8>,
}

/// Reads the files of a change set. Of those that are too long for a diff only that they differ is known.
///
/// # Errors
/// A content is not kept any more.
pub(crate) fn read(changes: &[Change], contents: &Contents) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for change in changes {
        files.push(File {
            path: change.path.clone(),
            from: None,
            before: load(change.before.as_ref(), contents)?,
            after: load(change.after.as_ref(), contents)?,
            changes: vec![change.clone()],
        });
    }
    Ok(join_moved(files))
}

fn load(entry: Option<&Entry>, contents: &Contents) -> io::Result<Option<Loaded>> {
    let Some(entry) = entry else {
        return Ok(None);
    };
    let content = match entry.size > MAX_TEXT {
        false => contents.get(entry.content)?,
        // It stands for what is not shown: no text, and another one for each content.
        true => [b"\0", entry.content.to_string().as_bytes()].concat(),
    };
    Ok(Some(Loaded { entry: entry.clone(), content }))
}

/// Makes one file of two where a file has moved.
fn join_moved(mut files: Vec<File>) -> Vec<File> {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for (index, file) in files.iter().enumerate() {
        match (file.before(), file.after()) {
            (Some(side), None) => gone.push((index, (&file.path, side))),
            (None, Some(side)) => new.push((index, (&file.path, side))),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    let sides = |list: &[(usize, (_, _))]| list.iter().map(|(_, side)| *side).collect::<Vec<_>>();
    let moved: Vec<(usize, usize, u8)> = patch::renames(&sides(&gone), &sides(&new))
        .iter()
        .map(|moved| (gone[moved.from].0, new[moved.to].0, moved.similarity))
        .collect();
    let mut left = Vec::new();
    for (from, to, similarity) in moved {
        let path = files[from].path.clone();
        let before = files[from].before.take();
        let change = files[from].changes.clone();
        let file = &mut files[to];
        (file.from, file.before) = (Some((path, similarity)), before);
        file.changes.extend(change);
        left.push(from);
    }
    let mut index = 0;
    files.retain(|_| {
        index += 1;
        !left.contains(&(index - 1))
    });
    files
}

impl File {
    fn before(&self) -> Option<Side<'_>> {
        self.before.as_ref().map(Loaded::side)
    }

    fn after(&self) -> Option<Side<'_>> {
        self.after.as_ref().map(Loaded::side)
    }

    /// The change of its text. `None`: there is nothing on either side.
    fn change(&self) -> Option<patch::Change<'_>> {
        let path = &self.path;
        Some(match (self.before(), self.after(), &self.from) {
            (Some(before), Some(after), Some((from, similarity))) => {
                patch::Change::Renamed { from, to: path, similarity: *similarity, before, after }
            }
            (Some(before), Some(after), None) => patch::Change::Modified { path, before, after },
            (Some(before), None, _) => patch::Change::Deleted { path, before },
            (None, Some(after), _) => patch::Change::Added { path, after },
            (None, None, _) => return None,
        })
    }

    /// What happened to it, in a word.
    pub(crate) fn kind(&self) -> &'static str {
        match (&self.before, &self.after, &self.from) {
            (_, _, Some(_)) => "renamed",
            (None, _, None) => "added",
            (_, None, None) => "deleted",
            (Some(before), Some(after), None) if before.entry.content == after.entry.content => {
                "mode"
            }
            (Some(_), Some(_), None) => "modified",
        }
    }

    /// Its mode before and after, where that changes.
    pub(crate) fn modes(&self) -> Option<(String, String)> {
        let (before, after) = (self.before.as_ref()?.entry.mode, self.after.as_ref()?.entry.mode);
        let text = |mode: patch::Mode| match mode.kind() {
            patch::Kind::Symlink => "link".to_owned(),
            patch::Kind::Regular => format!("{:o}", mode.permissions()),
        };
        (before != after).then(|| (text(before), text(after)))
    }

    pub(crate) fn is_binary(&self) -> bool {
        self.change().is_some_and(|change| change.is_binary())
    }

    pub(crate) fn hunks(&self) -> Vec<Hunk<'_>> {
        self.change().map(|change| change.hunks(CONTEXT)).unwrap_or_default()
    }

    pub(crate) fn stat(&self) -> Stat {
        patch::stat(&self.hunks())
    }

    /// Its part of a diff in git's form.
    pub(crate) fn diff(&self) -> Vec<u8> {
        let render = |change| patch::render(&change, &patch::RenderOptions::default());
        self.change().map(render).unwrap_or_default()
    }

    pub(crate) fn warnings(&self) -> Vec<Warning> {
        self.change().map(|change| patch::warnings(&change, LARGE)).unwrap_or_default()
    }

    /// Its changes with only some of its hunks; `None` if it has none of them. A file that is new, gone or moved has only
    /// all of them.
    ///
    /// # Errors
    /// What is left of it cannot be kept.
    pub(crate) fn select(
        &self,
        chosen: &[HunkId],
        contents: &Contents,
    ) -> io::Result<Option<Vec<Change>>> {
        let hunks = self.hunks();
        let own: Vec<HunkId> =
            hunks.iter().map(Hunk::id).filter(|id| chosen.contains(id)).collect();
        let (Some(before), Some(after), None) = (&self.before, &self.after, &self.from) else {
            return Ok((!own.is_empty()).then(|| self.changes.clone()));
        };
        if own.is_empty() || own.len() == hunks.len() {
            return Ok((!own.is_empty()).then(|| self.changes.clone()));
        }
        let content = patch::select(&before.content, &after.content, &own, CONTEXT)
            .map_err(io::Error::other)?;
        let mode = before.entry.mode;
        let size = content.len() as u64;
        let wanted = Entry { mode, size, content: contents.put(&content)? };
        let [change] = &self.changes[..] else {
            return Ok(None);
        };
        Ok(Some(vec![Change { after: Some(wanted), ..change.clone() }]))
    }
}

impl Loaded {
    fn side(&self) -> Side<'_> {
        Side { mode: self.entry.mode, content: &self.content }
    }
}
