//! Puts a patch on a file whose base is unknown: where its old lines stand exactly, or not at all.
//!
//! There is no fuzz: a hunk is placed where every line of its old side is found, byte for byte, and the place that is
//! nearest to where the diff says it is wins. A hunk whose new side is found nearer than its old one was applied
//! before. Hunks keep their order and never overlap, and each is looked for as far from its place as the one before was
//! found. One that only adds and has context on one side alone is of the edge of the file, as git reads it; one that
//! only adds and has no context at all goes where its number says, as there is nothing else to go by.

mod locate;
mod obstacle;

use crate::hunk::Hunk;
use crate::mode::{Mode, Side};
use crate::parse::{Action, FilePatch};
use crate::path::TreePath;
use locate::Locator;
pub use obstacle::{HunkConflict, Obstacle};

/// Where a patch fits, and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// What the file becomes.
    pub outcome: Outcome,
    /// Where each hunk was found, in the order of the patch.
    pub hunks: Vec<HunkPlace>,
}

/// What a file becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This is written to the path of the patch.
    Write {
        /// Its kind and permissions: those that it has, but for what the patch changes.
        mode: Mode,
        /// Its bytes.
        content: Vec<u8>,
    },
    /// The file goes.
    Delete,
    /// Everything is as the patch would have it.
    AlreadyApplied,
}

/// Where a hunk was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HunkPlace {
    /// Its first line in the file as it is, counted from 1.
    pub line: usize,
    /// How many lines that is below where the diff says; negative above.
    pub offset: isize,
    /// Whether there is something to do.
    pub state: HunkState,
}

/// Whether a hunk is still to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HunkState {
    /// Its old lines are there.
    Applies,
    /// Its new lines are there.
    AlreadyApplied,
}

/// What comes of some hunks.
struct Text {
    content: Vec<u8>,
    hunks: Vec<HunkPlace>,
}

impl FilePatch<'_> {
    /// Puts the patch on files as they are: `file` tells what is at a path, none where there is no file. It is asked for
    /// [`FilePatch::source`] and [`FilePatch::path`].
    ///
    /// # Errors
    /// With everything that stands in the way.
    pub fn place<'f>(
        &self,
        file: impl Fn(&TreePath) -> Option<Side<'f>>,
    ) -> Result<Placed, Vec<HunkConflict>> {
        let current = file(&self.path);
        match &self.action {
            Action::Create => self.create(current),
            Action::Delete => self.delete(current),
            Action::Modify => self.modify(current),
            Action::Replace { removed } => self.replace(removed, current),
            Action::Rename { from } | Action::Copy { from } => {
                self.moved(from, file(from), current)
            }
        }
    }

    fn create(&self, current: Option<Side<'_>>) -> Result<Placed, Vec<HunkConflict>> {
        let mode = self.new_mode.unwrap_or(Mode::FILE);
        let content = new_content(&self.hunks);
        match current {
            None => Ok(Placed {
                outcome: Outcome::Write { mode, content },
                hunks: self.all_hunks(HunkState::Applies),
            }),
            Some(side) if side.content == content && same_mode(side.mode, mode) => {
                Ok(already(self.all_hunks(HunkState::AlreadyApplied)))
            }
            Some(_) => Err(whole(Obstacle::Exists { path: self.path.clone() })),
        }
    }

    fn delete(&self, current: Option<Side<'_>>) -> Result<Placed, Vec<HunkConflict>> {
        let Some(side) = current else {
            return Ok(already(self.all_hunks(HunkState::AlreadyApplied)));
        };
        self.check_kind(side)?;
        if old_content(&self.hunks) != side.content {
            return Err(whole(Obstacle::DeletedButChanged));
        }
        Ok(Placed { outcome: Outcome::Delete, hunks: self.all_hunks(HunkState::Applies) })
    }

    fn modify(&self, current: Option<Side<'_>>) -> Result<Placed, Vec<HunkConflict>> {
        let Some(side) = current else {
            return Err(whole(Obstacle::Missing { path: self.path.clone() }));
        };
        self.check_kind(side)?;
        let text = place_hunks(&self.hunks, side.content)?;
        let mode = self.mode_after(side.mode);
        let done = text.hunks.iter().all(|hunk| hunk.state == HunkState::AlreadyApplied);
        if done && mode == side.mode {
            return Ok(already(text.hunks));
        }
        Ok(Placed { outcome: Outcome::Write { mode, content: text.content }, hunks: text.hunks })
    }

    fn replace(
        &self,
        removed: &[Hunk<'_>],
        current: Option<Side<'_>>,
    ) -> Result<Placed, Vec<HunkConflict>> {
        let Some(side) = current else {
            return Err(whole(Obstacle::Missing { path: self.path.clone() }));
        };
        let mode = self.new_mode.unwrap_or(Mode::FILE);
        let content = new_content(&self.hunks);
        if side.mode.kind() == mode.kind() && side.content == content {
            return Ok(already(self.all_hunks(HunkState::AlreadyApplied)));
        }
        self.check_kind(side)?;
        if old_content(removed) != side.content {
            return Err(whole(Obstacle::DeletedButChanged));
        }
        Ok(Placed {
            outcome: Outcome::Write { mode, content },
            hunks: self.all_hunks(HunkState::Applies),
        })
    }

    fn moved(
        &self,
        from: &TreePath,
        source: Option<Side<'_>>,
        target: Option<Side<'_>>,
    ) -> Result<Placed, Vec<HunkConflict>> {
        let Some(source) = source else {
            return self.moved_before(from, target);
        };
        self.check_kind(source)?;
        let text = place_hunks(&self.hunks, source.content)?;
        let mode = self.mode_after(source.mode);
        match target {
            None => Ok(Placed {
                outcome: Outcome::Write { mode, content: text.content },
                hunks: text.hunks,
            }),
            Some(target) if target.content == text.content && self.action_copies() => {
                let state = HunkState::AlreadyApplied;
                Ok(already(text.hunks.iter().map(|hunk| HunkPlace { state, ..*hunk }).collect()))
            }
            Some(_) => Err(whole(Obstacle::Exists { path: self.path.clone() })),
        }
    }

    /// The source is gone. Only the hunks can tell that the target is what it became.
    fn moved_before(
        &self,
        from: &TreePath,
        target: Option<Side<'_>>,
    ) -> Result<Placed, Vec<HunkConflict>> {
        let missing = || whole(Obstacle::Missing { path: from.clone() });
        let target = target.ok_or_else(missing)?;
        let text = place_hunks(&self.hunks, target.content).map_err(|_| missing())?;
        let done = text.hunks.iter().all(|hunk| hunk.state == HunkState::AlreadyApplied);
        if done && !text.hunks.is_empty() { Ok(already(text.hunks)) } else { Err(missing()) }
    }

    /// The hunks of a file that is written or goes as a whole.
    fn all_hunks(&self, state: HunkState) -> Vec<HunkPlace> {
        self.hunks.iter().map(|_| HunkPlace { line: 1, offset: 0, state }).collect()
    }

    fn action_copies(&self) -> bool {
        matches!(self.action, Action::Copy { .. })
    }

    fn check_kind(&self, side: Side<'_>) -> Result<(), Vec<HunkConflict>> {
        let expected = self.old_mode.or(self.new_mode).unwrap_or(Mode::FILE).kind();
        let found = side.mode.kind();
        if expected == found { Ok(()) } else { Err(whole(Obstacle::OtherKind { expected, found })) }
    }

    fn mode_after(&self, current: Mode) -> Mode {
        self.new_mode.map_or(current, |new| current.with_executable_of(new))
    }
}

fn same_mode(one: Mode, other: Mode) -> bool {
    one.git() == other.git()
}

fn whole(obstacle: Obstacle) -> Vec<HunkConflict> {
    vec![HunkConflict { hunk: None, obstacle }]
}

fn already(hunks: Vec<HunkPlace>) -> Placed {
    Placed { outcome: Outcome::AlreadyApplied, hunks }
}

fn new_content(hunks: &[Hunk<'_>]) -> Vec<u8> {
    let mut content = Vec::new();
    hunks.iter().flat_map(Hunk::new_side).for_each(|line| line.write_to(&mut content));
    content
}

fn old_content(hunks: &[Hunk<'_>]) -> Vec<u8> {
    let mut content = Vec::new();
    hunks.iter().flat_map(Hunk::old_side).for_each(|line| line.write_to(&mut content));
    content
}

fn place_hunks(hunks: &[Hunk<'_>], current: &[u8]) -> Result<Text, Vec<HunkConflict>> {
    let mut locator = Locator::new(current);
    let mut places = Vec::with_capacity(hunks.len());
    let mut conflicts = Vec::new();
    let mut content = Vec::with_capacity(current.len());
    let mut done = 0;
    for (number, hunk) in hunks.iter().enumerate() {
        let found = match locator.locate(hunk) {
            Ok(found) => found,
            Err(obstacle) => {
                conflicts.push(HunkConflict { hunk: Some(number), obstacle });
                continue;
            }
        };
        if found.state == HunkState::Applies {
            locator.lines[done..found.range.start]
                .iter()
                .for_each(|line| content.extend_from_slice(line));
            hunk.new_side().for_each(|line| line.write_to(&mut content));
            done = found.range.end;
        }
        places.push(HunkPlace {
            line: found.range.start + 1,
            offset: found.offset,
            state: found.state,
        });
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    locator.lines[done..].iter().for_each(|line| content.extend_from_slice(line));
    Ok(Text { content, hunks: places })
}
