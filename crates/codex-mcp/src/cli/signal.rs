//! The signals that tell a process to end.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves when the process is told to end.
pub(super) async fn told_to_end() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let signals = kinds.into_iter().map(|kind| {
        Box::pin(async move {
            match signal(kind) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(error) => {
                    tracing::warn!(?kind, %error, "a signal cannot be watched and ends the process at once");
                    std::future::pending().await
                }
            }
        })
    });
    futures_util::future::select_all(signals).await;
}
