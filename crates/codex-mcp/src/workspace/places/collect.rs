//! Tells what a turn has changed in its place, and keeps it.

use std::path::Path;

use bridge_core::{ChangeSet, Changes, ThreadId, TurnNumber};
use change_set::{Collected, SnapshotError};

use super::in_place::InPlace;
use super::{LINKED, Places, name, record};
use crate::workspace::git::Git;

/// How many names of ignored files a note has.
const NAMED: usize = 5;

impl Places {
    /// Tells what a turn has changed, and keeps it.
    pub(crate) async fn collect(
        &self,
        git: Option<Git>,
        thread: ThreadId,
        number: TurnNumber,
    ) -> Result<Option<ChangeSet>, String> {
        let ignored = match (git, self.scratch(&thread)) {
            // What cannot be said of what is ignored is left out.
            (Some(git), Some(scratch)) => git.ignored(&scratch.tree()).await.unwrap_or_default(),
            (Some(_), None) | (None, _) => Vec::new(),
        };
        let places = self.clone();
        let collecting =
            tokio::task::spawn_blocking(move || places.collect_blocking(&thread, number, &ignored));
        collecting.await.unwrap_or_else(|panic| Err(panic.to_string()))
    }

    pub(super) fn collect_blocking(
        &self,
        thread: &ThreadId,
        number: TurnNumber,
        ignored: &[Vec<u8>],
    ) -> Result<Option<ChangeSet>, String> {
        let name = name(thread);
        // One of a turn that never began says nothing of this one.
        let in_place = InPlace::find(&self.0.in_place, &name);
        let found = match in_place.filter(|place| place.number() == number) {
            Some(place) => {
                let of = self.of(thread, number, place.changes(), place.root());
                let told =
                    self.keep(self.look(place.snapshot(), place.root()), &of, Notes::default());
                // What is known now is kept; what is not known now never will be.
                place.end();
                told
            }
            None => match self.0.scratches.find(&name) {
                Some(scratch) => {
                    let of = self.of(thread, number, Changes::Propose, scratch.original());
                    let collected = self.look(scratch.snapshot(), &scratch.tree());
                    self.keep(collected, &of, Notes::new(scratch.notes(), ignored))
                }
                None => Err("the place in which the turn worked is gone".to_owned()),
            },
        };
        self.used().remove(&name);
        found.map_err(|why| format!("what the turn changed is not known: {why}"))
    }

    fn of<'a>(
        &'a self,
        thread: &'a ThreadId,
        number: TurnNumber,
        changes: Changes,
        root: &'a Path,
    ) -> record::Of<'a> {
        record::Of { thread, number, changes, root, contents: &self.0.contents }
    }

    fn keep(
        &self,
        collected: Result<Collected, SnapshotError>,
        of: &record::Of<'_>,
        notes: Notes,
    ) -> Result<Option<ChangeSet>, String> {
        let collected = collected.map_err(|error| in_words(&error))?;
        if collected.changes.is_empty() {
            return match notes.ignored {
                0 => Ok(None),
                _ => Err(format!("nothing but {}", notes.words.join("; "))),
            };
        }
        let (change_set, writes) = of.writes(&collected, notes)?;
        self.0.ledger.write(writes);
        Ok(Some(change_set))
    }
}

/// What is told of a change set besides its files.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) words: Vec<String>,
    /// How many ignored files and directories there are in the copy, of which it had none when it was made.
    pub(super) ignored: usize,
}

impl Notes {
    fn new(of_scratch: &[String], ignored: &[Vec<u8>]) -> Self {
        let is_linked = |path: &[u8]| {
            let name = path.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty());
            LINKED.iter().any(|linked| Some(linked.as_bytes()) == name)
        };
        let names: Vec<_> = ignored.iter().filter(|path| !is_linked(path)).collect();
        let mut words = of_scratch.to_vec();
        if !names.is_empty() {
            let named = names.iter().take(NAMED).map(|name| String::from_utf8_lossy(name));
            let more = if names.len() > NAMED { ", …" } else { "" };
            let named = named.collect::<Vec<_>>().join(", ");
            words.push(format!("ignored by git and therefore not in the patch: {named}{more}"));
        }
        Self { words, ignored: names.len() }
    }
}

fn in_words(error: &SnapshotError) -> String {
    let source = std::error::Error::source(error);
    source.map_or(error.to_string(), |source| format!("{error}: {source}"))
}
