//! Keeps the whole of what was too long for one answer, so that it can be read on, also after a restart.
//!
//! This file is the only one that knows where outputs are kept: in the store, under names that cannot be guessed.
//! Everything else keeps texts and reads slices, and knows ids.

use std::borrow::Cow;

use bridge_core::ThreadId;
use bridge_store::{Subject, Write};

use data_encoding::BASE64;

use super::paging::{Kind, OutputId, TokenKey};
use crate::error::Problem;
use crate::image::ImageFormat;
use crate::ledger::Ledger;
use crate::redact;

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
    /// It is larger than what is kept of one text.
    #[error("it has {bytes} bytes, and no more than {limit} are kept (`max_output_megabytes`)")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The store does not take it.
    #[error("{0}")]
    Store(String),
}

/// Why a part of a kept text cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// It was forgotten, or there never was one of this name.
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
    /// The store cannot be read.
    #[error("{}", .0.message)]
    Store(Problem),
}

/// The kept outputs of all connections.
#[derive(Debug)]
pub struct Outputs {
    key: TokenKey,
    ledger: Ledger,
    max_bytes: usize,
}

impl Outputs {
    /// The outputs of a store, texts of at most so many megabytes. Where it has no key, because it cannot be opened yet,
    /// tokens are good until this process ends.
    pub async fn open(ledger: Ledger, max_megabytes: usize) -> Self {
        let key = ledger.read(bridge_store::Reader::token_key).await.ok().flatten();
        let key = key.unwrap_or_else(|| {
            let mut key = [0; 32];
            if let Err(error) = getrandom::fill(&mut key) {
                tracing::error!(%error, "names of long results can be guessed");
            }
            key
        });
        Self { key: TokenKey::new(&key), ledger, max_bytes: max_megabytes << 20 }
    }

    /// The key under which tokens for these outputs are sealed.
    pub fn token_key(&self) -> &TokenKey {
        &self.key
    }

    /// The largest text that is kept, in bytes.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Keeps a text, and returns when it is safe. The same text of the same turn keeps its id. Secrets are masked byte
    /// for byte, so that tokens that were given for the text still point where they did; a diff is kept as it is.
    ///
    /// # Errors
    /// It cannot be kept.
    pub async fn keep(&self, output: NewOutput) -> Result<OutputId, KeepError> {
        let bytes = output.text.len();
        let limit = self.max_bytes;
        if bytes > limit {
            return Err(KeepError::TooLarge { bytes, limit });
        }
        let NewOutput { text, kind, thread, turn } = output;
        let origin = [thread.as_deref(), turn.as_deref(), Some(kind.name()), Some(text.as_str())];
        let id = self.key.name(origin.map(Option::unwrap_or_default));
        self.ledger.write(vec![Write::Output(bridge_store::NewOutput {
            output: id.to_string(),
            thread: thread.map(ThreadId),
            kind: kind.name().to_owned(),
            text: match kind {
                Kind::Diff | Kind::Image(_) => text,
                Kind::Markdown | Kind::Log | Kind::Code | Kind::Json => {
                    redact::masked(&text).into_owned()
                }
            },
        })]);
        match self.ledger.settle(vec![Subject::Output(id.to_string())]).await {
            None => Ok(id),
            Some(warning) => Err(KeepError::Store(warning)),
        }
    }

    /// Reads a part: from byte `offset`, at most `max_bytes`, less where that would cut a character.
    ///
    /// # Errors
    /// See [`SliceError`].
    pub async fn slice(
        &self,
        id: OutputId,
        offset: usize,
        max_bytes: usize,
    ) -> Result<Slice, SliceError> {
        let name = id.to_string();
        let read = self.ledger.read(move |store| {
            let meta = store.output(&name)?;
            Ok((meta, store.output_slice(&name, offset as u64, max_bytes)?))
        });
        let (meta, text) = read.await.map_err(SliceError::Store)?;
        let meta = meta.ok_or(SliceError::Expired(id))?;
        let total_bytes = usize::try_from(meta.bytes).unwrap_or(usize::MAX);
        match text {
            Some(text) if offset <= total_bytes => {
                Ok(Slice { text, kind: Kind::of_name(&meta.kind), total_bytes })
            }
            Some(_) | None => Err(SliceError::Offset { id, offset }),
        }
    }
}

/// Queues a log. It is safe when a record is that was queued later. Gives the text as it is kept, without secrets: what
/// stands at a byte of it stood there before.
pub(crate) fn queue_log<'a>(
    ledger: &Ledger,
    thread: Option<&ThreadId>,
    text: &'a str,
) -> (OutputId, Cow<'a, str>) {
    let text = redact::masked(text);
    (queue(ledger, thread, Kind::Log, text.clone().into_owned()), text)
}

/// Queues an image in the same way.
pub(crate) fn queue_image(
    ledger: &Ledger,
    thread: Option<&ThreadId>,
    format: ImageFormat,
    content: &[u8],
) -> OutputId {
    queue(ledger, thread, Kind::Image(format), BASE64.encode(content))
}

fn queue(ledger: &Ledger, thread: Option<&ThreadId>, kind: Kind, text: String) -> OutputId {
    let mut name = [0; 16];
    if let Err(error) = getrandom::fill(&mut name) {
        tracing::error!(%error, "the name of an output can be guessed");
        name = *blake3::hash(text.as_bytes()).as_bytes().first_chunk().expect("a hash is longer");
    }
    let id = OutputId(name);
    ledger.write(vec![Write::Output(bridge_store::NewOutput {
        output: id.to_string(),
        thread: thread.cloned(),
        kind: kind.name().to_owned(),
        text,
    })]);
    id
}
