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
    /// The turns whose places are being made, or are made and not looked at yet.
    preparing: HashMap<TurnNumber, Preparing>,
}

/// A turn that has a place made.
struct Preparing {
    thread: ThreadId,
    /// Nobody wants it any more, or it cannot be made.
    stop: CancellationToken,
    /// It is made, or cannot be.
    ended: CancellationToken,
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
        self.preparing.retain(|_, preparing| !preparing.stop.is_cancelled());
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let preparing =
            Preparing { thread: thread.clone(), stop: stop.clone(), ended: ended.clone() };
        self.preparing.insert(number, preparing);
        let (places, git) = (self.places.clone(), self.git(stop.clone()));
        let (workspace, working_directory) =
            (PathBuf::from(workspace), PathBuf::from(working_directory));
        let wanted = Wanted { thread, number, changes, workspace, working_directory };
        self.answer(async move {
            let result = places.prepare(git, wanted, stop.clone()).await;
            if result.is_err() {
                stop.cancel();
            }
            ended.cancel();
            Event::Prepared { turn: number, result }
        });
    }

    /// Nobody wants a place any more, made or not.
    pub(super) fn stop(&mut self, number: TurnNumber) {
        let Some(Preparing { thread, stop, ended }) = self.preparing.remove(&number) else {
            return;
        };
        stop.cancel();
        let places = self.places.clone();
        self.tasks.spawn(async move {
            ended.cancelled().await;
            let given_up = tokio::task::spawn_blocking(move || places.give_up(&thread, number));
            // What it could not remove is recorded with the next start.
            let _ = given_up.await;
        });
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::path::Path;

    use crate::config::{Environment, Flags};
    use crate::ledger::Ledger;

    use super::*;

    /// What the snapshots in place are of.
    fn snapshots(state: &Path) -> Vec<u64> {
        let places = fs::read_dir(state.join("in-place")).into_iter().flatten();
        let abouts = places.filter_map(|place| fs::read(place.ok()?.path().join("turn.json")).ok());
        let turn = |about: Vec<u8>| {
            let about: serde_json::Value = serde_json::from_slice(&about).unwrap_or_default();
            about["turn"].as_u64().unwrap_or_default()
        };
        abouts.map(turn).collect()
    }

    /// The snapshots that are there once these turns of one thread have a place, and then these are stopped.
    async fn check(prepared: &[u64], stopped: &[u64], expected: &[u64]) {
        let home = tempfile::tempdir().expect("a temporary directory");
        let workspace = home.path().join("workspace");
        fs::create_dir(&workspace).expect("a directory in a fresh one");
        let environment = Environment::new(
            [(OsString::from("HOME"), OsString::from(home.path()))],
            workspace.clone(),
        );
        let config = Config::load(&environment, &Flags::default()).expect("nothing is configured");
        let config = Arc::new(config);
        let places = Places::new(config.clone(), Ledger::without_store());
        let (sender, mut inputs) = mpsc::channel(8);
        let tasks = TaskTracker::new();
        let mut changing = Changing::new(places, config.clone(), sender.downgrade(), tasks.clone());
        let workspace = workspace.to_str().expect("the path is UTF-8");
        for &number in prepared {
            let turn = (TurnNumber(number), ThreadId("t".to_owned()));
            changing.prepare(turn, Changes::Direct, workspace.to_owned(), workspace.to_owned());
            let made = inputs.recv().await;
            assert!(
                matches!(made, Some(Input::Event(Event::Prepared { result: Ok(_), .. }))),
                "turn {number} has no place"
            );
        }
        assert_eq!(snapshots(&config.state_dir), prepared[prepared.len() - 1..]);
        for &number in stopped {
            changing.stop(TurnNumber(number));
        }
        tasks.close();
        tasks.wait().await;
        assert_eq!(snapshots(&config.state_dir), expected, "{prepared:?} without {stopped:?}");
    }

    #[tokio::test]
    async fn a_place_that_was_made_is_given_up_and_a_later_one_is_left() {
        check(&[1], &[1], &[]).await;
        check(&[1, 2], &[1], &[2]).await;
        check(&[1, 2], &[1, 2], &[]).await;
        check(&[1], &[7], &[1]).await;
    }
}
