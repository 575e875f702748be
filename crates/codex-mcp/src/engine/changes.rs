//! Turns that may change files: their places are made and looked at beside the loop, for that waits for the disk.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use bridge_core::{Changes, Event, ThreadId, TurnNumber};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Input;
use crate::config::Config;
use crate::workspace::git::Git;
use crate::workspace::{Places, Wanted};

/// The turns of one loop that have a place made.
pub(super) struct Changing {
    places: Places,
    config: Arc<Config>,
    inputs: mpsc::WeakSender<Input>,
    tasks: TaskTracker,
    preparing: HashMap<TurnNumber, CancellationToken>,
}

impl Changing {
    pub(super) fn new(
        places: Places,
        config: Arc<Config>,
        inputs: mpsc::WeakSender<Input>,
        tasks: TaskTracker,
    ) -> Self {
        Self { places, config, inputs, tasks, preparing: HashMap::new() }
    }

    /// Makes a place; the answer is an event.
    pub(super) fn prepare(
        &mut self,
        (number, thread): (TurnNumber, ThreadId),
        changes: Changes,
        workspace: String,
        working_directory: String,
    ) {
        self.preparing.retain(|_, stop| !stop.is_cancelled());
        let stop = CancellationToken::new();
        self.preparing.insert(number, stop.clone());
        let (places, git) = (self.places.clone(), self.git(stop.clone()));
        let (workspace, working_directory) =
            (PathBuf::from(workspace), PathBuf::from(working_directory));
        let wanted = Wanted { thread, number, changes, workspace, working_directory };
        self.answer(async move {
            let result = places.prepare(git, wanted, stop.clone()).await;
            // Whoever is stopped from now on has a place.
            stop.cancel();
            Event::Prepared { turn: number, result }
        });
    }

    /// Nobody wants a place any more, made or not.
    pub(super) fn stop(&mut self, number: TurnNumber) {
        if let Some(stop) = self.preparing.remove(&number) {
            stop.cancel();
        }
    }

    /// Looks at what a turn has changed; the answer is an event.
    pub(super) fn collect(&mut self, number: TurnNumber, thread: ThreadId) {
        self.preparing.remove(&number);
        let (places, git) = (self.places.clone(), self.git(CancellationToken::new()));
        self.answer(async move {
            let result = places.collect(git, thread, number).await;
            Event::Collected { turn: number, result }
        });
    }

    /// A thread is put away or gone, and what it proposed with it.
    pub(super) fn forget(&self, thread: ThreadId) {
        let places = self.places.clone();
        self.tasks.spawn_blocking(move || places.forget(&thread));
    }

    fn answer(&self, event: impl Future<Output = Event> + Send + 'static) {
        let inputs = self.inputs.clone();
        self.tasks.spawn(async move {
            let event = event.await;
            // A loop that has ended needs no news.
            if let Some(inputs) = inputs.upgrade() {
                let _ = inputs.send(Input::Event(event)).await;
            }
        });
    }

    /// Git, if there is one: without it there are no rules about what belongs to a workspace.
    fn git(&self, cancel: CancellationToken) -> Option<Git> {
        Some(Git {
            program: self.config.find_git_bin().ok()?,
            environment: self.config.codex_environment(),
            time_limit: self.config.command_time_limit,
            cancel,
        })
    }
}
