//! The places of turns in the world: each is made for its turn, used by it alone, and given up or gathered once.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::*;

use super::World;

/// What the shell would know of the places.
#[derive(Default)]
pub(super) struct Workspaces {
    /// Turns that may change files, by their prompt.
    proposing: BTreeMap<String, TurnNumber>,
    /// Places that are asked for and not made yet, also those that nobody wants any more.
    preparing: Vec<TurnNumber>,
    /// Places that were asked for and neither refused nor given up nor gathered.
    open: BTreeMap<TurnNumber, ThreadId>,
    made: BTreeMap<TurnNumber, Place>,
    /// Turns that were started in their place.
    used: BTreeSet<TurnNumber>,
    collecting: Vec<TurnNumber>,
}

/// The user's folder that a thread is about.
pub(in super::super) fn home(thread: &ThreadId) -> String {
    match thread.as_str().strip_prefix("new-") {
        Some(_) => "/w".to_owned(),
        None => format!("/of/{thread}"),
    }
}

impl World {
    /// Options of a turn with this prompt.
    pub(super) fn turn_options(&mut self, prompt: &str, proposes: bool) -> TurnOptions {
        let changes = match proposes {
            true => Changes::Propose,
            false => Changes::None,
        };
        if proposes {
            self.workspaces.proposing.insert(prompt.to_owned(), TurnNumber(self.calls));
        }
        TurnOptions { changes, ..TurnOptions::default() }
    }

    pub(super) fn prepare(&mut self, turn: TurnNumber, thread: ThreadId, folder: &str) {
        assert!(self.workspaces.proposing.values().any(|of| *of == turn), "{turn:?} reads only");
        assert_eq!(folder, home(&thread), "{turn:?} is about another folder");
        self.is_free(&thread);
        self.workspaces.preparing.push(turn);
        assert_eq!(self.workspaces.open.insert(turn, thread), None, "{turn:?} has a place already");
    }

    pub(super) fn stop_preparing(&mut self, turn: TurnNumber) {
        assert!(!self.workspaces.used.contains(&turn), "{turn:?} was started");
        assert!(self.workspaces.open.remove(&turn).is_some(), "{turn:?} has no place");
    }

    pub(super) fn collect(&mut self, turn: TurnNumber, thread: &ThreadId) {
        assert!(self.workspaces.used.contains(&turn), "{turn:?} was never started");
        assert_eq!(self.workspaces.open.get(&turn), Some(thread));
        let codex = &self.codex;
        let runs = codex.running.contains_key(thread) || codex.starting.contains(thread);
        assert!(!runs && !codex.runs_exec(thread), "{turn:?} still runs");
        assert!(!self.workspaces.collecting.contains(&turn), "{turn:?} is collected twice");
        self.workspaces.collecting.push(turn);
    }

    /// A turn starts: in the place that was made for it, or read-only, and in no other folder.
    pub(super) fn starts(&mut self, prompt: &str, place: Option<&Place>) {
        let turn = self.workspaces.proposing.get(prompt).copied();
        let made = turn.and_then(|turn| self.workspaces.made.get(&turn));
        assert_eq!(place, made, "{prompt:?} got another place");
        assert_eq!(turn.is_some(), place.is_some(), "{prompt:?}");
        if let Some(turn) = turn {
            assert!(self.workspaces.open.contains_key(&turn), "the place of {turn:?} is given up");
            self.workspaces.used.insert(turn);
        }
    }

    /// Nothing is prepared or gathered on a thread on which a turn starts.
    pub(super) fn is_free(&self, thread: &ThreadId) {
        let Workspaces { preparing, collecting, open, .. } = &self.workspaces;
        let mut held = preparing.iter().chain(collecting);
        assert!(!held.any(|turn| open.get(turn) == Some(thread)), "{thread} is not free");
    }

    /// The end of a turn is kept only when what it changed is gathered, except in a shutdown.
    pub(super) fn ends(&self, turn: TurnNumber) {
        let left = self.workspaces.open.contains_key(&turn);
        assert!(self.shut_down || !left, "{turn:?} is not collected");
    }

    /// One of the places is made, or cannot be.
    pub(in super::super) fn prepared(&mut self, which: usize, well: bool) {
        let preparing = &mut self.workspaces.preparing;
        if preparing.is_empty() {
            return;
        }
        let turn = preparing.remove(which % preparing.len());
        let working_directory = format!("/scratch/{}", turn.0);
        let writable = vec![working_directory.clone()];
        let place =
            Place { working_directory, writable, confined: true, network: false, copy: None };
        let result = match well {
            true => {
                self.workspaces.made.insert(turn, place.clone());
                Ok(place)
            }
            false => {
                self.workspaces.open.remove(&turn);
                let kind = WorkspaceFailure::TooLarge;
                Err(Failure::Workspace { kind, detail: String::new() })
            }
        };
        self.handle(Event::Prepared { turn, result });
    }

    /// What one of the turns changed is gathered, or cannot be.
    pub(in super::super) fn collected(&mut self, which: usize, well: bool) {
        let collecting = &mut self.workspaces.collecting;
        if collecting.is_empty() {
            return;
        }
        let turn = collecting.remove(which % collecting.len());
        self.workspaces.open.remove(&turn);
        let result = if well { Ok(None) } else { Err("it cannot be read".to_owned()) };
        self.handle(Event::Collected { turn, result });
    }

    /// The shell has answered everything, late as it may be.
    pub(in super::super) fn finish_places(&mut self) {
        while !self.workspaces.preparing.is_empty() {
            self.prepared(0, true);
        }
        while !self.workspaces.collecting.is_empty() {
            self.collected(0, true);
        }
    }

    /// Places of which nobody said what becomes of them. Those that a shutdown found in use are gathered at the next start.
    pub(in super::super) fn places_left(&self) -> usize {
        let Workspaces { open, used, .. } = &self.workspaces;
        open.keys().filter(|turn| !(self.shut_down && used.contains(turn))).count()
    }
}
