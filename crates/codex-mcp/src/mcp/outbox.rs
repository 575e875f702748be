//! What waits to be written to the client, in the order in which it was made.
//!
//! Queueing never waits, so the order on the wire is the order of the calls, whoever makes them; a
//! notification's sender then waits until the client's pipe has taken it. The queue is bounded in bytes: a
//! client that leaves more than that unread is given up. It knows nothing of what it writes but that it is
//! one line of JSON.

use std::io;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};

use super::trace::traced;

/// What the buffer keeps between batches, so that one large answer does not hold memory for ever.
const KEPT_CAPACITY: usize = 1024 * 1024;

/// Why a message was not queued.
#[derive(Debug, thiserror::Error)]
pub(super) enum QueueError {
    /// The connection has ended.
    #[error("the connection has ended")]
    Closed,
    /// The client does not read.
    #[error("the client leaves {bytes} bytes unread")]
    Full { bytes: usize },
    /// The message has no JSON form.
    #[error("the message cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
}

/// Why writing ended before the queue was closed.
#[derive(Debug)]
pub(super) enum WriteError {
    Io(io::Error),
    /// The client took nothing for the whole of the time that it is given.
    Stalled,
}

/// The queue between those who answer and the one who writes.
pub(super) struct Outbox {
    max_bytes: usize,
    queue: Mutex<Queue>,
    /// Wakes the writer.
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    batch: Batch,
    closed: bool,
}

/// Lines that are written together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Those who want to know when the batch is written. Dropped, they learn that it never will be.
    waiters: Vec<oneshot::Sender<()>>,
}

impl Outbox {
    /// A queue of at most `max_bytes` and one message more.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, queue: Mutex::default(), changed: Notify::new() }
    }

    /// Queues a message.
    pub(super) fn push(&self, message: &impl Serialize) -> Result<(), QueueError> {
        self.queue(message, None)
    }

    /// Queues a message and returns what resolves when it is written; to an error if it never will be.
    pub(super) fn push_watched(
        &self,
        message: &impl Serialize,
    ) -> Result<oneshot::Receiver<()>, QueueError> {
        let (waiter, written) = oneshot::channel();
        self.queue(message, Some(waiter))?;
        Ok(written)
    }

    fn queue(
        &self,
        message: &impl Serialize,
        waiter: Option<oneshot::Sender<()>>,
    ) -> Result<(), QueueError> {
        let mut queue = self.lock();
        let bytes = queue.batch.bytes.len();
        if queue.closed {
            return Err(QueueError::Closed);
        }
        if bytes > self.max_bytes {
            return Err(QueueError::Full { bytes });
        }
        if let Err(error) = serde_json::to_writer(&mut queue.batch.bytes, message) {
            queue.batch.bytes.truncate(bytes);
            return Err(QueueError::Encode(error));
        }
        tracing::trace!(line = %traced(&queue.batch.bytes[bytes..]), "to the client");
        queue.batch.bytes.push(b'\n');
        queue.batch.waiters.extend(waiter);
        drop(queue);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes no more. What is queued is still written.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Writes until the queue is closed and empty. A client that takes nothing for `patience` is given up.
    pub(super) async fn write_to<W>(
        &self,
        mut writer: W,
        patience: Duration,
    ) -> Result<(), WriteError>
    where
        W: AsyncWrite + Unpin,
    {
        let _abandoned = AbandonOnDrop(self);
        let mut spare = Vec::new();
        while let Some(batch) = self.next_batch(spare).await {
            write(&mut writer, &batch.bytes, patience).await?;
            for waiter in batch.waiters {
                // Who no longer waits does not want to know.
                let _ = waiter.send(());
            }
            spare = batch.bytes;
        }
        Ok(())
    }

    /// Waits for something to write; `None` when there will be nothing more.
    async fn next_batch(&self, mut spare: Vec<u8>) -> Option<Batch> {
        spare.clear();
        spare.shrink_to(KEPT_CAPACITY);
        loop {
            {
                let mut queue = self.lock();
                if !queue.batch.bytes.is_empty() {
                    let empty = Batch { bytes: spare, waiters: Vec::new() };
                    return Some(std::mem::replace(&mut queue.batch, empty));
                }
                if queue.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while it holds the queue")
    }
}

/// However writing ends, nothing more is queued after it, and those who wait for a line are told.
struct AbandonOnDrop<'a>(&'a Outbox);

impl Drop for AbandonOnDrop<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        queue.batch = Batch::default();
    }
}

async fn write<W>(writer: &mut W, mut bytes: &[u8], patience: Duration) -> Result<(), WriteError>
where
    W: AsyncWrite + Unpin,
{
    while !bytes.is_empty() {
        let written = in_time(patience, writer.write(bytes)).await?;
        if written == 0 {
            return Err(WriteError::Io(io::ErrorKind::WriteZero.into()));
        }
        bytes = &bytes[written..];
    }
    in_time(patience, writer.flush()).await
}

async fn in_time<T>(
    patience: Duration,
    step: impl Future<Output = io::Result<T>>,
) -> Result<T, WriteError> {
    match tokio::time::timeout(patience, step).await {
        Ok(done) => done.map_err(WriteError::Io),
        Err(_elapsed) => Err(WriteError::Stalled),
    }
}
