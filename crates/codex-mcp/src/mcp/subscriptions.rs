//! Who wants to hear of which resource, in both ways of the protocol: `resources/subscribe` of older revisions, and
//! `subscriptions/listen` of 2026-07-28.
//!
//! Telling never waits: a notification is handed to the connection at once, and dropped if a thousand already wait
//! there. It says only that something changed, so the next one makes up for it. Nothing here knows what changed or why.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bridge_core::ConnectionId;
use futures_util::FutureExt;
use rmcp::model::{ResourceUpdatedNotificationParam, SubscriptionFilter};
use rmcp::service::{Peer, SubscriptionContext, SubscriptionSink};
use rmcp::{ErrorData, RoleServer};

use super::resources::{News, ResourceUri, UriError};
use super::threads::Threads;

/// How many resources one connection can watch; a further one is refused.
pub const MAX_PER_CONNECTION: usize = 256;

/// The subscriptions of all connections.
#[derive(Debug, Default)]
pub struct Subscriptions {
    clients: Mutex<BTreeMap<ConnectionId, Client>>,
}

/// What one connection wants to hear.
#[derive(Debug, Default)]
struct Client {
    /// A client that has shaken hands hears of every change of the list.
    peer: Option<Peer<RoleServer>>,
    /// What it subscribed to, in its own spelling.
    subscribed: Watched,
    /// Its open `subscriptions/listen` requests, by number.
    listening: BTreeMap<u64, (SubscriptionSink, Watched)>,
    next_listener: u64,
}

type Watched = BTreeMap<ResourceUri, String>;

impl Subscriptions {
    /// Whether anybody wants to hear these news.
    pub(crate) fn is_watched(&self, news: &News) -> bool {
        self.lock().values().any(|client| client.wants(news))
    }

    /// Tells everybody what they want to hear of these news.
    pub(crate) fn tell(&self, news: &News) {
        for uri in &news.updated {
            self.notify_updated(uri);
        }
        if news.list_changed {
            self.notify_list_changed();
        }
    }

    /// Tells everybody who watches a resource that it changed.
    pub fn notify_updated(&self, uri: &ResourceUri) {
        for client in self.lock().values() {
            if let (Some(peer), Some(spelling)) = (&client.peer, client.subscribed.get(uri)) {
                let params = ResourceUpdatedNotificationParam::new(spelling);
                // Polled once: it waits in the connection's queue from then on, or found no room there.
                let _ = peer.notify_resource_updated(params).now_or_never();
            }
            for (sink, watched) in client.listening.values() {
                if let Some(spelling) = watched.get(uri) {
                    let _ = sink.notify_resource_updated(spelling).now_or_never();
                }
            }
        }
    }

    /// Tells everybody who wants to know that the list of resources changed.
    pub fn notify_list_changed(&self) {
        for client in self.lock().values() {
            if let Some(peer) = &client.peer {
                let _ = peer.notify_resource_list_changed().now_or_never();
            }
            for (sink, _) in client.listening.values() {
                // One that did not ask for this refuses it.
                let _ = sink.notify_resource_list_changed().now_or_never();
            }
        }
    }

    /// The part of one connection, until it is dropped.
    pub(super) fn join(self: Arc<Self>, connection: ConnectionId) -> ClientSubscriptions {
        self.lock().insert(connection, Client::default());
        ClientSubscriptions { all: self, connection }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Client>> {
        self.clients.lock().expect("nothing panics while it holds the subscriptions")
    }
}

/// The subscriptions of one connection. Dropping it forgets them.
#[derive(Debug)]
pub(super) struct ClientSubscriptions {
    all: Arc<Subscriptions>,
    connection: ConnectionId,
}

impl ClientSubscriptions {
    /// The client has shaken hands and can be told things unasked.
    pub(super) fn opened(&self, peer: Peer<RoleServer>) {
        self.with(|client| client.peer = Some(peer));
    }

    /// `resources/subscribe`. Twice is once.
    ///
    /// # Errors
    /// There are no such resources, none that this client may see, or the connection watches too many.
    pub(super) async fn subscribe(&self, uri: &str, threads: Threads<'_>) -> Result<(), ErrorData> {
        let resource = parse(uri)?;
        if !threads.reaches(&resource).await {
            return Err(missing(uri, "nothing of this name is known"));
        }
        self.with(|client| {
            if client.watched() >= MAX_PER_CONNECTION && !client.subscribed.contains_key(&resource)
            {
                let message =
                    format!("this connection watches {MAX_PER_CONNECTION} resources already");
                return Err(ErrorData::invalid_request(message, None));
            }
            client.subscribed.insert(resource, uri.to_owned());
            Ok(())
        })
    }

    /// `resources/unsubscribe`. What was not subscribed to is not an error.
    ///
    /// # Errors
    /// There are no such resources.
    pub(super) fn unsubscribe(&self, uri: &str) -> Result<(), ErrorData> {
        let resource = parse(uri)?;
        self.with(|client| client.subscribed.remove(&resource));
        Ok(())
    }

    /// What of a `subscriptions/listen` is granted: the resources that can exist, as many as there is room for. The
    /// acknowledgement tells the client.
    pub(super) fn accept(&self, requested: &SubscriptionFilter) -> SubscriptionFilter {
        let room = self.with(|client| MAX_PER_CONNECTION.saturating_sub(client.watched()));
        let mut accepted = requested.clone();
        if let Some(uris) = &mut accepted.resource_subscriptions {
            uris.retain(|uri| uri.parse::<ResourceUri>().is_ok());
            uris.truncate(room);
        }
        accepted
    }

    /// Serves one `subscriptions/listen` until it is cancelled. Of what was granted by its form, only what the client may
    /// see is watched.
    pub(super) async fn listen(&self, context: SubscriptionContext, threads: Threads<'_>) {
        let mut watched = Watched::new();
        for uri in context.accepted().resource_subscriptions.iter().flatten() {
            if let Ok(resource) = uri.parse()
                && threads.reaches(&resource).await
            {
                watched.insert(resource, uri.clone());
            }
        }
        let number = self.with(|client| {
            client.next_listener += 1;
            client.listening.insert(client.next_listener, (context.sink().clone(), watched));
            client.next_listener
        });
        let _forgotten = Listening { client: self, number };
        context.cancelled().await;
    }

    fn with<T>(&self, act: impl FnOnce(&mut Client) -> T) -> T {
        act(self.all.lock().entry(self.connection).or_default())
    }
}

impl Drop for ClientSubscriptions {
    fn drop(&mut self) {
        self.all.lock().remove(&self.connection);
    }
}

/// A listener, which goes also when its request is dropped.
struct Listening<'a> {
    client: &'a ClientSubscriptions,
    number: u64,
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.client.with(|client| client.listening.remove(&self.number));
    }
}

impl Client {
    fn wants(&self, news: &News) -> bool {
        let watches = |watched: &Watched| news.updated.iter().any(|uri| watched.contains_key(uri));
        let listens = !self.listening.is_empty();
        (news.list_changed && (self.peer.is_some() || listens))
            || watches(&self.subscribed)
            || self.listening.values().any(|(_, watched)| watches(watched))
    }

    fn watched(&self) -> usize {
        let listening = self.listening.values().map(|(_, watched)| watched.len());
        self.subscribed.len() + listening.sum::<usize>()
    }
}

fn parse(uri: &str) -> Result<ResourceUri, ErrorData> {
    uri.parse().map_err(|error: UriError| missing(uri, &error.to_string()))
}

fn missing(uri: &str, reason: &str) -> ErrorData {
    let data = serde_json::json!({ "uri": uri });
    ErrorData::resource_not_found(format!("there is no resource {uri:?}: {reason}"), Some(data))
}
