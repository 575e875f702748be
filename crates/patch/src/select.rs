//! A change with only some of its hunks.

use std::collections::HashSet;

use crate::hunk::{HunkId, hunks};
use crate::text::lines;

/// A hunk was named that the change does not have: the name is stale, or of another amount of context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the change has no hunk {id}")]
pub struct UnknownHunk {
    /// The name.
    pub id: HunkId,
    /// The names that the change has.
    pub known: Vec<HunkId>,
}

/// The old side with the chosen hunks applied. Hunks are named as [`hunks`] makes them for the same two texts and the
/// same context.
///
/// # Errors
/// When the change has no hunk of a given name.
pub fn select(
    before: &[u8],
    after: &[u8],
    chosen: &[HunkId],
    context: usize,
) -> Result<Vec<u8>, UnknownHunk> {
    let hunks = hunks(before, after, context);
    let known: Vec<_> = hunks.iter().map(|hunk| hunk.id()).collect();
    let all: HashSet<_> = known.iter().collect();
    if let Some(&id) = chosen.iter().find(|id| !all.contains(id)) {
        return Err(UnknownHunk { id, known });
    }
    let chosen: HashSet<_> = chosen.iter().collect();
    let before: Vec<_> = lines(before).collect();
    let mut content = Vec::with_capacity(after.len());
    let mut done = 0;
    for (hunk, id) in hunks.iter().zip(&known) {
        let old = hunk.old_range();
        if chosen.contains(id) {
            before[done..old.start].iter().for_each(|line| content.extend_from_slice(line));
            hunk.new_side().for_each(|line| line.write_to(&mut content));
            done = old.end;
        }
    }
    before[done..].iter().for_each(|line| content.extend_from_slice(line));
    Ok(content)
}
