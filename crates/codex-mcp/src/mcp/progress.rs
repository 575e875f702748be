//! Sends one call's progress to its client, in order.
//!
//! Progress is ordered when one task sends it, one `await` after the other. What comes after the call's
//! answer or cancellation never reaches the client, whoever sends it: the transport drops it. It decides
//! neither what to say nor how often.

use rmcp::model::{
    JsonObject, MetaObject, NotificationMetaObject, ProgressNotificationParam, ProgressToken,
};
use rmcp::service::{Peer, RequestContext};
use rmcp::{RoleServer, ServiceError};
use tokio_util::sync::CancellationToken;

/// Why progress was not sent.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    /// The call is answered or cancelled, or the connection is ending: nobody waits for progress any more.
    #[error("the call has ended")]
    CallEnded,
    /// The connection could not take it.
    #[error("the progress cannot be sent")]
    Send(#[source] Box<ServiceError>),
}

/// Where the progress of one call goes. Clones go to the same place.
#[derive(Clone, Debug)]
pub struct ProgressSink {
    peer: Peer<RoleServer>,
    token: ProgressToken,
    ended: CancellationToken,
}

impl ProgressSink {
    /// The sink of a call, if its client asked for progress (`_meta.progressToken`).
    pub fn of(context: &RequestContext<RoleServer>) -> Option<Self> {
        Some(Self {
            token: context.meta.get_progress_token()?,
            peer: context.peer.clone(),
            ended: context.ct.clone(),
        })
    }

    /// Sends `notifications/progress` and waits until the pipe has taken it. `progress` must grow with
    /// every call; `meta` becomes the notification's `_meta`, and nothing does if it is empty.
    ///
    /// # Errors
    /// At once, without waiting for the client, when the call ends.
    pub async fn notify(
        &self,
        progress: u64,
        message: &str,
        meta: JsonObject,
    ) -> Result<(), ProgressError> {
        // MCP counts in floating point; a count of notifications stays exact in it.
        let mut params = ProgressNotificationParam::new(self.token.clone(), progress as f64)
            .with_message(message);
        if !meta.is_empty() {
            params.meta = Some(NotificationMetaObject(MetaObject(meta)));
        }
        tokio::select! {
            biased;
            () = self.ended.cancelled() => Err(ProgressError::CallEnded),
            sent = self.peer.notify_progress(params) => {
                sent.map_err(|error| ProgressError::Send(Box::new(error)))
            }
        }
    }
}
