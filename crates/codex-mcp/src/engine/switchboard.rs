//! Which loop has which thread, over all engines of a process, and the ways to all loops.
//!
//! Codex lets one process at a time write to a thread. Engines differ in what their Codex is started with, and any of
//! their clients may ask for a thread: its call goes to the loop that has the thread, and only a thread that nobody
//! has goes to the client's own. An entry is made when a loop is chosen for a thread or has made a new one, and goes
//! when Codex has let go of the thread. Entries keep no loop alive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bridge_core::ThreadId;
use tokio::sync::mpsc;

use super::Input;
use super::lanes::Lane;

type WeakLane = mpsc::WeakSender<Input>;

/// A thread, in its Codex home.
type Place = (Arc<str>, ThreadId);

/// Shared by all engines of a process.
#[derive(Debug, Default)]
pub struct Switchboard(Mutex<Board>);

#[derive(Debug, Default)]
struct Board {
    holders: HashMap<Place, WeakLane>,
    lanes: Vec<WeakLane>,
}

impl Switchboard {
    /// A loop is there.
    pub(super) fn join(&self, lane: &Lane) {
        let mut board = self.lock();
        board.lanes.retain(|known| known.strong_count() > 0);
        board.lanes.push(lane.downgrade());
    }

    /// A loop is about to end and gets no further calls.
    pub(super) fn leave(&self, lane: &Lane) {
        let mut board = self.lock();
        board.holders.retain(|_, holder| !is(holder, lane));
        board.lanes.retain(|known| !is(known, lane));
    }

    /// The ways to all loops of all engines.
    pub(super) fn all(&self) -> Vec<Lane> {
        self.lock().lanes.iter().filter_map(WeakLane::upgrade).collect()
    }

    /// The loop that has a thread.
    pub(super) fn holder(&self, home: &Arc<str>, thread: &ThreadId) -> Option<Lane> {
        self.lock().holders.get(&(home.clone(), thread.clone()))?.upgrade()
    }

    /// Gives a thread to a loop, unless another one has it. Returns the one that has it now.
    pub(super) fn claim(&self, home: &Arc<str>, thread: &ThreadId, lane: &Lane) -> Lane {
        let mut board = self.lock();
        let place = (home.clone(), thread.clone());
        if let Some(holder) = board.holders.get(&place).and_then(WeakLane::upgrade) {
            return holder;
        }
        board.holders.insert(place, lane.downgrade());
        lane.clone()
    }

    /// A loop has let go of a thread.
    pub(super) fn release(&self, home: &Arc<str>, thread: &ThreadId, lane: &Lane) {
        let mut board = self.lock();
        let place = (home.clone(), thread.clone());
        if board.holders.get(&place).is_some_and(|holder| is(holder, lane)) {
            board.holders.remove(&place);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().expect("nothing panics while it holds the board")
    }
}

fn is(weak: &WeakLane, lane: &Lane) -> bool {
    weak.upgrade().is_some_and(|known| known.same_channel(lane))
}
