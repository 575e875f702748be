//! The requests that have no answer yet: in flight, waiting behind those, and when each is too late.
//!
//! Pure bookkeeping: time comes in as an argument, and nothing is sent from here.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::RequestError;

/// Stands for "never" where a deadline is beyond what the clock can express.
const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

pub(super) type Outcome = Result<Box<RawValue>, RequestError>;

/// Where an outcome goes.
#[derive(Debug)]
pub(super) enum ReplyTo {
    Inbox { tag: u64 },
    Caller(oneshot::Sender<Outcome>),
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) reply: ReplyTo,
    pub(super) after: Duration,
    deadline: Instant,
}

impl Request {
    pub(super) fn new(
        method: &'static str,
        reply: ReplyTo,
        submitted_at: Instant,
        after: Duration,
    ) -> Self {
        let deadline = submitted_at.checked_add(after).unwrap_or(submitted_at + FAR);
        Self { method, reply, after, deadline }
    }
}

/// What to do with a request that has just come in.
pub(super) enum Admission {
    Send { id: u64, line: Vec<u8> },
    Waits,
    Refused(Request),
}

#[derive(Debug)]
pub(super) struct Pending {
    max_in_flight: usize,
    max_waiting: usize,
    next_id: u64,
    in_flight: HashMap<u64, Request>,
    waiting: VecDeque<(u64, Request, Vec<u8>)>,
    deadlines: BTreeSet<(Instant, u64)>,
}

impl Pending {
    pub(super) fn new(max_in_flight: usize, max_waiting: usize) -> Self {
        Self {
            max_in_flight,
            max_waiting,
            next_id: 1,
            in_flight: HashMap::new(),
            waiting: VecDeque::new(),
            deadlines: BTreeSet::new(),
        }
    }

    pub(super) fn admit(&mut self, request: Request, line: Vec<u8>) -> Admission {
        let flies = self.in_flight.len() < self.max_in_flight && self.waiting.is_empty();
        if !flies && self.waiting.len() >= self.max_waiting {
            return Admission::Refused(request);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.deadlines.insert((request.deadline, id));
        if flies {
            self.in_flight.insert(id, request);
            Admission::Send { id, line }
        } else {
            self.waiting.push_back((id, request, line));
            Admission::Waits
        }
    }

    /// The next waiting request that may be sent now.
    pub(super) fn promote(&mut self) -> Option<(u64, Vec<u8>)> {
        if self.in_flight.len() >= self.max_in_flight {
            return None;
        }
        let (id, request, line) = self.waiting.pop_front()?;
        self.in_flight.insert(id, request);
        Some((id, line))
    }

    /// Takes out the request that this answers; `None` for a late, a second or an unknown answer.
    pub(super) fn answered(&mut self, id: u64) -> Option<Request> {
        let request = self.in_flight.remove(&id)?;
        self.deadlines.remove(&(request.deadline, id));
        Some(request)
    }

    /// When the next request is too late.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Takes out one request that is too late.
    pub(super) fn expired(&mut self, now: Instant) -> Option<(u64, Request)> {
        let (deadline, id) = *self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        self.deadlines.remove(&(deadline, id));
        let request = match self.in_flight.remove(&id) {
            Some(request) => request,
            None => {
                let at = self.waiting.iter().position(|(waiting, ..)| *waiting == id)?;
                self.waiting.remove(at)?.1
            }
        };
        Some((id, request))
    }

    /// Takes out those that were never sent.
    pub(super) fn take_waiting(&mut self) -> Vec<Request> {
        let deadlines = &mut self.deadlines;
        let waiting = self.waiting.drain(..);
        waiting
            .map(|(id, request, _)| {
                deadlines.remove(&(request.deadline, id));
                request
            })
            .collect()
    }

    /// Takes out all, in the order in which they were submitted.
    pub(super) fn take_all(&mut self) -> Vec<Request> {
        self.deadlines.clear();
        let mut all: Vec<_> = self.in_flight.drain().collect();
        all.extend(self.waiting.drain(..).map(|(id, request, _)| (id, request)));
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter().map(|(_, request)| request).collect()
    }
}
