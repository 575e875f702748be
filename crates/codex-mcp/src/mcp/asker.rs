//! Asks the person behind a call while the call goes on, by the revisions of the protocol in which a server may ask.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use bridge_core::{Answer, ApprovalId, Ask};
use rmcp::RoleServer;
use rmcp::model::{ClientResult, ElicitRequest, ElicitRequestParams, ServerRequest};
use rmcp::service::{Peer, PeerRequestOptions, RequestHandle, ServiceError};

use super::elicit;

/// The questions of one call that are with its client.
pub(super) struct Asker {
    peer: Peer<RoleServer>,
    open: Vec<Open>,
}

struct Open {
    approval: ApprovalId,
    is_form: bool,
    /// `None` if it could not even be sent.
    handle: Option<RequestHandle<RoleServer>>,
}

impl Asker {
    pub(super) fn new(peer: Peer<RoleServer>) -> Self {
        Self { peer, open: Vec::new() }
    }

    pub(super) async fn ask(&mut self, ask: Ask) {
        let handle = match elicit::params(&ask) {
            Some(params) => send(&self.peer, params).await.ok(),
            None => None,
        };
        let is_form = elicit::is_form(&ask.question);
        self.open.push(Open { approval: ask.approval, is_form, handle });
    }

    /// The next answer; `None` in it if the client did not ask. Pends for as long as there is none. Safe to cancel.
    pub(super) async fn next(&mut self) -> (ApprovalId, Option<Answer>) {
        poll_fn(|context| {
            for index in 0..self.open.len() {
                let open = &mut self.open[index];
                let result = match &mut open.handle {
                    Some(handle) => match Pin::new(&mut handle.rx).poll(context) {
                        Poll::Ready(result) => {
                            result.unwrap_or(Err(ServiceError::TransportClosed)).ok()
                        }
                        Poll::Pending => continue,
                    },
                    None => None,
                };
                let open = self.open.swap_remove(index);
                return Poll::Ready((open.approval, read(open.is_form, result)));
            }
            Poll::Pending
        })
        .await
    }

    /// Tells the client that a question needs no answer any more.
    pub(super) async fn stop(&mut self, approval: ApprovalId) {
        if let Some(index) = self.open.iter().position(|open| open.approval == approval) {
            self.open.swap_remove(index).stop().await;
        }
    }

    pub(super) async fn stop_all(&mut self) {
        for open in std::mem::take(&mut self.open) {
            open.stop().await;
        }
    }
}

impl Open {
    async fn stop(self) {
        if let Some(handle) = self.handle {
            withdraw(handle).await;
        }
    }
}

/// Sends a question to the client.
pub(super) async fn send(
    peer: &Peer<RoleServer>,
    params: ElicitRequestParams,
) -> Result<RequestHandle<RoleServer>, ServiceError> {
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(params));
    peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await
}

/// Takes a question back.
pub(super) async fn withdraw(handle: RequestHandle<RoleServer>) {
    // A client that can hear no more has forgotten the question too.
    let _ = handle.cancel(Some("the question needs no answer any more".to_owned())).await;
}

fn read(is_form: bool, result: Option<ClientResult>) -> Option<Answer> {
    let Some(ClientResult::ElicitResult(result)) = result else {
        return None;
    };
    Some(elicit::answer(is_form, result))
}
