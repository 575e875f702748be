//! Calls under way that carry a key of their client: a second one with the same key waits for the first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;

/// A home of Codex, and a key.
type Name = (String, String);

/// All keys in use. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Arc<Mutex<BTreeMap<Name, watch::Receiver<()>>>>);

/// What asking for a key gives.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is the caller's until the value is dropped.
    Ours(Held),
    /// Somebody else has it; the channel closes when they let go.
    Theirs(watch::Receiver<()>),
}

/// The right to use a key.
#[derive(Debug)]
pub(crate) struct Held {
    keys: Keys,
    name: Name,
    /// Closes with this.
    _over: watch::Sender<()>,
}

impl Keys {
    pub(crate) fn claim(&self, home: &str, key: &str) -> Claim {
        let name = (home.to_owned(), key.to_owned());
        let mut keys = self.lock();
        if let Some(over) = keys.get(&name) {
            return Claim::Theirs(over.clone());
        }
        let (sender, receiver) = watch::channel(());
        keys.insert(name.clone(), receiver);
        Claim::Ours(Held { keys: self.clone(), name, _over: sender })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, watch::Receiver<()>>> {
        self.0.lock().expect("nothing panics while it holds the keys")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Before the channel closes, so that who hears of it finds the key free.
        self.keys.lock().remove(&self.name);
    }
}
