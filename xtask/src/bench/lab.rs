//! What all measurements share: the server, the model, and how many samples are taken.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use testkit::home::CodexHome;
use testkit::model::{FakeModel, Script, says};

/// The bench.
pub(super) struct Lab {
    pub(super) server: PathBuf,
    pub(super) model: FakeModel,
    /// In quarters of a full run.
    scale: usize,
}

impl Lab {
    pub(super) fn new(server: PathBuf, scale: usize) -> Result<Self> {
        let model = FakeModel::start(Script::always(says("pong")).without_capture());
        Ok(Self { server, model, scale })
    }

    /// How many samples to take where a full run takes `full`.
    pub(super) fn samples(&self, full: usize) -> usize {
        (full * self.scale / 4).max(3)
    }

    /// A fresh home with this lab's model, and a git repository as its workspace.
    pub(super) fn home(&self) -> CodexHome {
        home(&self.model)
    }
}

/// A fresh home with a model, and a git repository as its workspace.
pub(super) fn home(model: &FakeModel) -> CodexHome {
    CodexHome::new(&model.base_url()).with_git()
}

/// How long something takes.
pub(super) fn time(act: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    act()?;
    Ok(begun.elapsed())
}
