//! Codex's own reviews in the world: each goes by two names.

use bridge_core::*;

use super::World;

impl World {
    pub(super) fn start_review(&mut self) {
        let options =
            ThreadOptions { working_directory: "/w".to_owned(), ..ThreadOptions::default() };
        let target = ReviewTarget::Custom(format!("prompt {}", self.calls));
        self.call(CallRequest::StartReview { options, target, time_limit: None });
    }

    /// Codex says by which name a review can be interrupted.
    pub(super) fn review_begins(&mut self, which: usize) {
        let Some((thread, turn)) = self.pick_turn(which) else {
            return;
        };
        let (Some((app_server, true)), Some(number)) =
            (self.codex.process, turn.as_str().strip_prefix("review-"))
        else {
            return;
        };
        let turn = TurnId(format!("reviewer-{number}"));
        self.handle(Event::Turn { app_server, thread, turn, event: TurnEvent::Started });
    }
}
