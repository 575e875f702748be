//! What stands between the pipe and the inbox, as a function: for fuzzing, and for replaying what it found. No part of the
//! interface. It starts no task and knows no requests, so every answer is one that somebody waits for.

use tokio::io::AsyncRead;
use tokio_util::sync::CancellationToken;

use crate::connection::{Incoming, Received, next_received};
use crate::error::RequestError;
use crate::framing::LineReader;
use crate::rpc::{Message, RequestId};

/// What an app-server that writes `output` has sent.
pub async fn read_all(output: impl AsyncRead + Unpin, max_line_bytes: usize) -> Vec<Incoming> {
    let mut reader = LineReader::new(output, max_line_bytes);
    let alive = CancellationToken::new();
    let mut all = Vec::new();
    loop {
        all.push(match next_received(&mut reader, &alive).await {
            Received::Message(message) => incoming(message),
            Received::Malformed(malformed) => Incoming::Malformed(malformed),
            Received::End(reason) => {
                all.push(Incoming::Closed { reason });
                return all;
            }
        });
    }
}

fn incoming(message: Message) -> Incoming {
    match message {
        Message::Notification { method, params, emitted_at_ms } => {
            Incoming::Notification { method, params, emitted_at_ms }
        }
        Message::Request { id, method, params } => Incoming::Request { id, method, params },
        Message::Response { id, result } => {
            let tag = match id {
                RequestId::Number(number) => u64::try_from(number).unwrap_or_default(),
                RequestId::Text(_) => 0,
            };
            let result = result.map_err(|error| RequestError::answered("fuzzing", error));
            Incoming::Response { tag, result }
        }
    }
}
