//! The two tasks that own a pipe end each. They move lines and know nothing of requests.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::CloseReason;
use crate::framing::{Line, LineReader};
use crate::rpc::{Malformed, Message, beginning};

/// Messages between the reader and the actor. Full: the pipe is not read.
const READ_AHEAD: usize = 16;
/// Lines between the actor and the writer. Full: the actor keeps them.
const WRITE_AHEAD: usize = 1;
/// How long a dead process's pipe may stay silent before it counts as ended: some descendant of it
/// may hold the other end open for ever.
const SILENCE_AFTER_DEATH: Duration = Duration::from_millis(500);

/// How much of a line is traced. The log shows less: secrets are taken out first, whole ones.
const MAX_TRACED_BYTES: usize = 64 << 10;

/// What the reader hands to the actor; `End` is the last.
#[derive(Debug)]
pub(crate) enum Received {
    Message(Message),
    Malformed(Malformed),
    End(CloseReason),
}

/// Starts the reader. It ends at the end of the stream or when `stop` is cancelled.
pub(super) fn read<R: AsyncRead + Unpin + Send + 'static>(
    output: R,
    max_line_bytes: usize,
    peer_gone: CancellationToken,
    stop: CancellationToken,
    tasks: &TaskTracker,
) -> mpsc::Receiver<Received> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let reader = LineReader::new(output, max_line_bytes);
    tasks.spawn(stop.run_until_cancelled_owned(read_all(reader, peer_gone, sender)));
    receiver
}

async fn read_all<R: AsyncRead + Unpin>(
    mut reader: LineReader<R>,
    peer_gone: CancellationToken,
    sender: mpsc::Sender<Received>,
) {
    loop {
        let received = next(&mut reader, &peer_gone).await;
        let ended = matches!(received, Received::End(_));
        if sender.send(received).await.is_err() || ended {
            return;
        }
    }
}

/// Waits for the next thing to hand on.
pub(crate) async fn next<R: AsyncRead + Unpin>(
    reader: &mut LineReader<R>,
    peer_gone: &CancellationToken,
) -> Received {
    loop {
        let silent = async {
            peer_gone.cancelled().await;
            tokio::time::sleep(SILENCE_AFTER_DEATH).await;
        };
        let line = tokio::select! {
            biased;
            line = reader.next() => line,
            () = silent => Ok(None),
        };
        return match line {
            Ok(Some(Line::Text(text))) if text.trim_ascii().is_empty() => continue,
            Ok(Some(Line::Text(text))) => {
                tracing::trace!(line = %traced(text.as_bytes()), "from the app-server");
                Message::parse(text).map_or_else(Received::Malformed, Received::Message)
            }
            Ok(Some(Line::NotUtf8(bytes))) => {
                Received::Malformed(Malformed::NotUtf8 { preview: Malformed::preview(bytes) })
            }
            Ok(Some(Line::TooLong { bytes })) => Received::Malformed(Malformed::TooLong { bytes }),
            Ok(Some(Line::Partial(bytes))) => {
                Received::Malformed(Malformed::Partial { preview: Malformed::preview(bytes) })
            }
            Ok(None) => Received::End(CloseReason::EndOfStream),
            Err(error) => Received::End(CloseReason::ReadFailed(error)),
        };
    }
}

/// A line as the trace shows it: its beginning, as far as anybody wants to read.
fn traced(line: &[u8]) -> String {
    String::from_utf8_lossy(beginning(line, MAX_TRACED_BYTES)).trim_end().to_owned()
}

/// Starts the writer. It closes `input` and ends when the sender is dropped, a write fails or `stop`
/// is cancelled.
pub(super) fn write<W: AsyncWrite + Unpin + Send + 'static>(
    mut input: W,
    stop: CancellationToken,
    tasks: &TaskTracker,
) -> mpsc::Sender<Vec<u8>> {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(WRITE_AHEAD);
    let work = async move {
        while let Some(line) = receiver.recv().await {
            tracing::trace!(line = %traced(&line), "to the app-server");
            let written = async {
                input.write_all(&line).await?;
                input.flush().await
            };
            if let Err(error) = written.await {
                tracing::debug!(%error, "the app-server's input cannot be written");
                return;
            }
        }
        // A pipe closes when dropped; other writers want to be told.
        let _ = input.shutdown().await;
    };
    tasks.spawn(stop.run_until_cancelled_owned(work));
    sender
}
