//! rmcp's transport over lines, with the promises that the SDK leaves to whoever owns the pipe.
//!
//! It answers what cannot become a request, keeps out what would end rmcp's opening or mix up two requests
//! of one id, and keeps progress from following its call's answer or cancellation. It never waits to send
//! and never serves a request itself.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorData, GetMeta, JsonRpcMessage,
    ProgressToken, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerNotification,
};
use rmcp::transport::Transport;
use tokio::io::AsyncRead;
use tokio::sync::oneshot;

use super::connection::{EndReason, Ending, Limits, ServeError};
use super::decode::{Decoded, Refusal, decode, too_long};
use super::line::{Line, Lines};
use super::outbox::{Outbox, QueueError};
use super::trace::traced;

/// How many ids of cancelled requests are remembered. A client may not use an id twice; one that does would
/// get the late answer of the cancelled request, which rmcp cannot tell from the new one's.
const REMEMBERED_CANCELLATIONS: usize = 1024;

/// How many messages are handed on before everything else that is ready may run. rmcp's loop does not yield
/// while it finds messages, and a burst of them would all be in flight before the first one is served.
const MESSAGES_A_TURN: usize = 16;

/// One client's messages, in and out.
pub(super) struct LineTransport<R> {
    lines: Lines<R>,
    outbox: Arc<Outbox>,
    ending: Arc<Ending>,
    limits: Limits,
    opening: Opening,
    /// The requests that have no answer yet, each with the token that its progress may use.
    in_flight: HashMap<RequestId, Option<ProgressToken>>,
    /// The last few cancelled requests, newest first.
    cancelled: VecDeque<RequestId>,
    /// Messages handed on since others last got their turn.
    this_turn: usize,
}

/// Until the first request that settles the era, rmcp takes anything but a request for the end.
enum Opening {
    Awaited { versions: Cow<'static, [ProtocolVersion]> },
    Done,
}

impl<R: AsyncRead + Unpin> LineTransport<R> {
    pub(super) fn new(
        reader: R,
        outbox: Arc<Outbox>,
        ending: Arc<Ending>,
        limits: Limits,
        versions: Cow<'static, [ProtocolVersion]>,
    ) -> Self {
        Self {
            lines: Lines::new(reader, limits.max_line_bytes),
            outbox,
            ending,
            limits,
            opening: Opening::Awaited { versions },
            in_flight: HashMap::new(),
            cancelled: VecDeque::new(),
            this_turn: 0,
        }
    }

    /// Reads one line. An error is the end of the connection.
    async fn next(&mut self) -> Result<Decoded, Result<EndReason, ServeError>> {
        match self.lines.next().await {
            Ok(Line::Whole(line)) => {
                tracing::trace!(line = %traced(line), "from the client");
                Ok(decode(line))
            }
            Ok(Line::TooLong { head, tail }) => {
                let refusal = too_long(head, tail, self.limits.max_line_bytes);
                Ok(Decoded::Refused(refusal))
            }
            Ok(Line::End) => Err(Ok(EndReason::PeerClosed)),
            Err(error) => Err(ServeError::from_read(error)),
        }
    }

    /// Decides whether the service gets to see a message: yes, no, or no and the client is told.
    fn admit(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> Result<Option<ClientJsonRpcMessage>, Refusal> {
        match &message {
            JsonRpcMessage::Request(request) => {
                self.admit_request(&request.id, &request.request)?
            }
            JsonRpcMessage::Notification(_)
            | JsonRpcMessage::Response(_)
            | JsonRpcMessage::Error(_)
                if matches!(self.opening, Opening::Awaited { .. }) =>
            {
                tracing::debug!("dropped a message that came before the first request");
                return Ok(None);
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                {
                    self.cancel(cancelled.params.request_id.as_ref());
                }
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
        }
        Ok(Some(message))
    }

    fn admit_request(&mut self, id: &RequestId, request: &ClientRequest) -> Result<(), Refusal> {
        let refuse = |error| Err(Refusal::new(Some(id.clone()), error));
        if self.in_flight.contains_key(id) || self.cancelled.contains(id) {
            let message = "invalid request: this id is in use by an earlier request";
            return refuse(ErrorData::invalid_request(message, None));
        }
        if self.in_flight.len() >= self.limits.max_in_flight {
            let message = format!(
                "{} requests are in flight; send this one again when one of them is answered",
                self.in_flight.len()
            );
            return refuse(ErrorData::internal_error(message, None));
        }
        self.in_flight.insert(id.clone(), request.get_meta().get_progress_token());
        if let Opening::Awaited { versions } = &self.opening
            && settles_era(request, versions)
        {
            self.opening = Opening::Done;
        }
        Ok(())
    }

    fn cancel(&mut self, id: Option<&RequestId>) {
        if let Some((id, _)) = id.and_then(|id| self.in_flight.remove_entry(id)) {
            self.cancelled.truncate(REMEMBERED_CANCELLATIONS - 1);
            self.cancelled.push_front(id);
        }
    }

    fn refuse(&self, refusal: &Refusal) {
        if let Err(error) = self.outbox.push(refusal) {
            self.end_if_unread(&error);
        }
    }

    /// Queues a message. What is watched is resolved when the message has been written.
    fn queue(
        &mut self,
        message: &ServerJsonRpcMessage,
    ) -> Result<Option<oneshot::Receiver<()>>, QueueError> {
        match message {
            JsonRpcMessage::Response(response) => {
                self.in_flight.remove(&response.id);
                self.answer(&response.id, message).map(|()| None)
            }
            JsonRpcMessage::Error(error) => {
                if let Some(id) = &error.id {
                    self.in_flight.remove(id);
                }
                self.outbox.push(message).map(|()| None)
            }
            JsonRpcMessage::Notification(notification)
                if self.is_late(&notification.notification) =>
            {
                Ok(None)
            }
            JsonRpcMessage::Notification(_) | JsonRpcMessage::Request(_) => {
                self.outbox.push_watched(message).map(Some)
            }
        }
    }

    /// Queues an answer; one that has no JSON form becomes an error, so that the request is answered.
    fn answer(&self, id: &RequestId, message: &ServerJsonRpcMessage) -> Result<(), QueueError> {
        match self.outbox.push(message) {
            Err(QueueError::Encode(error)) => {
                tracing::error!(%id, %error, "an answer has no JSON form");
                let error = ErrorData::internal_error("the answer cannot be written as JSON", None);
                self.outbox.push(&Refusal::new(Some(id.clone()), error))
            }
            queued => queued,
        }
    }

    /// Progress of a request that is answered or cancelled; the protocol forbids to send it.
    fn is_late(&self, notification: &ServerNotification) -> bool {
        if let ServerNotification::ProgressNotification(progress) = notification {
            let token = Some(&progress.params.progress_token);
            !self.in_flight.values().any(|used| used.as_ref() == token)
        } else {
            false
        }
    }

    fn end_if_unread(&self, error: &QueueError) {
        if let QueueError::Full { bytes } = error {
            self.ending.raise(Err(ServeError::Unread { bytes: *bytes }));
        }
    }
}

/// Whether rmcp leaves its opening with this request: the handshake, or a request that carries the era
/// itself. `ping` and `server/discover` are answered and leave both ways open.
fn settles_era(request: &ClientRequest, versions: &[ProtocolVersion]) -> bool {
    if matches!(request, ClientRequest::InitializeRequest(_)) {
        return true;
    }
    if matches!(request, ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_)) {
        return false;
    }
    let meta = request.get_meta();
    meta.missing_required_keys(&ProtocolVersion::NO_INITIALIZE).is_empty()
        && meta.protocol_version().is_some_and(|version| versions.contains(&version))
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleServer> for LineTransport<R> {
    type Error = QueueError;

    /// Queues at once, in the order of the calls. The returned future is a notification's or a request's
    /// way to the pipe; an answer's is ready.
    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), QueueError>> + Send + 'static {
        let queued = self.queue(&message);
        if let Err(error) = &queued {
            self.end_if_unread(error);
        }
        async move {
            match queued? {
                Some(written) => written.await.map_err(|_dropped| QueueError::Closed),
                None => Ok(()),
            }
        }
    }

    /// The next message for the service; `None` at the end of the connection, which is then already raised.
    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        if self.this_turn >= MESSAGES_A_TURN {
            // Before the await, so that the next call goes on when this one is dropped.
            self.this_turn = 0;
            tokio::task::yield_now().await;
        }
        loop {
            let admitted = match self.next().await {
                Ok(Decoded::Message(message)) => self.admit(*message),
                Ok(Decoded::Nothing) => Ok(None),
                Ok(Decoded::Refused(refusal)) => Err(refusal),
                Err(end) => {
                    self.ending.raise(end);
                    return None;
                }
            };
            match admitted {
                Ok(Some(message)) => {
                    self.this_turn += 1;
                    return Some(message);
                }
                Ok(None) => {}
                Err(refusal) => self.refuse(&refusal),
            }
        }
    }

    /// Nothing to do: the connection closes the outbox once the service has ended.
    async fn close(&mut self) -> Result<(), QueueError> {
        Ok(())
    }
}
