//! Keeps the whole of what was too long for one answer, for as long as there is room.
//!
//! This file is the only one that knows where outputs are kept: today in the memory of this process, the newest
//! 64 MiB of them. Everything else keeps texts and reads slices, and knows ids.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use super::paging::{Kind, OutputId, TokenKey};

/// What is kept in all, in bytes, unless said otherwise.
pub const DEFAULT_CAPACITY: usize = 64 << 20;

/// A text to keep, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutput {
    /// The whole text.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// The thread that it belongs to.
    pub thread: Option<String>,
    /// The turn that it belongs to.
    pub turn: Option<String>,
}

/// A part of a kept text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The part: whole characters.
    pub text: String,
    /// What the whole is.
    pub kind: Kind,
    /// The length of the whole in bytes.
    pub total_bytes: usize,
}

/// Why a text was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It is larger than everything that may be kept.
    #[error("it has {bytes} bytes, and no more than {capacity} are kept")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// What may be kept in all.
        capacity: usize,
    },
    /// The system gave no random numbers for its name.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

/// Why a part of a kept text cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// It was dropped to make room, or there never was one of this name.
    #[error("output {0} is no longer kept")]
    Expired(OutputId),
    /// The offset is behind the end, or inside a character.
    #[error("output {id} has no text at byte {offset}")]
    Offset {
        /// The output.
        id: OutputId,
        /// The offset.
        offset: usize,
    },
}

/// The kept outputs of all connections.
#[derive(Debug)]
pub struct Outputs {
    key: TokenKey,
    capacity: usize,
    shelf: Mutex<Shelf>,
}

/// From the one that was not used for longest to the newest.
#[derive(Debug, Default)]
struct Shelf {
    outputs: VecDeque<(OutputId, NewOutput)>,
    bytes: usize,
}

impl Outputs {
    /// An empty store in memory, of `capacity` bytes, whose tokens are good for as long as it lives.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn in_memory(capacity: usize) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key: TokenKey::new(&key), capacity, shelf: Mutex::default() })
    }

    /// The key under which tokens for these outputs are sealed.
    pub fn token_key(&self) -> &TokenKey {
        &self.key
    }

    /// Keeps a text; what was not used for longest makes room for it. The same text of the same turn keeps its id.
    ///
    /// # Errors
    /// It cannot be kept, and then nothing else was dropped.
    #[expect(clippy::unused_async, reason = "a store on a disk has to wait")]
    pub async fn keep(&self, output: NewOutput) -> Result<OutputId, KeepError> {
        let bytes = output.text.len();
        if bytes > self.capacity {
            return Err(KeepError::TooLarge { bytes, capacity: self.capacity });
        }
        let mut shelf = self.shelf();
        let known = shelf.outputs.iter().find(|(_, known)| *known == output).map(|(id, _)| *id);
        if let Some(id) = known {
            shelf.touch(id);
            return Ok(id);
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(KeepError::Random)?;
        let id = OutputId(id);
        shelf.bytes += bytes;
        shelf.outputs.push_back((id, output));
        while shelf.bytes > self.capacity
            && let Some((_, dropped)) = shelf.outputs.pop_front()
        {
            shelf.bytes -= dropped.text.len();
        }
        Ok(id)
    }

    /// Reads a part: from byte `offset`, at most `max_bytes`, less where that would cut a character.
    ///
    /// # Errors
    /// See [`SliceError`].
    #[expect(clippy::unused_async, reason = "a store on a disk has to wait")]
    pub async fn slice(
        &self,
        id: OutputId,
        offset: usize,
        max_bytes: usize,
    ) -> Result<Slice, SliceError> {
        let mut shelf = self.shelf();
        shelf.touch(id);
        let (_, output) = shelf
            .outputs
            .back()
            .filter(|(newest, _)| *newest == id)
            .ok_or(SliceError::Expired(id))?;
        let rest = output.text.get(offset..).ok_or(SliceError::Offset { id, offset })?;
        let end = rest.floor_char_boundary(max_bytes.min(rest.len()));
        Ok(Slice {
            text: rest[..end].to_owned(),
            kind: output.kind,
            total_bytes: output.text.len(),
        })
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("nothing panics while it holds the shelf")
    }
}

impl Shelf {
    /// Makes an output the newest, if it is there.
    fn touch(&mut self, id: OutputId) {
        let place = self.outputs.iter().position(|(known, _)| *known == id);
        if let Some(output) = place.and_then(|place| self.outputs.remove(place)) {
            self.outputs.push_back(output);
        }
    }
}
